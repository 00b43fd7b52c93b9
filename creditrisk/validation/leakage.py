"""Checks for leaks: the row number, single columns, and clients on both sides of a split.

Each tells what a careless pipeline would have gained, or let through, on this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.rates import wilson
from creditrisk.metrics.calibration_inference import grouped_mean
from creditrisk.metrics.discrimination import check_classes
from creditrisk.models.folds import deal_folds
from creditrisk.stats.association import chi_square
from creditrisk.stats.intervals import normal_interval

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

N_BLOCKS = 10
"""Tenths of the table in its own order."""
TOP = 5
"""Single columns that are listed."""
TREES = {
    "n_estimators": 50,
    "max_depth": 3,
    "learning_rate": 0.2,
    "colsample_bynode": 0.2,
    "max_bin": 64,
}
"""A quick recipe: a proxy that needs more than that is a weak one."""
LOGISTIC_C = 0.01


def grouped_auc(
    y: Array, p: Array, groups: Array, *, level: float, folds: Array | None = None
) -> dict[str, float]:
    """Return an ROC AUC with an interval that lets rows of a group agree.

    The placement values of DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988) are
    summed over groups before they are squared, as Obuchowski (Biometrics 53, 1997)
    does for clustered data. It holds the fits behind ``p`` for given.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        Any score; more means class 1.
    groups : ndarray of int, shape (n,)
    level : float
    folds : ndarray of int, shape (n,), optional
        The figure is then the mean over folds, each ranked by itself, since scores of
        different fits need not be on one scale. A group lies in one fold.

    Returns
    -------
    dict
        ``auc``, ``se``, ``low``, ``high``.

    Raises
    ------
    ValueError
        When a fold lacks a class.
    """
    parts = np.zeros(len(y), dtype=int) if folds is None else folds
    names = np.unique(parts)
    aucs, influence = [], np.empty(len(y))
    for name in names:
        here = parts == name
        auc, influence[here] = _placements(y[here], p[here])
        aucs.append(auc)
    auc = float(np.mean(aucs))
    se = grouped_mean(influence * len(y) / len(names), groups)["se"]
    low, high = normal_interval(auc, se, level)
    return {"auc": auc, "se": se, "low": float(max(low, 0.0)), "high": float(min(high, 1.0))}


def _placements(y: Array, p: Array) -> tuple[float, Array]:
    """Return the AUC and what each row adds to its deviation; these sum to 0."""
    from scipy.stats import rankdata

    check_classes(y)
    is_case = y == 1
    n_cases, n_controls = int(is_case.sum()), int((~is_case).sum())
    together = rankdata(p)
    below = np.empty(len(y))
    below[is_case] = (together[is_case] - rankdata(p[is_case])) / n_controls
    below[~is_case] = 1 - (together[~is_case] - rankdata(p[~is_case])) / n_cases
    auc = float(below[is_case].mean())
    return auc, (below - auc) / np.where(is_case, n_cases, n_controls)


def out_of_fold(
    X: Array, y: Array, groups: Array, *, learner: str, n_folds: int, random_state: int
) -> tuple[Array, Array]:
    """Predict each row by a fit that saw no row of its group.

    Parameters
    ----------
    X : ndarray of float, shape (n, k)
    y : ndarray of int, shape (n,)
    groups : ndarray of int, shape (n,)
    learner : {"trees", "logistic"}
    n_folds, random_state : int

    Returns
    -------
    p : ndarray of float, shape (n,)
    folds : ndarray of int, shape (n,)
    """
    (folds,) = deal_folds(y, groups, n_folds=n_folds, n_repeats=1, random_state=random_state)
    p = np.empty(len(y))
    for fold in range(n_folds):
        tested = folds == fold
        model = _learner(learner, random_state).fit(X[~tested], y[~tested])
        p[tested] = model.predict_proba(X[tested])[:, 1]
    return p, folds


def _learner(name: str, random_state: int) -> Any:
    """Return an unfitted model on one thread."""
    if name == "trees":
        from xgboost import XGBClassifier

        return XGBClassifier(**TREES, n_jobs=1, random_state=random_state)
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(C=LOGISTIC_C, solver="newton-cholesky")
    return make_pipeline(StandardScaler(), model)


def identifier(clients: pd.DataFrame, *, level: float) -> dict[str, Any]:
    """Tell whether the row number says who defaults.

    Parameters
    ----------
    clients : DataFrame, n rows
    level : float

    Returns
    -------
    dict
        ``n``; ``auc``, ``se``, ``low``, ``high`` of ID as a score; ``blocks``, tenths of
        the table in the order of ID (``first``, ``last``, ``n``, ``rate``, ``low``,
        ``high``, simultaneous Wilson intervals), and ``p_value``, χ² of equal rates.
    """
    ordered = clients.sort_values(schema.KEY)
    key, y = ordered[schema.KEY].to_numpy(), ordered[schema.TARGET].to_numpy()
    blocks = np.array_split(np.arange(len(y)), N_BLOCKS)
    n = np.array([len(block) for block in blocks])
    defaults = np.array([y[block].sum() for block in blocks])
    low, high = wilson(defaults, n, 1 - (1 - level) / N_BLOCKS)
    table = np.stack([n - defaults, defaults], axis=1)
    return {
        "n": len(y),
        **grouped_auc(y, key.astype(float), ordered[schema.GROUP].to_numpy(), level=level),
        "p_value": chi_square(table, confidence=level, name=schema.KEY)["p_value"],
        "blocks": [
            {
                "first": int(key[block[0]]),
                "last": int(key[block[-1]]),
                "n": len(block),
                "rate": float(defaults[i] / n[i]),
                "low": float(low[i]),
                "high": float(high[i]),
            }
            for i, block in enumerate(blocks)
        ],
    }


def learn_identifier(
    train: pd.DataFrame, *, n_folds: int, level: float, random_state: int
) -> dict[str, float]:
    """Return the out-of-fold AUC of trees that read ID alone, which need no monotone trend.

    Parameters
    ----------
    train : DataFrame, n rows
        Training rows.
    n_folds : int
    level : float
    random_state : int

    Returns
    -------
    dict
        See :func:`grouped_auc`.
    """
    X = train[[schema.KEY]].to_numpy(float)
    y, groups = train[schema.TARGET].to_numpy(), train[schema.GROUP].to_numpy()
    p, folds = out_of_fold(
        X, y, groups, learner="trees", n_folds=n_folds, random_state=random_state
    )
    return grouped_auc(y, p, groups, level=level, folds=folds)


def single_columns(train: pd.DataFrame, *, level: float) -> dict[str, Any]:
    """Rank the raw columns by how well each alone, in either direction, tells defaulters.

    Parameters
    ----------
    train : DataFrame, n rows
        Training rows.
    level : float
        Of all intervals together (Bonferroni over the columns).

    Returns
    -------
    dict
        ``n``, ``n_columns`` and ``top``, the strongest: ``column``, ``auc`` (the larger of
        AUC and 1 − AUC), ``low``, ``high`` and ``worse``, the values that default
        more often: ``higher`` or ``lower``.
    """
    y, groups = train[schema.TARGET].to_numpy(), train[schema.GROUP].to_numpy()
    pointwise = 1 - (1 - level) / len(schema.FEATURE_COLUMNS)
    rows: list[dict[str, Any]] = []
    for column in schema.FEATURE_COLUMNS:
        values = np.asarray(train[column], dtype=float)
        found = grouped_auc(y, values, groups, level=pointwise)
        worse = "higher" if found["auc"] >= 0.5 else "lower"
        if worse == "lower":
            found = grouped_auc(y, -values, groups, level=pointwise)
        rows.append({"column": column, "worse": worse, **found})
    top = sorted(rows, key=lambda row: (-row["auc"], row["column"]))[:TOP]
    return {"n": len(y), "n_columns": len(rows), "top": top}


def split_twins(clients: pd.DataFrame, *, n_splits: int, random_state: int) -> dict[str, Any]:
    """Count clients that stand on both sides of a split by row, and of ours.

    Parameters
    ----------
    clients : DataFrame, n rows
    n_splits : int
        Random splits with as many test rows as our hold-out has.
    random_state : int

    Returns
    -------
    dict
        ``n_splits``, ``n_test``, ``n`` and, for ``twins`` (strict twin rows of one group)
        and ``groups`` (all groups of two rows or more): ``n``, ``ours`` (sets on both
        sides of our split), ``mean``, ``min``, ``max`` over the random splits, and
        ``expected``, the exact (hypergeometric) expectation.
    """
    group = clients[schema.GROUP].to_numpy()
    ours = (clients[schema.SPLIT] == schema.HOLDOUT).to_numpy()
    n, n_test = len(ours), int(ours.sum())
    splits = np.zeros((n_splits, n), dtype=bool)
    for i, split in enumerate(splits):
        drawn = np.random.default_rng([random_state, i]).permutation(n)[:n_test]
        split[drawn] = True
    rows = {"twins": clients["is_twin"].to_numpy(), "groups": np.ones(n, dtype=bool)}
    return {
        "n_splits": n_splits,
        "n": n,
        "n_test": n_test,
        **{name: _split_sets(group[of], ours[of], splits[:, of], n, n_test)
           for name, of in rows.items()},
    }  # fmt: skip


def _split_sets(
    group: Array, ours: Array, splits: Array, n: int, n_test: int
) -> dict[str, float | int]:
    """Return how many groups of two rows or more each split divides."""
    from scipy.stats import hypergeom

    _, position, size = np.unique(group, return_inverse=True, return_counts=True)

    def divided(is_test: Array) -> int:
        tested = np.bincount(position, weights=is_test, minlength=len(size))
        return int(((tested > 0) & (tested < size)).sum())

    found = [divided(split) for split in splits]
    sizes = size[size > 1]
    together = hypergeom.pmf(0, n, sizes, n_test) + hypergeom.pmf(sizes, n, sizes, n_test)
    return {
        "n": len(sizes),
        "ours": divided(ours),
        "mean": float(np.mean(found)),
        "min": min(found),
        "max": max(found),
        "expected": float((1 - together).sum()),
    }
