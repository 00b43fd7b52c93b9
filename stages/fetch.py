"""Fetch the raw table.

Turns ``fetch.source`` (the default data set over four routes, or a file of the
user's own) into the canonical CSV.

inputs   CREDIT_DATA, the user's cache, the UCI archive or a package index; or the file
         that ``fetch.source`` names
outputs  data/raw/clients.csv
params   fetch
work     creditrisk.fetching.fetch
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pydantic import field_validator, model_validator

from creditrisk import fetching, params, paths, schema


class Params(params.Params):
    """Where the table comes from."""

    source: str
    sha256: str | None
    columns: dict[str, str | None]

    @field_validator("source")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("give `uci` or the path of a table, such as data/raw/my_dataset.csv")
        return value.strip()

    @field_validator("sha256")
    @classmethod
    def _hexadecimal(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
            raise ValueError("expected 64 hexadecimal digits, or null for a table of your own")
        return value.lower() if value else value

    @field_validator("columns")
    @classmethod
    def _canonical(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        unknown = sorted({v for v in value.values() if v and v not in schema.RAW_COLUMNS})
        if unknown:
            raise ValueError(
                f"no such column: {', '.join(unknown)}; allowed are "
                f"{', '.join(schema.RAW_COLUMNS)}, or null to leave a column out"
            )
        return value

    @model_validator(mode="after")
    def _fitting(self) -> Params:
        if self.source != fetching.DEFAULT_SOURCE:
            return self
        if self.columns:
            raise ValueError("columns: only for a table of your own, leave {} with source: uci")
        if self.sha256 != schema.CANONICAL_SHA256:
            raise ValueError(f"sha256: with source: uci it is {schema.CANONICAL_SHA256}")
        return self


def main(params: Params, *, raw: Path = paths.RAW) -> None:
    """Write the canonical raw table."""
    fetching.fetch(raw, source=params.source, sha256=params.sha256, columns=params.columns)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "fetch", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
