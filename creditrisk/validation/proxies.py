"""How well the features that models may use tell what no model may read.

Sex, age, marriage and education are left out of the served model; other features may
still carry them. Beside this stand the checks for leaks of
:mod:`creditrisk.validation.leakage`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.validation import leakage

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

MIN_CLASS = 50
"""Clients of either kind below which an attribute is not predicted."""
LEARNERS = ("trees", "logistic")
SERVED, WITH_OTHERS = "served", "with_others"


@dataclass(frozen=True)
class Attribute:
    """A sensitive column as two kinds of client; rows with other codes are left out."""

    column: str
    question: str
    known: Callable[[Array], Array]
    is_one: Callable[[Array], Array]


ATTRIBUTES = (
    Attribute("SEX", "woman", lambda v: v > 0, lambda v: v == 2),
    Attribute("AGE", "at least the median age", lambda v: v > 0, lambda v: v >= np.median(v)),
    Attribute("MARRIAGE", "married, not single", lambda v: np.isin(v, (1, 2)), lambda v: v == 1),
    Attribute(
        "EDUCATION",
        "university or higher, not high school",
        lambda v: np.isin(v, (1, 2, 3)),
        lambda v: v <= 2,
    ),
)


def check_leakage(
    clients: pd.DataFrame,
    *,
    n_folds: int,
    n_splits: int,
    level: float,
    random_state: int,
    n_jobs: int,
) -> dict[str, Any]:
    """Run every check.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    n_folds : int
        Grouped folds of the training rows, behind the prediction of attributes.
    n_splits : int
        Random splits by row that are searched for twins on both sides.
    level : float
        Of the intervals; those of a table are simultaneous (Bonferroni).
    random_state : int
        Of folds, splits and trees.
    n_jobs : int
        Threads; the result does not depend on it.

    Returns
    -------
    dict
        ``level``, ``n``, ``n_train``; ``identifier`` (all rows, and ``learned`` on training
        rows), ``columns`` (training rows), ``twins`` (all rows), see
        :mod:`~creditrisk.validation.leakage`; ``proxies`` (:func:`predict_attributes`,
        training rows).
    """
    train = clients[clients[schema.SPLIT] == schema.TRAIN]
    return {
        "level": level,
        "n": len(clients),
        "n_train": len(train),
        "identifier": {
            **leakage.identifier(clients, level=level),
            "learned": leakage.learn_identifier(
                train, n_folds=n_folds, level=level, random_state=random_state
            ),
        },
        "columns": leakage.single_columns(train, level=level),
        "proxies": predict_attributes(
            train, n_folds=n_folds, level=level, random_state=random_state, n_jobs=n_jobs
        ),
        "twins": leakage.split_twins(clients, n_splits=n_splits, random_state=random_state),
    }


def predict_attributes(
    train: pd.DataFrame, *, n_folds: int, level: float, random_state: int, n_jobs: int
) -> dict[str, Any]:
    """Predict each sensitive attribute from what models may use, out of fold.

    Parameters
    ----------
    train : DataFrame, n rows
        Training rows.
    n_folds : int
    level : float
        Of all intervals together (Bonferroni over the rows of the table).
    random_state : int
    n_jobs : int
        Threads.

    Returns
    -------
    dict
        ``n_folds``, ``n_features`` and ``rows``: ``attribute``, ``question``, ``features``
        (``served``: every feature that a model may use without audit attributes;
        ``with_others``: those and the other three attributes), ``learner``, ``n``,
        ``share`` (of the ones), ``auc``, ``se``, ``low``, ``high``. An attribute with too few
        clients of one kind has one row with ``applicable`` False and ``reason``.
    """
    from joblib import Parallel, delayed

    names = registry.select(registry.families(), audit_attributes="exclude")
    served = registry.compute(from_frame(train), names)
    groups = train[schema.GROUP].to_numpy()
    jobs, refused = [], []
    for attribute in ATTRIBUTES:
        values = train[attribute.column].to_numpy()
        known = attribute.known(values)
        y = attribute.is_one(values[known]).astype(int)
        facts = {"attribute": attribute.column, "question": attribute.question, "n": len(y)}
        if min(y.sum(), len(y) - y.sum()) < MIN_CLASS:
            reason = f"fewer than {MIN_CLASS} training clients of one kind"
            refused.append({**facts, "applicable": False, "reason": reason})
            continue
        facts["share"] = float(y.mean())
        others = np.concatenate([served, _others(train, attribute.column)], axis=1)
        for kind, X in ((SERVED, served), (WITH_OTHERS, others)):
            for learner in LEARNERS:
                more = {"applicable": True, "features": kind, "learner": learner}
                jobs.append((facts | more, X[known], y, groups[known]))
    pointwise = 1 - (1 - level) / max(len(jobs), 1)
    run = Parallel(n_jobs=n_jobs, prefer="threads")  # both learners release the lock
    rows = run(
        delayed(_judge)(*job, n_folds=n_folds, level=pointwise, random_state=random_state)
        for job in jobs
    )
    return {"n_folds": n_folds, "n_features": len(names), "rows": [*rows, *refused]}


def _others(train: pd.DataFrame, left_out: str) -> Array:
    """Return the other sensitive attributes as columns: age in years, codes one by one."""
    columns = []
    for name in schema.AUDIT_COLUMNS:
        values = train[name].to_numpy()
        if name == left_out:
            continue
        levels = [None] if name == "AGE" else np.unique(values).tolist()
        columns += [values if level is None else values == level for level in levels]
    return np.stack(columns, axis=1).astype(float)


def _judge(
    facts: dict[str, Any],
    X: Array,
    y: Array,
    groups: Array,
    *,
    n_folds: int,
    level: float,
    random_state: int,
) -> dict[str, Any]:
    """Return the row of one attribute, one set of features and one learner."""
    p, folds = leakage.out_of_fold(
        X, y, groups, learner=facts["learner"], n_folds=n_folds, random_state=random_state
    )
    return facts | leakage.grouped_auc(y, p, groups, level=level, folds=folds)
