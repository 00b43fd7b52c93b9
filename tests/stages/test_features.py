"""The features stage: its files, the audit rule, and errors that a user sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandera.errors
import pytest

from creditrisk import io, params, schema
from creditrisk.data.cleaning import clean_clients
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from stages import features
from tests.generated import CLEANING, raw_clients


def run(folder: Path, clients: Path, audit_attributes: str = "exclude") -> dict[str, bytes]:
    names = ("features", "model_features", "results", "metrics")
    written = {name: folder / name for name in names}
    parsed = params.parse(features.Params, {"audit_attributes": audit_attributes}, "features")
    features.main(parsed, clients=clients, **written)
    return {name: path.read_bytes() for name, path in written.items()}


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    file = tmp_path / "clients.parquet"
    io.write_table(file, clean_clients(raw_clients(300, seed=4), **CLEANING)[0])
    return file


def test_it_writes_every_feature_twice_the_same(tmp_path: Path, clients: Path, capsys) -> None:
    first = run(tmp_path / "a", clients)
    assert run(tmp_path / "b", clients) == first
    table = io.read_table(tmp_path / "a" / "features")
    names = [feature.name for feature in registry.all_features()]
    assert list(table.columns) == ["ID", *names]
    assert (table.dtypes[names] == np.float64).all()
    cleaned = io.read_table(clients)
    assert (table["ID"] == cleaned["ID"]).all()
    assert np.array_equal(table[names], registry.compute(from_frame(cleaned), names))
    assert (table["credit_utilization"] == cleaned["BILL_AMT1"] / cleaned["LIMIT_BAL"]).all()
    metrics = io.read_json(tmp_path / "a" / "metrics")
    assert metrics == io.read_json(tmp_path / "a" / "results")["headline"]
    assert metrics["n_features"] == len(names)
    assert f"{len(names)} features in {metrics['n_families']} families" in capsys.readouterr().out


def test_the_audit_rule_decides_what_models_may_use(tmp_path: Path, clients: Path) -> None:
    run(tmp_path / "without", clients, "exclude")
    run(tmp_path / "with", clients, "include")
    without = io.read_json(tmp_path / "without" / "model_features")
    with_them = io.read_json(tmp_path / "with" / "model_features")
    assert without["audit_attributes"] == "exclude"
    allowed = {name for names in without["families"].values() for name in names}
    everything = {name for names in with_them["families"].values() for name in names}
    assert everything - allowed == {*schema.AUDIT_COLUMNS, "limit_over_age"}
    assert "audit" not in without["families"]
    assert schema.KEY not in everything
    assert schema.TARGET not in everything
    left_out = io.read_json(tmp_path / "without" / "results")["left_out"]
    assert set(left_out) == everything - allowed
    # the table itself holds them in either case: audits need them
    assert (tmp_path / "with" / "features").read_bytes() == (
        tmp_path / "without" / "features"
    ).read_bytes()


def test_a_missing_column_is_named_and_nothing_is_written(tmp_path: Path, clients: Path) -> None:
    io.write_table(clients, io.read_table(clients).drop(columns=["BILL_AMT2"]))
    with pytest.raises(pandera.errors.SchemaErrors, match="BILL_AMT2"):
        run(tmp_path / "a", clients)
    assert not (tmp_path / "a").exists()


def test_a_wrong_parameter_is_named() -> None:
    with pytest.raises(params.ParamsError, match=r"features\.audit_attributes.*got 'maybe'"):
        params.parse(features.Params, {"audit_attributes": "maybe"}, "features")
