"""All that the page says about calibration and grades, in one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from creditrisk.metrics import calibration, corp
from creditrisk.metrics.calibration_inference import cox_test, intervals, spiegelhalter
from creditrisk.models.recalibration import (
    as_served,
    choose_calibration,
    compare_arms,
    recalibrate,
)
from creditrisk.validation.grades import grade_table

Array = np.ndarray


class Side(NamedTuple):
    """One side of the split: labels, the champion's probabilities, groups; shape (n,) each."""

    y: Array
    p: Array
    groups: Array


def calibration_document(
    train: Side,
    fit_row: Array,
    holdout: Side,
    *,
    bounds: Sequence[float],
    n_folds: int,
    n_replicates: int,
    random_state: int,
    alpha: float,
    margins: Mapping[str, Any],
) -> dict[str, Any]:
    """Judge the champion's probabilities and decide whether they are served as they are.

    Parameters
    ----------
    train : Side
        Out-of-fold probabilities; everything is decided on them.
    fit_row : ndarray of bool, shape (n,)
        Training rows that may enter a fit.
    holdout : Side
        Probabilities of the final model; reported with intervals, they decide nothing.
    bounds : sequence of float, length 7
        Of the grades.
    n_folds, random_state : int
        Of the cross-fitted maps; the seed is also that of the bands.
    n_replicates : int
        Draws of outcomes behind a band.
    alpha : float
        Family-wise error rate of the table of maps.
    margins : mapping
        ``slope_bounds``, ``mean_margin``, ``level`` of
        :func:`~creditrisk.metrics.calibration_inference.gate`.

    Returns
    -------
    dict
        ``served`` (None or ``slope`` and ``intercept``); ``arms``
        (:func:`~creditrisk.models.recalibration.compare_arms`); ``gate``, of what is
        served; ``train`` and ``holdout``, each of probabilities as served:
        :func:`side_document`; ``alpha``, ``n_folds``.
    """
    y, p, groups = train
    arms = recalibrate(y, p, groups, fit_row, n_folds=n_folds, random_state=random_state)
    table = compare_arms(y, arms, groups, alpha=alpha, margins=margins)
    served = choose_calibration(table, y, p, fit_row)
    arm = "none" if served is None else "sigmoid"
    sides = {
        "train": train._replace(p=arms[arm]),
        "holdout": holdout._replace(p=as_served(holdout.p, served)),
    }
    settings = {
        "bounds": bounds,
        "level": table[arm]["gate"]["level"],
        "n_replicates": n_replicates,
        "random_state": random_state,
    }
    return {
        "served": served,
        "gate": table[arm]["gate"],
        "arms": table,
        **{name: side_document(side, **settings) for name, side in sides.items()},
        "alpha": alpha,
        "n_folds": n_folds,
    }


def side_document(
    side: Side, *, bounds: Sequence[float], level: float, n_replicates: int, random_state: int
) -> dict[str, Any]:
    """Return every calibration figure of one side.

    Returns
    -------
    dict
        ``n``, ``n_groups``, ``observed``, ``predicted``; ``intervals``, ``spiegelhalter``,
        ``cox`` (None without a slope); ``ece``; ``scores``: per score its decomposition
        with ``expected`` miscalibration and its ``p``; ``curve``; ``bins`` (ten, of equal size); ``grades``.
    """
    y, p, groups = side
    draws = {"n_replicates": n_replicates, "random_state": random_state}
    chance = corp.miscalibration_test(y, p, **draws)
    return {
        "n": len(y),
        "n_groups": len(np.unique(groups)),
        "observed": float(y.mean()),
        "predicted": float(p.mean()),
        "intervals": intervals(y, p, groups, level=level),
        "spiegelhalter": spiegelhalter(y, p),
        "cox": cox_test(y, p),
        "ece": calibration.expected_calibration_error(y, p),
        "scores": {name: parts | chance[name] for name, parts in corp.decompose(y, p).items()},
        "curve": corp.reliability_curve(y, p, level=level, **draws),
        "bins": calibration.reliability(y, p),
        "grades": grade_table(y, p, bounds),
    }
