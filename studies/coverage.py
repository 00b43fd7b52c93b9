"""The table taken for a population → how often each kind of interval holds the truth.

Reads the clients' credit limits and labels; writes the coverage of six intervals of a mean
by size of the sample, judged at one of them, and the exact coverage of three intervals of a
rate. Params: section ``coverage`` of ``studies/params.yaml``. The work is done by
:mod:`creditrisk.stats.simulation.coverage`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.stats.simulation import coverage
from creditrisk.validation import fingerprint

N_JOBS = 2  # threads; results are the same for any number

Share = Annotated[float, Field(gt=0, lt=1)]
Size = Annotated[int, Field(ge=10)]


class Params(params.Params):
    """Section ``coverage`` of ``studies/params.yaml``."""

    sizes: Annotated[list[Size], Field(min_length=1)]
    n_samples: Annotated[int, Field(ge=100)]
    n_bootstrap: Annotated[int, Field(ge=99)]
    confidence: Share
    gate_size: Size
    gate_level: Share
    random_state: Annotated[int, Field(ge=0)]

    @field_validator("sizes")
    @classmethod
    def sizes_ascend(cls, sizes: list[int]) -> list[int]:
        """Hold that the table of results reads from small to large."""
        if sizes != sorted(set(sizes)):
            raise ValueError("must ascend, each size once")
        return sizes

    @model_validator(mode="after")
    def gate_is_measured(self) -> Params:
        """Hold that the size that is judged is one of those that are drawn."""
        if self.gate_size not in self.sizes:
            raise ValueError(f"gate_size {self.gate_size} must be one of sizes {self.sizes}")
        return self


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    results: Path = paths.study("coverage"),
) -> None:
    """Draw the samples, build the intervals and write how often they hold the truth."""
    labels = io.read_table(clients, columns=[*fingerprint.IDENTITY, schema.LIMIT])
    settings = params.model_dump()
    simulated = coverage.simulate(
        labels[schema.LIMIT],
        coverage.Design(**settings | {"sizes": tuple(params.sizes)}),
        n_jobs=N_JOBS,
        name=schema.LIMIT,
        progress=lambda line: print(f"coverage: {line}", flush=True),
    )
    rates = coverage.list_rate_coverage(
        labels[schema.TARGET], params.sizes, confidence=params.confidence, name=schema.TARGET
    )
    mark = fingerprint.fingerprint(labels, {}, [])
    io.write_json(results, {"fingerprint": mark, "design": settings, **simulated, "rates": rates})
    print(f"coverage: gate {'passes' if simulated['gate']['passes'] else 'FAILS'}", flush=True)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "coverage", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
