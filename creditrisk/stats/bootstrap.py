"""Bootstrap replicates of a mean, its standard error and a median (Efron 1979).

All that a bootstrap sample says is how often each distinct value is in it. These counts
are multinomial, so where values repeat (credit limits, zeros and ones) they are drawn
as such, far faster than rows and with the same distribution; where most
values differ, rows are drawn and counted. A statistic is a function of the counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from creditrisk.stats.samples import Seed, check_sample, in_blocks

ROWS_A_LEVEL = 15
"""A multinomial count takes about as long as so many rows: decides which of them is drawn."""

DRAWS_AT_A_TIME = 2**16
"""Rows and their counts then stay in the processor's cache; without effect on the result."""

Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Distinct values (K,) and their counts in k samples (k, K) → replicates, shape (k, …)."""


def draw_counts(
    generator: np.random.Generator, frequencies: np.ndarray, *, n: int, k: int
) -> np.ndarray:
    """Draw samples with replacement, as counts of the distinct values.

    Parameters
    ----------
    generator : numpy.random.Generator
    frequencies : numpy.ndarray of int, shape (K,)
        How often each distinct value is in what is drawn from.
    n, k : int
        Size and number of the samples.

    Returns
    -------
    numpy.ndarray of int, shape (k, K)
        Rows sum to ``n``.
    """
    total, n_levels = int(frequencies.sum()), frequencies.size
    if n_levels * ROWS_A_LEVEL < n:
        return generator.multinomial(n, frequencies / total, size=k)
    level = np.repeat(np.arange(n_levels), frequencies)
    counts = np.empty((k, n_levels), dtype=np.intp)
    step = max(1, DRAWS_AT_A_TIME // n)
    for part in np.split(counts, range(step, k, step)):  # views
        # indices are within bounds by construction: "clip" only skips the check
        cells = level.take(generator.integers(0, total, size=(len(part), n)), mode="clip")
        cells += n_levels * np.arange(len(part))[:, None]
        part[:] = np.bincount(cells.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def mean(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean of each sample, shape (k,)."""
    return counts @ levels / counts[0].sum()


def mean_and_error(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return mean and standard error (divisor n − 1) of each sample, shape (k, 2)."""
    n = counts[0].sum()
    means = mean(levels, counts)
    # squares around a value near all means: their difference must not lose digits
    centre = means.mean()
    squares = counts @ (levels - centre) ** 2 / n - (means - centre) ** 2
    varies = counts.max(axis=1) < n  # rounding must not give a constant sample some spread
    return np.column_stack([means, np.sqrt(np.where(varies, squares, 0) / (n - 1))])


def median(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the median of each sample, shape (k,); ``levels`` ascend."""
    upto = counts.cumsum(axis=1)
    n = int(upto[0, -1])
    lower, upper = ((upto > rank).argmax(axis=1) for rank in ((n - 1) // 2, n // 2))
    return (levels[lower] + levels[upper]) / 2


def bootstrap_replicates(
    values: Any,
    *,
    n_replicates: int,
    random_state: Seed,
    statistic: Statistic = mean,
    n_jobs: int = 1,
    name: str = "sample",
) -> np.ndarray:
    """Return a statistic of samples drawn with replacement from one sample.

    ``scipy.stats.bootstrap`` gives the same distribution from (batch, n) indices of one
    generator, which cannot be split over threads; it is the oracle of the tests.

    Parameters
    ----------
    values : array-like, shape (n,)
    n_replicates : int
        B.
    random_state : int or sequence of int
    statistic : callable
        :func:`mean`, :func:`mean_and_error`, :func:`median` or another of their kind.
    n_jobs : int
        Threads; without effect on the result.
    name : str
        Used in error messages.

    Returns
    -------
    numpy.ndarray, shape (B,), or (B, 2) for :func:`mean_and_error`

    Raises
    ------
    UserError
        When a value is not finite or no replicate is asked for.
    NotApplicableError
        When there are fewer than two values.
    """
    sample = check_sample(values, name=name)
    levels, frequencies = np.unique(sample, return_counts=True)

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        return statistic(levels, draw_counts(generator, frequencies, n=sample.size, k=k))

    return in_blocks(draw, n_replicates=n_replicates, random_state=random_state, n_jobs=n_jobs)
