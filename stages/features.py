"""Cleaned clients → one table of features, and the list of those that models may use.

Reads ``clients.parquet``; writes ``features.parquet`` (ID and every registered
feature), ``model_features.json`` (families and names after the audit rule), results
and metrics. Params: ``features.audit_attributes``. The work is done by
:func:`creditrisk.features.table.feature_table`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

from creditrisk import io, params, paths, schema
from creditrisk.features import table


class Params(params.Params):
    """Section ``features``."""

    audit_attributes: Literal["exclude", "include"]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    results: Path = paths.results("features"),
    metrics: Path = paths.metrics("features"),
) -> None:
    """Compute the features and say which of them models may use."""
    cleaned = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    io.write_table(features, table.feature_table(cleaned))
    allowed = table.model_features(audit_attributes=params.audit_attributes)
    io.write_json(model_features, allowed)
    summary = table.summarize_features(allowed)
    io.write_json(results, summary)
    io.write_json(metrics, summary["headline"])
    counts = summary["headline"]
    print(
        f"{counts['n_features']} features in {counts['n_families']} families; "
        f"models may use {counts['n_model_features']} "
        f"(audit attributes: {params.audit_attributes})"
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "features", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
