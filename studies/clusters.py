"""What speaks for the clusters → stability, references without groups, gap, other algorithms.

Reads ``clients.parquet``; prepares it as the stage ``cluster`` does and examines the training
rows that are fitted, with every k of its range. Params: section ``clusters`` of
``studies/params.yaml``, and section ``cluster``. The work is done by
:func:`creditrisk.segments.credentials.examine`; the hold-out is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from creditrisk import io, params, paths
from creditrisk.params import Params as Section
from creditrisk.segments import credentials, segmentation
from creditrisk.segments.recipe import recipe
from creditrisk.validation import fingerprint

READS = ("cluster",)
N_JOBS = 2  # processes; results are the same for any number

Count = Annotated[int, Field(ge=1)]
Draws = Annotated[int, Field(ge=2)]


class References(Section):
    """Data without groups."""

    n_draws: Draws
    n_init: Count
    n_resamples: Count
    silhouette_rows: Annotated[int, Field(ge=100)]


class Gap(Section):
    """The gap statistic."""

    n_draws: Draws
    n_init: Count


class Mixture(Section):
    """The Gaussian mixture."""

    n_init: Count
    reg_covar: Annotated[float, Field(gt=0)]


class Agreement(Section):
    """Other ways to cluster."""

    n_seeds: Count
    ward_rows: Annotated[int, Field(ge=100, le=8000)]
    mixture: Mixture


class Params(params.Params):
    """Section ``clusters`` of ``studies/params.yaml``, and section ``cluster``."""

    n_resamples: Draws
    references: References
    gap: Gap
    loading_resamples: Draws
    agreement: Agreement
    cluster: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    results: Path = paths.study("clusters"),
) -> None:
    """Examine the clusters and write what was found."""
    people, section = io.read_table(clients), params.cluster
    data = segmentation.prepare(people, section["features"], k_max=section["k_max"])
    design = params.model_dump(exclude={"cluster"})
    found = credentials.examine(
        data.train,
        section,
        design,
        n_jobs=N_JOBS,
        progress=lambda line: print(f"clusters: {line}", flush=True),
    )
    mark = fingerprint.fingerprint(people, recipe(section), [])
    io.write_json(results, {"fingerprint": mark, "design": design, **found})
    choice = found["choice"]
    print(f"clusters: k = {choice['k']}, rule satisfied: {choice['satisfied']}", flush=True)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "clusters", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
