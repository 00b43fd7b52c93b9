"""The mean of a column with its intervals side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from creditrisk.stats.intervals import mean_intervals, normal_interval
from creditrisk.stats.samples import NotApplicableError, check_sample


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
    values: Any,
    replicates: np.ndarray,
    *,
    standard_errors: np.ndarray,
    confidence: float,
    groups: Any = None,
    name: str,
) -> dict[str, Any]:
    """Return a mean with its intervals side by side.

    Parameters
    ----------
    values : array-like, shape (n,)
    replicates : numpy.ndarray, shape (B,)
        Bootstrap means of the same values.
    standard_errors : numpy.ndarray, shape (B,)
        Of the replicates.
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

    Raises
    ------
    UserError
        When a value is not finite.
    NotApplicableError
        When there are fewer than two values, all are equal, or all rows are one group.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    n, mean, sd = sample.size, float(sample.mean()), float(sample.std(ddof=1))
    error, skewness = sd / np.sqrt(n), float(stats.skew(sample))
    intervals = mean_intervals(
        mean, error, replicates, standard_errors, n=n, skewness=skewness, confidence=confidence
    )
    if groups is not None:
        clustered = cluster_standard_error(sample, groups, name=name)
        intervals["grouped"] = normal_interval(mean, clustered, confidence)
    return {
        "n": n,
        "mean": mean,
        "median": float(np.median(sample)),
        "sd": sd,
        "skewness": skewness,
        "standard_error": float(error),
        "bootstrap_standard_error": float(replicates.std(ddof=1)),
        "confidence": confidence,
        "intervals": [
            {"method": method, "low": float(low), "high": float(high)}
            for method, (low, high) in intervals.items()
        ],
    }
