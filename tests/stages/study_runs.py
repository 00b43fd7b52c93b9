"""The studies on a small generated table, for their own tests and those of what reads them."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params
from creditrisk.models import training
from creditrisk.validation import ideas
from tests.generated import CLEANING
from tests.stages.model_stages import LINEAR, TRAIN
from tests.unit.test_nested import SPACE

FAMILIES: dict[str, Any] = TRAIN["families"] | {
    "logistic_l1": LINEAR | {"max_iter": 2000, "C": [0.003, 0.1], "rule": "one_standard_error"},
}
SECTIONS: dict[str, dict[str, Any]] = {
    "ablation": {
        "cv": {"folds": 3, "repeats": 1, "seed": 1},
        "logistic": {"C": 0.01},
        "trees": {"speed_up": 3},
        "alpha": 0.05,
    },
    "benchmark": {
        "space": SPACE,
        "partitions": {"seeds": [1, 2]},
        "alpha": 0.05,
        "seed": 0,
        "clean": CLEANING,
    },
    "imbalance": {
        "treatments": {"logistic": ["none", "smote"], "trees": ["none", "class_weight", "smote"]},
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
    },
    "learning": {
        "inner_folds": 2,
        "grid_points": 3,
        "strongest": 3,
        "coefficient_tol": 1e-3,
        "shares": [0.4, 1.0],
        "subsamples": 1,
        "refits": 3,
        "penalties": [0.0001, 1.0],
        "trees": [{"max_depth": 1, "n_estimators": 5, "learning_rate": 0.1}],
        "seed": 5,
        "alpha": 0.05,
    },
    "refits": {
        "family": "xgboost",
        "folds": 3,
        "build": 4,
        "check": 2,
        "level": 0.9,
        "knots": 6,
        "threshold": 0.25,
        "seed": 0,
    },
}
FEW_IDEAS = ("exact_payments", "depth_2")
"""Ideas that the ablation tries here: one of new columns, one of another recipe."""


def run_study(folder: Path, name: str, results: Path, **changes: Any) -> dict[str, Any]:
    """Run one study on what :func:`tests.stages.model_stages.inputs` wrote; return its document."""
    study = importlib.import_module(f"studies.{name}")
    section = SECTIONS[name] | {"train": TRAIN | {"families": FAMILIES}} | changes
    places = {
        "clients": folder / "clients.parquet",
        "features": folder / "features.parquet",
        "model_features": folder / "model_features.json",
        "folds": folder / "folds.csv",
        "published": folder / "published.csv",
    }
    reads = inspect.signature(study.main).parameters
    few = tuple(idea for idea in ideas.ALL if idea.id in FEW_IDEAS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ideas, "ALL", few)
        patch.setattr(training, "available_cores", lambda: 1)
        study.main(
            params.parse(study.Params, section, name),
            results=results,
            **{key: place for key, place in places.items() if key in reads},
        )
    return io.read_json(results)


def benchmark_inputs(folder: Path) -> None:
    """Write folds and published figures for the clients that stand in the folder."""
    ids = io.read_table(folder / "clients.parquet", columns=["ID"])
    io.write_csv(folder / "folds.csv", ids.assign(fold=ids["ID"] % 3))
    (folder / "published.csv").write_text(
        "method,split,roc_auc,log_loss,source\n"
        "Low,r0 mean of 3,0.60,0.60,a paper\n"
        "High,r0 mean of 3,0.95,0.30,a paper\n"
        "Low,r0f0,0.60,,a table\n"
    )
