"""Would a recalibrated probability be better? Three maps, compared inside the training rows.

Each map is cross-fitted on out-of-fold probabilities: learnt on the other folds, applied
to its own. Only the sigmoid, affine in log-odds, can be served: an explanation whose
contributions add up to the log-odds keeps doing so when it is scaled and shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from creditrisk.metrics import calibration, comparison, corp, discrimination
from creditrisk.metrics.calibration_inference import affine, gate, grouped_mean
from creditrisk.models.folds import deal_folds

Array = np.ndarray
Map = Callable[[Array], Array]

ROW_LOSSES = {"log_loss": calibration.row_log_loss, "brier": calibration.row_brier}


def fit_sigmoid(y: Array, p: Array) -> Map:
    """Return the affine map of log-odds fitted by maximum likelihood (Cox 1958, Platt 1999)."""
    line = calibration.slope_and_intercept(y, p)
    if line is None:
        return lambda q: q
    return lambda q: affine(q, slope=line["slope"], intercept=line["intercept"])


def fit_isotonic(y: Array, p: Array) -> Map:
    """Return the isotonic map (Zadrozny & Elkan, KDD 2002), flat beyond the fitted range."""
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression(out_of_bounds="clip").fit(p, y).predict


def fit_venn_abers(y: Array, p: Array) -> Map:
    """Return the inductive Venn–Abers map (Vovk & Petej, UAI 2014).

    For a new probability, p0 and p1 are what isotonic regression gives it once it has
    joined the fitted rows as a 0 or as a 1; the map returns ``p1 / (1 − p0 + p1)``, the
    value between them with the least regret in log loss.
    """
    values, position = np.unique(p, return_inverse=True)
    n = np.bincount(position)
    positives = np.bincount(position, weights=y)
    as_one = np.append(joined_as_one(n, positives), 1.0)
    mirrored = joined_as_one(n[::-1], (n - positives)[::-1])[::-1]
    as_zero = np.append(0.0, 1 - mirrored)

    def calibrate(q: Array) -> Array:
        p1 = as_one[np.searchsorted(values, q, side="left")]
        p0 = as_zero[np.searchsorted(values, q, side="right")]
        return p1 / (1 - p0 + p1)

    return calibrate


def joined_as_one(n: Array, positives: Array) -> Array:
    """Return what isotonic regression gives each value once one more positive lies at it.

    Parameters
    ----------
    n, positives : ndarray, shape (k,)
        Rows and positives at each distinct value, ascending.

    Returns
    -------
    ndarray of float, shape (k,)

    Notes
    -----
    On the diagram of cumulated positives over cumulated rows, one more positive at value
    i is a step (1, 1) inserted before point i; here the points before it move by
    (−1, −1) instead. The fit at i is then the slope of the line under both sets of points
    (Vovk, Petej & Fedorova, NeurIPS 2015). Going up, a line holds until a point that has
    moved lies below it; that point starts the next line.
    """
    across, up = np.append(0, np.cumsum(n)), np.append(0, np.cumsum(positives))
    joined = np.empty(len(n))
    start, x, y = 0, -1.0, -1.0
    while start < len(n):
        ahead = slice(start + 1, None)
        slope = ((up[ahead] - y) / (across[ahead] - x)).min()
        below = up[ahead] - 1 < y + slope * (across[ahead] - 1 - x) - 1e-9
        end = start + 1 + int(below.argmax()) if below.any() else len(n)
        joined[start:end] = slope
        start, x, y = end, across[end] - 1.0, up[end] - 1.0
    return joined


MAPS: dict[str, Callable[[Array, Array], Map]] = {
    "sigmoid": fit_sigmoid,
    "isotonic": fit_isotonic,
    "venn_abers": fit_venn_abers,
}


def cross_fitted(
    y: Array, p: Array, fit_row: Array, folds: Array, fit: Callable[[Array, Array], Map]
) -> Array:
    """Return each row's probability by a map that was fitted on the other folds.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        Out of fold.
    fit_row : ndarray of bool, shape (n,)
        False keeps a row out of every fit.
    folds : ndarray of int, shape (n,)
    fit : callable
        Takes labels and probabilities, returns a map.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    mapped = np.empty(len(p))
    for fold in np.unique(folds):
        own = folds == fold
        others = ~own & fit_row
        mapped[own] = fit(y[others], p[others])(p[own])
    return mapped


def recalibrate(
    y: Array, p: Array, groups: Array, fit_row: Array, *, n_folds: int, random_state: int
) -> dict[str, Array]:
    """Return every arm's cross-fitted probabilities, ``none`` first.

    Parameters
    ----------
    y, p, groups, fit_row : ndarray, shape (n,)
        Training rows, ``p`` out of fold.
    n_folds, random_state : int
        See :func:`~creditrisk.models.folds.deal_folds`.

    Returns
    -------
    dict of ndarray, shape (n,)
        ``none``, ``sigmoid``, ``isotonic``, ``venn_abers``.
    """
    folds = deal_folds(y, groups, n_folds=n_folds, n_repeats=1, random_state=random_state)[0]
    maps = {arm: cross_fitted(y, p, fit_row, folds, fit) for arm, fit in MAPS.items()}
    return {"none": p, **maps}


def compare_arms(
    y: Array,
    arms: Mapping[str, Array],
    groups: Array,
    *,
    alpha: float,
    margins: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Return each arm's figures and its paired differences to ``none``.

    A difference is the mean over rows of the two losses' difference, with the standard
    error of :func:`~creditrisk.metrics.calibration_inference.grouped_mean`; Holm's
    levels run over the whole table, every arm and both losses.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    arms : mapping of name to ndarray, shape (n,)
        What :func:`recalibrate` returned.
    groups : ndarray of int, shape (n,)
    alpha : float
        Family-wise error rate of the table.
    margins : mapping
        Bounds of :func:`~creditrisk.metrics.calibration_inference.gate`.

    Returns
    -------
    dict of dict
        Per arm ``log_loss``, ``brier``, ``ece``, ``calibration_slope``,
        ``calibration_intercept``, ``roc_auc``, ``miscalibration`` and ``discrimination``
        (of the log loss), ``gate`` and, but for ``none``, ``differences``: loss → a row of
        :func:`~creditrisk.metrics.comparison.holm` with its ``verdict``.
    """
    differences = arm_differences(y, arms, groups, alpha=alpha)
    table = {}
    for arm, p in arms.items():
        parts = corp.decompose(y, p)["log_loss"]
        table[arm] = calibration.summary(y, p) | {
            "roc_auc": discrimination.roc_auc(y, p),
            "miscalibration": parts["miscalibration"],
            "discrimination": parts["discrimination"],
            "gate": gate(y, p, groups, **margins),
        }
        if arm in differences:
            table[arm]["differences"] = differences[arm]
    return table


def arm_differences(
    y: Array, arms: Mapping[str, Array], groups: Array, *, alpha: float
) -> dict[str, dict[str, Any]]:
    """Return paired differences of row losses to ``none``: arm → loss → row with verdict."""
    raw = {}
    for loss, row_loss in ROW_LOSSES.items():
        plain = row_loss(y, arms["none"])
        for arm in arms:
            if arm == "none":
                continue
            own = grouped_mean(row_loss(y, arms[arm]) - plain, groups)
            raw[f"{arm}:{loss}"] = _normal_test(own["mean"], own["se"])
    table: dict[str, dict[str, Any]] = {}
    for key, row in comparison.holm(raw, alpha).items():
        arm, _, loss = key.partition(":")
        word = comparison.verdict(row, loss, alpha)
        table.setdefault(arm, {})[loss] = {**row, "verdict": word}
    return table


def _normal_test(difference: float, se: float) -> dict[str, float]:
    """Return a difference with its two-sided normal p, as a row for Holm's table."""
    from scipy.stats import norm

    p = float(2 * norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
    return {"difference": difference, "se": se, "p": p, "df": 0}


def choose_calibration(
    table: Mapping[str, Mapping[str, Any]], y: Array, p: Array, fit_row: Array
) -> dict[str, float] | None:
    """Apply the rule for what is served, written before the numbers were seen.

    Log-odds are mapped by a slope and an intercept only if that is *better* in log loss
    beyond noise, or if the gate fails without and passes with it; else probabilities are
    served as the model gives them. Isotonic and Venn–Abers are studied, never served.

    Parameters
    ----------
    table : mapping
        What :func:`compare_arms` returned.
    y, p, fit_row : ndarray, shape (n,)
        Training rows, ``p`` out of fold.

    Returns
    -------
    dict or None
        ``slope`` and ``intercept``, fitted on all fit rows; None for no map.
    """
    better = table["sigmoid"]["differences"]["log_loss"]["verdict"] == "better"
    plain, mapped = (table[arm]["gate"]["promotable"] for arm in ("none", "sigmoid"))
    if not (better or (mapped and not plain)):
        return None
    line = calibration.slope_and_intercept(y[fit_row], p[fit_row])
    return None if line is None else {k: line[k] for k in ("slope", "intercept")}


def as_served(p: Array, served: Mapping[str, float] | None) -> Array:
    """Return probabilities through the chosen map; unchanged where there is none."""
    return p if served is None else affine(p, **served)
