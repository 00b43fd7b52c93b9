"""The script of the study ``segments``: what it reads, writes and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.models import training
from creditrisk.validation import fingerprint
from studies import segments
from tests import generated

from .model_stages import TRAIN, inputs
from .study_runs import SECTIONS


def parsed(**changes: Any) -> segments.Params:
    section = SECTIONS["segments"] | {"train": TRAIN} | changes
    return params.parse(segments.Params, section, "segments")


def run(folder: Path, name: str, **changes: Any) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "available_cores", lambda: 1)
        segments.main(
            parsed(**changes),
            clients=folder / "clients.parquet",
            features=folder / "features.parquet",
            model_features=folder / "model_features.json",
            clusters=folder / "clusters.parquet",
            results=folder / name,
        )
    return io.read_json(folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inputs(tmp_path_factory.mktemp("segments"), generated.clients(900, 3))


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    return run(folder, "first.json")


def test_it_is_written_twice_the_same(folder: Path, document: dict[str, Any]) -> None:
    assert set(document) == {"fingerprint", "design", "tests", "models", "clusters"}
    run(folder, "second.json")
    assert (folder / "first.json").read_bytes() == (folder / "second.json").read_bytes()
    assert [t["id"] for t in document["tests"]] == list(segments.GROUPINGS)
    assert [m["id"] for m in document["models"]] == ["logistic", "trees", "all"]
    people = io.read_table(folder / "clients.parquet")
    n_train = int((people[schema.SPLIT] == schema.TRAIN).sum())
    assert document["design"]["n_rows"] == n_train
    assert np.sum(document["clusters"]["counts"]) == n_train
    today = fingerprint.fingerprint(people, {}, [])
    assert document["fingerprint"] == today


def test_a_poisoned_hold_out_changes_nothing_but_the_mark(
    folder: Path, document: dict[str, Any], tmp_path: Path
) -> None:
    clients = io.read_table(folder / "clients.parquet")
    held = (clients[schema.SPLIT] != schema.TRAIN).to_numpy()
    clients.loc[held, schema.TARGET] = 1 - clients.loc[held, schema.TARGET]
    clients.loc[held, "PAY_AMT1"] = 7
    poisoned = inputs(tmp_path, clients)
    other = run(poisoned, "poisoned.json")
    assert other.pop("fingerprint") != document["fingerprint"]
    assert other == {key: part for key, part in document.items() if key != "fingerprint"}


def test_clusters_of_other_clients_are_refused(folder: Path, tmp_path: Path) -> None:
    other = inputs(tmp_path, io.read_table(folder / "clients.parquet"))
    wrong = pd.DataFrame({"ID": [1, 2], "cluster_id": [0, 1]})
    io.write_table(other / "clusters.parquet", wrong)
    with pytest.raises(UserError, match=r"clusters.parquet holds other clients"):
        run(other, "never.json")


def test_one_cluster_for_everybody_is_refused(folder: Path, tmp_path: Path) -> None:
    other = inputs(tmp_path, io.read_table(folder / "clients.parquet"))
    ids = io.read_table(other / "clusters.parquet")["ID"]
    io.write_table(other / "clusters.parquet", pd.DataFrame({"ID": ids, "cluster_id": 0}))
    with pytest.raises(UserError, match="cluster_id is 0 in every training row"):
        run(other, "never.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"C": 0}, "segments.C"),
        ({"alpha": 1}, "segments.alpha"),
        ({"folds": 1}, "segments.folds"),
        ({"families": []}, "segments.families"),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        parsed(**change)
