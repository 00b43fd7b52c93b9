"""Segments and clusters beside the delinquency features → what they add, and how they agree.

Reads ``clients.parquet``, ``features.parquet``, ``model_features.json`` and the labels in
``clusters.parquet``; writes ``studies/results/segments.json``. Params: section ``segments``
of ``studies/params.yaml``, the recipes of section ``train`` and the bands of section
``rfm``. The work is done by :func:`creditrisk.validation.added_value.compare`; the hold-out
is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from creditrisk import io, params, paths, schema
from creditrisk.errors import UserError
from creditrisk.models import families, rows, training
from creditrisk.segments import rfm_tables
from creditrisk.validation import ablation, added_value, fingerprint

READS = ("train", "rfm")
ON_SPEND = ("recency_score", "frequency_score", "monetary_score")
AS_SPECIFIED = (
    "recency_last_bill_score",
    "frequency_timely_score",
    "monetary_total_paid_score",
)
GROUPINGS = {
    # id: (name in reports, columns that become indicators)
    "specified": ("scores as specified", AS_SPECIFIED),
    "scores": ("scores on spend", ON_SPEND),
    "segment": ("segment", ("segment",)),
    "cluster": ("behavioural cluster", ("cluster_id",)),
}


class Params(params.Params):
    """Section ``segments`` of ``studies/params.yaml``, and sections ``train`` and ``rfm``."""

    families: list[str] = Field(min_length=1)
    C: Annotated[float, Field(gt=0)]
    speed_up: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    train: dict[str, Any]
    rfm: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    clusters: Path = paths.CLUSTERS,
    results: Path = paths.study("segments"),
) -> None:
    """Add every grouping to every base, cross segments with clusters and write both."""
    people = io.read_table(clients)
    groups = group(params, people, io.read_table(clusters, columns=[schema.KEY, "cluster_id"]))
    document = added_value.compare(
        bases(params, people, features, io.read_json(model_features)["families"]),
        [
            added_value.as_addition(name, label, {c: groups[c] for c in columns})
            for name, (label, columns) in GROUPINGS.items()
        ],
        scaler=params.train["scaler"],
        n_folds=params.folds,
        n_repeats=params.repeats,
        random_state=params.seed,
        alpha=params.alpha,
        n_jobs=training.available_cores(),
        progress=lambda line: print(f"segments: {line}", flush=True),
    )
    crossed = added_value.cross_groups(groups["segment"], groups["cluster_id"])
    mark = fingerprint.fingerprint(people, {}, [])
    io.write_json(results, {"fingerprint": mark, **document, "clusters": crossed})


def group(params: Params, people: Any, clusters: Any) -> Any:
    """Return the training rows' scores, segments and clusters."""
    if people[schema.KEY].tolist() != clusters[schema.KEY].tolist():
        raise UserError("clusters.parquet holds other clients: run `dvc repro`")
    scored = rfm_tables.score_table(people, params.rfm)[0]
    scored["cluster_id"] = clusters["cluster_id"]
    return scored[(people[schema.SPLIT] == schema.TRAIN).to_numpy()]


def bases(
    params: Params, people: Any, features: Path, available: dict[str, list[str]]
) -> list[added_value.Base]:
    """Return both models on the delinquency features, and the trees on all of theirs."""
    recipes = params.train["families"]
    logistic = {**recipes["logistic_l2"], "C": params.C}
    trees = ablation.faster(recipes["xgboost"], params.speed_up)
    wanted = [
        ("logistic", "Logistic regression on delinquency", "logistic_l2", logistic),
        ("trees", "Boosted trees on delinquency", "xgboost", trees),
        ("all", "Boosted trees on all their features", "xgboost", trees),
    ]
    found = []
    for name, label, family, recipe in wanted:
        chosen = recipe["features"] if name == "all" else params.families
        names = families.model_features(family, {"features": chosen}, available)
        table = io.read_table(features, columns=[schema.KEY, *names])
        side = rows.split_sides(people, table, names).train
        found.append(added_value.Base(name, label, family, recipe, names, side))
    return found


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "segments", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
