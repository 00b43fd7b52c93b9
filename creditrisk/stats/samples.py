"""Checked samples, replicates from seeded blocks, and bins to count them in.

Replicates are drawn in blocks of a fixed size, each with a seed of its own
spawned from ``random_state``, so a result depends neither on how much memory is
used at a time nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from creditrisk.errors import UserError

REPLICATES_PER_BLOCK = 10
"""Fixed, because it decides which seed draws which replicate: a change changes results."""

Seed = int | Sequence[int]
Interval = tuple[float, float]


class NotApplicableError(ValueError):
    """A statistic is undefined for this sample: too few values, or no spread."""


def check_sample(
    values: Any, *, name: str, n_min: int = 2, needs_spread: bool = False
) -> np.ndarray:
    """Return a sample as a float array after checking what every method here assumes.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers.
    name : str
        What the sample is called in error messages.
    n_min : int
        Smallest size for which the statistic is defined.
    needs_spread : bool
        Whether a constant sample is refused too.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    UserError
        When a value is missing, infinite or no number: the table is to be mended.
    NotApplicableError
        When there are fewer than ``n_min`` values or, where spread is needed, all
        are equal: the data are fine but the question cannot be asked of them.
    """
    try:
        sample = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name}: expected numbers ({error})") from None
    if sample.ndim != 1:
        raise UserError(f"{name}: expected one column, got {sample.ndim} dimensions")
    n_bad = int(sample.size - np.isfinite(sample).sum())
    if n_bad:
        raise UserError(
            f"{name}: {n_bad} of {sample.size} values are missing or infinite; "
            "drop or impute them before the statistics"
        )
    if sample.size < n_min:
        raise NotApplicableError(
            f"{name}: {sample.size} value{'' if sample.size == 1 else 's'}, at least {n_min} needed"
        )
    if needs_spread and np.ptp(sample) == 0:
        raise NotApplicableError(f"{name}: all {sample.size} values are equal")
    return sample


def check_labels(labels: Any, *, name: str) -> np.ndarray:
    """Return a column of labels as an array after checking that none is missing.

    Raises
    ------
    UserError
        When a label is None or NaN.
    """
    marks = np.asarray(labels)
    missing = sum(mark is None or mark != mark for mark in marks.tolist())  # noqa: PLR0124  (NaN)
    if missing:
        raise UserError(
            f"{name}: {missing} of {marks.size} labels are missing; "
            "drop or impute them before the statistics"
        )
    return marks


def in_blocks(
    draw: Callable[[np.random.Generator, int], np.ndarray],
    *,
    n_replicates: int,
    random_state: Seed,
    n_jobs: int = 1,
) -> np.ndarray:
    """Collect replicates from seeded blocks, in the order of the blocks.

    Parameters
    ----------
    draw : callable
        ``draw(generator, k)`` returns k replicates, shape (k, …).
    n_replicates : int
    random_state : int or sequence of int
    n_jobs : int
        Threads; numpy draws and gathers outside the interpreter lock. The result
        is the same for every number.

    Returns
    -------
    numpy.ndarray, shape (n_replicates, …)

    Raises
    ------
    UserError
        When fewer than one replicate is asked for.
    """
    if n_replicates < 1:
        raise UserError(f"n_replicates: expected at least 1, got {n_replicates}")
    sizes = [REPLICATES_PER_BLOCK] * (n_replicates // REPLICATES_PER_BLOCK)
    if n_replicates % REPLICATES_PER_BLOCK:
        sizes.append(n_replicates % REPLICATES_PER_BLOCK)
    seeds = np.random.SeedSequence(random_state).spawn(len(sizes))

    def one(block: int) -> np.ndarray:
        return draw(np.random.default_rng(seeds[block]), sizes[block])

    if n_jobs == 1:
        return np.concatenate([one(b) for b in range(len(sizes))])
    with ThreadPoolExecutor(n_jobs) as pool:
        return np.concatenate(list(pool.map(one, range(len(sizes)))))


def count_in_bins(values: np.ndarray, n_bins: int) -> dict[str, list]:
    """Return equal-width bins as ``edges`` (n_bins + 1) and ``counts`` (n_bins)."""
    counts, edges = np.histogram(values, bins=n_bins)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
