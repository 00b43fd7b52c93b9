"""Raw and cleaned clients → the description of the table behind ``eda.html``.

Reads the canonical raw CSV, ``clients.parquet``, what cleaning found and the study of outliers;
writes results and metrics. Params: section ``eda``. The work is done by
:func:`creditrisk.data.exploration.explore`, :func:`creditrisk.stats.dependence.describe` and
:func:`creditrisk.validation.proxies.check_leakage`.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.data import exploration, rawtable
from creditrisk.stats import dependence
from creditrisk.studies import read_study
from creditrisk.validation import fingerprint, proxies

N_JOBS = 2  # threads; results are the same for any number


class Leakage(params.Params):
    """How leaks and proxies are looked for."""

    n_folds: int = Field(ge=2)
    n_splits: PositiveInt
    random_state: int = Field(ge=0)


class Params(params.Params):
    """Section ``eda``."""

    confidence_level: float = Field(gt=0, lt=1)
    limit_bal_width: PositiveFloat
    age_width: PositiveFloat
    amount_edges: list[PositiveFloat] = Field(min_length=2, max_length=12)
    min_bin_clients: PositiveInt
    leakage: Leakage

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
    outliers: Path = paths.study("outliers"),
    results: Path = paths.results("eda"),
    metrics: Path = paths.metrics("eda"),
) -> None:
    """Describe the table, check it for leaks and store what the page shows."""
    cleaned = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    described = describe(params, rawtable.read_table(raw.read_bytes()), cleaned, findings)
    today = {"clients": fingerprint.fingerprint(cleaned, {}, [])["clients"]}
    sha256 = io.sha256(raw)
    settings = params.model_dump()
    document = {
        "studies": {"outliers": read_study(outliers, today)},
        "source": schema.SOURCE if sha256 == schema.CANONICAL_SHA256 else None,
        "sha256": sha256,
        "params": settings,
        "provenance": {"data sha256": sha256, "parameters": settings},
    }
    io.write_json(results, described | document)
    io.write_json(metrics, described["headline"])
    print(
        f"{described['headline']['rows']:,} clients described, "
        f"default rate {described['headline']['default_rate']:.4f}"
    )


def describe(params: Params, raw: Any, cleaned: Any, findings: Path) -> dict[str, Any]:
    """Return the description, the associations and the checks for leaks."""
    described = exploration.explore(
        raw,
        cleaned,
        io.read_json(findings),
        level=params.confidence_level,
        limit_bal_width=params.limit_bal_width,
        age_width=params.age_width,
        amount_edges=params.amount_edges,
        min_clients=params.min_bin_clients,
    )
    print("eda: associations, leaks and proxies", flush=True)
    return described | {
        "dependence": dependence.describe_dependence(cleaned, confidence=params.confidence_level),
        "leakage": proxies.check_leakage(
            cleaned, level=params.confidence_level, n_jobs=N_JOBS, **params.leakage.model_dump()
        ),
    }


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "eda", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
