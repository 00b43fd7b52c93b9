"""Null hypotheses with a way of their own to deal at random: within strata, over two factors."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.stats import factorial, stratified
from creditrisk.stats.samples import NotApplicableError, Seed, check_labels, check_sample, in_blocks
from creditrisk.stats.simulation import many_tests

Dealt = tuple[np.ndarray, dict[str, float]]
"""p-values, shape (n_shuffles,), NaN where the test cannot be applied; and facts."""


def deal_within_strata(
    sides: Any,
    outcome: Any,
    strata: Any,
    *,
    n_shuffles: int,
    random_state: Seed,
    n_jobs: int = 1,
    name: str = "exposure",
) -> Dealt:
    """Return p-values of the test of Mantel and Haenszel, the outcome dealt within strata.

    A deal needs no shuffle: in each stratum the number of exposed rows with the outcome
    follows the hypergeometric distribution. Statistic and p-value are those of
    :func:`creditrisk.stats.stratified.compare_strata`.

    Parameters
    ----------
    sides : array-like, shape (n,)
        Labels of two levels; the higher is the exposure.
    outcome : array-like of 0 and 1, shape (n,)
    strata : array-like, shape (n,)
        Labels.
    n_shuffles, n_jobs : int
        Threads are without effect on the result.
    random_state : int or sequence of int
    name : str
        Column of the sides, for messages.

    Returns
    -------
    tuple
        p-values, and the facts ``smallest_group`` (rows of the smaller side),
        ``smallest_expected`` (of all cells of all strata) and ``n_strata``.

    Raises
    ------
    UserError
        When the outcome is not of 0 and 1, or a label is missing.
    NotApplicableError
        When there are not two sides, or as ``compare_strata`` says.
    """
    levels, side = many_tests.encode(check_labels(sides, name=name))
    if levels.size != 2:
        raise NotApplicableError(f"{name}: {levels.size} groups, but stratified compares two")
    # for its checks alone: it refuses what cannot be compared, which no deal can change
    stratified.compare_strata(side, outcome, strata, confidence=0.95, name=name)
    labels, member = many_tests.encode(strata)
    event = np.asarray(outcome).astype(int)
    tables = np.zeros((labels.size, 2, 2))
    np.add.at(tables, (member, 1 - side, 1 - event), 1)
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    kept = (rows > 0).all(axis=1) & (columns > 0).all(axis=1)
    rows, columns = rows[kept], columns[kept]

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        events, others = columns.T.astype(int)
        exposed = rows[:, 0].astype(int)
        hits = generator.hypergeometric(events, others, exposed, size=(k, exposed.size))
        return strata_p_values(hits, rows, columns)

    p = in_blocks(draw, n_replicates=n_shuffles, random_state=random_state, n_jobs=n_jobs)
    expected = rows[:, :, None] * columns[:, None, :] / rows.sum(axis=1)[:, None, None]
    return p, {
        "smallest_group": int(rows.sum(axis=0).min()),
        "smallest_expected": float(expected.min()),
        "n_strata": int(kept.sum()),
    }


def strata_p_values(hits: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return p-values of the test of no association in any stratum (Mantel & Haenszel 1959).

    Parameters
    ----------
    hits : ndarray, shape (k, n_strata)
        Exposed rows with the outcome.
    rows, columns : ndarray, shape (n_strata, 2)
        Rows exposed and not; with the outcome and without. None is 0.

    Returns
    -------
    numpy.ndarray, shape (k,)
        χ² with one degree of freedom, without continuity correction; NaN where the
        common odds ratio is 0 or infinite.
    """
    n = rows.sum(axis=1)
    away = (hits - rows[:, 0] * columns[:, 0] / n).sum(axis=1)
    variance = (rows.prod(axis=1) * columns.prod(axis=1) / (n**2 * (n - 1))).sum()
    misses, others = rows[:, 0] - hits, columns[:, 0] - hits
    defined = (hits * (rows[:, 1] - others)).any(axis=1) & (misses * others).any(axis=1)
    return np.where(defined, special.chdtrc(1, away**2 / variance), np.nan)


def deal_over_cells(
    values: Any,
    first: Any,
    second: Any,
    *,
    n_shuffles: int,
    random_state: Seed,
    n_jobs: int = 1,
    name: str = "sample",
) -> Dealt:
    """Return p-values of the interaction of two factors, the values dealt over all rows.

    Sizes of cells stay, and with them the projection on what both factors explain without
    interaction. F and p-value are those of :func:`creditrisk.stats.factorial.two_way`.

    Parameters
    ----------
    values : array-like, shape (n,)
    first, second : array-like, shape (n,)
        Labels of both factors.
    n_shuffles, n_jobs : int
        Threads are without effect on the result.
    random_state : int or sequence of int
    name : str
        Column of the values, for messages.

    Returns
    -------
    tuple
        p-values, and the facts ``smallest_group`` (rows of the smallest cell),
        ``skewness`` and ``tied``.

    Raises
    ------
    UserError, NotApplicableError
        As ``two_way`` says.
    """
    factorial.two_way(values, first, second, confidence=0.95, name=name)  # for its checks
    (a, i), (b, j) = (many_tests.encode(side) for side in (first, second))
    cell = i * b.size + j
    sizes = np.bincount(cell)
    sample = check_sample(values, name=name)
    sample = sample - sample.mean()  # so that squares do not cancel

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        dealt = generator.permuted(np.broadcast_to(sample, (k, sample.size)), axis=1)
        sums = np.stack([np.bincount(cell, row) for row in dealt])
        return interaction_p_values(sums, sizes.reshape(a.size, b.size), float(sample @ sample))

    p = in_blocks(draw, n_replicates=n_shuffles, random_state=random_state, n_jobs=n_jobs)
    shares = np.unique(sample, return_counts=True)[1] / sample.size
    return p, {
        "smallest_group": int(sizes.min()),
        "skewness": float(stats.skew(sample)),
        "tied": float((shares**2).sum()),
    }


def interaction_p_values(sums: np.ndarray, sizes: np.ndarray, squares: float) -> np.ndarray:
    """Return p-values of the interaction of two factors, type II sums of squares.

    Parameters
    ----------
    sums : ndarray, shape (k, n_cells)
        Sum of each cell's values, which are centred at 0 over all rows.
    sizes : ndarray of int, shape (n_first, n_second)
        Rows of each cell, at least two; cells are numbered row by row.
    squares : float
        Sum of the squares of all values.

    Returns
    -------
    numpy.ndarray, shape (k,)
    """
    (n_first, n_second), n = sizes.shape, int(sizes.sum())
    root = np.sqrt(sizes.ravel())
    first, second = np.divmod(np.arange(sizes.size), n_second)
    design = np.hstack([np.eye(n_first)[first], np.eye(n_second)[second][:, 1:]])
    basis, _ = np.linalg.qr(root[:, None] * design)
    cells = sums / root  # √size · mean, whose squares add up to what the cells explain
    left = cells - (cells @ basis) @ basis.T
    df, df_error = (n_first - 1) * (n_second - 1), n - sizes.size
    error = (squares - (cells**2).sum(axis=1)) / df_error
    return special.fdtrc(df, df_error, (left**2).sum(axis=1) / df / error)
