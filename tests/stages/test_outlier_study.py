"""The script of the study ``outliers``: what it reads, builds and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creditrisk import io, params, schema
from creditrisk.validation import fingerprint
from studies import outliers
from tests.generated import CLEANING
from tests.stages.model_stages import TRAIN, inputs
from tests.stages.study_runs import SECTIONS, run_study


def parsed(**changes: Any) -> outliers.Params:
    section = SECTIONS["outliers"] | {"train": TRAIN} | changes
    return params.parse(outliers.Params, section, "outliers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inputs(tmp_path_factory.mktemp("outliers"))


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    return run_study(folder, "outliers", folder / "first.json")


def test_the_document_is_written_small_and_repeats_byte_by_byte(folder, document):
    assert set(document) == {"fingerprint", "design", "rules", "rows"}
    run_study(folder, "outliers", folder / "second.json")
    assert (folder / "second.json").read_bytes() == (folder / "first.json").read_bytes()
    assert (folder / "first.json").stat().st_size < 150_000


def test_recipes_are_those_of_train_with_one_penalty_and_larger_steps(document):
    models = document["design"]["models"]
    assert models["logistic"]["parameters"]["C"] == 0.01
    trees = models["trees"]["parameters"]
    assert (trees["n_estimators"], trees["learning_rate"]) == (10, pytest.approx(0.3))
    assert (document["design"]["z"], document["design"]["iqr_factor"]) == (3.0, 1.5)


def test_all_training_rows_count_whatever_the_pipeline_removed(folder, document):
    clients = io.read_table(folder / "clients.parquet")
    train = clients[clients[schema.SPLIT] == schema.TRAIN]
    assert document["design"]["n"] == len(train) > train[schema.FIT_ROW].sum()


def test_a_poisoned_hold_out_changes_nothing_but_the_mark(folder, document, tmp_path):
    clients = io.read_table(folder / "clients.parquet")
    held = (clients[schema.SPLIT] == schema.HOLDOUT).to_numpy()
    poisoned = clients.copy()
    poisoned[schema.TARGET] = np.where(held, 1 - clients[schema.TARGET], clients[schema.TARGET])
    poisoned[schema.LIMIT] = np.where(held, 10_000.0, clients[schema.LIMIT])
    other = run_study(inputs(tmp_path, poisoned), "outliers", tmp_path / "result.json")
    changed = {key for key in document if other[key] != document[key]}
    assert changed == {"fingerprint"}
    assert fingerprint.differences(other["fingerprint"], document["fingerprint"]) == [
        fingerprint.WORDS["clients"]
    ]


def test_a_table_that_was_clipped_before_is_refused():
    clipped = CLEANING["outliers"] | {"treatment": "winsorise"}
    with pytest.raises(params.ParamsError, match=r"outliers.clean.*needs remove or flag"):
        parsed(clean=CLEANING | {"outliers": clipped})


def test_wrong_parameters_are_named():
    arm = {"columns": "asked", "rule": "iqr", "treatment": "remove"}
    with pytest.raises(params.ParamsError, match=r"outliers.arms.*stands twice"):
        parsed(arms=[arm, arm])
    with pytest.raises(params.ParamsError, match=r"outliers.arms.0.treatment"):
        parsed(arms=[arm | {"treatment": "flag"}])
    with pytest.raises(params.ParamsError, match=r"outliers.folds"):
        parsed(folds=1)
