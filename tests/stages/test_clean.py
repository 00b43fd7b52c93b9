"""The clean stage: what it writes, its parameters, and errors that a user sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from stages import clean
from tests.generated import CLEANING, raw_clients


def parse(**changes: Any) -> clean.Params:
    sections = {k: v | changes.get(k, {}) for k, v in CLEANING.items()}
    return params.parse(clean.Params, sections, "clean")


def run(folder: Path, raw: Path, **changes: Any) -> dict[str, bytes]:
    written = {name: folder / name for name in ("clients", "results", "metrics")}
    clean.main(parse(**changes), raw=raw, **written)
    return {name: path.read_bytes() for name, path in written.items()}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    file = tmp_path / "raw.csv"
    raw_clients(400, seed=2).to_csv(file, index=False, lineterminator="\n")
    return file


def test_it_writes_the_clients_and_what_it_found_twice_the_same(tmp_path: Path, raw: Path) -> None:
    first = run(tmp_path / "a", raw)
    assert run(tmp_path / "b", raw) == first
    clients = io.read_table(tmp_path / "a" / "clients")
    schema.clients_contract().validate(clients, lazy=True)
    metrics = io.read_json(tmp_path / "a" / "metrics")
    assert metrics == io.read_json(tmp_path / "a" / "results")["headline"]
    assert metrics["rows"] == len(clients)
    assert metrics["n_holdout"] == (clients["split"] == "holdout").sum()
    assert metrics["n_outliers_removed"] == (~clients["fit_row"]).sum() > 0
    assert metrics["sha256"] == io.sha256(raw)


def test_a_missing_column_is_named_and_nothing_is_written(tmp_path: Path, raw: Path) -> None:
    raw_clients(50).drop(columns="PAY_AMT4").to_csv(raw, index=False)
    with pytest.raises(UserError, match="missing columns: PAY_AMT4"):
        run(tmp_path / "a", raw)
    assert not (tmp_path / "a").exists()


def test_the_outlier_parameters_reach_the_work(tmp_path: Path, raw: Path) -> None:
    changes = {"columns": ["BILL_AMT1"], "rule": "iqr", "treatment": "winsorise"}
    run(tmp_path / "a", raw, outliers=changes)
    found = io.read_json(tmp_path / "a" / "results")["outliers"]
    assert found["columns"] == ["BILL_AMT1"]
    assert found["n_winsorised"] > 0
    assert found["n_removed"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"missing": {"AGE": "zero"}},
            r"clean\.missing\.AGE: 'zero', allowed are error, drop, median",
        ),
        ({"missing": {"PAY_0": "zero"}}, r"clean\.missing\.PAY_0: no such key"),
        ({"outliers": {"rule": "mad"}}, r"clean\.outliers\.rule"),
        ({"outliers": {"treatment": "drop"}}, r"clean\.outliers\.treatment"),
        ({"outliers": {"columns": ["AGE", "SEX"]}}, r"clean\.outliers\.columns"),
        ({"outliers": {"columns": []}}, r"clean\.outliers\.columns"),
        ({"outliers": {"z": 0}}, r"clean\.outliers\.z"),
        ({"holdout": {"share": 1.0}}, r"clean\.holdout\.share"),
        ({"twins": {"min_amounts": 11}}, r"clean\.twins\.min_amounts"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        parse(**changes)


def test_the_parameters_of_the_repository_are_accepted() -> None:
    section = params.read_section(Path(__file__).resolve().parents[2] / "params.yaml", "clean")
    assert params.parse(clean.Params, section, "clean").model_dump() == section
