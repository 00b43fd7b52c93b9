"""Penalty, number of clients, freedom of the model → what each does to bias and variance.

Reads ``clients.parquet`` (labels, groups, split), ``features.parquet`` and
``model_features.json``; writes paths of C with their nested choice, coefficients along
C, learning curves and the decomposition by refits. Params: section ``learning`` of
``studies/params.yaml``, and the recipes of section ``train``. The work is done by
:func:`creditrisk.validation.learning.study`; the hold-out is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.models import families, rows, training
from creditrisk.params import Params as Section
from creditrisk.validation import fingerprint, learning, learning_models

READS = ("train",)

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
AtLeastTwo = Annotated[int, Field(ge=2)]


class Trees(Section):
    """Changes of the boosted trees' recipe."""

    max_depth: Count
    n_estimators: Count
    learning_rate: Share


class Params(params.Params):
    """Section ``learning`` of ``studies/params.yaml``, and section ``train``."""

    inner_folds: AtLeastTwo
    grid_points: AtLeastTwo
    strongest: Count
    coefficient_tol: Positive
    shares: Annotated[list[Share], Field(min_length=2)]
    subsamples: Count
    refits: Annotated[int, Field(ge=3)]
    penalties: list[Positive]
    trees: list[Trees]
    seed: Annotated[int, Field(ge=0)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    train: dict[str, Any]

    @field_validator("shares")
    @classmethod
    def _rise_to_one(cls, shares: list[float]) -> list[float]:
        if sorted(set(shares)) != shares or shares[-1] != 1:
            raise ValueError("must rise and end with 1, all rows of the fold")
        return shares


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    results: Path = paths.study("learning"),
) -> None:
    """Run the study on the training rows and write its document."""
    labels = io.read_table(clients, columns=list(rows.LABEL_COLUMNS))
    available = io.read_json(model_features)["families"]
    recipes = {family: params.train["families"][family] for family in learning_models.FAMILIES}
    names = {f: families.model_features(f, recipe, available) for f, recipe in recipes.items()}
    sides = {}
    for family, own in names.items():
        table = io.read_table(features, columns=[schema.KEY, *own])
        sides[family] = rows.split_sides(labels, table, own).train
    document = learning.study(
        recipes,
        sides,
        names,
        settings(params),
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )
    trees = learning_models.TREES
    mark = fingerprint.fingerprint(labels, recipes[trees], names[trees])
    io.write_json(results, {"fingerprint": mark, **document})


def settings(params: Params) -> learning.Settings:
    """Return the study's settings, with the folds and the scaler of section ``train``."""
    cv = params.train["cv"]
    return learning.Settings(
        scaler=params.train["scaler"],
        folds=cv["folds"],
        fold_seed=cv["seed"],
        **params.model_dump(exclude={"train"}),
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "learning", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
