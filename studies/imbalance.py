"""Treatments of class imbalance × corrections → what they do, and which may be promoted.

Reads ``clients.parquet`` (labels, groups, split), ``features.parquet`` and
``model_features.json``; writes the ledger. Params: section ``imbalance`` of
``studies/params.yaml``, and the recipes of section ``train``. The work is done by
:func:`creditrisk.validation.imbalance.ledger`; the hold-out is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.models import families, rows, training, treatments
from creditrisk.params import Params as Section
from creditrisk.validation import fingerprint, imbalance

READS = ("train",)
FAMILIES = {"logistic": "logistic_l2", "trees": "xgboost"}
"""The families of ``train`` that lend their features and settings."""

Everywhere = Literal["none", "class_weight", "oversampling", "undersampling", "smote", "smotenc"]
TreesOnly = Literal["scale_pos_weight"]
Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Folds = Annotated[int, Field(ge=2)]
Seed = Annotated[int, Field(ge=0)]


class Treatments(Section):
    """The treatments of each model."""

    logistic: list[Everywhere]
    trees: list[Everywhere | TreesOnly]

    @field_validator("logistic", "trees")
    @classmethod
    def _untreated_first(cls, names: list[str]) -> list[str]:
        if names[:1] != ["none"] or len(set(names)) != len(names):
            raise ValueError("must start with none, from which the others differ, each name once")
        return names


class Gate(Section):
    """The bounds that whole intervals must lie inside."""

    slope_low: Share
    slope_high: Annotated[float, Field(gt=1)]
    mean_margin: Share
    level: Share


class Params(params.Params):
    """Section ``imbalance`` of ``studies/params.yaml``, and section ``train``."""

    treatments: Treatments
    C: Positive
    speed_up: Count
    k_neighbors: Count
    inner_folds: Folds
    folds: Folds
    repeats: Count
    folds_seed: Seed
    seed: Seed
    gate: Gate
    alpha: Share
    train: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    results: Path = paths.study("imbalance"),
) -> None:
    """Judge every cell of the ledger and write it."""
    labels = io.read_table(clients, columns=list(rows.LABEL_COLUMNS))
    available = io.read_json(model_features)["families"]
    arms = {}
    for name, family in FAMILIES.items():
        names = families.model_features(family, params.train["families"][family], available)
        table = io.read_table(features, columns=[schema.KEY, *names])
        arms[name] = arm(params, name, names, rows.split_sides(labels, table, names).train)
    document = judge(params, arms)
    recipe = params.train["families"][FAMILIES["trees"]]
    mark = fingerprint.fingerprint(labels, recipe, arms["trees"].features)
    io.write_json(results, {"fingerprint": mark, **document})
    promotable = sum(row["gate"]["promotable"] for row in document["rows"])
    print(f"imbalance: {promotable} of {len(document['rows'])} cells promotable", flush=True)


def arm(
    params: Params, name: str, names: list[str], training_rows: rows.TrainingRows
) -> treatments.Arm:
    """Return one model: its family's recipe with the study's C, or with larger tree steps."""
    recipe = dict(params.train["families"][FAMILIES[name]])
    if name == "logistic":
        recipe["C"] = params.C
    else:
        recipe["n_estimators"] = recipe["n_estimators"] // params.speed_up
        recipe["learning_rate"] = recipe["learning_rate"] * params.speed_up
    return treatments.Arm(
        label=families.LABELS[FAMILIES[name]],
        pipeline=families.build(FAMILIES[name], recipe, scaler=params.train["scaler"]),
        parameters=recipe,
        features=tuple(names),
        rows=training_rows,
        treatments=tuple(getattr(params.treatments, name)),
    )


def judge(params: Params, arms: dict[str, treatments.Arm]) -> dict[str, Any]:
    """Judge every cell, printing a line now and then."""
    recipe = treatments.Recipe(
        scaler=params.train["scaler"],
        k_neighbors=params.k_neighbors,
        n_inner=params.inner_folds,
        random_state=params.seed,
    )
    return imbalance.ledger(
        arms,
        recipe,
        n_folds=params.folds,
        n_repeats=params.repeats,
        folds_seed=params.folds_seed,
        gate={
            "slope_bounds": (params.gate.slope_low, params.gate.slope_high),
            "mean_margin": params.gate.mean_margin,
            "level": params.gate.level,
        },
        alpha=params.alpha,
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "imbalance", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
