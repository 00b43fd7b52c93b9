"""Whether a difference between two models is more than noise.

On a hold-out: a bootstrap that resamples groups of rows of the same client, with
the same draw for every model, so that differences are paired. Over
cross-validation folds: the corrected t of Nadeau & Bengio. Over a table of
comparisons: Holm's step-down levels. A report takes its word "better" from
:func:`verdict` and from nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from creditrisk.metrics.calibration import row_brier, row_log_loss
from creditrisk.metrics.discrimination import check_classes

Array = np.ndarray

HIGHER_IS_BETTER = {"roc_auc": True, "pr_auc": True, "ks": True, "log_loss": False, "brier": False}


def group_draws(
    groups: Array, *, n_replicates: int, random_state: int, chunk: int = 250
) -> Iterator[Array]:
    """Yield bootstrap weights of rows, whole groups drawn with replacement.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
        Rows with one value are one client, or may be.
    n_replicates : int
    random_state : int
    chunk : int
        Replicates held in memory at a time; it does not change the draws.

    Yields
    ------
    ndarray of float, shape (up to chunk, n)
        How often each row was drawn.
    """
    _, position = np.unique(groups, return_inverse=True)
    n_groups = int(position.max()) + 1
    rng = np.random.default_rng(random_state)
    for start in range(0, n_replicates, chunk):
        rows = min(chunk, n_replicates - start)
        counts = np.empty((rows, n_groups))
        for i in range(rows):
            counts[i] = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        yield counts[:, position]


def weighted_ranking(y: Array, p: Array, weights: Array) -> dict[str, Array]:
    """Return ROC AUC, PR AUC and KS of many weightings of one sample at once.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    weights : ndarray of float, shape (b, n)

    Returns
    -------
    dict of ndarray, each of shape (b,)
        Equal to scikit-learn's figures with ``sample_weight`` (tested).
    """
    order = np.argsort(-p, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(p[order])), len(p) - 1)
    weights, labels = weights[:, order], y[order]
    caught = np.cumsum(weights * labels, axis=1)[:, ends]
    alarms = np.cumsum(weights * (1 - labels), axis=1)[:, ends]
    true_rate, false_rate = caught / caught[:, -1:], alarms / alarms[:, -1:]
    gained = np.diff(true_rate, axis=1, prepend=0.0)
    width = np.diff(false_rate, axis=1, prepend=0.0)
    flagged = caught + alarms
    precision = np.divide(caught, flagged, out=np.zeros_like(caught), where=flagged > 0)
    return {
        "roc_auc": (width * (true_rate - gained / 2)).sum(axis=1),
        "pr_auc": (gained * precision).sum(axis=1),
        "ks": np.abs(true_rate - false_rate).max(axis=1),
    }


def bootstrap(
    y: Array,
    probabilities: Mapping[str, Array],
    groups: Array,
    *,
    n_replicates: int,
    random_state: int,
) -> dict[str, dict[str, Array]]:
    """Return bootstrap replicates of every metric of every model, on the same draws.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    probabilities : mapping of name to ndarray, shape (n,)
    groups : ndarray of int, shape (n,)
    n_replicates, random_state : int

    Returns
    -------
    dict of dict of ndarray
        ``[name][metric]``, shape (n_replicates,), for ``roc_auc``, ``pr_auc``,
        ``ks``, ``log_loss`` and ``brier``. Replicate i of two models rests on the
        same clients, so their difference is paired.
    """
    check_classes(y)
    parts: dict[str, list[dict[str, Array]]] = {name: [] for name in probabilities}
    for weights in group_draws(groups, n_replicates=n_replicates, random_state=random_state):
        total = weights.sum(axis=1)
        for name, p in probabilities.items():
            figures = weighted_ranking(y, p, weights)
            figures["log_loss"] = weights @ row_log_loss(y, p) / total
            figures["brier"] = weights @ row_brier(y, p) / total
            parts[name].append(figures)
    return {
        name: {metric: np.concatenate([c[metric] for c in chunks]) for metric in chunks[0]}
        for name, chunks in parts.items()
    }


def percentile_interval(replicates: Array, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap replicates."""
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_bootstrap(difference: float, replicates: Array) -> dict[str, float]:
    """Return a paired difference with its bootstrap standard error and normal p.

    Parameters
    ----------
    difference : float
        On the sample itself.
    replicates : ndarray of float, shape (b,)
        The difference on each draw.

    Returns
    -------
    dict
        ``difference``, ``se``, ``p`` (two-sided), ``df`` (infinite, as 0).
    """
    from scipy.stats import norm

    se = float(np.std(replicates, ddof=1))
    p = float(2 * norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
    return {"difference": float(difference), "se": se, "p": p, "df": 0}


def nadeau_bengio(differences: Array, test_over_train: float) -> dict[str, float]:
    """Return the corrected resampled t of differences over cross-validation folds.

    Folds share training rows, so the plain variance of their mean is too small;
    Nadeau & Bengio (Machine Learning 52, 2003) widen it:
    ``se² = (1/J + n_test/n_train) · s²``, with J − 1 degrees of freedom.

    Parameters
    ----------
    differences : ndarray of float, shape (J,)
        One a fold of each repeat, both models on the same fold.
    test_over_train : float
        Rows of a test fold over rows that were fitted on; 1/(k − 1) for k folds.

    Returns
    -------
    dict
        ``difference`` (the mean), ``se``, ``p`` (two-sided), ``df``.

    Raises
    ------
    ValueError
        For fewer than two folds.
    """
    from scipy.stats import t

    n = len(differences)
    if n < 2:
        raise ValueError("the corrected t needs at least two folds")
    mean = float(np.mean(differences))
    se = float(np.sqrt((1 / n + test_over_train) * np.var(differences, ddof=1)))
    p = float(2 * t.sf(abs(mean) / se, n - 1)) if se > 0 else float(mean == 0)
    return {"difference": mean, "se": se, "p": p, "df": n - 1}


def holm(comparisons: Mapping[str, Mapping[str, float]], alpha: float) -> dict[str, dict[str, Any]]:
    """Adjust a table of comparisons for its size (Holm, Scand. J. Statist. 6, 1979).

    Parameters
    ----------
    comparisons : mapping of name to mapping
        What :func:`nadeau_bengio` or :func:`paired_bootstrap` returned.
    alpha : float
        Family-wise error rate of the table, e.g. 0.05.

    Returns
    -------
    dict of dict
        Each comparison with ``p_adjusted`` (statsmodels) and ``low``, ``high``: its
        interval at the level of its own step, ``1 − alpha / (m − rank)``. An
        interval that excludes 0 with ``p_adjusted < alpha`` survives the table.
    """
    from scipy.stats import norm, t
    from statsmodels.stats.multitest import multipletests

    if not comparisons:
        return {}
    names = list(comparisons)
    p = np.array([comparisons[name]["p"] for name in names])
    adjusted = multipletests(p, alpha=alpha, method="holm")[1]
    rank = np.empty(len(p), dtype=int)
    rank[np.argsort(p, kind="stable")] = np.arange(len(p))
    table = {}
    for i, name in enumerate(names):
        row = comparisons[name]
        tail = alpha / (len(p) - rank[i]) / 2
        quantile = t.isf(tail, row["df"]) if row["df"] else norm.isf(tail)
        half = float(quantile * row["se"])
        table[name] = {
            **row,
            "p_adjusted": float(adjusted[i]),
            "low": row["difference"] - half,
            "high": row["difference"] + half,
        }
    return table


def verdict(comparison: Mapping[str, float], metric: str, alpha: float) -> str:
    """Return the only words that a report may use for a difference.

    Parameters
    ----------
    comparison : mapping
        A row of :func:`holm`.
    metric : str
        A key of :data:`HIGHER_IS_BETTER`.
    alpha : float

    Returns
    -------
    {"better", "worse", "within noise"}
        ``better`` and ``worse`` only where the adjusted interval excludes 0 and
        the adjusted p lies below alpha.
    """
    excludes_zero = comparison["low"] > 0 or comparison["high"] < 0
    if not (excludes_zero and comparison["p_adjusted"] < alpha):
        return "within noise"
    return "better" if (comparison["difference"] > 0) == HIGHER_IS_BETTER[metric] else "worse"
