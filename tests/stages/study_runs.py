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
from tests.unit.test_rfm import BANDS

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
    "clusters": {
        "n_resamples": 3,
        "references": {"n_draws": 2, "n_init": 2, "n_resamples": 1, "silhouette_rows": 150},
        "gap": {"n_draws": 2, "n_init": 1},
        "loading_resamples": 10,
        "agreement": {
            "n_seeds": 1,
            "ward_rows": 150,
            "mixture": {"n_init": 1, "reg_covar": 0.01},
        },
    },
    "coverage": {
        "sizes": [15, 60],
        "n_samples": 120,
        "n_bootstrap": 99,
        "confidence": 0.95,
        "gate_size": 60,
        "gate_level": 0.999,
        "random_state": 3,
    },
    "errors": {
        "random_state": 3,
        "false_alarms": {
            "sizes": [60],
            "n_shuffles": 100,
            "n_reference": 19,
            "cases": [
                {
                    "values": ["LIMIT_BAL", "PAY_AMT1"],
                    "group": "default",
                    "tests": ["welch_t", "permutation"],
                },
                {"values": ["SEX"], "group": "default", "tests": ["chi_square"]},
                {"values": ["LIMIT_BAL"], "group": "education_group", "tests": ["anova"]},
            ],
        },
        "power": {
            "sizes": [80],
            "n_effects": 3,
            "n_simulations": 100,
            "panels": [
                {
                    "kind": "welch_t",
                    "values": ["LIMIT_BAL"],
                    "group": "default",
                    "smallest_effect": 0.2,
                },
                {
                    "kind": "chi_square",
                    "values": ["SEX"],
                    "group": "default",
                    "smallest_effect": 0.1,
                },
            ],
        },
        "family": {"n": 100, "n_families": 100, "share_real": 0.5},
        "stats_report": {
            "alpha": 0.05,
            "questions": [
                {"id": "limit", "kind": "welch_t", "value": "LIMIT_BAL", "group": "default"},
                {
                    "id": "limit_shuffled",
                    "kind": "permutation",
                    "value": "LIMIT_BAL",
                    "group": "default",
                },
                {"id": "sex", "kind": "chi_square", "value": "SEX", "group": "default"},
                {"id": "row", "kind": "z_test", "value": "ID", "group": "default"},
                {
                    "id": "sex_within",
                    "kind": "stratified",
                    "value": "SEX",
                    "group": "default",
                    "within": ["limit_half"],
                },
                {
                    "id": "gap",
                    "kind": "two_way",
                    "value": "LIMIT_BAL",
                    "group": "default",
                    "and": "SEX",
                },
            ],
            "columns": {"limit_half": {"source": "LIMIT_BAL", "edges": [140000]}},
        },
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
    "outliers": {
        "arms": [
            {"columns": "asked", "rule": "both", "treatment": "remove"},
            {"columns": "amounts", "rule": "iqr", "treatment": "remove"},
            {"columns": "amounts", "rule": "iqr", "treatment": "thin"},
            {"columns": "amounts", "rule": "iqr", "treatment": "winsorise"},
        ],
        "C": 0.01,
        "speed_up": 3,
        "folds": 3,
        "repeats": 1,
        "folds_seed": 1,
        "seed": 0,
        "alpha": 0.05,
        "clean": CLEANING,
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
    "segments": {
        "families": ["delay"],
        "C": 0.01,
        "speed_up": 3,
        "folds": 3,
        "repeats": 1,
        "seed": 1,
        "alpha": 0.05,
        "rfm": BANDS,
    },
}
FEW_IDEAS = ("exact_payments", "depth_2")
"""Ideas that the ablation tries here: one of new columns, one of another recipe."""


def run_study(folder: Path, name: str, results: Path, **changes: Any) -> dict[str, Any]:
    """Run one study on what :func:`tests.stages.model_stages.inputs` wrote; return its document."""
    study = importlib.import_module(f"studies.{name}")
    shared = (
        {"train": TRAIN | {"families": FAMILIES}} if "train" in getattr(study, "READS", ()) else {}
    )
    section = SECTIONS[name] | shared | changes
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
