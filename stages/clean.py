"""Clean the raw table.

Turns the canonical raw CSV into clean clients: checked against the contract, gaps
handled by the policy of each column, codes decoded beside their raw values,
duplicates and hidden twins grouped, outliers treated on training rows, the hold-out
drawn.

inputs   data/raw/clients.csv
outputs  data/interim/clients.parquet, data/results/clean.json, reports/metrics/clean.json
params   clean
work     creditrisk.data.cleaning.clean_clients
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.data.cleaning import clean_clients
from creditrisk.data.missing import check_policies
from creditrisk.data.rawtable import read_table

OUTLIER_COLUMNS = (schema.LIMIT, "AGE", *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)


class Outliers(params.Params):
    """Which values are outliers and what becomes of their rows."""

    columns: list[str] = Field(min_length=1)
    rule: Literal["zscore", "iqr", "both"]
    z: float = Field(gt=0)
    iqr_factor: float = Field(gt=0)
    treatment: Literal["remove", "winsorise", "flag"]

    @field_validator("columns")
    @classmethod
    def _amounts(cls, value: list[str]) -> list[str]:
        wrong = [c for c in value if c not in OUTLIER_COLUMNS]
        if wrong or len(set(value)) != len(value):
            raise ValueError(f"expected distinct names out of {', '.join(OUTLIER_COLUMNS)}")
        return value


class Twins(params.Params):
    """When two rows are the same client one month apart."""

    min_amounts: int = Field(ge=1, le=10)
    min_distinct: int = Field(ge=1, le=10)
    age_tolerance: int = Field(ge=0)


class Holdout(params.Params):
    """The rows that nothing is fitted, chosen or stopped on."""

    share: float = Field(gt=0, lt=1)
    seed: int = Field(ge=0, lt=2**32)


class Params(params.Params):
    """How the table is cleaned."""

    missing: dict[str, str]
    twins: Twins
    holdout: Holdout
    outliers: Outliers

    @field_validator("missing")
    @classmethod
    def _allowed(cls, value: dict[str, str]) -> dict[str, str]:
        check_policies(value)
        return value


def main(
    params: Params,
    *,
    raw: Path = paths.RAW,
    clients: Path = paths.CLIENTS,
    results: Path = paths.results("clean"),
    metrics: Path = paths.metrics("clean"),
) -> None:
    """Read, clean, check and write the table of clients."""
    cleaned, findings = clean_clients(
        read_table(raw.read_bytes()),
        missing=params.missing,
        outliers=params.outliers.model_dump(),
        twins=params.twins.model_dump(),
        holdout=params.holdout.model_dump(),
    )
    schema.clients_contract().validate(cleaned, lazy=True)
    headline = findings["headline"] | {"sha256": io.sha256(raw)}
    print(
        f"clean: {headline['rows']:,} clients in {headline['n_groups']:,} groups, "
        f"{headline['n_holdout']:,} held out, default rate {headline['default_rate']:.4f}",
        flush=True,
    )
    io.write_table(clients, cleaned)
    io.write_json(results, findings | {"headline": headline})
    io.write_json(metrics, headline)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "clean", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
