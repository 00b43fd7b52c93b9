"""Raw and cleaned clients → the description of the table behind ``eda.html``.

Reads the canonical raw CSV, ``clients.parquet`` and what cleaning found; writes results and metrics.
Params: section ``eda``. The work is done by
:func:`creditrisk.data.exploration.explore`.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.data import exploration, rawtable


class Params(params.Params):
    """Section ``eda``."""

    confidence_level: float = Field(gt=0, lt=1)
    limit_bal_width: PositiveFloat
    age_width: PositiveFloat
    amount_edges: list[PositiveFloat] = Field(min_length=2, max_length=12)
    min_bin_clients: PositiveInt

    @field_validator("amount_edges")
    @classmethod
    def ascend(cls, edges: list[float]) -> list[float]:
        """Refuse edges that do not ascend strictly."""
        if any(low >= high for low, high in pairwise(edges)):
            raise ValueError("amount edges must ascend strictly")
        return edges


def main(
    params: Params,
    *,
    raw: Path = paths.RAW,
    clients: Path = paths.CLIENTS,
    findings: Path = paths.results("clean"),
    results: Path = paths.results("eda"),
    metrics: Path = paths.metrics("eda"),
) -> None:
    """Describe the table and store what the page shows."""
    cleaned = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    described = exploration.explore(
        rawtable.read_table(raw.read_bytes()),
        cleaned,
        io.read_json(findings),
        level=params.confidence_level,
        limit_bal_width=params.limit_bal_width,
        age_width=params.age_width,
        amount_edges=params.amount_edges,
        min_clients=params.min_bin_clients,
    )
    sha256 = io.sha256(raw)
    source = schema.SOURCE if sha256 == schema.CANONICAL_SHA256 else None
    settings = params.model_dump()
    provenance = {"data sha256": sha256, "parameters": settings}
    document = {"source": source, "sha256": sha256, "params": settings, "provenance": provenance}
    io.write_json(results, described | document)
    io.write_json(metrics, described["headline"])
    print(
        f"{described['headline']['rows']:,} clients described, "
        f"default rate {described['headline']['default_rate']:.4f}"
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "eda", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
