"""The script of the study ``errors``: what it reads and writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params
from creditrisk.errors import UserError
from creditrisk.stats.simulation import family_errors
from creditrisk.validation import fingerprint
from studies import errors
from tests import generated

from .study_runs import SECTIONS


def parsed(**changes: Any) -> errors.Params:
    return params.parse(errors.Params, SECTIONS["errors"] | changes, "errors")


def run(folder: Path, name: str, **changes: Any) -> Path:
    errors.main(parsed(**changes), clients=folder / "clients.parquet", results=folder / name)
    return folder / name


def test_errors_are_written_and_repeat_byte_by_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clients = generated.clients(500, 2)
    io.write_table(tmp_path / "clients.parquet", clients)
    written = run(tmp_path, "first.json")
    assert written.read_bytes() == run(tmp_path, "second.json").read_bytes()
    document = io.read_json(written)
    assert set(document) == {
        "fingerprint", "rows", "not_simulated", "declared", "false_alarms", "power", "family",
    }  # fmt: skip
    assert document["rows"] == 500
    assert document["false_alarms"]["sizes"] == [60, 500]
    tests = [row["test"] for row in document["false_alarms"]["rows"] if row["n"] == 60]
    assert tests == ["welch_t", "permutation", "welch_t", "permutation", "chi_square", "anova"]
    panels = [(p["kind"], p["value"]) for p in document["power"]["panels"]]
    assert panels == [("welch_t", "LIMIT_BAL"), ("chi_square", "SEX")]
    assert document["family"]["n_questions"] == 3
    assert document["not_simulated"] == [
        {"id": "limit_shuffled", "kind": "permutation"},
        {"id": "sex_within", "kind": "stratified"},
        {"id": "gap", "kind": "two_way"},
    ]
    declared = document["declared"]
    assert [row["id"] for row in declared["rows"]] == [
        "limit", "limit_shuffled", "sex", "row", "sex_within", "gap",
    ]  # fmt: skip
    assert declared["rows"][4]["facts"]["n_strata"] == 2  # the declared bands were added
    assert declared["n"] == 500
    section = SECTIONS["errors"]["stats_report"]
    recipe = family_errors.recipe(section["questions"], section["alpha"])
    assert document["fingerprint"] == fingerprint.fingerprint(clients, recipe, [])
    assert "errors: false alarms: 100 shuffles of 60 clients" in capsys.readouterr().out


def test_another_level_or_question_is_another_study(tmp_path: Path) -> None:
    io.write_table(tmp_path / "clients.parquet", generated.clients(300, 2))
    small = {"false_alarms": SECTIONS["errors"]["false_alarms"] | {"sizes": [60]}}
    stats_report = SECTIONS["errors"]["stats_report"]
    first = io.read_json(run(tmp_path, "first.json", **small))
    again = io.read_json(
        run(tmp_path, "again.json", stats_report=stats_report | {"alpha": 0.1}, **small)
    )
    assert first["fingerprint"]["recipe"] != again["fingerprint"]["recipe"]
    assert first["fingerprint"]["clients"] == again["fingerprint"]["clients"]
    assert again["false_alarms"]["alpha"] == 0.1


def test_columns_that_the_table_lacks_are_named(tmp_path: Path) -> None:
    io.write_table(tmp_path / "clients.parquet", generated.clients(300, 2))
    power = SECTIONS["errors"]["power"]
    panels = [power["panels"][0] | {"values": ["LIMITS"]}]
    with pytest.raises(UserError, match="no column LIMITS"):
        run(tmp_path, "never.json", power=power | {"panels": panels})
    assert not (tmp_path / "never.json").exists()


def test_a_question_that_cannot_be_asked_is_told_and_left_out_of_the_family(tmp_path: Path) -> None:
    clients = generated.clients(300, 2).assign(is_inactive=False)
    io.write_table(tmp_path / "clients.parquet", clients)
    section = SECTIONS["errors"]["stats_report"]
    flat = {"id": "flat", "kind": "chi_square", "value": "is_inactive", "group": "default"}
    questions = [*section["questions"], flat]
    document = io.read_json(
        run(tmp_path, "flat.json", stats_report=section | {"questions": questions})
    )
    assert document["declared"]["not_applicable"] == [
        {"id": "flat", "kind": "chi_square", "reason": "is_inactive: all 300 values are equal"}
    ]
    assert document["family"]["n_questions"] == 3


def test_parameters_out_of_range_are_refused() -> None:
    alarms = SECTIONS["errors"]["false_alarms"]
    with pytest.raises(params.ParamsError, match=r"errors.false_alarms.n_shuffles"):
        parsed(false_alarms=alarms | {"n_shuffles": 150})
    unknown = [alarms["cases"][0] | {"tests": ["sign_test"]}]
    with pytest.raises(params.ParamsError, match=r"errors.false_alarms.cases.0.tests.0"):
        parsed(false_alarms=alarms | {"cases": unknown})
    with pytest.raises(params.ParamsError, match=r"errors.family.share_real"):
        parsed(family=SECTIONS["errors"]["family"] | {"share_real": 1.0})
