"""The published folds → our models beside others' figures, nested and fixed, and cross-checks.

Reads ``clients.parquet``, the folds and the published figures of ``data/benchmark/``; writes
the document of the benchmark. Params: section ``benchmark`` of ``studies/params.yaml``, and
sections ``train`` and ``clean`` (the rule for twins). The work is done by
:func:`creditrisk.validation.benchmark_study.study`. Every client takes part, as in the
published figures: the hold-out of the pipeline is not kept apart here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from creditrisk import io, params, paths, schema
from creditrisk.models import training
from creditrisk.params import Params as Section
from creditrisk.validation import benchmark, benchmark_study, fingerprint

READS = ("train", "clean")


Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Sets = Annotated[dict[str, list[str]], Field(min_length=1)]


class TreeGrid(Section):
    """Values that boosted trees are drawn from."""

    max_depth: list[Count]
    travel: list[Positive]
    min_child_weight: list[Annotated[float, Field(ge=0)]]
    subsample: list[Share]
    colsample_bynode: list[Share]
    reg_lambda: list[Annotated[float, Field(ge=0)]]


class TreeBin(Section):
    """What is the same for all boosted trees."""

    max_bin: Annotated[int, Field(ge=2)]


class Trees(Section):
    """The search for boosted trees."""

    n_candidates: Annotated[int, Field(ge=2)]
    features: Sets
    grid: TreeGrid
    fixed: TreeBin
    search_rate: Share
    final_rate: Share


class NetworkGrid(Section):
    """Values that networks are drawn from."""

    hidden: list[list[Count]]
    alpha: list[Annotated[float, Field(ge=0)]]
    epochs: list[Annotated[int, Field(ge=3)]]
    batch_size: list[Count]


class Networks(Section):
    """The search for networks."""

    n_candidates: Annotated[int, Field(ge=2)]
    features: Sets
    grid: NetworkGrid
    fixed: dict[str, Any]
    search_networks: Count
    final_networks: Count


class Space(Section):
    """What the nested mode chooses from."""

    folds: Annotated[int, Field(ge=2)]
    finalists: Count
    trees: Trees
    networks: Networks
    weights: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]


class Partitions(Section):
    """Three-fold partitions of our own."""

    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)]


class Params(params.Params):
    """Section ``benchmark`` of ``studies/params.yaml``; sections ``train`` and ``clean``."""

    space: Space
    partitions: Partitions
    alpha: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0)]
    train: dict[str, Any]
    clean: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    folds: Path = paths.FOLDS,
    published: Path = paths.PUBLISHED,
    results: Path = paths.study("benchmark"),
) -> None:
    """Score our models on the published folds and write the document."""
    people, recipes = io.read_table(clients), params.train["families"]
    document = benchmark_study.study(
        people,
        people[schema.TARGET].to_numpy(),
        benchmark.align_folds(io.read_csv(folds), people[schema.KEY].to_numpy()),
        people[schema.GROUP].to_numpy(),
        recipes,
        space=params.space.model_dump(),
        twins=params.clean["twins"],
        scaler=params.train["scaler"],
        seeds=params.partitions.seeds,
        alpha=params.alpha,
        random_state=params.seed,
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )
    names, _ = benchmark_study.fixed_model(
        "xgboost",
        recipes["xgboost"],
        scaler=params.train["scaler"],
        configuration="served",
        n_jobs=1,
    )
    mark = fingerprint.fingerprint(people, recipes["xgboost"], names)
    others = benchmark_study.published_rows(io.read_csv(published))
    io.write_json(results, {"fingerprint": mark, **document, "published": others})


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "benchmark", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
