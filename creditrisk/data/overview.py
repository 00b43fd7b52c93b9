"""Description of the table as a whole: types, missing values, balance, rows.

Everything here looks at the full sample and feeds no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.describe import default_rates

if TYPE_CHECKING:
    import pandas as pd


def overview(raw: pd.DataFrame, clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return types and missing values of each column before and after cleaning.

    Parameters
    ----------
    raw : DataFrame, n rows
        The raw table, Kaggle's names.
    clients : DataFrame
        The cleaned table.

    Returns
    -------
    list of dict
        One for each raw column, then one for each that cleaning added: ``name``,
        ``raw_dtype`` and ``n_missing_raw`` (None for added columns), ``dtype``,
        ``n_missing``, ``n_distinct``, ``min`` and ``max`` (None for text and flags).
    """
    renamed = {schema.RAW_TARGET: schema.TARGET}
    names = [(renamed.get(c, c), c) for c in raw.columns]
    names += [(c, "") for c in clients.columns if c not in {name for name, _ in names}]
    rows = []
    for name, source in names:
        column = clients[name]
        is_number = column.dtype.kind in "iuf"
        rows.append(
            {
                "name": name,
                "raw_dtype": str(raw[source].dtype) if source else None,
                "n_missing_raw": int(raw[source].isna().sum()) if source else None,
                "dtype": str(column.dtype),
                "n_missing": int(column.isna().sum()),
                "n_distinct": int(column.nunique()),
                "min": column.min() if is_number else None,
                "max": column.max() if is_number else None,
            }
        )
    return rows


def waterfall(raw: pd.DataFrame, clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how many rows each step of preparation keeps.

    Parameters
    ----------
    raw : DataFrame
        The raw table as numbers.
    clients : DataFrame
        The cleaned table.

    Returns
    -------
    list of dict
        ``step``, ``n`` and ``default_rate`` (None without clients).
    """
    is_train = clients[schema.SPLIT] == schema.TRAIN
    masks = {
        "holdout": ~is_train,
        "training": is_train,
        "fit": is_train & clients[schema.FIT_ROW],
    }
    targets = {"raw": raw[schema.RAW_TARGET], "cleaned": clients[schema.TARGET]}
    targets |= {step: clients.loc[mask, schema.TARGET] for step, mask in masks.items()}
    return [
        {
            "step": step,
            "n": len(target),
            "default_rate": float(target.mean()) if target.notna().any() else None,
        }
        for step, target in targets.items()
    ]


def imbalance(clients: pd.DataFrame, *, level: float) -> list[dict[str, Any]]:
    """Return the target's balance in the whole table and in each split.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    list of dict
        ``sample``, ``n``, ``defaults``, ``non_defaults``, ``rate``, ``low``, ``high``.
    """
    default = clients[schema.TARGET].to_numpy()
    split = clients[schema.SPLIT].to_numpy()
    samples = {
        "all": np.ones(len(default), dtype=bool),
        schema.TRAIN: split == schema.TRAIN,
        schema.HOLDOUT: split == schema.HOLDOUT,
    }
    counts = np.array([mask.sum() for mask in samples.values()])
    defaults = np.array([default[mask].sum() for mask in samples.values()])
    rates = default_rates(defaults, counts, level=level)
    return [
        {
            "sample": sample,
            "n": rates["counts"][i],
            "defaults": rates["defaults"][i],
            "non_defaults": rates["counts"][i] - rates["defaults"][i],
            "rate": rates["rates"][i],
            "low": rates["lows"][i],
            "high": rates["highs"][i],
        }
        for i, sample in enumerate(samples)
    ]
