"""Learning curves: train and validation figures against the number of clients.

Inside each outer fold groups of clients are added in random order, several orders a
fold, so that the smaller samples are nested in the larger. The validation rows of a
fold stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.metrics import calibration, comparison, discrimination
from creditrisk.models.rows import TrainingRows
from creditrisk.models.training import predict

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = np.ndarray

METRICS = ("log_loss", "roc_auc")

Make = Callable[[int, float], "Pipeline"]
"""Number of a fold and share of its groups → the unfitted pipeline for that sample."""


def grow(groups: Array, allowed: Array, shares: Sequence[float], *, random_state: Any) -> Array:
    """Draw nested samples of groups, one for each share.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
    allowed : ndarray of bool, shape (n,)
        Rows that may be drawn.
    shares : sequence of float, length m
        Of the groups, ascending.
    random_state : int or sequence of int
        Of the order in which groups are added.

    Returns
    -------
    ndarray of bool, shape (m, n)
        Each row is contained in the next.
    """
    names, position = np.unique(groups[allowed], return_inverse=True)
    turn = np.empty(len(names), dtype=np.int64)
    turn[np.random.default_rng(random_state).permutation(len(names))] = np.arange(len(names))
    drawn = np.zeros((len(shares), len(groups)), dtype=bool)
    for i, share in enumerate(shares):
        drawn[i, allowed] = turn[position] < round(share * len(names))
    return drawn


def fit_sample(
    pipeline: Pipeline, rows: TrainingRows, drawn: Array, tested: Array
) -> dict[str, float]:
    """Fit on some rows and return the figures of these and of the tested rows.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted; a clone is fitted.
    rows : TrainingRows, n rows
    drawn, tested : ndarray of bool, shape (n,)

    Returns
    -------
    dict
        ``n_rows``, ``train_log_loss``, ``train_roc_auc``, ``log_loss``, ``roc_auc``.
    """
    from sklearn.base import clone

    model = clone(pipeline).fit(rows.X[drawn], rows.y[drawn])
    figures: dict[str, float] = {"n_rows": int(drawn.sum())}
    for prefix, part in (("train_", drawn), ("", tested)):
        y, p = rows.y[part], predict(model, rows.X[part])
        figures[f"{prefix}log_loss"] = float(calibration.row_log_loss(y, p).mean())
        figures[f"{prefix}roc_auc"] = discrimination.roc_auc(y, p)
    return figures


def measure(
    make: Make,
    rows: TrainingRows,
    folds: Array,
    shares: Sequence[float],
    *,
    n_subsamples: int,
    random_state: int,
    n_jobs: int,
) -> dict[str, Array]:
    """Return one model's figures by share and fold.

    Parameters
    ----------
    make : callable
        See :data:`Make`.
    rows : TrainingRows, n rows
    folds : ndarray of int, shape (n,)
    shares : sequence of float, length m
        Ascending; a share of 1 is fitted once, since every order ends there.
    n_subsamples : int
    random_state : int
    n_jobs : int
        Threads; the result does not depend on them.

    Returns
    -------
    dict of ndarray, each of shape (m, n_folds)
        Mean over subsamples of what :func:`fit_sample` returns.
    """
    from joblib import Parallel, delayed

    jobs, places = [], []
    dealt = np.unique(folds)
    for number, fold in enumerate(dealt):
        tested = folds == fold
        for order in range(n_subsamples):
            samples = grow(
                rows.groups,
                ~tested & rows.fit_row,
                shares,
                random_state=[random_state, number, order],
            )
            for i, share in enumerate(shares):
                if share < 1 or order == 0:
                    jobs.append((make(number, share), rows, samples[i], tested))
                    places.append((i, number))
    fitted = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(fit_sample)(*job) for job in jobs)
    cells: dict[tuple[int, int], list[dict[str, float]]] = {}
    for place, figures in zip(places, fitted, strict=True):
        cells.setdefault(place, []).append(figures)
    by_name = {name: np.empty((len(shares), len(dealt))) for name in fitted[0]}
    for place, found in cells.items():
        for name, values in by_name.items():
            values[place] = np.mean([figures[name] for figures in found])
    return by_name


def learning_curves(
    models: Mapping[str, tuple[Make, TrainingRows]],
    folds: Array,
    shares: Sequence[float],
    *,
    n_subsamples: int,
    random_state: int,
    alpha: float,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, dict[str, Any]]:
    """Return the learning curve of every model and what its last step bought.

    Parameters
    ----------
    models : mapping of name to (make, rows)
        See :func:`measure`.
    folds, shares, n_subsamples, random_state, n_jobs
        See :func:`measure`.
    alpha : float
        Family-wise level over the models, for each metric.
    progress : callable

    Returns
    -------
    dict of dict
        Per model ``points``: per share ``share``, ``n_rows``, means of training and
        validation figures, and ``log_loss_se``, ``roc_auc_se`` over folds;
        ``last_step``: per metric the figure at the last share less that at the one
        before, paired over folds, with interval, verdict and ``per_thousand`` rows.
    """
    measured = {}
    for name, (make, rows) in models.items():
        measured[name] = measure(
            make,
            rows,
            folds,
            shares,
            n_subsamples=n_subsamples,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        progress(f"{name}: learning curve measured")
    steps = last_steps(measured, alpha)
    return {
        name: {
            "points": [_point(figures, i, share) for i, share in enumerate(shares)],
            "last_step": steps[name],
        }
        for name, figures in measured.items()
    }


def _point(figures: Mapping[str, Array], i: int, share: float) -> dict[str, float]:
    """Return means over folds at one share, and standard errors of validation figures."""
    point = {"share": share} | {name: float(values[i].mean()) for name, values in figures.items()}
    for metric in METRICS:
        values = figures[metric][i]
        point[f"{metric}_se"] = float(values.std(ddof=1) / np.sqrt(len(values)))
    return point


def last_steps(
    measured: Mapping[str, Mapping[str, Array]], alpha: float
) -> dict[str, dict[str, Any]]:
    """Return what the last step to more clients changed, paired over folds.

    Parameters
    ----------
    measured : mapping of name to mapping
        What :func:`measure` returned.
    alpha : float

    Returns
    -------
    dict of dict
        ``[name][metric]``: a row of :func:`~creditrisk.metrics.comparison.holm` with
        ``verdict`` and ``per_thousand``, the difference for each thousand rows added.
    """
    table: dict[str, dict[str, Any]] = {name: {} for name in measured}
    for metric in METRICS:
        raw = {}
        for name, figures in measured.items():
            step = figures[metric][-1] - figures[metric][-2]
            raw[name] = comparison.nadeau_bengio(step, 1 / (len(step) - 1))
        for name, row in comparison.holm(raw, alpha).items():
            added = np.diff(measured[name]["n_rows"].mean(axis=1))[-1]
            table[name][metric] = {
                **row,
                "verdict": comparison.verdict(row, metric, alpha),
                "per_thousand": row["difference"] / added * 1000,
            }
    return table
