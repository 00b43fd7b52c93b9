"""Which feature families and which ideas pay: one change at a time, on the same folds.

Reads ``clients.parquet`` and the recipes of section ``train``; writes
``studies/results/ablation.json``. Params: section ``ablation`` of studies/params.yaml
and ``train``. The work is done by :func:`creditrisk.validation.ablation.ablate`;
:mod:`creditrisk.validation.ideas` is the catalogue of ideas.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from creditrisk import io, params, paths, schema
from creditrisk.errors import UserError
from creditrisk.features.record import from_frame
from creditrisk.models import rows, training
from creditrisk.params import Params as Section
from creditrisk.validation import ablation, fingerprint

READS = ("train",)


class Folds(Section):
    """Grouped cross-validation on the training rows."""

    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]


class Logistic(Section):
    """The logistic base."""

    C: Annotated[float, Field(gt=0)]


class Trees(Section):
    """The base of boosted trees."""

    speed_up: Annotated[int, Field(ge=1)]


class Params(params.Params):
    """Section ``ablation`` of the studies, with the root's section ``train``."""

    cv: Folds
    logistic: Logistic
    trees: Trees
    alpha: Annotated[float, Field(gt=0, lt=1)]
    train: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    results: Path = paths.study("ablation"),
) -> None:
    """Measure every family and every idea against both bases."""
    table = io.read_table(clients)
    people = table[table[schema.SPLIT] == schema.TRAIN]
    document = ablation.ablate(
        from_frame(people),
        rows.split_sides(table, table, []).train,
        recipes(params),
        scaler=params.train["scaler"],
        n_folds=params.cv.folds,
        n_repeats=params.cv.repeats,
        random_state=params.cv.seed,
        alpha=params.alpha,
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )
    document["design"]["speed_up"] = params.trees.speed_up
    served = params.train["families"][ablation.FAMILY_OF["trees"]]
    mark = fingerprint.fingerprint(table, served, document["base"]["trees"]["features"])
    io.write_json(results, {"fingerprint": mark, **document})


def recipes(params: Params) -> dict[str, dict[str, Any]]:
    """Return the recipe of each kind of model, from section ``train`` and the study's own."""
    known = params.train["families"]
    if missing := sorted(set(ablation.FAMILY_OF.values()) - set(known)):
        raise UserError(f"train.families: the ablation needs {', '.join(missing)}")
    return {
        "logistic": {**known[ablation.FAMILY_OF["logistic"]], "C": params.logistic.C},
        "trees": ablation.faster(known[ablation.FAMILY_OF["trees"]], params.trees.speed_up),
    }


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "ablation", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
