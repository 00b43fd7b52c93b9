"""The stage on generated clients: files, bytes, errors, and the page that is made from them."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.reporting.render import render
from stages import stats_report
from tests.generated import raw_clients

SECTION = {
    "random_state": 7,
    "alpha": 0.05,
    "confidence": 0.95,
    "mean_column": "LIMIT_BAL",
    "n_bootstrap": 200,
    "n_permutations": 99,
    "categorical_columns": ["SEX", "EDUCATION", "PAY_0", "PAY_2"],
    "power": {
        "sample_sizes": [100, 400],
        "largest_difference": 40000,
        "n_steps": 20,
        "targets": [0.8, 0.9],
        "n_simulations": 100,
        "check_differences": [0, 20000],
    },
    "costs": {
        "test_false_alarm": 100,
        "test_missed_detection": 300,
        "prior_real": 0.5,
        "test_clients": 200,
        "test_difference": 20000,
        "alphas": [0.01, 0.05],
        "client_false_alarm": 1,
        "client_missed_detection": 4,
    },
    "rule": {"column": "PAY_0", "at_least": [1, 2]},
    "questions": [
        {"id": f"q_{kind}_{value.lower()}", "kind": kind, "value": value, "group": group}
        | {"question": f"{value}?", "h0": "equal", "h1": "not equal", "smallest_effect": 0.1}
        for kind, value, group in (
            ("welch_t", "LIMIT_BAL", "default"),
            ("permutation", "LIMIT_BAL", "default"),
            ("z_test", "AGE", "default"),
            ("pooled_t", "PAY_AMT1", "SEX"),
            ("chi_square", "PAY_0", "default"),
            ("anova", "default", "education_group"),
            ("anova", "LIMIT_BAL", "education_group"),
        )
    ],
}


def clients(n=600) -> pd.DataFrame:
    raw = raw_clients(n)
    amounts = [schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS]
    return (
        raw.rename(columns={schema.RAW_TARGET: schema.TARGET})
        .astype(dict.fromkeys(amounts, "float64"))
        .assign(
            sex_group=raw["SEX"].map(schema.SEX_CODES),
            education_group=raw["EDUCATION"].map(schema.EDUCATION_CODES),
            marriage_group=raw["MARRIAGE"].map(schema.MARRIAGE_CODES),
            group_id=raw["ID"],
            split=schema.TRAIN,
            fit_row=True,
        )
    )


def run(folder, table, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    io.write_table(folder / "clients.parquet", table)
    parsed = params.parse(stats_report.Params, SECTION | changes, "stats_report")
    files = {"results": folder / "results.json", "metrics": folder / "metrics.json"}
    stats_report.main(parsed, clients=folder / "clients.parquet", **files)
    return files


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return run(tmp_path_factory.mktemp("stats"), clients())


def test_results_hold_every_section(written):
    found = io.read_json(written["results"])
    assert set(found) >= {"headline", "sample", "estimation", "questions", "chi_square", "context"}
    assert next(row["column"] for row in found["chi_square"]).startswith("PAY_")
    assert {row["kind"] for row in found["questions"]} == {q["kind"] for q in SECTION["questions"]}
    assert len(found["estimation"]["intervals"]) == 6
    assert found["context"]["tests"]["studies"][0]["power"][0] == pytest.approx(0.05)


def test_headline_stands_alone_in_the_metrics(written):
    headline = io.read_json(written["results"])["headline"]
    assert io.read_json(written["metrics"]) == headline
    assert headline["rows"] == 600
    assert headline["mean"]["low"] < headline["mean"]["estimate"] < headline["mean"]["high"]
    assert headline["difference"]["estimate"] == pytest.approx(
        clients().groupby("default")["LIMIT_BAL"].mean().diff()[1], rel=1e-5
    )


def test_the_false_alarm_rate_is_that_at_no_difference_wherever_it_is_listed(written, tmp_path):
    turned = SECTION["power"] | {"check_differences": [20000, 0]}
    rate = io.read_json(run(tmp_path, clients(), power=turned)["metrics"])["false_alarm_rate"]
    assert rate == io.read_json(written["metrics"])["false_alarm_rate"] < 0.2


def test_second_run_gives_the_same_bytes_whatever_the_threads(written, tmp_path, monkeypatch):
    monkeypatch.setattr(stats_report, "N_JOBS", 1)
    again = run(tmp_path, clients())
    for name, file in written.items():
        assert again[name].read_bytes() == file.read_bytes(), name


def test_row_order_changes_no_test(written, tmp_path):
    """Closed-form statistics do not depend on it; only resampling draws other rows."""
    table = clients().sample(frac=1, random_state=0).reset_index(drop=True)
    ours, theirs = (
        {row["id"]: row["p_value"] for row in io.read_json(f["results"])["questions"]}
        for f in (written, run(tmp_path, table))
    )
    for name, p in ours.items():
        if "permutation" not in name:
            assert theirs[name] == pytest.approx(p, rel=1e-5)


def test_a_question_is_added_without_code(tmp_path):
    added = SECTION["questions"][2] | {"id": "bill", "value": "BILL_AMT3"}
    files = run(tmp_path, clients(), questions=[*SECTION["questions"], added])
    found = io.read_json(files["results"])
    assert "bill" in {row["id"] for row in found["questions"]}
    assert found["headline"]["questions"]["asked"] == len(SECTION["questions"]) + 1
    assert 'id="q-bill"' in render("statistics", found)


def test_missing_column_is_named(tmp_path):
    with pytest.raises(Exception, match="PAY_AMT3"):
        run(tmp_path, clients().drop(columns="PAY_AMT3"))


@pytest.mark.parametrize(
    "changes", [{"mean_column": "LIMIT"}, {"categorical_columns": ["SEX", "LIMIT"]}]
)
def test_wrong_column_in_the_parameters_is_named(tmp_path, changes):
    with pytest.raises(UserError, match="no column LIMIT in the table"):
        run(tmp_path, clients(), **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alpha": 5}, "stats_report.alpha"),
        ({"questions": []}, "stats_report.questions"),
        ({"questions": SECTION["questions"][:1] * 2}, "ids repeat"),
        ({"questions": [SECTION["questions"][0] | {"kind": "t"}]}, "questions.0.kind"),
        ({"power": SECTION["power"] | {"check_differences": [5]}}, "must contain 0"),
        ({"typo": 1}, "stats_report.typo"),
    ],
)
def test_wrong_parameters_are_named(changes, words):
    with pytest.raises(params.ParamsError, match=words):
        params.parse(stats_report.Params, SECTION | changes, "stats_report")


def test_page_shows_every_section_and_its_numbers(written):
    found = io.read_json(written["results"])
    page = render("statistics", found)
    for name in [
        "questions",
        "estimation",
        "bootstrap",
        "permutation",
        "tests",
        "chi_square",
        "anova",
        "context",
        "limits",
    ]:
        assert f'id="{name}"' in page
    for title in ("Categorical feature importance (chi-square)", "Hypothesis testing context"):
        assert f">{title}</h2>" in page
    assert 'href="model.html#confusion"' in page
    assert "false alarm" in page
    assert "missed detection" in page
    marked = re.findall(r'data-metric="stats_report:([^"]+)" value="([^"]+)"', page)
    assert len(marked) >= 8
    for key, value in marked:
        number = found["headline"]
        for part in key.split("."):
            number = number[part]
        assert float(value) == number, key
    assert page == render("statistics", found)
    assert len(page.encode()) < 500_000
    assert not re.search(r'(?:src|href)="https?:', page)


def test_page_copes_with_questions_that_cannot_be_asked(tmp_path):
    """One sex only: its questions are listed as not applicable, the ranking says so."""
    table = clients()
    table = table[table["SEX"] == 2].reset_index(drop=True)
    asked = [q for q in SECTION["questions"] if q["kind"] in ("pooled_t", "chi_square")]
    found = io.read_json(run(tmp_path, table, questions=asked)["results"])
    assert "difference" not in found["headline"]
    page = render("statistics", found)
    assert "Not applicable" in page
    assert "SEX: 1 group, at least two needed" in page
    assert "Not ranked: SEX: constant" in page
    assert "No question of this kind is declared" in page
