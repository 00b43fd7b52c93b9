"""One model family: features and labels → fitted pipeline and its probabilities.

Reads ``clients.parquet`` (labels, groups, split), ``features.parquet`` and
``model_features.json``; writes the pipeline (joblib), out-of-fold and hold-out
probabilities (npz), results and metrics of the family. Params: ``train.cv``,
``train.scaler`` and ``train.families.<family>``. The work is done by
:func:`creditrisk.models.training.train`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.models import description, families, rows, training
from creditrisk.params import Params as Section

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class Folds(Section):
    """Grouped, stratified cross-validation on training rows."""

    folds: Annotated[int, Field(ge=2)]
    repeats: Count
    seed: Seed


class Majority(Section):
    """The base rate for everybody."""

    name: Literal["majority"]
    features: Annotated[list[str], Field(max_length=0)]


class Lookup(Section):
    """Default rate by the code of one status column."""

    name: Literal["lookup"]
    features: list[str]
    column: Literal["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
    alpha: Positive


class Linear(Section):
    """What every logistic regression has."""

    features: list[str]
    tol: Positive
    max_iter: Count
    seed: Seed


class LogisticPlain(Linear):
    """Logistic regression with one light penalty."""

    name: Literal["logistic_raw", "logistic_states"]
    C: Positive


class LogisticPath(Linear):
    """Logistic regression over a path of C."""

    name: Literal["logistic_l1", "logistic_l2"]
    C: Annotated[list[Positive], Field(min_length=2)]
    rule: Literal["one_standard_error", "lowest"]

    @field_validator("C")
    @classmethod
    def _ascending(cls, path: list[float]) -> list[float]:
        if sorted(set(path)) != path:
            raise ValueError("must rise from the most to the least regularised, without repeats")
        return path


class LogisticSmote(Linear):
    """Logistic regression on a resampled fit."""

    name: Literal["logistic_smote"]
    C: Positive
    k_neighbors: Count


class Directions(Section):
    """Columns of the scorecard by the direction of the default rate over their bins."""

    ascending: list[str]
    descending: list[str]
    either: list[str]
    free: list[str]

    @model_validator(mode="after")
    def _one_direction_a_column(self) -> Directions:
        names = [*self.ascending, *self.descending, *self.either, *self.free]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"more than one direction for {', '.join(twice)}")
        return self


class Segments(Section):
    """What divides clients among the scorecard's cards."""

    column: Literal["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
    edges: list[int]

    @field_validator("edges")
    @classmethod
    def _ascending(cls, edges: list[int]) -> list[int]:
        if sorted(set(edges)) != edges:
            raise ValueError("must rise, without repeats")
        return edges


class Scorecard(Section):
    """Points by bin of a few columns."""

    name: Literal["scorecard"]
    features: list[str]
    segments: Segments
    directions: Directions
    max_bins: Annotated[int, Field(ge=2)]
    max_prebins: Annotated[int, Field(ge=2)]
    min_bin_share: Annotated[float, Field(gt=0, lt=0.5)]
    min_information_value: Annotated[float, Field(ge=0)]
    max_correlation: Share
    C: Positive
    tol: Positive
    max_iter: Count
    pdo: Positive
    anchor_points: float
    anchor_odds: Positive


class Additive(Linear):
    """A spline or a set of levels for each column."""

    name: Literal["additive"]
    C: Positive
    n_knots: Annotated[int, Field(ge=2)]
    degree: Count
    min_level_rows: Count


class Forest(Section):
    """A random forest."""

    name: Literal["random_forest"]
    features: list[str]
    n_estimators: Count
    min_samples_leaf: Count
    max_features: Literal["sqrt", "log2"]
    max_samples: Share
    seed: Seed


class Boosting(Section):
    """What all boosted trees have."""

    features: list[str]
    max_depth: Count
    n_estimators: Count
    learning_rate: Share
    min_child_weight: Annotated[float, Field(ge=0)]
    subsample: Share
    colsample_bynode: Share
    reg_lambda: Annotated[float, Field(ge=0)]
    max_bin: Annotated[int, Field(ge=2)]


class Trees(Boosting):
    """Gradient-boosted trees."""

    name: Literal["xgboost"]
    seed: Seed


class TreesSmote(Trees):
    """Gradient-boosted trees on a resampled fit."""

    name: Literal["xgboost_smote"]  # type: ignore[assignment]
    k_neighbors: Count


class Networks(Section):
    """The blend's bag of networks."""

    features: list[str]
    n_networks: Count
    hidden: Annotated[list[Count], Field(min_length=1)]
    alpha: Annotated[float, Field(ge=0)]
    epochs: Annotated[int, Field(ge=3)]
    batch_size: Count


class Blend(Section):
    """Boosted trees and networks, averaged."""

    name: Literal["blend"]
    features: list[str]
    trees: Boosting
    networks: Networks
    weight: Annotated[float, Field(ge=0, le=1)]
    seed: Seed


class Params(params.Params):
    """What one item reads of section ``train``."""

    cv: Folds
    scaler: Literal["standard", "robust"]
    family: Annotated[
        Majority
        | Lookup
        | LogisticPlain
        | LogisticPath
        | LogisticSmote
        | Scorecard
        | Additive
        | Forest
        | Trees
        | TreesSmote
        | Blend,
        Field(discriminator="name"),
    ]


def select(section: dict[str, Any], item: str | None) -> dict[str, Any]:
    """Narrow section ``train`` to what family ``item`` reads."""
    own = section.get("families") or {}
    if item not in own or item not in families.LABELS:
        known = [name for name in families.LABELS if name in own]
        raise params.ParamsError(f"train.families: no family {item!r}; there are: {known}")
    common = {key: value for key, value in section.items() if key != "families"}
    return {**common, "family": {"name": item, **own[item]}}


def main(
    params: Params,
    *,
    item: str,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    model: Callable[[str], Path] = paths.family_model,
    predictions: Callable[[str], Path] = paths.family_predictions,
    results: Callable[[str], Path] = paths.results,
    metrics: Callable[[str], Path] = paths.metrics,
) -> None:
    """Cross-validate one family, fit it on the training rows and score the hold-out."""
    available = io.read_json(model_features)["families"]
    names = families.model_features(item, params.family.model_dump(), available)
    print(f"Features used for training/prediction: {names}", flush=True)
    labels = io.read_table(clients, columns=list(rows.LABEL_COLUMNS))
    sides = rows.split_sides(labels, io.read_table(features, columns=[schema.KEY, *names]), names)
    trained = fit(params, item, sides.train, names)
    summary = description.summarize(
        item, trained, sides.train, features=names, scaler=params.scaler
    )
    io.write_model(model(item), trained.pipeline)
    io.write_arrays(
        predictions(item),
        train_id=sides.train_id,
        train_probability=trained.probability,
        holdout_id=sides.holdout_id,
        holdout_probability=training.predict(trained.pipeline, sides.holdout_features),
    )
    io.write_json(results(f"train/{item}"), summary)
    io.write_json(metrics(f"train/{item}"), summary["headline"])
    print(f"{item}: " + ", ".join(f"{k} {v:.4f}" for k, v in trained.cv.items()), flush=True)


def fit(
    params: Params, item: str, training_rows: rows.TrainingRows, names: list[str]
) -> training.TrainedFamily:
    """Cross-validate and fit, printing a line now and then."""
    return training.train(
        item,
        params.family.model_dump(),
        training_rows,
        scaler=params.scaler,
        n_folds=params.cv.folds,
        n_repeats=params.cv.repeats,
        random_state=params.cv.seed,
        n_jobs=training.available_cores(),
        features=names,
        progress=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "train", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
