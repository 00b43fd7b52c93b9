"""The eda stage and its page: files, parameters, and numbers that read back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandera.errors
import pytest

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.reporting.render import render
from stages import clean, eda
from tests.generated import CLEANING, raw_clients
from tests.stages.model_stages import inputs
from tests.stages.study_runs import run_study

SECTION = {
    "confidence_level": 0.95,
    "limit_bal_width": 50_000,
    "age_width": 5,
    "amount_edges": [1000, 10_000, 100_000],
    "min_bin_clients": 5,
    "leakage": {"n_folds": 2, "n_splits": 3, "random_state": 0},
}
ANCHORS = (
    "provenance",
    "dictionary",
    "missing",
    "changes",
    "findings",
    "imbalance",
    "twins",
    "limit_bal",
    "age",
    "amounts",
    "categories",
    "pay_codes",
    "roll_rates",
    "alignment",
    "identity",
    "outliers",
    "outlier_effect",
    "associations",
    "leakage",
    "limits",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    raw = folder / "raw.csv"
    raw_clients(400, seed=2).to_csv(raw, index=False, lineterminator="\n")
    files = {name: folder / name for name in ("clients", "results", "metrics")}
    clean.main(params.parse(clean.Params, CLEANING, "clean"), raw=raw, **files)
    study = folder / "study.json"  # of other clients, as after a change of the table
    run_study(inputs(folder / "others"), "outliers", study)
    return {
        "raw": raw,
        "clients": files["clients"],
        "findings": files["results"],
        "outliers": study,
    }


def run(folder: Path, sources: dict[str, Path], **changes: Any) -> dict[str, bytes]:
    written = {name: folder / name for name in ("results", "metrics")}
    eda.main(params.parse(eda.Params, SECTION | changes, "eda"), **sources, **written)
    return {name: path.read_bytes() for name, path in written.items()}


@pytest.fixture(scope="module")
def results(tmp_path_factory, sources) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("results")
    run(folder, sources)
    return io.read_json(folder / "results")


@pytest.fixture(scope="module")
def html(results) -> str:
    return render("eda", results)


def test_it_writes_the_same_twice(tmp_path: Path, sources: dict[str, Path]) -> None:
    first = run(tmp_path / "a", sources)
    assert run(tmp_path / "b", sources) == first
    metrics = io.read_json(tmp_path / "a" / "metrics")
    written = io.read_json(tmp_path / "a" / "results")
    assert metrics == written["headline"]
    assert metrics["rows"] == 400
    assert written["sha256"] == io.sha256(sources["raw"])
    assert written["source"] is None  # generated data must not be cited as the UCI table


def test_a_study_of_other_clients_is_shown_with_a_caution(results: dict[str, Any]) -> None:
    assert results["studies"]["outliers"]["stale"] == ["other clients, labels or splits"]
    fresh = results | {"studies": {"outliers": results["studies"]["outliers"] | {"stale": []}}}
    assert "of other clients, labels or splits" in render("eda", results)
    assert "of other clients, labels or splits" not in render("eda", fresh)


def test_a_missing_study_is_named_with_the_remedy(tmp_path: Path, sources: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=r"nothing\.json is missing.*make studies"):
        run(tmp_path / "a", sources | {"outliers": tmp_path / "nothing.json"})


def test_parameters_reach_the_work(tmp_path: Path, sources: dict[str, Path]) -> None:
    run(tmp_path / "a", sources)
    run(tmp_path / "b", sources, age_width=10, confidence_level=0.8, min_bin_clients=401)
    a, b = (io.read_json(tmp_path / name / "results") for name in "ab")
    assert b["age"]["edges"][1] - b["age"]["edges"][0] == 10
    assert set(b["age"]["rates"]) == {None}
    width = [r["headline"]["default_rate_high"] - r["headline"]["default_rate_low"] for r in (a, b)]
    assert width[1] < width[0]


def test_a_missing_column_is_named(tmp_path: Path, sources: dict[str, Path]) -> None:
    short = tmp_path / "short.parquet"
    io.write_table(short, io.read_table(sources["clients"]).drop(columns=["PAY_AMT3"]))
    with pytest.raises(pandera.errors.SchemaErrors, match="PAY_AMT3"):
        run(tmp_path / "a", sources | {"clients": short})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount_edges": [10, 5]}, r"eda\.amount_edges: .*must ascend strictly"),
        ({"confidence_level": 95}, r"eda\.confidence_level: .*less than 1"),
        ({"age_width": 0}, r"eda\.age_width: .*greater than 0"),
        ({"colour": "red"}, r"eda\.colour"),
        ({"leakage": {"n_folds": 1, "n_splits": 3, "random_state": 0}}, r"eda\.leakage\.n_folds"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        params.parse(eda.Params, SECTION | changes, "eda")


def test_the_page_has_every_section_and_fetches_nothing(html: str) -> None:
    for anchor in ANCHORS:
        assert html.count(f'id="{anchor}"') == 1, anchor
    assert len(html.encode()) < 700_000
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert "https://" not in html


def test_marked_numbers_equal_the_headline(html: str, results: dict[str, Any]) -> None:
    found = re.findall(r'<data data-metric="eda:([\w.]+)" value="([^"]+)"', html)
    assert {key for key, _ in found} >= {
        "rows",
        "default_rate",
        "missing_values",
        "removed_zscore",
        "removed_iqr",
        "removed_iqr_amounts_share",
    }
    for key, value in found:
        assert float(value) == results["headline"][key], key


def test_the_outlier_section_opens_with_the_table_as_asked(
    html: str, results: dict[str, Any]
) -> None:
    section = html.partition('<section id="outliers">')[2].partition("</section>")[0]
    caption = re.search(r"<caption>(.*?)</caption>", section)
    assert caption is not None
    assert "AGE and LIMIT_BAL" in caption[1]
    first_table = section.partition("</table>")[0]
    for entry in results["outliers"]["asked"]:
        assert f">{entry['n_removed']:,}<" in first_table


def test_the_source_is_cited_for_the_default_data_only(html: str, results: dict[str, Any]) -> None:
    cited = render("eda", results | {"source": schema.SOURCE})
    assert "CC BY 4.0" not in html
    assert "CC BY 4.0" in cited
    assert "10.24432/C55S3H" in cited
    # the rest of the page is the same to the byte
    assert cited.partition('id="missing"')[2] == html.partition('id="missing"')[2]


def test_undocumented_codes_are_marked(html: str, results: dict[str, Any]) -> None:
    undocumented = sum(
        entry["n"]
        for rows in results["categories"].values()
        for entry in rows
        if not entry["documented"]
    )
    assert undocumented > 0
    assert f"{undocumented} values of education and marriage" in html
    assert "0 revolving credit *" in html
