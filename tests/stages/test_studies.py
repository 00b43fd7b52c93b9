"""Each study's script on a small table: what it writes, twice the same, marked as today's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creditrisk import io, params, schema
from creditrisk.validation import fingerprint
from studies import ablation, benchmark, learning, refits
from tests.stages.model_stages import TRAIN, inputs
from tests.stages.study_runs import FAMILIES, SECTIONS, benchmark_inputs, run_study

KEYS = {
    "ablation": {"design", "base", "families", "ideas"},
    "benchmark": {
        "design",
        "nested",
        "fixed",
        "pairs",
        "partitions",
        "partition_summary",
        "public_split",
        "published",
    },
    "imbalance": {"design", "rows"},
    "learning": {"design", "paths", "coefficients", "nested", "curves", "decomposition"},
    "refits": {"band", "coverage", "stability", "design"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = inputs(tmp_path_factory.mktemp("studies"))
    benchmark_inputs(made)
    return made


@pytest.fixture(scope="module")
def documents(folder: Path) -> dict[str, dict[str, Any]]:
    return {name: run_study(folder, name, folder / f"{name}.json") for name in KEYS}


@pytest.mark.parametrize("name", KEYS)
def test_a_document_has_its_parts_and_a_second_run_gives_the_same_bytes(folder, documents, name):
    assert set(documents[name]) == {"fingerprint", *KEYS[name]}
    run_study(folder, name, folder / "again.json")
    assert (folder / "again.json").read_bytes() == (folder / f"{name}.json").read_bytes()


def test_all_marks_are_those_of_one_champion_on_one_table(folder, documents):
    labels = io.read_table(folder / "clients.parquet")
    available = io.read_json(folder / "model_features.json")["families"]
    recipe = TRAIN["families"]["xgboost"]
    names = [n for family in recipe["features"] for n in available.get(family, [])]
    today = fingerprint.fingerprint(labels, recipe, names)
    assert {name: document["fingerprint"] for name, document in documents.items()} == dict.fromkeys(
        KEYS, today
    )


def test_another_recipe_or_another_hold_out_gives_another_mark(folder, documents, tmp_path):
    slower = FAMILIES["xgboost"] | {"n_estimators": 10}
    other = run_study(
        folder,
        "refits",
        tmp_path / "slower.json",
        train=TRAIN | {"families": FAMILIES | {"xgboost": slower}},
    )
    stored = documents["refits"]["fingerprint"]
    assert fingerprint.differences(other["fingerprint"], stored) == [fingerprint.WORDS["recipe"]]


@pytest.mark.parametrize("name", ["ablation", "imbalance", "learning", "refits"])
def test_a_poisoned_hold_out_changes_nothing_but_the_mark(folder, documents, tmp_path, name):
    """Labels and features of held-out clients reach no study but the benchmark."""
    clients = io.read_table(folder / "clients.parquet")
    held = (clients[schema.SPLIT] == schema.HOLDOUT).to_numpy()
    poisoned = clients.copy()
    poisoned[schema.TARGET] = np.where(held, 1 - clients[schema.TARGET], clients[schema.TARGET])
    poisoned[schema.LIMIT] = np.where(held, 10_000.0, clients[schema.LIMIT])
    for column in schema.STATUS_COLUMNS:
        poisoned[column] = np.where(held, 8, clients[column])
    other = run_study(inputs(tmp_path, poisoned), name, tmp_path / "result.json")
    stored = documents[name]
    assert {k: v for k, v in other.items() if k != "fingerprint"} == {
        k: v for k, v in stored.items() if k != "fingerprint"
    }
    assert fingerprint.differences(other["fingerprint"], stored["fingerprint"]) == [
        fingerprint.WORDS["clients"]
    ]


@pytest.mark.parametrize("name", KEYS)
def test_a_document_is_small_enough_for_git(folder, documents, name):
    assert (folder / f"{name}.json").stat().st_size < 150_000


@pytest.mark.parametrize(
    ("study", "changes", "message"),
    [
        (ablation, {"alpha": 0}, r"ablation\.alpha"),
        (ablation, {"trees": {"speed_up": 0}}, r"ablation\.trees\.speed_up"),
        (benchmark, {"partitions": {"seeds": [1]}}, r"benchmark\.partitions\.seeds"),
        (benchmark, {"space": {}}, r"benchmark\.space\.folds"),
        (learning, {"shares": [1.0, 0.5]}, "must rise and end with 1"),
        (learning, {"refits": 2}, r"learning\.refits"),
        (refits, {"level": 1.0}, r"refits\.level"),
        (refits, {"fold": 5}, r"refits\.fold"),
    ],
)
def test_wrong_parameters_are_named(study, changes, message):
    name = study.__name__.removeprefix("studies.")
    section = SECTIONS[name] | {"train": TRAIN} | changes
    with pytest.raises(params.ParamsError, match=message):
        params.parse(study.Params, section, name)


def test_a_recipe_that_the_ablation_lacks_is_named(folder, tmp_path):
    without = TRAIN | {"families": {k: v for k, v in FAMILIES.items() if k != "logistic_l2"}}
    with pytest.raises(params.UserError, match=r"train\.families: the ablation needs logistic_l2"):
        run_study(folder, "ablation", tmp_path / "a.json", train=without)
