"""Confidence intervals from a standard error or from bootstrap replicates.

Every function takes one sample, or many at once: numbers may be arrays of shape (…),
replicates have the shape (…, B), and an interval is (low, high), each of shape (…).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.stats.samples import NotApplicableError

MEAN_METHODS = ("normal", "t", "percentile", "basic", "bca", "studentised")
Interval = tuple[Any, Any]


def normal_interval(estimate: Any, standard_error: Any, confidence: float) -> Interval:
    """Return estimate ± z · standard error."""
    half = special.ndtri((1 + confidence) / 2) * standard_error
    return estimate - half, estimate + half


def t_interval(
    estimate: Any, standard_error: Any, degrees_of_freedom: float, confidence: float
) -> Interval:
    """Return estimate ± t · standard error."""
    half = stats.t.ppf((1 + confidence) / 2, degrees_of_freedom) * standard_error
    return estimate - half, estimate + half


def percentile_interval(replicates: np.ndarray, confidence: float) -> Interval:
    """Return the central quantiles of the bootstrap distribution."""
    return _quantiles(replicates, _tails(confidence))


def basic_interval(replicates: np.ndarray, estimate: Any, confidence: float) -> Interval:
    """Return the percentile interval mirrored at the estimate (Davison & Hinkley 1997, 5.6)."""
    low, high = percentile_interval(replicates, confidence)
    return 2 * estimate - high, 2 * estimate - low


def studentised_interval(
    replicates: np.ndarray,
    replicate_errors: np.ndarray,
    estimate: Any,
    standard_error: Any,
    confidence: float,
) -> Interval:
    """Return the bootstrap-t interval (Davison & Hinkley 1997, 5.7).

    Parameters
    ----------
    replicates, replicate_errors : numpy.ndarray, shape (…, B)
        Bootstrap estimates and their own standard errors.
    estimate, standard_error : float or numpy.ndarray, shape (…)
    confidence : float

    Returns
    -------
    tuple
        estimate − quantiles of t* = (estimate* − estimate) / error* times the error.
        Replicates without spread have no t* and are left out.

    Raises
    ------
    NotApplicableError
        When no replicate of a sample has spread.
    """
    has_spread = replicate_errors > 0
    if not has_spread.any(axis=-1).all():
        raise NotApplicableError("studentised interval: no replicate has spread")
    distance = replicates - np.asarray(estimate)[..., None]
    ratios = np.divide(
        distance, replicate_errors, where=has_spread, out=np.full(distance.shape, np.nan)
    )
    low, high = _quantiles(ratios, _tails(confidence))
    return estimate - high * standard_error, estimate - low * standard_error


def bca_interval(
    replicates: np.ndarray, estimate: Any, acceleration: Any, confidence: float
) -> Interval:
    """Return the bias-corrected and accelerated interval (Efron 1987).

    Parameters
    ----------
    replicates : numpy.ndarray, shape (…, B)
        Bootstrap distribution.
    estimate, acceleration : float or numpy.ndarray, shape (…)
        See :func:`find_acceleration`; for a mean it is skewness / (6 √n).
    confidence : float

    Returns
    -------
    tuple
        (low, high).

    Raises
    ------
    NotApplicableError
        When an estimate lies outside of all its replicates, or these are all equal to it.
    """
    middle = np.asarray(estimate)[..., None]
    below = ((replicates < middle).mean(axis=-1) + (replicates <= middle).mean(axis=-1)) / 2
    same = (replicates == middle).all(axis=-1)
    if np.any(same | (below <= 0) | (below >= 1)):
        raise NotApplicableError(
            "BCa interval: no spread, or the estimate is outside all replicates"
        )
    shift = special.ndtri(below)[..., None]
    moved = shift + special.ndtri(_tails(confidence))
    slope = 1 - np.asarray(acceleration)[..., None] * moved
    return _quantiles(replicates, special.ndtr(shift + moved / slope))


def find_acceleration(*jackknifes: np.ndarray) -> float:
    """Return the acceleration of a BCa interval from one sample or several.

    Parameters
    ----------
    *jackknifes : numpy.ndarray, shapes (n_j,)
        The statistic with each value of the sample left out in turn.

    Returns
    -------
    float
        Σ ΣU³/n³ / (6 (Σ ΣU²/n²)^1.5), U = (n − 1)(mean of the jackknife − jackknife), the
        outer sums over samples (Efron & Tibshirani 1993, 14.3; Davison & Hinkley 1997, 5.28).

    Raises
    ------
    NotApplicableError
        When no value moves the statistic, as for a median amid equal values.
    """
    third = second = 0.0
    for jackknife in jackknifes:
        n = jackknife.size
        influence = (n - 1) * (jackknife.mean() - jackknife)
        third += float((influence**3).sum()) / n**3
        second += float((influence**2).sum()) / n**2
    if second == 0:
        raise NotApplicableError(
            "BCa interval: leaving out any one value does not move the statistic"
        )
    return third / (6 * second**1.5)


def mean_intervals(
    estimate: Any,
    standard_error: Any,
    replicates: np.ndarray,
    replicate_errors: np.ndarray,
    *,
    n: int,
    skewness: Any,
    confidence: float,
) -> dict[str, Interval]:
    """Return the intervals of a mean, or of many means of n values each, by method.

    Parameters
    ----------
    estimate, standard_error, skewness : float or numpy.ndarray, shape (…)
        Of the sample; the skewness with divisor n.
    replicates, replicate_errors : numpy.ndarray, shape (…, B)
        Bootstrap means and their standard errors.
    n : int
        Size of the sample.
    confidence : float

    Returns
    -------
    dict
        Methods of :data:`MEAN_METHODS`, in that order.
    """
    acceleration = skewness / (6 * np.sqrt(n))
    return {
        "normal": normal_interval(estimate, standard_error, confidence),
        "t": t_interval(estimate, standard_error, n - 1, confidence),
        "percentile": percentile_interval(replicates, confidence),
        "basic": basic_interval(replicates, estimate, confidence),
        "bca": bca_interval(replicates, estimate, acceleration, confidence),
        "studentised": studentised_interval(
            replicates, replicate_errors, estimate, standard_error, confidence
        ),
    }


def _tails(confidence: float) -> np.ndarray:
    """Return the two shares that cut off an interval's tails."""
    return np.array([(1 - confidence) / 2, (1 + confidence) / 2])


def _quantiles(replicates: np.ndarray, shares: np.ndarray) -> Interval:
    """Return two quantiles of the last axis, interpolated as numpy does; NaN is left out.

    ``numpy.quantile`` has no other shares for each sample, which BCa needs.
    """
    ordered = np.sort(replicates, axis=-1)  # NaN comes last
    last = (~np.isnan(ordered)).sum(axis=-1, keepdims=True) - 1
    position = shares * last
    lower = np.floor(position).astype(np.intp)
    upper = np.minimum(lower + 1, last)
    left, right = (np.take_along_axis(ordered, at, axis=-1) for at in (lower, upper))
    found = left + (right - left) * (position - lower)
    return found[..., 0], found[..., 1]
