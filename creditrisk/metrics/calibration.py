"""Whether a probability means what it says: log loss, Brier, slope, intercept, ECE.

Every binned figure uses bins of equal mass over mid-ranks, so that equal
probabilities share a bin and the order of rows never matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from creditrisk.data.rates import wilson

Array = np.ndarray

TINY = 1e-6
"""Probabilities are kept this far from 0 and 1 before a logarithm is taken."""


def logit(p: Array) -> Array:
    """Return log-odds, with probabilities clipped to [1e-6, 1 − 1e-6]."""
    p = np.clip(p, TINY, 1 - TINY)
    return np.log(p) - np.log1p(-p)


def row_log_loss(y: Array, p: Array) -> Array:
    """Return each row's negative log likelihood, nats, shape of ``p``."""
    p = np.clip(p, TINY, 1 - TINY)
    return -np.where(y == 1, np.log(p), np.log1p(-p))


def row_brier(y: Array, p: Array) -> Array:
    """Return each row's squared error of probability, shape of ``p``."""
    return (p - y) ** 2


def slope_and_intercept(y: Array, p: Array) -> dict[str, float] | None:
    """Fit ``logit P(y = 1) = intercept + slope · logit p`` (Cox, Biometrika 45, 1958).

    Slope 1 and intercept 0 mean calibrated; a slope below 1 means that
    probabilities are too extreme. Newton's method on two parameters; the tests
    hold it against statsmodels' GLM.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    dict or None
        ``slope``, ``intercept`` and their standard errors ``slope_se``,
        ``intercept_se``; None where ``p`` spans less than 0.05 in log-odds, which
        leaves no slope to fit (the base rate for everybody, fold by fold), where a
        class is absent, or where ``p`` separates the two, which leaves no finite one.
    """
    x = logit(p)
    cases, controls = x[y == 1], x[y == 0]
    if not len(cases) or not len(controls) or np.ptp(x) < 0.05:
        return None
    if cases.min() >= controls.max() or controls.min() >= cases.max():
        return None  # no finite maximum (Albert & Anderson, Biometrika 71, 1984)
    design = np.stack([np.ones_like(x), x])
    beta = np.zeros(2)
    likelihood = _log_likelihood(design, y, beta)
    for _ in range(50):
        step = _newton_step(design, y, beta)
        while _log_likelihood(design, y, beta + step) < likelihood - 1e-9:
            step = step / 2  # a full step may overshoot where probabilities are extreme
        beta = beta + step
        likelihood = _log_likelihood(design, y, beta)
        if np.max(np.abs(step)) < 1e-10:
            break
    errors = np.sqrt(np.diag(np.linalg.inv(_information(design, beta))))
    return {
        "slope": float(beta[1]),
        "intercept": float(beta[0]),
        "slope_se": float(errors[1]),
        "intercept_se": float(errors[0]),
    }


def _information(design: Array, beta: Array) -> Array:
    from scipy.special import expit

    fitted = expit(beta @ design)
    return (design * (fitted * (1 - fitted))) @ design.T


def _newton_step(design: Array, y: Array, beta: Array) -> Array:
    """Return the full Newton step."""
    from scipy.special import expit

    return np.linalg.solve(_information(design, beta), design @ (y - expit(beta @ design)))


def _log_likelihood(design: Array, y: Array, beta: Array) -> float:
    margin = beta @ design
    return float(np.sum(y * margin - np.logaddexp(0, margin)))


def equal_mass_bins(p: Array, n_bins: int = 10) -> Array:
    """Return each row's bin, 0 to ``n_bins − 1``, by the mid-rank of its probability.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
    n_bins : int

    Returns
    -------
    ndarray of int, shape (n,)
        A bin may be empty where many probabilities are equal.
    """
    from scipy.stats import rankdata

    share = (rankdata(p) - 0.5) / len(p)
    return np.minimum((share * n_bins).astype(int), n_bins - 1)


def expected_calibration_error(y: Array, p: Array, n_bins: int = 10) -> float:
    """Return ECE: the mean gap between predicted and observed over bins, weighted by rows."""
    bins = equal_mass_bins(p, n_bins)
    gaps = np.bincount(bins, weights=p - y, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(p))


def reliability(y: Array, p: Array, n_bins: int = 10) -> list[dict[str, Any]]:
    """Return the reliability table over bins of equal mass.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
    n_bins : int

    Returns
    -------
    list of dict
        Per non-empty bin, lowest first: ``bin`` (from 1), ``n``,
        ``mean_probability``, ``observed``, and ``low``/``high``, the 95 % Wilson
        interval of the observed rate.
    """
    bins = equal_mass_bins(p, n_bins)
    n = np.bincount(bins, minlength=n_bins)
    kept = np.flatnonzero(n)
    positives = np.bincount(bins, weights=y, minlength=n_bins)[kept]
    predicted = np.bincount(bins, weights=p, minlength=n_bins)[kept] / n[kept]
    low, high = wilson(positives, n[kept])
    columns = zip(kept + 1, n[kept], predicted, positives / n[kept], low, high, strict=True)
    names = ("bin", "n", "mean_probability", "observed", "low", "high")
    return [dict(zip(names, row, strict=True)) for row in columns]


def summary(y: Array, p: Array) -> dict[str, float]:
    """Return every calibration figure of one sample.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    dict
        ``log_loss`` (nats), ``brier``, ``calibration_slope`` and
        ``calibration_intercept`` (left out where ``p`` hardly varies), ``ece`` (10
        bins of equal mass), ``mean_probability``.
    """
    figures = {
        "log_loss": float(row_log_loss(y, p).mean()),
        "brier": float(row_brier(y, p).mean()),
        "ece": expected_calibration_error(y, p),
        "mean_probability": float(p.mean()),
    }
    if line := slope_and_intercept(y, p):
        figures |= {"calibration_slope": line["slope"], "calibration_intercept": line["intercept"]}
    return figures
