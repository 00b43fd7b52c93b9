"""The stage on generated clients: files, bytes, errors, and the page that is made from them."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from creditrisk import io, params
from creditrisk.errors import UserError
from creditrisk.reporting.render import render
from creditrisk.stats.simulation import family_errors
from creditrisk.validation import fingerprint
from stages import stats_report
from studies import coverage, errors
from tests import generated
from tests.stages.study_runs import SECTIONS

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
    "distributions": [
        {"id": "rate", "statistic": "rate", "value": "default"}
        | {"group": None, "first": None, "second": None},
        {"id": "gap", "statistic": "mean", "value": "LIMIT_BAL"}
        | {"group": "default", "first": 1, "second": 0},
    ],
    "columns": {"limit_half": {"source": "LIMIT_BAL", "edges": [120000]}},
    "sensitivity": {
        "n_permutations": 99,
        "variants": [
            {"id": "tame", "label": "Without outliers", "exclude": ["is_outlier_iqr"]},
            {"id": "once", "label": "One row a client", "one_row_per": "group_id"},
        ],
    },
    "questions": [
        {"id": f"q_{kind}_{value.lower()}", "kind": kind, "value": value, "group": group}
        | {"question": f"{value}?", "h0": "equal", "h1": "not equal", "smallest_effect": 0.1}
        | {"assumptions": ["Rows are independent."], **further}
        for kind, value, group, further in (
            ("welch_t", "LIMIT_BAL", "default", {}),
            ("permutation", "LIMIT_BAL", "default", {}),
            ("z_test", "AGE", "default", {}),
            ("pooled_t", "PAY_AMT1", "SEX", {}),
            ("mann_whitney", "PAY_AMT1", "default", {}),
            ("chi_square", "PAY_0", "default", {}),
            ("g_test", "PAY_2", "default", {}),
            ("anova", "default", "education_group", {}),
            ("anova", "LIMIT_BAL", "education_group", {}),
            ("welch_anova", "AGE", "marriage_group", {}),
            ("kruskal", "LIMIT_BAL", "education_group", {}),
            ("two_way", "LIMIT_BAL", "limit_half", {"and": "SEX"}),
            ("stratified", "SEX", "default", {"within": ["limit_half"]}),
        )
    ],
}
ERRORS = {
    "random_state": 1,
    "false_alarms": {
        "sizes": [100],
        "n_shuffles": 100,
        "n_reference": 19,
        "cases": [{"values": ["LIMIT_BAL"], "group": "default", "tests": ["welch_t"]}],
    },
    "power": {
        "sizes": [100],
        "n_effects": 2,
        "n_simulations": 100,
        "panels": [
            {"kind": "welch_t", "values": ["LIMIT_BAL"], "group": "default"}
            | {"smallest_effect": 0.2}
        ],
    },
    "family": {"n": 100, "n_families": 100, "share_real": 0.5},
    "stats_report": SECTION,
}
BESIDE = {
    "threshold": {
        "value": 0.25,
        "false_alarms": 815,
        "missed_detections": 508,
        "caught_defaults": 819,
        "correctly_clear": 3853,
        "flagged_share": 0.27,
    }
}
"""What the page shows of the model, as reports/metrics/evaluate.json has it."""


def clients() -> pd.DataFrame:
    return generated.clients(600, 0)


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Both studies on the same clients, in small."""
    folder = tmp_path_factory.mktemp("studies")
    io.write_table(folder / "clients.parquet", clients())
    for study, section in ((coverage, SECTIONS["coverage"]), (errors, ERRORS)):
        name = study.__name__.removeprefix("studies.")
        parsed = params.parse(study.Params, section, name)
        study.main(parsed, clients=folder / "clients.parquet", results=folder / f"{name}.json")
    return lambda name: folder / f"{name}.json"


@pytest.fixture(scope="module")
def run(studies):
    """Return a function that runs the stage on a table and returns its files."""

    def run_stage(folder, table, studies=studies, **changes):
        folder.mkdir(parents=True, exist_ok=True)
        io.write_table(folder / "clients.parquet", table)
        parsed = params.parse(stats_report.Params, SECTION | changes, "stats_report")
        files = {"results": folder / "results.json", "metrics": folder / "metrics.json"}
        stats_report.main(parsed, clients=folder / "clients.parquet", studies=studies, **files)
        return files

    return run_stage


def show(found):
    return render("statistics", found | {"beside": BESIDE})


@pytest.fixture(scope="module")
def written(run, tmp_path_factory):
    return run(tmp_path_factory.mktemp("stats"), clients())


def test_results_hold_every_section(written):
    found = io.read_json(written["results"])
    assert set(found) == {
        "headline",
        "sample",
        "estimation",
        "distributions",
        "questions",
        "sensitivity",
        "chi_square",
        "context",
        "studies",
        "provenance",
    }
    assert next(row["column"] for row in found["chi_square"]).startswith("PAY_")
    assert {row["kind"] for row in found["questions"]} == {q["kind"] for q in SECTION["questions"]}
    assert len(found["estimation"]["intervals"]) == 7
    assert found["provenance"]["parameters"]["alpha"] == SECTION["alpha"]
    for name, study in found["studies"].items():
        assert study["stale"] == [], name
        assert study["document"]["fingerprint"]
    variants = found["sensitivity"]["variants"]
    assert [v["n_excluded"] > 0 for v in variants] == [True, True]
    assert all(set(v["answers"]) == {q["id"] for q in SECTION["questions"]} for v in variants)
    assert found["context"]["tests"]["studies"][0]["power"][0] == pytest.approx(0.05)


def test_headline_stands_alone_in_the_metrics(written):
    headline = io.read_json(written["results"])["headline"]
    assert io.read_json(written["metrics"]) == headline
    assert headline["rows"] == 600
    assert headline["sensitivity"]["variants"] == 2
    assert headline["mean"]["low"] < headline["mean"]["estimate"] < headline["mean"]["high"]
    assert headline["difference"]["estimate"] == pytest.approx(
        clients().groupby("default")["LIMIT_BAL"].mean().diff()[1], rel=1e-5
    )


def test_the_false_alarm_rate_is_that_at_no_difference_wherever_it_is_listed(
    run, written, tmp_path
):
    turned = SECTION["power"] | {"check_differences": [20000, 0]}
    rate = io.read_json(run(tmp_path, clients(), power=turned)["metrics"])["false_alarm_rate"]
    assert rate == io.read_json(written["metrics"])["false_alarm_rate"] < 0.2


def test_second_run_gives_the_same_bytes_whatever_the_threads(run, written, tmp_path, monkeypatch):
    monkeypatch.setattr(stats_report, "N_JOBS", 1)
    again = run(tmp_path, clients())
    for name, file in written.items():
        assert again[name].read_bytes() == file.read_bytes(), name


def test_row_order_changes_no_test(run, written, tmp_path):
    """Closed-form statistics do not depend on it; only resampling draws other rows."""
    table = clients().sample(frac=1, random_state=0).reset_index(drop=True)
    ours, theirs = (
        {row["id"]: row["p_value"] for row in io.read_json(f["results"])["questions"]}
        for f in (written, run(tmp_path, table))
    )
    for name, p in ours.items():
        if "permutation" not in name:
            assert theirs[name] == pytest.approx(p, rel=1e-5)


def test_a_question_is_added_without_code(run, tmp_path):
    """Nor are a band to use in it and a selection of rows to ask it of."""
    bill = SECTION["questions"][2] | {"id": "bill", "value": "BILL_AMT3", "group": "bands"}
    added = {
        "questions": [*SECTION["questions"], bill],
        "columns": SECTION["columns"] | {"bands": {"source": "AGE", "edges": [40]}},
        "sensitivity": SECTION["sensitivity"]
        | {"variants": [{"id": "used", "label": "In use", "exclude": ["is_inactive"]}]},
    }
    found = io.read_json(run(tmp_path, clients(), **added)["results"])
    row = next(row for row in found["questions"] if row["id"] == "bill")
    assert row["details"]["first"]["label"] == "below 40"
    assert found["headline"]["questions"]["asked"] == len(SECTION["questions"]) + 1
    (variant,) = found["sensitivity"]["variants"]
    assert variant["n_excluded"] == clients()["is_inactive"].sum()
    assert 'id="q-bill"' in show(found)


def test_missing_column_is_named(run, tmp_path):
    with pytest.raises(Exception, match="PAY_AMT3"):
        run(tmp_path, clients().drop(columns="PAY_AMT3"))


@pytest.mark.parametrize(
    "changes",
    [
        {"mean_column": "LIMIT"},
        {"categorical_columns": ["SEX", "LIMIT"]},
        {"distributions": [SECTION["distributions"][0] | {"value": "LIMIT"}]},
        {"columns": {"limit_half": {"source": "LIMIT", "edges": [1]}}},
        {"questions": [SECTION["questions"][0] | {"value": "LIMIT"}]},
    ],
)
def test_wrong_column_in_the_parameters_is_named(run, tmp_path, changes):
    with pytest.raises(UserError, match="no column LIMIT in the table"):
        run(tmp_path, clients(), **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alpha": 5}, "stats_report.alpha"),
        ({"questions": []}, "stats_report.questions"),
        ({"questions": SECTION["questions"][:1] * 2}, "ids repeat"),
        ({"questions": [SECTION["questions"][0] | {"kind": "t"}]}, "questions.0.kind"),
        ({"questions": [SECTION["questions"][0] | {"kind": "two_way"}]}, "needs the field 'and'"),
        ({"questions": [SECTION["questions"][0] | {"within": ["SEX"]}]}, "no use for the field"),
        ({"questions": [SECTION["questions"][0] | {"assumptions": []}]}, "questions.0.assumptions"),
        ({"columns": {"band": {"source": "AGE", "edges": []}}}, "columns.band.edges"),
        ({"sensitivity": {"n_permutations": 1, "variants": []}}, "sensitivity.n_permutations"),
        ({"power": SECTION["power"] | {"check_differences": [5]}}, "must contain 0"),
        ({"typo": 1}, "stats_report.typo"),
    ],
)
def test_wrong_parameters_are_named(changes, words):
    with pytest.raises(params.ParamsError, match=words):
        params.parse(stats_report.Params, SECTION | changes, "stats_report")


def test_a_missing_study_is_named_with_its_remedy(run, tmp_path):
    with pytest.raises(UserError, match=r"coverage\.json is missing.*`make studies`"):
        run(tmp_path, clients(), studies=lambda name: tmp_path / f"{name}.json")


def test_a_study_of_other_clients_or_other_questions_is_marked(run, studies, tmp_path, capsys):
    parsed = params.parse(stats_report.Params, SECTION, "stats_report")
    other = stats_report.read_studies(parsed, generated.clients(600, 1), studies)
    assert all("clients" in study["stale"][0] for study in other.values())
    changed = [q | {"value": "AGE"} if q["kind"] == "welch_t" else q for q in SECTION["questions"]]
    parsed = params.parse(stats_report.Params, SECTION | {"questions": changed}, "stats_report")
    found = stats_report.read_studies(parsed, clients(), studies)
    assert found["coverage"]["stale"] == []
    assert len(found["errors"]["stale"]) == 1
    assert (
        "study errors speaks of other questions, or another level: run `make studies`"
        in capsys.readouterr().out
    )
    # the wording of a question is none of the study's business
    reworded = [q | {"question": "Really?"} for q in SECTION["questions"]]
    parsed = params.parse(stats_report.Params, SECTION | {"questions": reworded}, "stats_report")
    assert stats_report.read_studies(parsed, clients(), studies)["errors"]["stale"] == []
    recipe = family_errors.recipe(SECTION["questions"], SECTION["alpha"])
    stored = io.read_json(studies("errors"))["fingerprint"]
    assert stored == fingerprint.fingerprint(clients(), recipe, [])


def test_page_shows_every_section_and_its_numbers(written):
    found = io.read_json(written["results"])
    page = show(found)
    for name in [
        "questions",
        "estimation",
        "bootstrap",
        "coverage",
        "permutation",
        "tests",
        "chi_square",
        "anova",
        "stratified",
        "context",
        "sensitivity",
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
    assert page == show(found)
    assert len(page.encode()) < 500_000
    assert not re.search(r'(?:src|href)="https?:', page)


def test_page_copes_with_questions_that_cannot_be_asked(run, tmp_path):
    """One sex only: its questions are listed as not applicable, the ranking says so."""
    table = clients()
    table = table[table["SEX"] == 2].reset_index(drop=True)
    asked = [q for q in SECTION["questions"] if q["kind"] in ("pooled_t", "chi_square")]
    found = io.read_json(run(tmp_path, table, questions=asked)["results"])
    assert "difference" not in found["headline"]
    page = show(found)
    assert "Not applicable" in page
    assert "SEX: 1 group, at least two needed" in page
    assert "Not ranked: SEX: constant" in page
    assert "No question of this kind is declared" in page
