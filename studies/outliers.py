"""Rules on outliers × two models → what removal and clipping do to scores of untouched clients.

Reads ``clients.parquet`` (values, labels, groups, split) and ``model_features.json``;
writes the document. Params: section ``outliers`` of ``studies/params.yaml``, the recipes of
section ``train`` and the thresholds of section ``clean``. The work is done by
:func:`creditrisk.validation.outlier_effect.measure`; the hold-out is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.models import families, training
from creditrisk.params import Params as Section
from creditrisk.validation import fingerprint, outlier_arms, outlier_effect

READS = ("train", "clean")
FAMILIES = {"logistic": "logistic_l2", "trees": "xgboost"}
"""The families of ``train`` that lend their features and settings."""

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class Arm(Section):
    """One rule and what is done with the rows that it flags."""

    columns: Literal["asked", "amounts"]
    rule: Literal["zscore", "iqr", "both"]
    treatment: Literal["remove", "winsorise", "thin"]


class Params(params.Params):
    """Section ``outliers`` of ``studies/params.yaml``, and sections ``train`` and ``clean``."""

    arms: list[Arm] = Field(min_length=1)
    C: Annotated[float, Field(gt=0)]
    speed_up: Count
    folds: Annotated[int, Field(ge=2)]
    repeats: Count
    folds_seed: Seed
    seed: Seed
    alpha: Share
    train: dict[str, Any]
    clean: dict[str, Any]

    @field_validator("arms")
    @classmethod
    def _each_once(cls, arms: list[Arm]) -> list[Arm]:
        if len({tuple(arm.model_dump().values()) for arm in arms}) < len(arms):
            raise ValueError("the same arm stands twice")
        return arms

    @field_validator("clean")
    @classmethod
    def _values_as_they_were(cls, clean: dict[str, Any]) -> dict[str, Any]:
        if clean["outliers"]["treatment"] == "winsorise":
            raise ValueError(
                "outliers.treatment winsorise has clipped the table already; "
                "this study needs remove or flag"
            )
        return clean


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    model_features: Path = paths.MODEL_FEATURES,
    results: Path = paths.study("outliers"),
) -> None:
    """Judge every arm and write the document."""
    table = io.read_table(clients)
    available = io.read_json(model_features)["families"]
    models = {name: build(params, name, available) for name in FAMILIES}
    thresholds = params.clean["outliers"]
    document = outlier_effect.measure(
        table[table[schema.SPLIT] == schema.TRAIN].reset_index(drop=True),
        models,
        [outlier_arms.Arm(**arm.model_dump()) for arm in params.arms],
        outlier_arms.Setting(thresholds["z"], thresholds["iqr_factor"], params.seed),
        n_folds=params.folds,
        n_repeats=params.repeats,
        random_state=params.folds_seed,
        alpha=params.alpha,
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )
    recipe = params.train["families"][FAMILIES["trees"]]
    mark = fingerprint.fingerprint(table, recipe, models["trees"].features)
    io.write_json(results, {"fingerprint": mark, **document})
    print(f"outliers: {len(document['rows'])} fits compared", flush=True)


def build(params: Params, name: str, available: dict[str, list[str]]) -> outlier_arms.Model:
    """Return one model: its family's recipe with the study's C, or with larger tree steps."""
    family = FAMILIES[name]
    recipe = dict(params.train["families"][family])
    features = families.model_features(family, recipe, available)
    if name == "logistic":
        recipe["C"] = params.C
    else:
        recipe["n_estimators"] = recipe["n_estimators"] // params.speed_up
        recipe["learning_rate"] = recipe["learning_rate"] * params.speed_up
    return outlier_arms.Model(
        label=families.LABELS[family],
        pipeline=families.build(family, recipe, scaler=params.train["scaler"]),
        parameters=recipe,
        features=tuple(features),
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "outliers", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
