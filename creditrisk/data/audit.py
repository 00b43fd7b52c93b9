"""What cleaning found, as plain numbers: twins, flags, outliers, the split.

The twins also show what the target means: the later row of a pair tells the
earlier row's client's status one month on.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.rates import wilson

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

UNUSED = (
    ("EDUCATION", "EDUCATION"),
    ("MARRIAGE", "MARRIAGE"),
    *pairwise(schema.STATUS_COLUMNS),
)
"""Columns that no rule for twins reads: of the earlier row, of the later row. September's
status of the earlier row is August's of the later one, in another code book."""


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
    clients : DataFrame, n ≥ 2 rows
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
        (columns that the rule does not use); ``min_distinct``; ``tiers``, which hold
        each pair once, ``strict``, ``other_limit`` (enough distinct amounts, another
        LIMIT_BAL) and ``few_distinct``: each ``name``, ``n_pairs`` and ``columns``,
        see :func:`describe_agreement`; ``target_meaning``.
    """
    is_few, is_strict = pairs["n_distinct"] < min_distinct, pairs["is_strict"]
    tiers: list[dict[str, Any]] = [
        {
            "name": name,
            "n_pairs": len(chosen),
            "columns": describe_agreement(clients, chosen, unused),
        }
        for name, chosen, unused in (
            ("strict", pairs[is_strict], UNUSED),
            ("other_limit", pairs[~is_few & ~is_strict], UNUSED),
            ("few_distinct", pairs[is_few], ((schema.LIMIT, schema.LIMIT), *UNUSED)),
        )
    ]
    rate = {(tier["name"], row["later"]): row["rate"] for tier in tiers for row in tier["columns"]}
    strict = pairs[is_strict]
    return {
        "n_pairs": len(pairs),
        "n_strict_pairs": len(strict),
        "n_strict_rows": len(np.union1d(strict["earlier"], strict["later"])),
        "few_distinct": {
            "n_pairs": int(is_few.sum()),
            "limit_agreement": rate["few_distinct", schema.LIMIT],
        },
        "education_agreement": rate["strict", "EDUCATION"],
        "marriage_agreement": rate["strict", "MARRIAGE"],
        "min_distinct": min_distinct,
        "tiers": tiers,
        "target_meaning": describe_target(clients, strict),
    }


def describe_agreement(
    clients: pd.DataFrame, pairs: pd.DataFrame, columns: Iterable[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return how often the two rows of a pair agree in columns that did not make the pair.

    Parameters
    ----------
    clients : DataFrame, n ≥ 2 rows
    pairs : DataFrame
        With the row positions ``earlier`` and ``later``.
    columns : iterable of (str, str)
        Column of the earlier row and the column of the later one that is compared with it.

    Returns
    -------
    list of dict
        ``earlier``, ``later`` (columns), ``n_agree``, ``rate`` with its 95 % Wilson
        interval ``low``, ``high`` (None without pairs), and ``by_chance``, see
        :func:`agreement_by_chance`. Pairs that share a row are not independent.
    """
    described = []
    for earlier, later in columns:
        first, second = clients[earlier].to_numpy(), clients[later].to_numpy()
        agrees = first[pairs["earlier"]] == second[pairs["later"]]
        by_chance = agreement_by_chance(first, second, clients["SEX"].to_numpy())
        row = {"earlier": earlier, "later": later, "n_agree": int(agrees.sum())}
        described.append(row | _interval(agrees) | {"by_chance": by_chance})
    return described


def agreement_by_chance(first: np.ndarray, second: np.ndarray, within: np.ndarray) -> float | None:
    """Return the probability that two columns agree between different rows of one class.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Column of the one row and of the other.
    within : ndarray, shape (n,)
        Both rows have the same value here, as twins have the same SEX.

    Returns
    -------
    float or None
        Exactly, over all ordered pairs: counts of equal values multiplied, less the
        rows met with themselves. None when no two rows share a class.
    """
    import pandas as pd

    n_agree = n_pairs = 0
    for value in np.unique(within):
        here = within == value
        met = pd.Series(first[here]).value_counts() * pd.Series(second[here]).value_counts()
        n_agree += int(met.sum()) - int((first[here] == second[here]).sum())
        n_pairs += int(here.sum()) * (int(here.sum()) - 1)
    return n_agree / n_pairs if n_pairs else None


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
        a status of 1 or more a month later, as ``late_next_if_default``;
        ``default_rate_if_late_next`` and ``default_rate_if_not_late_next`` with the
        counts ``n_late_next`` and ``n_not_late_next``; each of the three rates with
        its 95 % Wilson interval ``<rate>_low``, ``<rate>_high``. ``by_next_status``:
        ``code`` of the later row, ``n``, ``defaults``, ``rate``, ``low``, ``high`` of
        the earlier rows' target; codes of 3 or more are one row, ``code`` 3.
    """
    default = clients[schema.TARGET].to_numpy()[strict["earlier"]]
    status = clients[schema.STATUS_COLUMNS[0]].to_numpy()[strict["later"]]
    is_late, code = status >= 1, np.minimum(status, 3)
    rates = {
        "late_next_if_default": is_late[default == 1],
        "default_rate_if_late_next": default[is_late],
        "default_rate_if_not_late_next": default[~is_late],
    }
    by_code = [(int(value), default[code == value]) for value in np.unique(code)]
    return {
        "n_defaults": int(default.sum()),
        "n_defaults_late_next": int(default[is_late].sum()),
        "n_late_next": int(is_late.sum()),
        "n_not_late_next": int((~is_late).sum()),
        **{key: value for name, events in rates.items() for key, value in _named(name, events)},
        "by_next_status": [
            {"code": value, "n": len(events), "defaults": int(events.sum()), **_interval(events)}
            for value, events in by_code
        ],
    }


def _interval(events: np.ndarray) -> dict[str, float | None]:
    """Return rate, low and high of 0/1 events; Nones of no event."""
    if not len(events):
        return {"rate": None, "low": None, "high": None}
    low, high = wilson(int(events.sum()), len(events))
    return {"rate": float(np.mean(events)), "low": float(low), "high": float(high)}


def _named(name: str, events: np.ndarray) -> list[tuple[str, float | None]]:
    """Return a rate and the ends of its interval under keys made of a name."""
    rate = _interval(events)
    return [(name, rate["rate"]), (f"{name}_low", rate["low"]), (f"{name}_high", rate["high"])]


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
