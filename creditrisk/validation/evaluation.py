"""Judge the trained families: ladder, decision, calibration, imbalance, segments.

Choices (point on a path, champion, threshold) rest on cross-validation over
training rows; the hold-out is only ever read here, after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.metrics import calibration, discrimination
from creditrisk.models.families import LABELS, RESAMPLED
from creditrisk.models.resampling import RESAMPLED_RATE, prior_corrected
from creditrisk.models.rows import Scored
from creditrisk.models.training import figures
from creditrisk.validation import policy
from creditrisk.validation.ladder import ladder

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

CURVE_POINTS = 100
N_WEIGHTS = 15
"""Features shown of each family, strongest first."""

Z_95 = 1.959964
"""97.5 % point of the normal distribution."""

PLAIN_ARM = {"logistic_smote": "logistic_l2", "xgboost_smote": "xgboost"}


def evaluate(
    scored: Scored,
    trained: Mapping[str, Mapping[str, Any]],
    champion: str,
    baseline: str,
    *,
    threshold: Mapping[str, Any],
    n_replicates: int,
    random_state: int,
    alpha: float,
) -> dict[str, Any]:
    """Return all that the model page shows but segments and the public split.

    Parameters
    ----------
    scored : Scored
    trained : mapping of family to mapping
        What training stored, simplest family first.
    champion, baseline : str
        The served family and the one beside it in every curve.
    threshold : mapping
        ``basis``, ``cost_false_alarm``, ``cost_missed_detection``, ``flag_share``; see
        :func:`creditrisk.validation.policy.choose_threshold`.
    n_replicates, random_state : int
        Of the grouped bootstrap on the hold-out.
    alpha : float
        Family-wise error rate of each column of comparisons.

    Returns
    -------
    dict
        ``ladder``, ``curves``, ``delong``, ``decision``, ``calibration``, ``imbalance``,
        ``paths``, ``weights`` and ``headline`` with ``champion``, ``champion_cv``, ``threshold``.
    """
    rows = ladder(
        scored,
        trained,
        champion,
        n_replicates=n_replicates,
        random_state=random_state,
        alpha=alpha,
    )
    decided = decide(scored, champion, threshold)
    own = next(row for row in rows if row["family"] == champion)
    shown = list(dict.fromkeys([champion, baseline]))
    return {
        "headline": headline(champion, own, trained[champion]["cv"], decided),
        "ladder": rows,
        "curves": {f: curves(scored.holdout_y, scored.holdout[f]) for f in shown},
        "delong": delong_interval(scored.holdout_y, scored.holdout[champion]),
        "decision": decided,
        "calibration": {f: calibration_line(scored.holdout_y, scored.holdout[f]) for f in shown},
        "imbalance": imbalance(scored),
        "paths": {
            f: {"rule": t["parameters"]["rule"], "C": t["parameters"]["C"], "points": t["path"]}
            for f, t in trained.items()
            if t["path"]
        },
        "weights": {f: trained[f]["weights"][:N_WEIGHTS] for f in shown},
    }


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


def decide(scored: Scored, champion: str, threshold: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the threshold on training rows and count its outcomes on the hold-out.

    Returns
    -------
    dict
        ``served`` (one confusion), ``table`` (several thresholds with their cost) and
        the parameters.
    """
    costs = {k: threshold[k] for k in ("cost_false_alarm", "cost_missed_detection")}
    out_of_fold = scored.train[champion]
    value = policy.choose_threshold(out_of_fold, **threshold)
    y, p = scored.holdout_y, scored.holdout[champion]
    named = {
        "cost_ratio": policy.cost_threshold(**costs),
        "flag_share": policy.share_threshold(out_of_fold, threshold["flag_share"]),
        "one_half": 0.5,
    }
    return {
        **threshold,
        "served": policy.confusion(y, p, value),
        "table": policy.threshold_table(y, p, named, **costs),
    }


def delong_interval(y: Array, p: Array) -> dict[str, float]:
    """Return DeLong's AUC interval (95 %), a check on the bootstrap's."""
    area, covariance = discrimination.delong(y, p)
    half = Z_95 * float(np.sqrt(covariance[0, 0]))
    return {"roc_auc": float(area[0]), "low": float(area[0]) - half, "high": float(area[0]) + half}


def calibration_line(y: Array, p: Array) -> dict[str, float]:
    """Return slope and intercept with 95 % Wald intervals, and mean against observed.

    Rows count as independent in the intervals. Slope and intercept are left out
    where the probability hardly varies.
    """
    means = {"observed": float(y.mean()), "predicted": float(p.mean())}
    line = calibration.slope_and_intercept(y, p)
    if line is None:
        return means
    for name in ("slope", "intercept"):
        half = Z_95 * line[f"{name}_se"]
        means |= {
            name: line[name],
            f"{name}_low": line[name] - half,
            f"{name}_high": line[name] + half,
        }
    return means


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


def imbalance(scored: Scored) -> list[dict[str, Any]]:
    """Return what SMOTE does to probabilities, raw and with its prior undone.

    Returns
    -------
    list of dict
        Per family on the hold-out, ``label``, ``treatment`` ("none", "SMOTE", "SMOTE, prior
        corrected") and its figures. Families without a SMOTE arm are left out.
    """
    base = float(scored.train_y.mean())
    rows = []
    for arm in RESAMPLED:
        if arm not in scored.holdout:
            continue
        plain = PLAIN_ARM[arm]
        corrected = prior_corrected(scored.holdout[arm], base_rate=base, fitted_rate=RESAMPLED_RATE)
        treatments = {"SMOTE": scored.holdout[arm], "SMOTE, prior corrected": corrected}
        if plain in scored.holdout:
            treatments = {"none": scored.holdout[plain], **treatments}
        for treatment, p in treatments.items():
            row = {"label": LABELS[plain], "treatment": treatment}
            rows.append(row | figures(scored.holdout_y, p))
    return rows
