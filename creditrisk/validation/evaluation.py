"""Judge the trained families: ladder, calibration, policy, decision.

Choices (point on a path, champion, calibration, threshold) rest on cross-validation
over training rows; the hold-out is only ever read here, after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.metrics import calibration, discrimination
from creditrisk.models.recalibration import as_served
from creditrisk.models.rows import Scored
from creditrisk.models.training import figures
from creditrisk.validation import ladder, policy
from creditrisk.validation.calibration_report import Side, calibration_document
from creditrisk.validation.champion import what_it_buys
from creditrisk.validation.grades import check_grades

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

CURVE_POINTS = 100
N_WEIGHTS = 15
"""Features shown of each family, strongest first."""

Z_95 = 1.959964
"""97.5 % point of the normal distribution."""


def evaluate(
    scored: Scored,
    trained: Mapping[str, Mapping[str, Any]],
    champion: Mapping[str, Any],
    baseline: str,
    *,
    policy_settings: Mapping[str, Any],
    calibration_settings: Mapping[str, Any],
    n_replicates: int,
    random_state: int,
    alpha: float,
) -> dict[str, Any]:
    """Return all that the model page shows but segments, studies and the public split.

    Parameters
    ----------
    scored : Scored
    trained : mapping of family to mapping
        What training stored, simplest family first.
    champion : mapping
        From :func:`creditrisk.validation.champion.choose_champion`.
    baseline : str
        The family beside the champion in every curve.
    policy_settings : mapping
        ``grades``, ``min_clients``, ``min_defaults`` and ``threshold``; see
        :func:`creditrisk.validation.policy.policy_document`.
    calibration_settings : mapping
        Keywords of :func:`~creditrisk.validation.calibration_report.calibration_document`.
    n_replicates, random_state : int
        Of the grouped bootstrap on the hold-out.
    alpha : float
        Family-wise error rate of each column of comparisons.

    Returns
    -------
    dict
        ``ladder``, ``curves``, ``delong``, ``decision``, ``policy``, ``calibration``,
        ``buys``, ``weights`` and ``headline`` with ``champion``, ``champion_cv``, ``threshold``.
    """
    family = champion["family"]
    calibrated = calibration_document(
        Side(scored.train_y, scored.train[family], scored.train_groups),
        scored.fit_row,
        Side(scored.holdout_y, scored.holdout[family], scored.holdout_groups),
        bounds=policy_settings["grades"],
        alpha=alpha,
        **calibration_settings,
    )
    served = serve(scored, family, calibrated["served"])
    rows = ladder.ladder(
        served,
        trained,
        family,
        n_replicates=n_replicates,
        random_state=random_state,
        alpha=alpha,
    )
    chosen = served_policy(served.train[family], calibrated, policy_settings)
    decided = decide(served, family, policy_settings["threshold"], chosen["threshold"]["value"])
    own = next(row for row in rows if row["family"] == family)
    cv = (
        own["cv"] if calibrated["served"] is None else figures(served.train_y, served.train[family])
    )
    shown = list(dict.fromkeys([family, baseline]))
    return {
        "headline": headline(family, own, cv, decided) | calibration_headline(calibrated),
        "ladder": rows,
        "curves": {f: curves(served.holdout_y, served.holdout[f]) for f in shown},
        "delong": delong_interval(served.holdout_y, served.holdout[family]),
        "decision": decided,
        "policy": chosen,
        "calibration": calibrated,
        "buys": what_it_buys(
            served, family, champion["best"], policy_settings["threshold"]["flag_share"]
        ),
        "weights": {f: trained[f]["weights"][:N_WEIGHTS] for f in shown},
    }


def serve(scored: Scored, family: str, line: Mapping[str, float] | None) -> Scored:
    """Return the probabilities with one family's mapped as they are served."""
    if line is None:
        return scored
    return replace(
        scored,
        train={**scored.train, family: as_served(scored.train[family], line)},
        holdout={**scored.holdout, family: as_served(scored.holdout[family], line)},
    )


def served_policy(
    p: Array, calibrated: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return grades and threshold as served, with what is wrong with the grades' bounds.

    Returns
    -------
    dict
        ``grades``, ``threshold`` and ``problem``: None, or the first thing that
        :func:`creditrisk.validation.grades.check_grades` has against the bounds.
    """
    document = policy.policy_document(settings["grades"], settings["threshold"], p)
    try:
        check_grades(
            calibrated["train"]["grades"],
            min_clients=settings["min_clients"],
            min_defaults=settings["min_defaults"],
        )
    except UserError as error:
        return {**document, "problem": str(error)}
    return {**document, "problem": None}


def design(clients: pd.DataFrame, champion: Mapping[str, Any], *, alpha: float) -> dict[str, Any]:
    """Return the counts that say what was fitted and judged on which rows.

    Parameters
    ----------
    clients : DataFrame
        With group, split, fit_row and the target.
    champion : mapping
        What training stored of the champion.
    alpha : float
    """
    train = clients[clients[schema.SPLIT] == schema.TRAIN]
    held = clients[clients[schema.SPLIT] == schema.HOLDOUT]
    sides = {
        name: {
            "n": len(side),
            "n_groups": int(side[schema.GROUP].nunique()),
            "n_defaults": int(side[schema.TARGET].sum()),
            "default_rate": float(side[schema.TARGET].mean()),
        }
        for name, side in ((schema.TRAIN, train), (schema.HOLDOUT, held))
    }
    folds = champion["folds"]
    return {
        **sides,
        "n_fit_rows": champion["n_fit_rows"],
        "n_folds": len({fold["fold"] for fold in folds}),
        "n_repeats": len({fold["repeat"] for fold in folds}),
        "features": champion["features"],
        "feature_families": champion["feature_families"],
        "parameters": champion["parameters"],
        "scaler": champion["scaler"],
        "alpha": alpha,
    }


def headline(
    champion: str, row: Mapping[str, Any], cv: Mapping[str, float], decided: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the numbers that stand in ``reports/metrics/evaluate.json``."""
    names = (
        "roc_auc",
        "roc_auc_low",
        "roc_auc_high",
        "gini",
        "ks",
        "pr_auc",
        "log_loss",
        "brier",
        "calibration_slope",
        "calibration_intercept",
        "ece",
    )
    of_cv = ("roc_auc", "log_loss", "brier", "ece", "calibration_slope")
    counts = ("false_alarms", "missed_detections", "caught_defaults", "correctly_clear")
    served = decided["served"]
    return {
        "champion": {"family": champion, **{n: row["holdout"][n] for n in names}},
        "champion_cv": {n: cv[n] for n in of_cv},
        "threshold": {
            "value": served["threshold"],
            **{n: served[n] for n in counts},
            "flagged_share": served["flagged_share"],
        },
    }


def calibration_headline(calibrated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the gate's intervals and the grades' margins out of fold, as metrics.

    Parameters
    ----------
    calibrated : mapping
        From :func:`~creditrisk.validation.calibration_report.calibration_document`.

    Returns
    -------
    dict
        ``gate`` (``promotable``, ends of its intervals where they exist) and ``grades``:
        the smallest counts of a grade and the smallest rise of the observed rate from one
        grade with clients to the next.
    """
    gate, grades = calibrated["gate"], calibrated["train"]["grades"]
    ends = ("slope_low", "slope_high", "mean_gap_low", "mean_gap_high")
    rates = [row["observed"] for row in grades if row["n"]]
    return {
        "gate": {"promotable": gate["promotable"], **{n: gate[n] for n in ends if n in gate}},
        "grades": {
            "smallest_clients": min(row["n"] for row in grades),
            "smallest_defaults": min(row["defaults"] for row in grades),
            "smallest_rise": float(np.min(np.diff(rates))) if len(rates) > 1 else 0.0,
        },
    }


def decide(
    scored: Scored, champion: str, settings: Mapping[str, Any], value: float
) -> dict[str, Any]:
    """Count the outcomes of the served threshold, and of others, on the hold-out.

    Parameters
    ----------
    scored : Scored
    champion : str
    settings : mapping
        ``name``, ``cost_false_alarm``, ``cost_missed_detection``, ``flag_share``.
    value : float
        The served threshold.

    Returns
    -------
    dict
        ``served`` (one confusion), ``table`` (several thresholds with their cost) and
        the parameters.
    """
    costs = {k: settings[k] for k in ("cost_false_alarm", "cost_missed_detection")}
    y, p = scored.holdout_y, scored.holdout[champion]
    named = {
        "cost_ratio": policy.cost_threshold(**costs),
        "flag_share": policy.share_threshold(scored.train[champion], settings["flag_share"]),
        "one_half": 0.5,
    }
    return {
        **settings,
        "served": policy.confusion(y, p, value),
        "table": policy.threshold_table(y, p, named, **costs),
    }


def delong_interval(y: Array, p: Array) -> dict[str, float]:
    """Return DeLong's AUC interval (95 %), a check on the bootstrap's."""
    area, covariance = discrimination.delong(y, p)
    half = Z_95 * float(np.sqrt(covariance[0, 0]))
    return {"roc_auc": float(area[0]), "low": float(area[0]) - half, "high": float(area[0]) + half}


def curves(y: Array, p: Array) -> dict[str, Any]:
    """Return ROC, precision–recall and reliability of one family, for plots.

    Returns
    -------
    dict
        ``fpr`` and ``tpr`` on a grid of 101 points, ``recall`` and ``precision`` on one
        of 100, ``reliability`` in ten bins.
    """
    share = np.linspace(0, 1, CURVE_POINTS + 1)
    return {
        "fpr": share,
        "tpr": discrimination.roc_on_grid(y, p, share),
        "recall": share[1:],
        "precision": discrimination.precision_on_grid(y, p, share[1:]),
        "reliability": calibration.reliability(y, p),
    }
