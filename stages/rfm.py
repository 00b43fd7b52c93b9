"""Clean clients → recency, frequency and monetary scores, segments, and what a new client needs.

In: ``data/interim/clients.parquet`` and the study ``segments``. Out: ``data/interim/rfm.parquet`` (scores, one
row a client), ``models/rfm.json`` (bands, spend threshold, segment rules), the results
behind ``rfm.html`` and the headline metrics. Params: section ``rfm``. The work is done
by ``creditrisk.segments.rfm_tables.analyse``; no model is read here.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.segments import rfm, rfm_tables
from creditrisk.studies import read_study
from creditrisk.validation import fingerprint

N_JOBS = 2  # threads; results are the same for any number


class Edges(params.Params):
    """Band edges of the three measures, ascending; four edges make scores 1–5."""

    recency: list[float] = Field(min_length=4, max_length=4)
    frequency: list[float] = Field(min_length=4, max_length=4)
    monetary: list[float] = Field(min_length=4, max_length=4)

    @field_validator("recency", "frequency", "monetary")
    @classmethod
    def ascend(cls, edges: list[float]) -> list[float]:
        """Refuse edges that do not ascend strictly."""
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("band edges must ascend strictly")
        return edges


class Segment(params.Params):
    """A named rule: quantity → [low, high], both inclusive, null for open; what to do with it."""

    name: str = Field(min_length=1)
    action: str = Field(min_length=1)
    conditions: dict[str, tuple[float | None, float | None]]

    @field_validator("conditions")
    @classmethod
    def known(cls, conditions: dict[str, tuple[float | None, float | None]]) -> dict:
        """Refuse quantities that no client has."""
        if unknown := sorted(set(conditions) - set(rfm.QUANTITIES)):
            raise ValueError(
                f"no quantity {', '.join(unknown)}; there are: {', '.join(rfm.QUANTITIES)}"
            )
        return conditions


class Stability(params.Params):
    """The bands on bootstrap samples of the training rows."""

    replicates: int = Field(ge=20)
    seed: int = Field(ge=0)


class Params(params.Params):
    """Section ``rfm`` of params.yaml."""

    spend_threshold: PositiveFloat
    threshold_alternatives: list[PositiveFloat]
    as_specified: Edges
    spend: Edges
    segments: list[Segment] = Field(min_length=1)
    min_cell: PositiveInt
    stability: Stability

    @field_validator("segments")
    @classmethod
    def complete(cls, segments: list[Segment]) -> list[Segment]:
        """Refuse rules that leave clients without a segment."""
        if segments[-1].conditions:
            raise ValueError("the last segment must have no conditions: it takes whoever is left")
        return segments


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    study: Path = paths.study("segments"),
    table: Path = paths.RFM,
    bands: Path = paths.MODELS / "rfm.json",
    results: Path = paths.results("rfm"),
    metrics: Path = paths.metrics("rfm"),
) -> None:
    """Score the clients and write table, bands, results and metrics."""
    people = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    numbers = served(params)
    scored, computed = rfm_tables.analyse(
        people,
        numbers,
        threshold_alternatives=params.threshold_alternatives,
        min_cell=params.min_cell,
        resampling={
            "n_replicates": params.stability.replicates,
            "random_state": params.stability.seed,
            "n_jobs": N_JOBS,
        },
    )
    today = {"clients": fingerprint.fingerprint(people, {}, [])["clients"]}
    actions = {rule.name: rule.action for rule in params.segments}
    studied = {"added_value": read_study(study, today)}  # before anything is written
    io.write_table(table, scored)
    io.write_json(bands, numbers, digits=None)
    io.write_json(results, {**computed, "actions": actions, "studies": studied})
    io.write_json(metrics, computed["headline"])
    print(f"rfm: {len(people):,} clients in {computed['headline']['n_segments']} segments")


def served(params: Params) -> dict[str, Any]:
    """Return the numbers that score a client; a segment's action is not one of them."""
    fields = {"spend_threshold", "as_specified", "spend", "segments"}
    return params.model_dump(include=fields, exclude={"segments": {"__all__": {"action"}}})


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "rfm", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
