"""Which groups differ: all pairs, with p-values and intervals that allow for their number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.stats.multiplicity import adjust
from creditrisk.stats.samples import NotApplicableError, check_sample

Row = dict[str, Any]


def compare_pairs(
    groups: Mapping[Any, Any], *, confidence: float, name: str = "sample"
) -> dict[str, list[Row] | None]:
    """Compare every pair of groups by means, by means of unequal variance, and by ranks.

    Parameters
    ----------
    groups : mapping of label to array-like, k groups
        Each with two values at least.
    confidence : float
        Level at which all intervals of a method hold together.
    name : str
        Column, for messages.

    Returns
    -------
    dict
        ``tukey`` (Tukey 1953 and Kramer 1956: one variance), ``games_howell``
        (Games & Howell 1976: a variance of each group; None where a group has no
        spread) and ``dunn`` (Dunn 1964: ranks of all groups together, ties
        corrected). Each is one row a pair, ``{first, second, difference, low, high,
        statistic, p_value}``, first group minus second; ``statistic`` is the
        difference over its standard error, ``p_value`` is adjusted for the number
        of pairs (studentised range; Dunn: Holm). Dunn's difference is one of mean
        ranks and has no interval.

    Raises
    ------
    UserError
        When a value is not finite.
    NotApplicableError
        When there are fewer than two groups, a group is too small, or no group has
        spread.
    """
    labels = list(groups)
    samples = [check_sample(groups[k], name=f"{name} where group = {k}") for k in labels]
    if len(samples) < 2:
        raise NotApplicableError(f"{name}: {len(samples)} group, at least two needed")
    constant = [np.ptp(sample) == 0 for sample in samples]
    if all(constant):
        raise NotApplicableError(f"{name}: no spread within any group")
    return {
        "tukey": _pairs_of_means(labels, samples, confidence, one_variance=True),
        "games_howell": None
        if any(constant)
        else _pairs_of_means(labels, samples, confidence, one_variance=False),
        "dunn": _pairs_of_ranks(labels, samples),
    }


def _pairs_of_means(
    labels: list[Any], samples: list[np.ndarray], confidence: float, *, one_variance: bool
) -> list[Row]:
    """Return the pairs by the studentised range, of one variance or of one a group.

    ``scipy.stats.tukey_hsd`` gives the same, but inverts the distribution for every
    pair in both directions, which takes seconds; it is the oracle of the tests.
    """
    k, freedom = len(samples), np.array([sample.size - 1 for sample in samples])
    variances = np.array([sample.var(ddof=1) for sample in samples])
    if one_variance:
        variances = np.full(k, (freedom * variances).sum() / freedom.sum())
    shares = variances / (freedom + 1)  # of each mean
    critical = cache(lambda df: float(stats.studentized_range.ppf(confidence, k, df)))
    rows: list[Row] = []
    for i, j in combinations(range(k), 2):
        pair = shares[[i, j]]
        df = float(pair.sum() ** 2 / (pair**2 / freedom[[i, j]]).sum())  # Welch (1938)
        df = float(freedom.sum()) if one_variance else df
        error = float(np.sqrt(pair.sum()))
        difference = float(samples[i].mean() - samples[j].mean())
        half = critical(df) * error / np.sqrt(2)
        q = np.sqrt(2) * abs(difference) / error
        rows.append(
            {
                "first": labels[i],
                "second": labels[j],
                "difference": difference,
                "low": float(difference - half),
                "high": float(difference + half),
                "statistic": difference / error,
                "p_value": float(stats.studentized_range.sf(q, k, df)),
            }
        )
    return rows


def _pairs_of_ranks(labels: list[Any], samples: list[np.ndarray]) -> list[Row]:
    """Return the pairs by Dunn's z, their two-sided p-values adjusted by Holm."""
    together = np.concatenate(samples)
    n = together.size
    sizes = [sample.size for sample in samples]
    means = [part.mean() for part in np.split(stats.rankdata(together), np.cumsum(sizes)[:-1])]
    tied = np.unique(together, return_counts=True)[1].astype(float)
    variance = n * (n + 1) / 12 - (tied**3 - tied).sum() / (12 * (n - 1))
    rows: list[Row] = []
    for i, j in combinations(range(len(labels)), 2):
        difference = means[i] - means[j]
        z = float(difference / np.sqrt(variance * (1 / sizes[i] + 1 / sizes[j])))
        rows.append(
            {
                "first": labels[i],
                "second": labels[j],
                "difference": float(difference),
                "low": None,
                "high": None,
                "statistic": z,
                "p_value": float(2 * special.ndtr(-abs(z))),
            }
        )
    adjusted = adjust([row["p_value"] for row in rows], "holm")
    return [row | {"p_value": p} for row, p in zip(rows, adjusted, strict=True)]
