"""The reliability curve without bins, and what a score is made of (CORP).

Isotonic regression of outcomes on probabilities ("consistent, optimally binned,
reproducible, PAV-based": Dimitriadis, Gneiting & Jordan, PNAS 118, 2021) gives each
probability the default rate that was observed at it. It has no bins to choose, and the
same fit divides a score into miscalibration, discrimination and uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from creditrisk.metrics.calibration import row_brier, row_log_loss

Array = np.ndarray

CURVE_POINTS = 150
"""Points of a stored curve: about three pixels apart in a drawing."""

Score = Callable[[Any, Array], Array]
SCORES: dict[str, Score] = {"log_loss": row_log_loss, "brier": row_brier}


def recalibrated(y: Array, p: Array) -> Array:
    """Return the observed rate at each row's probability, by isotonic regression.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    ndarray of float, shape (n,)
        Rises with ``p``; equal probabilities get equal values.
    """
    values, n, positives = _by_value(y, p)
    return _isotonic(positives, n)[np.searchsorted(values, p)]


def decompose(y: Array, p: Array) -> dict[str, dict[str, float]]:
    """Divide log loss and Brier score: ``score = miscalibration − discrimination + uncertainty``.

    With S the mean score, p̂ the recalibrated probability and ȳ the base rate:
    miscalibration is S(p) − S(p̂), discrimination S(ȳ) − S(p̂), uncertainty S(ȳ).

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    dict of dict
        Per score ``score``, ``miscalibration``, ``discrimination``, ``uncertainty``. The
        first part is above 0 for calibrated probabilities too, since p̂ follows the noise
        of y: see :func:`miscalibration_test`.
    """
    fitted, base = recalibrated(y, p), np.full(len(y), y.mean())
    table = {}
    for name, row_score in SCORES.items():
        own, best, flat = (float(row_score(y, q).mean()) for q in (p, fitted, base))
        table[name] = {
            "score": own,
            "miscalibration": own - best,
            "discrimination": flat - best,
            "uncertainty": flat,
        }
    return table


def miscalibration_test(
    y: Array, p: Array, *, n_replicates: int, random_state: int
) -> dict[str, dict[str, float]]:
    """Compare each score's miscalibration with what chance alone would leave.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    n_replicates, random_state : int
        Outcomes are drawn as Bernoulli(p), independently.

    Returns
    -------
    dict of dict
        Per score ``expected``, its mean over the draws, and ``p``, one-sided:
        ``(1 + draws at least as miscalibrated) / (1 + draws)``.
    """
    values, n, positives = _by_value(y, p)
    drawn: dict[str, list[float]] = {name: [] for name in SCORES}
    for k in _draws(values, n, n_replicates, random_state):
        fitted = _isotonic(k, n)
        for name, row_score in SCORES.items():
            drawn[name].append(_excess(row_score, k, n, values, fitted))
    fitted, table = _isotonic(positives, n), {}
    for name, row_score in SCORES.items():
        own, chance = _excess(row_score, positives, n, values, fitted), np.array(drawn[name])
        share = (1 + (chance >= own).sum()) / (1 + n_replicates)
        table[name] = {"expected": float(chance.mean()), "p": float(share)}
    return table


def reliability_curve(
    y: Array, p: Array, *, n_replicates: int, random_state: int, level: float
) -> dict[str, Any]:
    """Return the recalibration curve with the band in which chance alone would keep it.

    The band is one of consistency: outcomes are drawn anew as Bernoulli(p), that is as
    if every probability were right, and the curve is fitted to each draw; between two
    quantiles of its value lies the band, point by point.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    n_replicates, random_state : int
    level : float
        Share of draws inside the band at each point.

    Returns
    -------
    dict
        ``probability`` (equal steps from the lowest to the highest that occurs),
        ``observed``, ``low`` and ``high`` (lists of the same length; step functions),
        ``outside`` (the share of rows at whose probability the curve leaves the band),
        ``level``.
    """
    values, n, positives = _by_value(y, p)
    grid = np.linspace(values[0], values[-1], CURVE_POINTS)
    shown = np.searchsorted(values, grid, side="right") - 1
    draws = [_isotonic(k, n)[shown] for k in _draws(values, n, n_replicates, random_state)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    observed = _isotonic(positives, n)[shown]
    out = (observed < low - 1e-12) | (observed > high + 1e-12)
    rows = np.bincount(np.searchsorted(grid, values, side="right") - 1, weights=n)
    curve = {"probability": grid, "observed": observed, "low": low, "high": high}
    return {name: column.tolist() for name, column in curve.items()} | {
        "outside": float(rows[out].sum() / len(p)),
        "level": level,
    }


def _by_value(y: Array, p: Array) -> tuple[Array, Array, Array]:
    """Return the distinct probabilities, ascending, with their rows and positives."""
    values, position = np.unique(p, return_inverse=True)
    return values, np.bincount(position), np.bincount(position, weights=y)


def _isotonic(positives: Array, n: Array) -> Array:
    """Return the rising rates that fit best, one for each distinct probability."""
    from scipy.optimize import isotonic_regression

    return isotonic_regression(positives / n, weights=n).x


def _draws(values: Array, n: Array, n_replicates: int, random_state: int) -> Iterator[Array]:
    """Yield positives by distinct probability, as if each probability were right."""
    rng = np.random.default_rng(random_state)
    for _ in range(n_replicates):
        yield rng.binomial(n, values)


def _excess(row_score: Score, positives: Array, n: Array, values: Array, fitted: Array) -> float:
    """Return by how much the mean score of the values exceeds that of the fitted rates."""
    ones = row_score(1, values) - row_score(1, fitted)
    zeros = row_score(0, values) - row_score(0, fitted)
    return float((positives * ones + (n - positives) * zeros).sum() / n.sum())
