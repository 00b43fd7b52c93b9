"""Coefficients of a penalised logistic regression along C, and whether folds agree on them.

They need a tighter stopping tolerance than predictions do: where features say nearly the
same, weight can move between them at hardly any change of the loss, and a fit that stops
early shows where the solver went, not where the penalty leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.models.families import ONE_AT_A_TIME, build
from creditrisk.models.rows import TrainingRows
from creditrisk.validation.regularisation import Walk, choices, chosen_inside

Array = np.ndarray


def at(
    family: str,
    parameters: Mapping[str, Any],
    rows: TrainingRows,
    fits: Sequence[tuple[float, Array]],
    *,
    scaler: str,
    n_jobs: int,
) -> Array:
    """Fit at several C, each on rows of its own, and return the coefficients.

    Parameters
    ----------
    family : {"logistic_l1", "logistic_l2"}
    parameters : mapping
    rows : TrainingRows, n rows and k columns
    fits : sequence of (C, ndarray of bool of shape (n,)), length m
        The second says which rows are fitted on, beside ``fit_row``.
    scaler : str
    n_jobs : int

    Returns
    -------
    ndarray of float, shape (m, k)
        Log-odds per unit of the scaled column.
    """
    from joblib import Parallel, delayed

    def one(C: float, kept: Array) -> Array:
        pipeline = build(family, {**parameters, "C": C}, scaler=scaler)
        kept = kept & rows.fit_row
        return pipeline.fit(rows.X[kept], rows.y[kept]).named_steps["model"].coef_[0]

    threads = 1 if family in ONE_AT_A_TIME else n_jobs
    return np.stack(Parallel(n_jobs=threads, prefer="threads")(delayed(one)(*f) for f in fits))


def follow(
    family: str,
    walked: Walk,
    rows: TrainingRows,
    names: Sequence[str],
    folds: Array,
    *,
    n_points: int,
    n_strongest: int,
    tol: float,
    scaler: str,
    n_jobs: int,
) -> dict[str, Any]:
    """Follow the coefficients along a finer path, and count on how many folds they are kept.

    Parameters
    ----------
    family : {"logistic_l1", "logistic_l2"}
    walked : Walk
        Gives the ends of the path and the choices of the family's rule.
    rows : TrainingRows, k columns
    names : sequence of str, length k
    folds : ndarray of int, shape (n,)
        The outer folds of ``walked``.
    n_points : int
        Points of a geometric grid between the ends; the chosen C is added to it.
    n_strongest : int
        Features kept: those with the largest coefficient at the chosen C.
    tol : float
        Stopping tolerance of the solver, in place of the recipe's.
    scaler : str
    n_jobs : int

    Returns
    -------
    dict
        ``chosen``, ``C`` (ascending), ``n_nonzero`` by C, ``n_features``, and
        ``features``: per kept feature ``feature``, ``values`` by C, and ``kept_in``, the
        outer folds in which its weight is not zero at the C chosen inside that fold.
    """
    path = [option["C"] for option in walked.options]
    chosen = path[choices(walked, walked.options[0]["rule"])[0]]
    grid = sorted({*np.geomspace(path[0], path[-1], n_points).tolist(), chosen})
    everywhere = np.ones(len(rows.y), dtype=bool)
    inside = zip(chosen_inside(walked), np.unique(folds), strict=True)
    fits = [(C, everywhere) for C in grid] + [(C, folds != fold) for C, fold in inside]
    tight = {**walked.options[0], "tol": tol}
    found = at(family, tight, rows, fits, scaler=scaler, n_jobs=n_jobs)
    along, by_fold = found[: len(grid)], found[len(grid) :]
    order = np.argsort(-np.abs(along[grid.index(chosen)]), kind="stable")[:n_strongest]
    return {
        "chosen": chosen,
        "C": grid,
        "n_nonzero": np.count_nonzero(along, axis=1).tolist(),
        "n_features": len(names),
        "features": [
            {
                "feature": names[i],
                "values": along[:, i].tolist(),
                "kept_in": int(np.count_nonzero(by_fold[:, i])),
            }
            for i in order
        ],
    }
