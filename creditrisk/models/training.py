"""Fit one family: out-of-fold probabilities, a choice on its path, the final pipeline.

Every fit takes rows of the training side that may enter a fit (``fit_row``); every
training row is scored by fits that never saw its group, hold-out rows by the final
pipeline alone. Folds run in parallel and are reduced in fixed order, so the result
does not depend on the number of cores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.metrics import calibration, discrimination
from creditrisk.models.families import MOSTLY_PYTHON, ONE_AT_A_TIME, build, candidates
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows
from creditrisk.models.selection import choose_on_path

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = np.ndarray


@dataclass(frozen=True)
class TrainedFamily:
    """What training gives back.

    Attributes
    ----------
    pipeline : Pipeline
        Fitted on all training rows that may enter a fit.
    probability : ndarray of float, shape (n,)
        Out of fold, mean over repeats.
    folds : list of dict
        Per repeat and fold: rows and ROC AUC, log loss and Brier of the test rows.
    cv : dict
        Figures of pooled out-of-fold probabilities, mean over repeats.
    path : list of dict
        Train and validation log loss per candidate; empty for a single candidate.
    parameters : dict
        The parameters that were fitted, ``C`` chosen.
    """

    pipeline: Pipeline
    probability: Array
    folds: list[dict[str, Any]]
    cv: dict[str, float]
    path: list[dict[str, Any]]
    parameters: dict[str, Any]


def train(
    family: str,
    parameters: Mapping[str, Any],
    rows: TrainingRows,
    *,
    scaler: str,
    n_folds: int,
    n_repeats: int,
    random_state: int,
    n_jobs: int,
    features: Sequence[str] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> TrainedFamily:
    """Cross-validate and fit one family.

    Parameters
    ----------
    family : str
    parameters : mapping
        The family's; a list under ``C`` is a path, walked on the folds of the first
        repeat, from which ``rule`` chooses.
    rows : TrainingRows
    scaler : {"standard", "robust"}
    n_folds, n_repeats, random_state : int
        See :func:`~creditrisk.models.folds.deal_folds`.
    n_jobs : int
        Threads: folds at a time, and of the final fit.
    features : sequence of str
        Names of the columns, for a family whose rules are stated by name.
    progress : callable
        Gets one short line at a time.

    Returns
    -------
    TrainedFamily
    """
    folds = deal_folds(
        rows.y, rows.groups, n_folds=n_folds, n_repeats=n_repeats, random_state=random_state
    )
    options = candidates(family, parameters)
    pipelines = [build(family, option, scaler=scaler, features=features) for option in options]
    path, chosen, fits = _cross_validate(
        pipelines,
        options,
        parameters.get("rule"),
        rows,
        folds,
        workers=workers(family, n_jobs),
        progress=progress,
    )
    pipeline = build(family, options[chosen], scaler=scaler, n_jobs=n_jobs, features=features)
    pipeline.fit(rows.X[rows.fit_row], rows.y[rows.fit_row])
    return TrainedFamily(
        pipeline=portable(pipeline),
        path=path,
        parameters=options[chosen],
        **_pool(fits, folds, rows.y),
    )


def workers(family: str, n_jobs: int) -> dict[str, Any]:
    """Return how joblib runs a family's folds.

    Threads where the solver releases the interpreter's lock, as XGBoost and the logistic
    ones do; a process would first import everything for two seconds.
    """
    if family in ONE_AT_A_TIME:
        return {"n_jobs": 1}
    return {"n_jobs": n_jobs, "prefer": "processes" if family in MOSTLY_PYTHON else "threads"}


def available_cores() -> int:
    """Return the cores this process may use; results do not depend on it."""
    from joblib import cpu_count

    return cpu_count()


def figures(y: Array, p: Array) -> dict[str, float]:
    """Return ranking and calibration figures of one sample together."""
    return discrimination.summary(y, p) | calibration.summary(y, p)


def predict(pipeline: Pipeline, X: Array) -> Array:
    """Return the probability of class 1 as float64, shape (n,)."""
    return pipeline.predict_proba(X)[:, 1].astype(np.float64)


def portable(pipeline: Pipeline) -> Pipeline:
    """Return the fitted pipeline without a trace of how many threads fitted it.

    XGBoost keeps the thread count in its booster's configuration and scikit-learn in
    the estimator; without both, two dumps have the same bytes on any machine. A forest
    must also predict on one thread: with more it adds up its trees in any order.
    """
    model = pipeline.named_steps["model"]
    if hasattr(model, "get_booster"):
        model.get_booster().set_param({"nthread": 0})  # 0: as many as there are
    if hasattr(model, "get_booster") or hasattr(model, "estimators_"):
        model.set_params(n_jobs=None)
    return pipeline


def _cross_validate(
    pipelines: Sequence[Pipeline],
    options: Sequence[Mapping[str, Any]],
    rule: str | None,
    rows: TrainingRows,
    folds: Array,
    *,
    workers: Mapping[str, Any],
    progress: Callable[[str], None],
) -> tuple[list[dict[str, Any]], int, list[dict[str, Any]]]:
    """Walk the path on the first repeat, then run the chosen pipeline over the others.

    Returns the path's table, the index that was chosen and its fits, fold by fold.
    """
    first = _cross_fit(
        pipelines, rows, folds[:1], workers, lambda line: progress(f"repeat 1: {line}")
    )
    path, chosen = _walk_path(options, first, rule)
    if path:
        progress(f"chose C = {options[chosen]['C']:g} by the rule {rule}")
    rest = _cross_fit(
        pipelines[chosen : chosen + 1],
        rows,
        folds[1:],
        workers,
        lambda line: progress(f"further repeats: {line}"),
    )
    return path, chosen, [job[chosen] for job in first] + [job[0] for job in rest]


def _pool(fits: Sequence[Mapping[str, Any]], folds: Array, y: Array) -> dict[str, Any]:
    """Put the fits of all folds together: probabilities, table of folds, mean figures."""
    probability = np.empty(folds.shape)
    table = []
    for number, fit in enumerate(fits):
        repeat, fold = divmod(number, len(fits) // len(folds))
        probability[repeat, folds[repeat] == fold] = fit["probability"]
        table.append({"repeat": repeat, "fold": fold, **fit["figures"]})
    return {
        "probability": probability.mean(axis=0),
        "folds": table,
        "cv": _mean_figures([figures(y, p) for p in probability]),
    }


def _cross_fit(
    pipelines: Sequence[Pipeline],
    rows: TrainingRows,
    folds: Array,
    workers: Mapping[str, Any],
    progress: Callable[[str], None],
) -> list[list[dict[str, Any]]]:
    """Fit every pipeline on every fold of every repeat, in fixed order."""
    from joblib import Parallel, delayed

    jobs = [folds[r] == f for r in range(len(folds)) for f in np.unique(folds[r])]
    if not jobs:
        return []
    parallel = Parallel(**workers, return_as="generator")
    done = []
    for fitted in parallel(delayed(fit_fold)(pipelines, rows, tested) for tested in jobs):
        done.append(fitted)
        progress(f"{len(done)} of {len(jobs)} folds fitted")
    return done


def fit_fold(
    pipelines: Sequence[Pipeline], rows: TrainingRows, tested: Array
) -> list[dict[str, Any]]:
    """Fit pipelines on one fold's training rows and score its test rows.

    Parameters
    ----------
    pipelines : sequence of Pipeline
        Unfitted; clones are fitted.
    rows : TrainingRows, n rows
    tested : ndarray of bool, shape (n,)
        Rows of the test fold; all others that may enter a fit are fitted on.

    Returns
    -------
    list of dict
        Per pipeline ``probability`` of the test rows, ``figures`` of the fold and
        ``n_weights``, non-zero coefficients (None for trees).
    """
    from sklearn.base import clone

    fitted_on = ~tested & rows.fit_row
    X, y, y_test = rows.X[fitted_on], rows.y[fitted_on], rows.y[tested]
    results = []
    for pipeline in pipelines:
        model = clone(pipeline).fit(X, y)
        p = predict(model, rows.X[tested])
        weights = getattr(model.named_steps["model"], "coef_", None)
        fold = {
            "n_train": int(fitted_on.sum()),
            "n_test": int(tested.sum()),
            "roc_auc": discrimination.roc_auc(y_test, p),
            "log_loss": float(calibration.row_log_loss(y_test, p).mean()),
            "brier": float(calibration.row_brier(y_test, p).mean()),
            "train_log_loss": float(calibration.row_log_loss(y, predict(model, X)).mean()),
        }
        n_weights = None if weights is None else int(np.count_nonzero(weights))
        results.append({"probability": p, "figures": fold, "n_weights": n_weights})
    return results


def _walk_path(
    options: Sequence[Mapping[str, Any]], jobs: list[list[dict[str, Any]]], rule: str | None
) -> tuple[list[dict[str, Any]], int]:
    """Return the path's table and the index that the rule chooses."""
    if len(options) == 1:
        return [], 0
    path = []
    for i, option in enumerate(options):
        train = np.array([job[i]["figures"]["train_log_loss"] for job in jobs])
        valid = np.array([job[i]["figures"]["log_loss"] for job in jobs])
        path.append(
            {
                "C": option["C"],
                "train_log_loss": train.mean(),
                "validation_log_loss": valid.mean(),
                "validation_se": valid.std(ddof=1) / np.sqrt(len(valid)),
                "n_weights": float(np.mean([job[i]["n_weights"] for job in jobs])),
            }
        )
    return path, choose_on_path(path, rule=rule or "lowest")


def _mean_figures(repeats: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average figures over repeats; one that a repeat lacks is left out."""
    shared = [name for name in repeats[0] if all(name in figures for figures in repeats)]
    return {name: float(np.mean([figures[name] for figures in repeats])) for name in shared}
