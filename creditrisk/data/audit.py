"""What cleaning found, as plain numbers: twins, flags, outliers, the split.

The twins also show what the target means: the later row of a pair tells the
earlier row's client's status one month on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema

if TYPE_CHECKING:
    import pandas as pd

FLAGS = (
    "is_duplicate",
    "has_label_conflict",
    "is_twin",
    "is_inactive",
    "is_over_limit",
    "has_credit_balance",
    "is_outlier_zscore",
    "is_outlier_iqr",
)


def mean_or_none(values: np.ndarray) -> float | None:
    """Return the mean of an array, None of an empty one."""
    return float(np.mean(values)) if len(values) else None


def describe_flags(clients: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return rows, share and default rate of each flag of the cleaned table."""
    default = clients[schema.TARGET].to_numpy()
    described = {}
    for name in FLAGS:
        flagged = clients[name].to_numpy()
        described[name] = {
            "n": int(flagged.sum()),
            "share": float(flagged.mean()),
            "default_rate": mean_or_none(default[flagged]),
        }
    return described


def describe_twins(clients: pd.DataFrame, pairs: pd.DataFrame, min_distinct: int) -> dict[str, Any]:
    """Return how many twins there are and how sure they are.

    Parameters
    ----------
    clients : DataFrame, n rows
        Cleaned, before outlier treatment.
    pairs : DataFrame
        See :func:`creditrisk.data.groups.find_twins`.
    min_distinct : int
        Distinct amounts below which an agreement may be chance.

    Returns
    -------
    dict
        ``n_pairs``, ``n_strict_pairs``, ``n_strict_rows``; ``few_distinct`` (pairs
        below ``min_distinct`` and the share of them with one LIMIT_BAL);
        ``education_agreement`` and ``marriage_agreement`` of the strict pairs
        (columns that the rule does not use); ``target_meaning``.
    """
    few = pairs[pairs["n_distinct"] < min_distinct]
    strict = pairs[pairs["is_strict"]]

    def agreement(chosen: pd.DataFrame, column: str) -> float | None:
        values = clients[column].to_numpy()
        return mean_or_none(values[chosen["earlier"]] == values[chosen["later"]])

    return {
        "n_pairs": len(pairs),
        "n_strict_pairs": len(strict),
        "n_strict_rows": len(np.union1d(strict["earlier"], strict["later"])),
        "few_distinct": {"n_pairs": len(few), "limit_agreement": agreement(few, schema.LIMIT)},
        "education_agreement": agreement(strict, "EDUCATION"),
        "marriage_agreement": agreement(strict, "MARRIAGE"),
        "target_meaning": describe_target(clients, strict),
    }


def describe_target(clients: pd.DataFrame, strict: pd.DataFrame) -> dict[str, Any]:
    """Compare the earlier rows' target with the later rows' September status.

    Parameters
    ----------
    clients : DataFrame, n rows
    strict : DataFrame
        Strict pairs of :func:`creditrisk.data.groups.find_twins`.

    Returns
    -------
    dict
        ``n_defaults`` of the earlier rows and ``n_defaults_late_next`` of them with
        a status of 1 or more a month later; ``default_rate_if_late_next`` and
        ``default_rate_if_not_late_next`` with the counts ``n_late_next`` and
        ``n_not_late_next``.
    """
    default = clients[schema.TARGET].to_numpy()[strict["earlier"]]
    is_late = clients[schema.STATUS_COLUMNS[0]].to_numpy()[strict["later"]] >= 1
    return {
        "n_defaults": int(default.sum()),
        "n_defaults_late_next": int(default[is_late].sum()),
        "n_late_next": int(is_late.sum()),
        "n_not_late_next": int((~is_late).sum()),
        "default_rate_if_late_next": mean_or_none(default[is_late]),
        "default_rate_if_not_late_next": mean_or_none(default[~is_late]),
    }


def describe_split(clients: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return rows, groups, default rate and fitted rows of either side of the split."""
    described = {}
    for side in (schema.TRAIN, schema.HOLDOUT):
        rows = clients[clients[schema.SPLIT] == side]
        described[side] = {
            "n": len(rows),
            "share": len(rows) / len(clients),
            "n_groups": int(rows[schema.GROUP].nunique()),
            "default_rate": mean_or_none(rows[schema.TARGET].to_numpy()),
            "n_fit_rows": int(rows[schema.FIT_ROW].sum()),
        }
    return described
