"""Description of the numeric columns: distributions, default rate by bin, correlations.

Everything here looks at the full sample and feeds no model. Each function takes a
frame or arrays and returns plain dicts for the page. Code columns are described in
:mod:`creditrisk.data.codes`, the table as a whole in :mod:`creditrisk.data.overview`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.data.rates import wilson
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MAX_BINS = 60


def default_rates(
    defaults: np.ndarray, counts: np.ndarray, *, level: float, min_clients: int = 1
) -> dict[str, list[Any]]:
    """Return default rates with Wilson score intervals.

    Parameters
    ----------
    defaults, counts : ndarray of int, shape (k,)
        Defaulters and clients of each group.
    level : float
        Confidence level, between 0 and 1.
    min_clients : int
        Groups with fewer clients get None instead of a rate, since an interval that
        spans most of 0 to 1 says nothing.

    Returns
    -------
    dict of list, length k
        ``counts``, ``defaults``, ``rates``, ``lows``, ``highs``; rates are 0 to 1.
    """
    defaults, counts = np.asarray(defaults, dtype=np.int64), np.asarray(counts, dtype=np.int64)
    shown = counts >= max(min_clients, 1)
    safe = np.where(shown, counts, 1)
    low, high = wilson(np.where(shown, defaults, 0), safe, level)

    def visible(values: np.ndarray) -> list[float | None]:
        pairs = zip(np.asarray(values, dtype=float), shown, strict=True)
        return [float(value) if show else None for value, show in pairs]

    return {
        "counts": counts.tolist(),
        "defaults": defaults.tolist(),
        "rates": visible(defaults / safe),
        "lows": visible(low),
        "highs": visible(high),
    }


def group_rates(
    group: np.ndarray, default: np.ndarray, n_groups: int, *, level: float, min_clients: int = 1
) -> dict[str, list[Any]]:
    """Return :func:`default_rates` of clients in numbered groups.

    Parameters
    ----------
    group : ndarray of int, shape (n,)
        Group of each client, 0 to ``n_groups`` − 1.
    default : ndarray of 0/1, shape (n,)
    n_groups : int
    level, min_clients
        See :func:`default_rates`.
    """
    counts = np.bincount(group, minlength=n_groups)
    defaults = np.bincount(group, weights=default, minlength=n_groups)
    return default_rates(defaults.round(), counts, level=level, min_clients=min_clients)


def equal_edges(values: np.ndarray, width: float, name: str) -> np.ndarray:
    """Return bin edges at multiples of ``width`` that hold all values.

    Parameters
    ----------
    values : ndarray, shape (n,)
    width : float
        In the values' unit.
    name : str
        The parameter that an error speaks of.

    Returns
    -------
    ndarray, shape (k + 1,)
        Bins are closed on the left: ``edge[i] <= value < edge[i + 1]``.

    Raises
    ------
    UserError
        When that takes more than 60 bins.
    """
    first = np.floor(values.min() / width)
    last = np.floor(values.max() / width) + 1
    if last - first > MAX_BINS:
        raise UserError(
            f"{name}: {width:g} makes {int(last - first)} bins over "
            f"{values.min():g} to {values.max():g}; at most {MAX_BINS} are drawn, take it wider"
        )
    return np.arange(first, last + 1) * width


def distribution(
    values: np.ndarray, default: np.ndarray, edges: np.ndarray, *, level: float, min_clients: int
) -> dict[str, Any]:
    """Return a histogram with the default rate of each bin, and a summary.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    default : ndarray of 0/1, shape (n,)
    edges : ndarray, shape (k + 1,)
        From :func:`equal_edges`.
    level, min_clients
        See :func:`default_rates`.

    Returns
    -------
    dict
        ``edges`` and ``summary`` beside the lists of :func:`default_rates`.
    """
    group = np.searchsorted(edges, values, side="right") - 1
    rates = group_rates(group, default, len(edges) - 1, level=level, min_clients=min_clients)
    return {"edges": edges.tolist(), **rates, "summary": summarize(values)}


def amount_labels(edges: Sequence[float]) -> list[str]:
    """Return the names of the amount bins: below 0, exactly 0, then between the edges."""
    names = [f"{edge / 1000:g}k" if edge >= 1000 else f"{edge:g}" for edge in edges]
    between = [f"{a}–{b}" for a, b in pairwise(names)]
    return ["below 0", "0", f"under {names[0]}", *between, f"{names[-1]} up"]


def amount_distribution(
    values: np.ndarray,
    default: np.ndarray,
    edges: Sequence[float],
    *,
    level: float,
    min_clients: int,
) -> dict[str, Any]:
    """Return default rates over logarithm-like bins of an amount.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        NT$, any sign.
    default : ndarray of 0/1, shape (n,)
    edges : sequence of float
        Ascending, above 0. Negative values and exact zeros are bins of their own,
        because a credit balance and an unused card differ from a small bill.
    level, min_clients
        See :func:`default_rates`.

    Returns
    -------
    dict
        The lists of :func:`default_rates`, one entry a name of
        :func:`amount_labels`, and ``summary``.
    """
    positive = 2 + np.searchsorted(np.asarray(edges, dtype=float), values, side="right")
    group = np.where(values < 0, 0, np.where(values == 0, 1, positive))
    rates = group_rates(group, default, len(edges) + 3, level=level, min_clients=min_clients)
    return {**rates, "summary": summarize(values)}


def summarize(values: np.ndarray) -> dict[str, float | int]:
    """Return size, location, spread and shape of one column.

    Parameters
    ----------
    values : ndarray of float, shape (n,)

    Returns
    -------
    dict
        ``skewness`` is the moment coefficient m₃ / m₂^1.5, 0 for a constant column;
        ``sd`` has the divisor n − 1.
    """
    from scipy.stats import skew

    values = np.asarray(values, dtype=float)
    low, lower, median, upper, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "min": float(values.min()),
        "p05": float(low),
        "p25": float(lower),
        "median": float(median),
        "p75": float(upper),
        "p95": float(high),
        "max": float(values.max()),
        "skewness": float(skew(values)) if np.ptp(values) > 0 else 0.0,
        "n_zero": int((values == 0).sum()),
        "n_negative": int((values < 0).sum()),
    }


def rank_correlations(clients: pd.DataFrame, columns: Sequence[str]) -> list[list[float | None]]:
    """Return Spearman's rank correlations (ties get mean ranks), shape (k, k).

    A constant column has no correlation: None.
    """
    matrix = clients[list(columns)].corr(method="spearman").to_numpy()
    return [[None if np.isnan(r) else float(r) for r in row] for row in matrix]
