"""How well probabilities rank clients: ROC AUC, Gini, KS, PR AUC and their curves.

``y`` is 1 for a next-month default, ``p`` the probability given to it. Tied
probabilities always count as one step of a curve, so row order never matters.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def check_classes(y: Array) -> None:
    """Refuse a sample that lacks one of the two classes.

    Raises
    ------
    ValueError
        When every label is the same: no ranking can be judged then.
    """
    found = np.unique(y)
    if not np.array_equal(found, [0, 1]):
        raise ValueError(f"ranking needs labels 0 and 1, found {found.tolist()}")


def roc_auc(y: Array, p: Array) -> float:
    """Return the area under the ROC curve; 0.5 is chance (scikit-learn)."""
    from sklearn.metrics import roc_auc_score

    check_classes(y)
    return float(roc_auc_score(y, p))


def gini(y: Array, p: Array) -> float:
    """Return the Gini coefficient (accuracy ratio), ``2 · AUC − 1``."""
    return 2.0 * roc_auc(y, p) - 1.0


def ks(y: Array, p: Array) -> float:
    """Return the Kolmogorov–Smirnov distance between defaulters' and others' scores."""
    from sklearn.metrics import roc_curve

    check_classes(y)
    false_rate, true_rate, _ = roc_curve(y, p, drop_intermediate=False)
    return float(np.max(np.abs(true_rate - false_rate)))


def pr_auc(y: Array, p: Array) -> float:
    """Return average precision, the step-wise area under the precision–recall curve."""
    from sklearn.metrics import average_precision_score

    check_classes(y)
    return float(average_precision_score(y, p))


def summary(y: Array, p: Array) -> dict[str, float]:
    """Return every ranking figure of one sample.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)

    Returns
    -------
    dict
        ``roc_auc``, ``gini``, ``ks``, ``pr_auc``.
    """
    area = roc_auc(y, p)
    return {"roc_auc": area, "gini": 2.0 * area - 1.0, "ks": ks(y, p), "pr_auc": pr_auc(y, p)}


def roc_on_grid(y: Array, p: Array, false_positive_rate: Array) -> Array:
    """Return the true-positive rate at given false-positive rates, by linear interpolation.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
    false_positive_rate : ndarray of float, shape (k,)
        Increasing, from 0 to 1.

    Returns
    -------
    ndarray of float, shape (k,)
        Where the curve rises vertically, its upper end.
    """
    from sklearn.metrics import roc_curve

    check_classes(y)
    false_rate, true_rate, _ = roc_curve(y, p, drop_intermediate=False)
    return np.interp(false_positive_rate, false_rate, true_rate)


def precision_on_grid(y: Array, p: Array, recall: Array) -> Array:
    """Return the precision of the shortest flagged list that reaches each recall.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
    recall : ndarray of float, shape (k,)
        Above 0, at most 1.

    Returns
    -------
    ndarray of float, shape (k,)
    """
    from sklearn.metrics import precision_recall_curve

    check_classes(y)
    precision, reached, _ = precision_recall_curve(y, p)
    precision, reached = precision[::-1], reached[::-1]  # recall increases
    return precision[np.searchsorted(reached, recall - 1e-12)]


def delong(y: Array, p: Array) -> tuple[Array, Array]:
    """Return AUCs of several models on one sample with their covariance.

    The fast algorithm of Sun & Xu (IEEE Signal Processing Letters 21, 2014) for
    the estimator of DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988). Rows
    count as independent; where clients come in groups, use the grouped bootstrap.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (m, n)
        One row a model.

    Returns
    -------
    aucs : ndarray of float, shape (m,)
    covariance : ndarray of float, shape (m, m)
    """
    from scipy.stats import rankdata

    check_classes(y)
    p = np.atleast_2d(p)
    cases, controls = p[:, y == 1], p[:, y == 0]
    n_cases, n_controls = cases.shape[1], controls.shape[1]
    together = rankdata(np.concatenate([cases, controls], axis=1), axis=1)
    case_ranks, control_ranks = together[:, :n_cases], together[:, n_cases:]
    aucs = (case_ranks.mean(axis=1) - (n_cases + 1) / 2) / n_controls
    by_case = (case_ranks - rankdata(cases, axis=1)) / n_controls
    by_control = 1 - (control_ranks - rankdata(controls, axis=1)) / n_cases
    covariance = np.cov(by_case) / n_cases + np.cov(by_control) / n_controls
    return aucs, np.atleast_2d(covariance)
