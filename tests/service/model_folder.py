"""A small model with all its companions, in the format that the pipeline writes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.models.trees import build_tables
from tests.generated import raw_clients

BANDS: dict[str, Any] = {
    "spend_threshold": 1000.0,
    "spend": {
        "recency": [1, 2, 3, 5],
        "frequency": [1, 2, 3, 5],
        "monetary": [4000, 12000, 28000, 58000],
    },
    "segments": [
        {"name": "unused card", "conditions": {"activity": [None, 0]}},
        {"name": "no new spend", "conditions": {"recency": [5, None]}},
        {"name": "regular", "conditions": {}},
    ],
}
CLUSTERS: dict[str, Any] = {
    "features": [
        {"name": "credit_utilization_clipped", "clip": [0.0, 1.0], "transform": "identity"},
        {"name": "n_late_2plus", "clip": [0.0, 6.0], "transform": "sqrt"},
    ],
    "mean": [0.4, 0.5],
    "scale": [0.3, 0.6],
    "centres": [[-1.0, -0.8], [1.2, -0.7], [0.6, 2.0]],
    "names": ["light use, on time", "high use, on time", "behind with payments"],
    "distance_quantiles": {"levels": [0.5, 0.99], "values": [[0.5, 1.5], [0.5, 1.5], [0.7, 2.5]]},
}
LANDMARKS: dict[str, Any] = {
    "points": [[-1.3, -0.8], [-0.9, -0.8], [1.3, -0.8], [1.6, -0.8], [0.7, 1.5], [0.7, 2.4]],
    "coordinates": [
        [-20.5, 3.0],
        [-18.0, 4.0],
        [10.0, 12.0],
        [12.0, 11.0],
        [8.0, -9.0],
        [9.0, -12.0],
    ],
    "radius": 6.0,
    "n_nearest": 3,
}
"""Two landmarks for each cluster: what ``clusters.json`` may hold under ``map``."""


BAND: dict[str, Any] = {
    "level": 0.9,
    "kind": "model uncertainty over refits, not outcome uncertainty",
    "log_odds": [-3.0, -1.0, 1.0],
    "low": [-0.5, -0.4, -0.3],
    "high": [0.4, 0.4, 0.5],
}
CARD: dict[str, Any] = {
    "name": "Next-month default of generated clients",
    "intended_use": "Early warning.",
    "limitations": ["All clients are generated."],
    "grades": [
        {
            "grade": "A",
            "from": 0.0,
            "to": 0.06,
            "n": 700,
            "observed": 0.04,
            "low": 0.03,
            "high": 0.06,
        }
    ],
    "clusters": [{"name": "high use, on time", "share": 0.4, "default_rate": 0.21}],
}


def write(
    folder: Path,
    *,
    clusters: dict[str, Any] = CLUSTERS,
    audit_attributes: str = "exclude",
    calibration: dict[str, float] | None = None,
    interval: dict[str, Any] | None = BAND,
    threshold: float = 0.25,
    rounds: int = 40,
    depth: int = 3,
) -> Path:
    """Train on generated clients and write every file that the service reads."""
    folder.mkdir(parents=True, exist_ok=True)
    clients = raw_clients(1500, seed=11)
    names = registry.select(registry.families(), audit_attributes=audit_attributes)
    matrix = xgboost.DMatrix(
        registry.compute(from_frame(clients), names), clients[schema.RAW_TARGET].to_numpy()
    )
    options = {
        "objective": "binary:logistic",
        "max_depth": depth,
        "eta": 0.2,
        "nthread": 1,
        "seed": 5,
    }
    booster = xgboost.train(options, matrix, rounds)
    booster.save_model(folder / "champion.ubj")
    np.savez(folder / "champion.npz", **build_tables(booster))
    champion = {
        "family": "xgboost",
        "features": names,
        "calibration": calibration,
        "policy": {
            "grades": [0.06, 0.1, 0.15, 0.25, 0.4, 0.55, 0.7],
            "threshold": {"name": "cost_ratio", "value": threshold, "basis": "1 / (1 + 3)"},
        },
        "ranges": {
            name: [float(clients[name].min()), float(clients[name].max())]
            for name in (schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
        },
    }
    if interval is not None:
        champion["interval"] = interval
    documents = {
        "champion": champion,
        "feature_names": names,
        "card": CARD,
        "clusters": clusters,
        "rfm": BANDS,
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    seal(folder)
    return folder


def seal(folder: Path) -> None:
    """Write the manifest of what lies in the folder."""
    files = {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.iterdir())
        if p.name != "manifest.json"
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")


def pipeline_probability(folder: Path, record: Any) -> np.ndarray:
    """Return what training code would predict: DMatrix, no calibration, float32."""
    booster = xgboost.Booster(model_file=folder / "champion.ubj")
    names = json.loads((folder / "champion.json").read_text(encoding="utf-8"))["features"]
    return booster.predict(xgboost.DMatrix(registry.compute(record, names)))
