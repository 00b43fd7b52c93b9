"""The benchmark: models on other people's folds, beside what others published.

Each fold's models are fitted on the other folds alone. *Fixed* takes recipes as they
stand in ``params.yaml``; *nested* chooses feature families and hyper-parameters anew
inside each fold's training rows. Others published figures without row-wise
predictions, so a difference to them carries the standard error of ours only; paired
intervals are for our own arms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.features import record, registry
from creditrisk.metrics import calibration, discrimination
from creditrisk.models.training import predict
from creditrisk.validation import nested

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Progress = Callable[[str], None]
Clock = Callable[[], float]

FIGURES = ("roc_auc", "pr_auc", "log_loss", "brier")


def align_folds(folds: pd.DataFrame, ids: Array) -> Array:
    """Return each client's fold.

    Parameters
    ----------
    folds : DataFrame
        Columns ``ID`` and ``fold``, whole numbers, one row a client.
    ids : ndarray of int, shape (n,)
        The clients that there are.

    Returns
    -------
    ndarray of int, shape (n,)
        −1 for a client without a fold.

    Raises
    ------
    UserError
        When a column is absent or not whole numbers, an ID occurs twice or is not in
        the data, or there are fewer than two folds.
    """
    for column in ("ID", "fold"):
        if column not in folds:
            raise UserError(f"--folds: the file has no column {column}; it needs ID and fold")
        if folds[column].dtype.kind != "i":
            raise UserError(f"--folds: column {column} must hold whole numbers, without gaps")
    if (n_twice := int(folds["ID"].duplicated().sum())) > 0:
        raise UserError(f"--folds: {n_twice} rows repeat an ID; each client has one fold")
    if (n_unknown := int((~folds["ID"].isin(ids)).sum())) > 0:
        raise UserError(f"--folds: {n_unknown} IDs are not in the data")
    if (folds["fold"] < 0).any() or folds["fold"].nunique() < 2:
        raise UserError("--folds: at least two folds, numbered from 0, are needed")
    return folds.set_index("ID")["fold"].reindex(ids).fillna(-1).to_numpy(dtype=int)


def figures(y: Array, p: Array) -> dict[str, float]:
    """Return :data:`FIGURES` of one fold, and ``roc_auc_se`` by DeLong."""
    _, covariance = discrimination.delong(y, p)
    return {
        "roc_auc": discrimination.roc_auc(y, p),
        "roc_auc_se": float(np.sqrt(covariance[0, 0])),
        "pr_auc": discrimination.pr_auc(y, p),
        "log_loss": float(calibration.row_log_loss(y, p).mean()),
        "brier": float(calibration.row_brier(y, p).mean()),
    }


def average(folds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean figures of several folds.

    The standard error of the mean ROC AUC takes the folds' as independent: their test rows
    are distinct, their training rows overlap.
    """
    means = {name: float(np.mean([fold[name] for fold in folds])) for name in FIGURES}
    errors = np.array([fold["roc_auc_se"] for fold in folds])
    means["roc_auc_se"] = float(np.sqrt((errors**2).sum()) / len(errors))
    if all("fit_s" in fold for fold in folds):
        means["fit_s"] = float(np.mean([fold["fit_s"] for fold in folds]))
    return means


def timed(fit: Callable[[], Any], clock: Clock | None) -> tuple[Any, dict[str, float]]:
    """Return what ``fit`` returns, and ``fit_s`` where there is a clock."""
    if clock is None:
        return fit(), {}
    started = clock()
    fitted = fit()
    return fitted, {"fit_s": clock() - started}


def score_folds(
    make_model: Callable[[], Any],
    X: Array,
    y: Array,
    fold: Array,
    *,
    clock: Clock | None = None,
    progress: Progress = lambda line: None,
) -> tuple[dict[str, Any], Array]:
    """Fit a fresh model for each fold on the other folds and score it there.

    Parameters
    ----------
    make_model : callable
        Returns an unfitted classifier.
    X : ndarray of float, shape (n, k)
    y : ndarray of {0, 1}, shape (n,)
    fold : ndarray of int, shape (n,)
        −1 leaves a row out of everything.
    clock : callable, optional
        Returns seconds; with it, ``fit_s`` says how long each fit took.
    progress : callable
        Gets one line a fold.

    Returns
    -------
    result : dict
        ``folds``: list of ``fold`` and the figures; ``mean``: averaged.
    probability : ndarray of float, shape (n,)
        Of each row's test fold; NaN where it has none.

    Raises
    ------
    ValueError
        When a fold holds one class only.
    """
    table, probability = [], np.full(len(y), np.nan)
    for number in np.unique(fold[fold >= 0]):
        tested, fitted = fold == number, (fold >= 0) & (fold != number)
        model, seconds = timed(partial(make_model().fit, X[fitted], y[fitted]), clock)
        probability[tested] = predict(model, X[tested])
        row = figures(y[tested], probability[tested])
        table.append({"fold": int(number), **row, **seconds})
        progress(f"fold {number}: ROC AUC {row['roc_auc']:.4f}")
    return {"folds": table, "mean": average(table)}, probability


def nested_folds(
    clients: pd.DataFrame,
    y: Array,
    fold: Array,
    *,
    space: Mapping[str, Any],
    twins: Mapping[str, Any],
    audit_attributes: str,
    random_state: int,
    n_jobs: int,
    clock: Clock | None = None,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Choose and fit inside each fold's training rows, and score its test rows.

    Parameters
    ----------
    clients : DataFrame, n rows
        Kaggle's columns.
    y : ndarray of {0, 1}, shape (n,)
    fold : ndarray of int, shape (n,)
        −1 leaves a row out of everything.
    space : mapping
        See :func:`creditrisk.validation.nested.choose_recipe`.
    twins : mapping
        Keywords of :func:`creditrisk.data.groups.find_twins`, for inner folds.
    audit_attributes : {"exclude", "include"}
    random_state, n_jobs : int
    clock, progress
        See :func:`score_folds`; the time includes the choice.

    Returns
    -------
    dict
        ``blend`` and ``trees`` (its best candidate of trees alone), each ``folds`` and
        ``mean``, and ``chosen``: the recipe of each fold. ``probability``: arrays of shape (n,).
    """
    names, X = columns(clients, space, audit_attributes)
    arms: dict[str, list[dict[str, Any]]] = {"blend": [], "trees": []}
    probability = {arm: np.full(len(y), np.nan) for arm in arms}
    chosen = []
    for number in np.unique(fold[fold >= 0]):
        tested, fitted = fold == number, (fold >= 0) & (fold != number)
        (recipe, model), seconds = timed(
            partial(
                fit_nested,
                X[fitted],
                y[fitted],
                nested.training_groups(clients[fitted], twins),
                names,
                space=space,
                random_state=random_state,
                n_jobs=n_jobs,
                progress=partial(say, progress, f"fold {number}, "),
            ),
            clock,
        )
        probability["blend"][tested] = predict(model, X[tested])
        probability["trees"][tested] = predict(model.named_estimators_["trees_0"], X[tested])
        for arm, rows in arms.items():
            row = figures(y[tested], probability[arm][tested])
            rows.append({"fold": int(number), **row, **seconds})
        chosen.append({"fold": int(number), **recipe})
        progress(f"fold {number}: ROC AUC {arms['blend'][-1]['roc_auc']:.4f}")
    return {
        **{arm: {"folds": rows, "mean": average(rows)} for arm, rows in arms.items()},
        "chosen": chosen,
        "probability": probability,
    }


def say(progress: Progress, start: str, line: str) -> None:
    """Pass a line on, with what it is about in front."""
    progress(start + line)


def columns(
    clients: pd.DataFrame, space: Mapping[str, Any], audit_attributes: str
) -> tuple[list[str], Array]:
    """Return the names and values of every feature that some candidate reads."""
    wanted = {
        family
        for kind in nested.KINDS
        for families in space[kind]["features"].values()
        for family in families
    }
    names = registry.select(wanted, audit_attributes=audit_attributes)
    return names, registry.compute(record.from_frame(clients), names)


def fit_nested(
    X: Array,
    y: Array,
    groups: Array,
    names: Sequence[str],
    *,
    space: Mapping[str, Any],
    **keywords: Any,
) -> tuple[dict[str, Any], Any]:
    """Choose a recipe on some rows and fit it on all of them.

    Parameters and keywords are those of :func:`creditrisk.validation.nested.choose_recipe`.

    Returns
    -------
    recipe : dict
    model : fitted classifier
    """
    recipe = nested.choose_recipe(X, y, groups, names, space=space, **keywords)
    model = nested.chosen_blend(space, recipe, names, seed=keywords["random_state"])
    return recipe, model.fit(X, y)
