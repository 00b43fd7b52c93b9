"""The script of the study ``imbalance``: what it reads, builds and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params
from studies import imbalance

from .model_stages import TRAIN, inputs

SECTION: dict[str, Any] = {
    "treatments": {"logistic": ["none", "smotenc"], "trees": ["none", "scale_pos_weight"]},
    "C": 0.01,
    "speed_up": 3,
    "k_neighbors": 3,
    "inner_folds": 2,
    "folds": 3,
    "repeats": 1,
    "folds_seed": 1,
    "seed": 0,
    "gate": {"slope_low": 0.9, "slope_high": 1.1, "mean_margin": 0.01, "level": 0.9},
    "alpha": 0.05,
    "train": TRAIN,
}


def parsed(**changes: Any) -> imbalance.Params:
    return params.parse(imbalance.Params, SECTION | changes, "imbalance")


def run(folder: Path, name: str) -> Path:
    imbalance.main(
        parsed(),
        clients=folder / "clients.parquet",
        features=folder / "features.parquet",
        model_features=folder / "model_features.json",
        results=folder / name,
    )
    return folder / name


def test_the_ledger_is_written_and_repeats_byte_by_byte(tmp_path: Path) -> None:
    inputs(tmp_path)
    written = run(tmp_path, "first.json")
    assert written.read_bytes() == run(tmp_path, "second.json").read_bytes()
    document = io.read_json(written)
    assert set(document) == {"fingerprint", "design", "rows"}
    cells = [(row["model"], row["treatment"], row["correction"]) for row in document["rows"]]
    assert cells[:3] == [
        ("logistic", "none", "raw"),
        ("logistic", "none", "recalibrated"),
        ("logistic", "smotenc", "raw"),
    ]
    assert len(cells) == 2 * 5
    assert all("promotable" in row["gate"] for row in document["rows"])
    models = document["design"]["models"]
    assert models["logistic"]["parameters"]["C"] == 0.01  # one value in place of the path
    trees = models["trees"]["parameters"]
    assert (trees["n_estimators"], trees["learning_rate"]) == (10, pytest.approx(0.3))
    assert models["trees"]["categorical"] == ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]


def test_treatments_start_with_none_and_the_tree_parameter_is_for_trees() -> None:
    trees = ["none", "smote"]
    with pytest.raises(params.ParamsError, match=r"imbalance.treatments.trees.*start with none"):
        parsed(treatments={"logistic": ["none"], "trees": ["smote", "none"]})
    with pytest.raises(params.ParamsError, match=r"imbalance.treatments.logistic.1.*class_weight"):
        parsed(treatments={"logistic": ["none", "scale_pos_weight"], "trees": trees})
