"""The model stages on a small generated table, for the tests of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from creditrisk import io, params, schema
from creditrisk.features import table
from stages import evaluate, train
from tests import generated

TREES: dict[str, Any] = {
    "features": ["amounts", "status_codes", "delay", "audit"],
    "max_depth": 2,
    "n_estimators": 30,
    "learning_rate": 0.1,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bynode": 0.5,
    "reg_lambda": 1,
    "max_bin": 32,
    "seed": 0,
}
LINEAR: dict[str, Any] = {
    "features": ["status_states", "delay"],
    "tol": 1e-3,
    "max_iter": 200,
    "seed": 0,
}
CARD: dict[str, Any] = {
    "features": ["amounts", "status_codes", "delay", "audit"],
    "directions": {
        "ascending": ["PAY_0", "n_late_any"],
        "descending": ["LIMIT_BAL"],
        "either": ["PAY_AMT1"],
        "free": ["AGE"],
    },
    "segments": {"column": "PAY_0", "edges": [1]},
    "max_bins": 4,
    "max_prebins": 8,
    "min_bin_share": 0.05,
    "min_information_value": 0.001,
    "max_correlation": 0.95,
    "C": 1.0,
    "tol": 1e-3,
    "max_iter": 100,
    "pdo": 20,
    "anchor_points": 600,
    "anchor_odds": 50,
}
FOREST: dict[str, Any] = {
    "features": ["amounts", "status_codes"],
    "n_estimators": 20,
    "min_samples_leaf": 10,
    "max_features": "sqrt",
    "max_samples": 0.5,
    "seed": 0,
}
BLEND: dict[str, Any] = {
    "features": ["amounts", "status_codes", "status_states"],
    "trees": {k: v for k, v in TREES.items() if k != "seed"},
    "networks": {
        "features": ["amounts", "status_states"],
        "n_networks": 1,
        "hidden": [4],
        "alpha": 0.3,
        "epochs": 3,
        "batch_size": 64,
    },
    "weight": 0.4,
    "seed": 0,
}
TRAIN: dict[str, Any] = {
    "cv": {"folds": 3, "repeats": 2, "seed": 1},
    "scaler": "standard",
    "families": {
        "majority": {"features": []},
        "lookup": {"features": ["status_codes"], "column": "PAY_0", "alpha": 1.0},
        "logistic_states": LINEAR | {"features": ["amounts", "status_states"], "C": 1.0},
        "logistic_l2": LINEAR | {"C": [0.001, 0.1], "rule": "one_standard_error"},
        "scorecard": CARD,
        "additive": LINEAR | {"C": 0.1, "n_knots": 3, "degree": 2, "min_level_rows": 20},
        "random_forest": FOREST,
        "xgboost": TREES,
        "xgboost_smote": TREES | {"k_neighbors": 3},
        "blend": BLEND,
    },
}
EVALUATE: dict[str, Any] = {
    "ladder": list(TRAIN["families"]),
    "baseline": "logistic_l2",
    "champion": {"metric": "log_loss", "among": ["xgboost"]},
    "calibration": {
        "n_folds": 3,
        "n_replicates": 20,
        "random_state": 0,
        "slope_bounds": [0.9, 1.1],
        "mean_margin": 0.01,
        "level": 0.9,
    },
    "bootstrap": {"replicates": 100, "seed": 0},
    "alpha": 0.05,
    "policy": {
        "grades": [0.06, 0.10, 0.15, 0.25, 0.40, 0.55, 0.70],
        "min_clients": 0,
        "min_defaults": 0,
        "threshold": {
            "name": "cost_ratio",
            "cost_false_alarm": 1.0,
            "cost_missed_detection": 3.0,
            "flag_share": 0.2,
        },
    },
}
"""Sections ``evaluate`` and ``policy`` together, as the stage gets them."""


SPEEDS: dict[str, Any] = {
    "design": {"n_rows": 500, "champion": "xgboost"},
    "rows": [
        {"family": family, "fit_s": 0.5, "us_per_row": 2.0, "us_single": 90.0}
        for family in ("logistic_l2", "xgboost", "blend")
    ],
}
"""As ``make bench`` writes them, of some families."""


def inputs(folder: Path, clients: pd.DataFrame | None = None) -> Path:
    """Write what the model stages read: clients, features, segments."""
    people = generated.clients(900, 3) if clients is None else clients
    io.write_table(folder / "clients.parquet", people)
    io.write_table(folder / "features.parquet", table.feature_table(people))
    io.write_json(folder / "model_features.json", table.model_features(audit_attributes="exclude"))
    ids = people[schema.KEY]
    late = np.where(people["PAY_0"] > 0, "late", "calm")
    io.write_table(folder / "rfm.parquet", pd.DataFrame({"ID": ids, "segment": late}))
    places = {
        f"tsne_{i + 1}": people[name].astype(float) for i, name in enumerate(("PAY_0", "AGE"))
    }
    clusters = pd.DataFrame({"ID": ids, "cluster_id": ids % 2, **places})
    io.write_table(folder / "clusters.parquet", clusters)
    io.write_json(folder / "models/clusters.json", {"names": ["even", "odd"]})
    io.write_json(folder / "models/rfm.json", {"bands": []})
    io.write_json(folder / "speeds.json", SPEEDS)
    io.write_json(folder / "clean.json", {"sha256": "0" * 64})
    return folder


def place(folder: Path, kind: str, ending: str) -> Callable[[str], Path]:
    return lambda name: folder / kind / f"{name}.{ending}"


def run_train(folder: Path, item: str, **changes: Any) -> None:
    section = train.select(TRAIN | changes, item)
    train.main(
        params.parse(train.Params, section, "train"),
        item=item,
        clients=folder / "clients.parquet",
        features=folder / "features.parquet",
        model_features=folder / "model_features.json",
        model=place(folder, "families", "joblib"),
        predictions=place(folder, "predictions", "npz"),
        results=place(folder, "results", "json"),
        metrics=place(folder, "metrics", "json"),
    )


def run_evaluate(folder: Path, **changes: Any) -> None:
    evaluate.main(
        params.parse(evaluate.Params, EVALUATE | changes, "evaluate"),
        clients=folder / "clients.parquet",
        features=folder / "features.parquet",
        trained=place(folder, "results", "json"),
        predictions=place(folder, "predictions", "npz"),
        family_model=place(folder, "families", "joblib"),
        clean=folder / "clean.json",
        rfm=folder / "rfm.parquet",
        clusters=folder / "clusters.parquet",
        studies=place(folder, "studies", "json"),
        speeds=folder / "speeds.json",
        models=folder / "models",
        plots=folder / "plots",
        results=folder / "evaluate.json",
        metrics=folder / "evaluate_metrics.json",
    )


def written(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative name."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
