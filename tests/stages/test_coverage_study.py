"""The script of the study ``coverage``: what it reads and writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params, schema
from creditrisk.validation import fingerprint
from studies import coverage
from tests import generated

from .study_runs import SECTIONS


def parsed(**changes: Any) -> coverage.Params:
    return params.parse(coverage.Params, SECTIONS["coverage"] | changes, "coverage")


def run(folder: Path, name: str, **changes: Any) -> Path:
    coverage.main(parsed(**changes), clients=folder / "clients.parquet", results=folder / name)
    return folder / name


def test_the_table_of_coverage_is_written_and_repeats_byte_by_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clients = generated.clients(500, 2)
    io.write_table(tmp_path / "clients.parquet", clients)
    written = run(tmp_path, "first.json")
    assert written.read_bytes() == run(tmp_path, "second.json").read_bytes()
    document = io.read_json(written)
    assert set(document) == {"fingerprint", "design", "population", "rows", "gate", "rates"}
    assert document["design"] == SECTIONS["coverage"]
    assert document["population"]["mean"] == pytest.approx(clients[schema.LIMIT].mean())
    assert [(row["n"], row["method"]) for row in document["rows"]][5:7] == [
        (15, "studentised"),
        (60, "normal"),
    ]
    assert [row["method"] for row in document["gate"]["methods"]] == [
        "normal", "t", "percentile", "basic", "bca", "studentised",
    ]  # fmt: skip
    assert document["rates"]["rate"] == pytest.approx(clients[schema.TARGET].mean())
    assert len(document["rates"]["rows"]) == 2 * 3
    # clients only: no champion's recipe and no features
    assert document["fingerprint"] == fingerprint.fingerprint(clients, {}, [])
    assert "coverage: 15 clients a sample: 120 samples done" in capsys.readouterr().out


def test_another_seed_draws_other_samples(tmp_path: Path) -> None:
    io.write_table(tmp_path / "clients.parquet", generated.clients(500, 2))
    first = io.read_json(run(tmp_path, "first.json"))
    second = io.read_json(run(tmp_path, "second.json", random_state=4))
    assert first["rows"] != second["rows"]
    assert first["rates"] == second["rates"]  # nothing is drawn there


def test_parameters_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(params.ParamsError, match=r"gate_size 60 must be one of sizes \[15\]"):
        parsed(sizes=[15])
    with pytest.raises(params.ParamsError, match=r"coverage.sizes.*must ascend"):
        parsed(sizes=[60, 15])
