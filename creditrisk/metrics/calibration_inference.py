"""Whether calibration is good enough to serve: tests, robust intervals, the gate.

A test asks whether a model is miscalibrated at all, and with enough rows the answer is
always yes. The gate asks whether it is calibrated *well enough*, by equivalence: it
needs an interval inside stated bounds, so a small sample cannot pass by being vague.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from creditrisk.metrics.calibration import logit, row_log_loss, slope_and_intercept

Array = np.ndarray


def affine(p: Array, *, slope: float, intercept: float) -> Array:
    """Return probabilities with ``intercept + slope · log-odds`` as their log-odds."""
    from scipy.special import expit

    return expit(intercept + slope * logit(p))


def spiegelhalter(y: Array, p: Array) -> dict[str, float]:
    """Test whether the Brier score is what calibrated probabilities would give.

    ``z = Σ (y − p)(1 − 2p) / √(Σ (1 − 2p)² p (1 − p))`` (Spiegelhalter, Statistics in
    Medicine 5, 1986); above 0 the score is worse than expected.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        Not all of them 0, 1/2 or 1.

    Returns
    -------
    dict
        ``z`` and the two-sided ``p``, rows independent.
    """
    from scipy.stats import norm

    weight = 1 - 2 * p
    z = float(((y - p) * weight).sum() / np.sqrt((weight**2 * p * (1 - p)).sum()))
    return {"z": z, "p": float(2 * norm.sf(abs(z)))}


def cox_test(y: Array, p: Array) -> dict[str, float] | None:
    """Test intercept 0 and slope 1 together by likelihood ratio (Cox, Biometrika 45, 1958).

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    dict or None
        ``statistic``, ``df`` (2), ``p``, rows independent; None where there is no slope
        to fit (:func:`creditrisk.metrics.calibration.slope_and_intercept`).
    """
    from scipy.stats import chi2

    line = slope_and_intercept(y, p)
    if line is None:
        return None
    fitted = affine(p, slope=line["slope"], intercept=line["intercept"])
    gained = row_log_loss(y, p).sum() - row_log_loss(y, fitted).sum()
    statistic = max(float(2 * gained), 0.0)
    return {"statistic": statistic, "df": 2, "p": float(chi2.sf(statistic, 2))}


def grouped_mean(values: Array, groups: Array) -> dict[str, float]:
    """Return a mean over rows with a standard error that lets rows of a group agree.

    ``se = √(G / (G − 1) · Σ_g (Σ_{i in g} (v_i − v̄))²) / n`` for G groups: the
    cluster-robust variance of a mean (Liang & Zeger, Biometrika 73, 1986).

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    groups : ndarray of int, shape (n,)

    Returns
    -------
    dict
        ``mean``, ``se``.
    """
    mean = values.mean()
    _, position = np.unique(groups, return_inverse=True)
    sums = np.bincount(position, weights=values - mean)
    n_groups = len(sums)
    variance = n_groups / (n_groups - 1) * (sums**2).sum() / len(values) ** 2
    return {"mean": float(mean), "se": float(np.sqrt(variance))}


def intervals(y: Array, p: Array, groups: Array, *, level: float) -> dict[str, Any]:
    """Return slope, intercept and mean gap with cluster-robust normal intervals.

    The sandwich covariance sums scores over groups (Liang & Zeger, Biometrika 73, 1986),
    times ``G / (G − 1) · (n − 1) / (n − 2)`` for small samples, as statsmodels does for
    ``GLM(...).fit(cov_type="cluster")``.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    groups : ndarray of int, shape (n,)
    level : float
        Coverage, e.g. 0.9.

    Returns
    -------
    dict
        ``slope``, ``intercept`` and ``mean_gap`` (mean probability less base rate), each
        with ``<name>_low`` and ``<name>_high``, and ``level``. Slope and intercept are
        left out where there is none to fit.
    """
    from scipy.stats import norm

    quantile = float(norm.isf((1 - level) / 2))
    gap = grouped_mean(p - y, groups)
    estimates = {"mean_gap": (gap["mean"], gap["se"])}
    if line := slope_and_intercept(y, p):
        errors = np.sqrt(np.diag(_sandwich(y, p, groups, line)))
        estimates["intercept"] = (line["intercept"], float(errors[0]))
        estimates["slope"] = (line["slope"], float(errors[1]))
    table: dict[str, Any] = {"level": level}
    for name, (value, se) in estimates.items():
        half = quantile * se
        table |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return table


def _sandwich(y: Array, p: Array, groups: Array, line: dict[str, float]) -> Array:
    """Return the cluster-robust covariance of (intercept, slope)."""
    fitted = affine(p, slope=line["slope"], intercept=line["intercept"])
    design = np.stack([np.ones(len(y)), logit(p)])
    bread = np.linalg.inv((design * (fitted * (1 - fitted))) @ design.T)
    _, position = np.unique(groups, return_inverse=True)
    scores = np.stack([np.bincount(position, weights=column * (y - fitted)) for column in design])
    n, n_groups = len(y), scores.shape[1]
    correction = n_groups / (n_groups - 1) * (n - 1) / (n - 2)
    return correction * bread @ (scores @ scores.T) @ bread


def gate(
    y: Array,
    p: Array,
    groups: Array,
    *,
    slope_bounds: tuple[float, float] = (0.9, 1.1),
    mean_margin: float = 0.01,
    level: float = 0.90,
) -> dict[str, Any]:
    """Say whether probabilities are calibrated well enough to be served.

    Two one-sided tests each (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987): the
    interval of the slope must lie inside its bounds and that of mean probability less
    base rate inside the margin. At level 0.90 a model whose slope or mean lies on a
    bound passes in at most 5 of 100 samples.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        Of rows that no fit behind them saw.
    groups : ndarray of int, shape (n,)
    slope_bounds : (float, float)
    mean_margin : float
        In probability, to either side.
    level : float
        Coverage of both intervals.

    Returns
    -------
    dict
        :func:`intervals` with ``slope_bounds``, ``mean_margin``, ``promotable`` and
        ``reason``, a sentence that names what failed, or that nothing did.
    """
    table = intervals(y, p, groups, level=level)
    low, high = slope_bounds
    failed = []
    if "slope" not in table:
        failed.append("the probabilities leave no slope to fit")
    elif table["slope_low"] < low or table["slope_high"] > high:
        failed.append(
            f"the interval of the slope, {table['slope_low']:.3f} to {table['slope_high']:.3f}, "
            f"is not inside {low:g} to {high:g}"
        )
    if max(-table["mean_gap_low"], table["mean_gap_high"]) > mean_margin:
        failed.append(
            f"the interval of mean probability less base rate, {table['mean_gap_low']:+.4f} to "
            f"{table['mean_gap_high']:+.4f}, is not inside ±{mean_margin:g}"
        )
    return table | {
        "slope_bounds": [low, high],
        "mean_margin": mean_margin,
        "promotable": not failed,
        "reason": "; ".join(failed) or "both intervals lie inside their bounds",
    }
