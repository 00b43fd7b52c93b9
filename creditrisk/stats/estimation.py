"""Estimates with their uncertainty: checked samples, bootstrap, intervals for a mean.

Replicates are drawn in blocks of a fixed size, each with a seed of its own
spawned from ``random_state``, so a result depends neither on how much memory is
used at a time nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy import special, stats

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


def bootstrap_replicates(
    values: Any,
    *,
    n_replicates: int,
    random_state: Seed,
    statistic: Callable[..., np.ndarray] = np.mean,
    n_jobs: int = 1,
    name: str = "sample",
) -> np.ndarray:
    """Return a statistic of samples drawn with replacement (Efron 1979).

    ``scipy.stats.bootstrap`` gives the same distribution but needs a batch of
    (batch, n) indices from one generator and cannot be split over threads; it is
    the oracle of the tests.

    Parameters
    ----------
    values : array-like, shape (n,)
    n_replicates : int
    random_state : int or sequence of int
    statistic : callable
        ``statistic(samples, axis=1)`` of an array of shape (k, n).
    n_jobs : int
        Threads; without effect on the result.
    name : str
        Used in error messages.

    Returns
    -------
    numpy.ndarray, shape (n_replicates,)
    """
    sample = check_sample(values, name=name, n_min=1)
    n = sample.size

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        # indices are within bounds by construction: "clip" only skips the check
        rows = generator.integers(0, n, size=(k, n))
        return statistic(sample.take(rows, mode="clip"), axis=1)

    return in_blocks(draw, n_replicates=n_replicates, random_state=random_state, n_jobs=n_jobs)


def normal_interval(estimate: float, standard_error: float, confidence: float) -> Interval:
    """Return estimate ± z · standard error as (low, high)."""
    half = special.ndtri((1 + confidence) / 2) * standard_error
    return float(estimate - half), float(estimate + half)


def t_interval(
    estimate: float, standard_error: float, degrees_of_freedom: float, confidence: float
) -> Interval:
    """Return estimate ± t · standard error as (low, high)."""
    half = stats.t.ppf((1 + confidence) / 2, degrees_of_freedom) * standard_error
    return float(estimate - half), float(estimate + half)


def percentile_interval(replicates: np.ndarray, confidence: float) -> Interval:
    """Return the central quantiles of the bootstrap distribution as (low, high)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def basic_interval(replicates: np.ndarray, estimate: float, confidence: float) -> Interval:
    """Return the percentile interval mirrored at the estimate (Davison & Hinkley 1997, 5.6)."""
    low, high = percentile_interval(replicates, confidence)
    return 2 * estimate - high, 2 * estimate - low


def jackknife_means(values: np.ndarray) -> np.ndarray:
    """Return the mean with each value left out in turn, shape (n,)."""
    return (values.sum() - values) / (values.size - 1)


def bca_interval(
    replicates: np.ndarray, estimate: float, jackknife: np.ndarray, confidence: float
) -> Interval:
    """Return the bias-corrected and accelerated interval (Efron 1987).

    Parameters
    ----------
    replicates : numpy.ndarray, shape (B,)
        Bootstrap distribution.
    estimate : float
    jackknife : numpy.ndarray, shape (n,)
        The statistic with each value left out; gives the acceleration.
    confidence : float

    Returns
    -------
    tuple of float
        (low, high).

    Raises
    ------
    NotApplicableError
        When the jackknife has no spread or the estimate lies outside all replicates.
    """
    deviation = jackknife.mean() - jackknife
    scale = float((deviation**2).sum())
    below = ((replicates < estimate).mean() + (replicates <= estimate).mean()) / 2
    if scale == 0 or below in (0.0, 1.0):
        raise NotApplicableError(
            "BCa interval: no spread, or the estimate is outside all replicates"
        )
    acceleration = float((deviation**3).sum()) / (6 * scale**1.5)
    shift = special.ndtri(below)
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    moved = shift + special.ndtri(tails)
    low, high = np.quantile(replicates, special.ndtr(shift + moved / (1 - acceleration * moved)))
    return float(low), float(high)


def cluster_standard_error(values: Any, groups: Any, *, name: str = "sample") -> float:
    """Return the standard error of a mean whose rows come in groups.

    Parameters
    ----------
    values : array-like, shape (n,)
    groups : array-like, shape (n,)
        Group of each row; rows of one group may be correlated in any way.
    name : str

    Returns
    -------
    float
        √Σ_g(Σ_i∈g (x_i − x̄))² / n · √(G/(G−1)) (Liang & Zeger 1986, for a mean).

    Raises
    ------
    NotApplicableError
        When all rows are one group.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    labels, member = np.unique(np.asarray(groups), return_inverse=True)
    if labels.size < 2:
        raise NotApplicableError(f"{name}: all rows are one group")
    sums = np.bincount(member, weights=sample - sample.mean())
    small_sample = labels.size / (labels.size - 1)
    return float(np.sqrt((sums**2).sum() * small_sample) / sample.size)


def estimate_mean(
    values: Any, replicates: np.ndarray, *, confidence: float, groups: Any = None, name: str
) -> dict[str, Any]:
    """Return a mean with its intervals side by side.

    Parameters
    ----------
    values : array-like, shape (n,)
    replicates : numpy.ndarray, shape (B,)
        Bootstrap means of the same values.
    confidence : float
        Level, e.g. 0.95.
    groups : array-like, shape (n,), optional
        Adds the normal interval that lets rows of a group be dependent.
    name : str
        Column, for messages.

    Returns
    -------
    dict
        ``n, mean, median, sd, skewness, standard_error, bootstrap_standard_error,
        confidence`` and ``intervals``: one ``{"method", "low", "high"}`` a method.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    n, mean, sd = sample.size, float(sample.mean()), float(sample.std(ddof=1))
    error = sd / np.sqrt(n)
    intervals = {
        "normal": normal_interval(mean, error, confidence),
        "t": t_interval(mean, error, n - 1, confidence),
        "percentile": percentile_interval(replicates, confidence),
        "basic": basic_interval(replicates, mean, confidence),
        "bca": bca_interval(replicates, mean, jackknife_means(sample), confidence),
    }
    if groups is not None:
        clustered = cluster_standard_error(sample, groups, name=name)
        intervals["grouped"] = normal_interval(mean, clustered, confidence)
    return {
        "n": n,
        "mean": mean,
        "median": float(np.median(sample)),
        "sd": sd,
        "skewness": float(stats.skew(sample)),
        "standard_error": float(error),
        "bootstrap_standard_error": float(replicates.std(ddof=1)),
        "confidence": confidence,
        "intervals": [
            {"method": m, "low": low, "high": high} for m, (low, high) in intervals.items()
        ],
    }


def count_in_bins(values: np.ndarray, n_bins: int) -> dict[str, list]:
    """Return equal-width bins as ``edges`` (n_bins + 1) and ``counts`` (n_bins)."""
    counts, edges = np.histogram(values, bins=n_bins)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
