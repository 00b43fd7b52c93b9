"""The usual tests for many studies at once, as p-values from counts.

A study is a cross table of groups and distinct values; from it follow sizes, means,
variances, ranks and medians of every group, and from these the p-value of each test. The
p-values are those of :mod:`~creditrisk.stats.testing` and
:mod:`~creditrisk.stats.association` (the tests hold them together), which take a hundred
times as long because they see one study at a time. Where a test cannot be applied to a
study its p-value is NaN; whoever calls counts those studies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import special

from creditrisk.errors import UserError

Moments = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Sizes, means and variances (n − 1) of every group, shape (k, n_groups) each."""


def encode(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values in ascending order and the place of each value among them.

    Returns
    -------
    tuple of numpy.ndarray
        ``levels`` (m,) and ``codes`` (n,).
    """
    levels, codes = np.unique(np.asarray(values), return_inverse=True)
    return levels, codes.astype(np.int32)


def apportion(group_sizes: Sequence[int] | np.ndarray, n: int) -> np.ndarray:
    """Return the group sizes of a study of n rows in the proportions given.

    Parameters
    ----------
    group_sizes : sequence of int, length g
    n : int

    Returns
    -------
    numpy.ndarray of int, shape (g,)
        Largest remainders first (Hamilton's method); a group has two rows at least, taken
        from the largest. A study of all rows has the sizes given.

    Raises
    ------
    UserError
        When n rows do not give every group two.
    """
    total = np.asarray(group_sizes, dtype=float)
    if n == total.sum():
        return total.astype(int)
    if n < 2 * total.size:
        raise UserError(f"study size: {n} rows cannot give {total.size} groups two rows each")
    exact = n * total / total.sum()
    sizes = np.floor(exact).astype(int)
    order = np.argsort(sizes - exact, kind="stable")
    sizes[order[: n - sizes.sum()]] += 1
    while sizes.min() < 2:
        sizes[sizes.argmin()] += 1
        sizes[sizes.argmax()] -= 1
    return sizes


def cross_counts(groups: np.ndarray, codes: np.ndarray, n_groups: int, n_levels: int) -> np.ndarray:
    """Cross-tabulate groups and values of k studies.

    Parameters
    ----------
    groups : ndarray of int, shape (n,) or (k, n)
        Group of each row.
    codes : ndarray of int, shape (k, n)
        Place of each row's value among the levels.
    n_groups, n_levels : int

    Returns
    -------
    numpy.ndarray of float, shape (k, n_groups, n_levels)
    """
    k = codes.shape[0]
    offset = n_groups * np.arange(k, dtype=np.int64)[:, None]
    cells = (offset + groups) * n_levels + codes
    counts = np.bincount(cells.ravel(), minlength=k * n_groups * n_levels)
    return counts.reshape(k, n_groups, n_levels).astype(float)


def p_values(test: str, counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the two-sided p-value of each study.

    Parameters
    ----------
    test : str
        A key of :data:`TESTS`.
    counts : ndarray, shape (k, n_groups, m)
        Rows of each group at each value; see :func:`cross_counts`.
    levels : ndarray, shape (m,)
        The values, ascending. Tables of labels do not use them.

    Returns
    -------
    numpy.ndarray, shape (k,)
        NaN where the test cannot be applied.

    Raises
    ------
    UserError
        For an unknown test.
    """
    if test not in TESTS:
        raise UserError(f"test: expected one of {', '.join(TESTS)}, got {test!r}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return TESTS[test](counts, levels)


def moments(counts: np.ndarray, levels: np.ndarray) -> Moments:
    """Return sizes, means and variances of every group of every study."""
    centre = np.round(levels.mean())  # near the data, so that squares do not cancel
    x = levels - centre
    sizes = counts.sum(axis=2)
    means = counts @ x / sizes
    squares = counts @ x**2 - sizes * means**2
    constant = (counts > 0).sum(axis=2) < 2  # exactly 0, not the rounding of a difference
    return sizes, means + centre, np.where(constant, 0.0, squares / (sizes - 1))


def _two_means(counts: np.ndarray, levels: np.ndarray) -> tuple[Any, ...]:
    """Return difference, sizes and variances of two groups; NaN where nothing has spread."""
    sizes, means, variances = moments(counts, levels)
    usable = (sizes.min(axis=1) >= 2) & (variances.max(axis=1) > 0)
    return np.where(usable, means[:, 0] - means[:, 1], np.nan), sizes.T, variances.T


def _z_test(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    difference, (n1, n2), (v1, v2) = _two_means(counts, levels)
    return 2 * special.ndtr(-np.abs(difference) / np.sqrt(v1 / n1 + v2 / n2))


def _welch_t(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    difference, (n1, n2), (v1, v2) = _two_means(counts, levels)
    e1, e2 = v1 / n1, v2 / n2
    df = (e1 + e2) ** 2 / (e1**2 / (n1 - 1) + e2**2 / (n2 - 1))
    return 2 * special.stdtr(df, -np.abs(difference) / np.sqrt(e1 + e2))


def _pooled_t(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    difference, (n1, n2), (v1, v2) = _two_means(counts, levels)
    df = n1 + n2 - 2
    pooled = ((n1 - 1) * v1 + (n2 - 1) * v2) / df
    return 2 * special.stdtr(df, -np.abs(difference) / np.sqrt(pooled * (1 / n1 + 1 / n2)))


def _f_test(sizes: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return the p-value of the classic F; NaN where no group has spread."""
    n, df = sizes.sum(axis=1), sizes.shape[1] - 1
    grand = (sizes * means).sum(axis=1) / n
    between = (sizes * (means - grand[:, None]) ** 2).sum(axis=1) / df
    within = ((sizes - 1) * variances).sum(axis=1) / (n - df - 1)
    usable = (sizes.min(axis=1) >= 2) & (within > 0)
    return np.where(usable, special.fdtrc(df, n - df - 1, between / within), np.nan)


def _anova(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return _f_test(*moments(counts, levels))


def _welch_anova(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return Welch's (1951) ANOVA; NaN where a group has no variance to weigh by."""
    sizes, means, variances = moments(counts, levels)
    df = sizes.shape[1] - 1
    weights = sizes / variances
    total = weights.sum(axis=1)
    centre = (weights * means).sum(axis=1) / total
    between = (weights * (means - centre[:, None]) ** 2).sum(axis=1) / df
    spread = ((1 - weights / total[:, None]) ** 2 / (sizes - 1)).sum(axis=1)
    spread = spread / ((df + 1) ** 2 - 1)
    statistic = between / (1 + 2 * (df - 1) * spread)
    usable = (sizes.min(axis=1) >= 2) & (variances.min(axis=1) > 0)
    return np.where(usable, special.fdtrc(df, 1 / (3 * spread), statistic), np.nan)


def _brown_forsythe(counts: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the F-test of the distances from each group's median (Brown & Forsythe 1974)."""
    sizes = counts.sum(axis=2)
    reached = counts.cumsum(axis=2)
    middle = [
        levels[np.minimum((reached <= place[:, :, None]).sum(axis=2), levels.size - 1)]
        for place in ((sizes - 1) // 2, sizes // 2)
    ]
    distance = np.abs(levels - ((middle[0] + middle[1]) / 2)[:, :, None])
    means = (counts * distance).sum(axis=2) / sizes
    squares = (counts * (distance - means[:, :, None]) ** 2).sum(axis=2)
    return _f_test(sizes, means, squares / (sizes - 1))


def _rank_sums(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sizes and rank sums of the groups and Σ(t³ − t) over the tied values."""
    totals = counts.sum(axis=1)
    ranks = totals.cumsum(axis=1) - (totals - 1) / 2
    tied = (totals**3 - totals).sum(axis=1)
    return counts.sum(axis=2), (counts @ ranks[:, :, None])[:, :, 0], tied


def _mann_whitney(counts: np.ndarray, _levels: np.ndarray) -> np.ndarray:
    """Return the normal approximation with ties and continuity corrected, as scipy does."""
    sizes, sums, tied = _rank_sums(counts)
    n1, n2 = sizes.T
    n = n1 + n2
    away = np.abs(sums[:, 0] - n1 * (n + 1) / 2)
    error = np.sqrt(n1 * n2 / 12 * (n + 1 - tied / (n * (n - 1))))
    return np.minimum(2 * special.ndtr((0.5 - away) / error), 1.0)


def _kruskal(counts: np.ndarray, _levels: np.ndarray) -> np.ndarray:
    sizes, sums, tied = _rank_sums(counts)
    n = sizes.sum(axis=1)
    statistic = 12 / (n * (n + 1)) * (sums**2 / sizes).sum(axis=1) - 3 * (n + 1)
    return special.chdtrc(sizes.shape[1] - 1, statistic / (1 - tied / (n**3 - n)))


def _table(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return expected counts and degrees of freedom; empty rows and columns do not count."""
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    expected = rows[:, :, None] * columns[:, None, :] / rows.sum(axis=1)[:, None, None]
    df = ((rows > 0).sum(axis=1) - 1) * ((columns > 0).sum(axis=1) - 1)
    return expected, np.where(df > 0, df, np.nan)


def _chi_square(counts: np.ndarray, _levels: np.ndarray) -> np.ndarray:
    expected, df = _table(counts)
    cells = np.where(expected > 0, (counts - expected) ** 2 / expected, 0.0)
    return special.chdtrc(df, cells.sum(axis=(1, 2)))


def _g_test(counts: np.ndarray, _levels: np.ndarray) -> np.ndarray:
    expected, df = _table(counts)
    cells = special.xlogy(counts, np.where(counts > 0, counts / expected, 1.0))
    return special.chdtrc(df, np.maximum(2 * cells.sum(axis=(1, 2)), 0.0))


TESTS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "z_test": _z_test,
    "welch_t": _welch_t,
    "pooled_t": _pooled_t,
    "mann_whitney": _mann_whitney,
    "anova": _anova,
    "welch_anova": _welch_anova,
    "kruskal": _kruskal,
    "brown_forsythe": _brown_forsythe,
    "chi_square": _chi_square,
    "g_test": _g_test,
}
TABLE_TESTS = ("chi_square", "g_test")
"""Tests of two columns of labels; the others compare a number between groups."""
