"""A generated table with the shape and the traps of the real one, for tests only.

Each client has a hidden discipline; status, payments and next-month default follow
from it, so models find a signal. A few rows are exact duplicates and a few are the
same client one month apart ("hidden twins").
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from creditrisk import schema
from creditrisk.data.cleaning import clean_clients


def raw_clients(
    n: int = 1000, seed: int = 0, *, n_duplicates: int = 4, n_twins: int = 6
) -> pd.DataFrame:
    """Return n rows in the canonical raw form: Kaggle's names, integers, sorted by ID."""
    rng = np.random.default_rng(seed)
    months = schema.N_MONTHS + 1  # one more, oldest last, so that twins can be cut one month apart
    discipline = rng.normal(size=n)
    limit = np.clip(np.exp(rng.normal(11.7, 0.8, n) + 0.2 * discipline), 10_000, 800_000).round(-4)
    inactive = rng.random(n) < 0.03
    revolver = rng.random(n) < 0.55

    bill = np.zeros((n, months))
    paid = np.zeros((n, months))
    status = np.zeros((n, months), dtype=int)
    bill[:, -1] = limit * rng.beta(1.5, 3, n)
    for m in range(months - 2, -1, -1):
        pays = rng.random(n) < 1 / (1 + np.exp(-(1.6 + 1.2 * discipline)))
        owed = np.maximum(bill[:, m + 1], 0)
        share = np.where(revolver, rng.uniform(0.03, 0.2, n), 1.0)
        paid[:, m] = np.where(pays, np.round(owed * share), 0)
        spend = np.round(limit * rng.gamma(0.6, 0.06, n) * (rng.random(n) < 0.8))
        bill[:, m] = np.round(bill[:, m + 1]) - paid[:, m] + spend
        late = np.minimum(np.maximum(status[:, m + 1], 0) + 1, 8)
        calm = np.where(owed <= 0, -2, np.where(share == 1.0, -1, 0))
        status[:, m] = np.where(pays | (owed <= 0), calm, np.maximum(late, 2))
    bill[:, -1] = np.round(bill[:, -1])
    bill[inactive], paid[inactive], status[inactive] = 0, 0, -2
    now = status[:, 0].copy()
    status[:, 0] = np.where((now == 2) & (rng.random(n) < 0.5), 1, now)

    logit = -1.9 + 0.55 * np.maximum(now, 0) - 0.7 * discipline + 1.0 * inactive
    default = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    columns = {
        schema.LIMIT: limit,
        "SEX": rng.integers(1, 3, n),
        "EDUCATION": rng.choice(
            [0, 1, 2, 3, 4, 5, 6], n, p=[0.005, 0.35, 0.46, 0.16, 0.01, 0.01, 0.005]
        ),
        "MARRIAGE": rng.choice([0, 1, 2, 3], n, p=[0.01, 0.45, 0.52, 0.02]),
        "AGE": np.clip(rng.normal(35, 9, n), 21, 79).round(),
    }
    frame = pd.DataFrame(
        columns
        | {c: status[:, i] for i, c in enumerate(schema.STATUS_COLUMNS)}
        | {c: bill[:, i] for i, c in enumerate(schema.BILL_COLUMNS)}
        | {c: paid[:, i] for i, c in enumerate(schema.PAID_COLUMNS)}
        | {schema.RAW_TARGET: default}
    )
    active = np.flatnonzero(~inactive & ((paid[:, :6] > 0).sum(1) >= 4))
    for k in range(n_twins):  # the last rows become the earlier month of an active client
        source, target = active[k], n - 1 - k
        for c in (schema.LIMIT, *schema.AUDIT_COLUMNS):
            frame.loc[target, c] = frame.loc[source, c]
        frame.loc[target, list(schema.BILL_COLUMNS)] = bill[source, 1:7]
        frame.loc[target, list(schema.PAID_COLUMNS)] = paid[source, 1:7]
        frame.loc[target, list(schema.STATUS_COLUMNS)] = status[source, 1:7]
    for k in range(n_duplicates):
        frame.iloc[n - 1 - n_twins - k] = frame.iloc[k]
    frame.insert(0, schema.KEY, np.arange(1, n + 1))
    return frame.astype("int64")[list(schema.RAW_COLUMNS)]


def service_client(frame: pd.DataFrame, row: int = 0) -> dict[str, int]:
    """Return one row as the flat JSON object that the service takes."""
    return {name: int(frame.iloc[row][name]) for name in schema.FEATURE_COLUMNS}


CLEANING = {
    "missing": {
        "ID": "error",
        "LIMIT_BAL": "drop",
        "SEX": "drop",
        "EDUCATION": "unknown",
        "MARRIAGE": "unknown",
        "AGE": "median",
        "status": "zero",
        "bill": "zero",
        "paid": "zero",
        "target": "drop",
    },
    "twins": {"min_amounts": 4, "min_distinct": 3, "age_tolerance": 1},
    "holdout": {"share": 0.2, "seed": 42},
    "outliers": {
        "columns": ["AGE", "LIMIT_BAL"],
        "rule": "both",
        "z": 3.0,
        "iqr_factor": 1.5,
        "treatment": "remove",
    },
}
"""Keywords of ``clean_clients``, as ``params.yaml`` has them."""


def clients(n: int = 1000, seed: int = 0, **changes: dict) -> pd.DataFrame:
    """Return n cleaned clients; ``changes`` replace whole sections of :data:`CLEANING`."""
    return clean_clients(raw_clients(n, seed), **{**CLEANING, **changes})[0]
