"""A treatment of imbalance fitted on some rows, with the corrections learnt beside it.

Steps and weights of the treatment, the prior and the recalibration are learnt from
the rows of the fit alone. The recalibration, a line in log-odds, comes from inner
grouped folds of these rows: their out-of-fold probabilities, by fits with the same
treatment; it then moves the probabilities of the fit on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.features import registry
from creditrisk.models import resampling
from creditrisk.models.families import make_scaler
from creditrisk.models.folds import deal_folds
from creditrisk.models.recalibration import Map, fit_sigmoid
from creditrisk.models.rows import TrainingRows
from creditrisk.models.training import predict

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = np.ndarray
Cell = tuple[str, str, str]
"""Model, treatment, correction."""


@dataclass(frozen=True)
class Arm:
    """A model on its columns, and the treatments that it is given.

    Attributes
    ----------
    label : str
    pipeline : Pipeline
        Unfitted, its last step named ``model``, without a resampling step.
    parameters : mapping
        What the pipeline was built from.
    features : tuple of str
        Names of the columns.
    rows : TrainingRows
        Arms differ in ``X`` only.
    treatments : tuple of str
        Keys of :data:`~creditrisk.models.resampling.TREATMENTS`, ``none`` first.
    """

    label: str
    pipeline: Pipeline
    parameters: Mapping[str, Any]
    features: tuple[str, ...]
    rows: TrainingRows
    treatments: tuple[str, ...]

    @property
    def categorical(self) -> list[int]:
        """Return the positions of columns made of status codes, which SMOTENC takes by vote."""
        families = {f.name: f.family for f in registry.all_features()}
        coded = resampling.CATEGORICAL_FAMILIES
        return [i for i, name in enumerate(self.features) if families.get(name) in coded]


@dataclass(frozen=True)
class Recipe:
    """What every treatment of every model shares.

    Attributes
    ----------
    scaler : {"standard", "robust"}
        Before neighbours are sought, for pipelines that scale nothing.
    k_neighbors : int
        For SMOTE and SMOTENC.
    n_inner : int
        Inner folds of the recalibration.
    random_state : int
        Of resampling and inner folds.
    """

    scaler: str
    k_neighbors: int
    n_inner: int
    random_state: int


@dataclass(frozen=True)
class Treated:
    """A fitted treatment with the rate of defaults and the recalibration of its rows."""

    pipeline: Pipeline
    treatment: str
    base_rate: float
    recalibrate: Map

    def probabilities(self, X: Array) -> dict[str, Array]:
        """Return the probability of default by correction, each of shape (n,)."""
        raw = predict(self.pipeline, X)
        every = {
            "raw": raw,
            "prior_corrected": resampling.prior_corrected(
                raw, base_rate=self.base_rate, fitted_rate=resampling.RESAMPLED_RATE
            ),
            "recalibrated": self.recalibrate(raw),
        }
        return {name: every[name] for name in resampling.corrections(self.treatment)}


def fit_treatment(arm: Arm, treatment: str, fitted_on: Array, recipe: Recipe) -> Treated:
    """Fit a treatment of a model and its corrections on some rows.

    Parameters
    ----------
    arm : Arm, n rows
    treatment : str
    fitted_on : ndarray of bool, shape (n,)
        No other row is read.
    recipe : Recipe

    Returns
    -------
    Treated
    """
    X, y = arm.rows.X[fitted_on], arm.rows.y[fitted_on]
    pipeline = resampling.treated(
        arm.pipeline,
        treatment,
        scaler=make_scaler(recipe.scaler),
        categorical=arm.categorical,
        k_neighbors=recipe.k_neighbors,
        random_state=recipe.random_state,
    )
    (inner,) = deal_folds(
        y,
        arm.rows.groups[fitted_on],
        n_folds=recipe.n_inner,
        n_repeats=1,
        random_state=recipe.random_state,
    )
    recalibrate = fit_sigmoid(y, _inner_probabilities(pipeline, treatment, X, y, folds=inner))
    fitted = resampling.fit_treated(pipeline, treatment, X, y)
    return Treated(fitted, treatment, base_rate=float(y.mean()), recalibrate=recalibrate)


def _inner_probabilities(
    pipeline: Pipeline, treatment: str, X: Array, y: Array, *, folds: Array
) -> Array:
    """Return probabilities of each inner fold by a fit on the others."""
    from sklearn.base import clone

    p = np.empty(len(y))
    for _, tested in each_test(folds[None]):
        model = resampling.fit_treated(clone(pipeline), treatment, X[~tested], y[~tested])
        p[tested] = predict(model, X[tested])
    return p


def each_test(folds: Array) -> list[tuple[int, Array]]:
    """Return repeat and mask of the test rows of each fold, in order.

    Parameters
    ----------
    folds : ndarray of int, shape (n_repeats, n)
        From :func:`~creditrisk.models.folds.deal_folds`.
    """
    return [(r, folds[r] == k) for r in range(len(folds)) for k in np.unique(folds[r])]


def out_of_fold(
    arms: Mapping[str, Arm],
    folds: Array,
    recipe: Recipe,
    *,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[Cell, Array]:
    """Return every cell's out-of-fold probabilities.

    Parameters
    ----------
    arms : mapping of name to Arm, n rows
    folds : ndarray of int, shape (n_repeats, n)
        Every row is scored; only rows that may enter a fit do.
    recipe : Recipe
    n_jobs : int
        Folds at a time, in threads; the result does not depend on it.
    progress : callable
        Gets one short line a fold.

    Returns
    -------
    dict of cell to ndarray of float, shape (n_repeats, n)
    """
    from joblib import Parallel, delayed

    tests = each_test(folds)
    jobs = [(name, treatment) for name, arm in arms.items() for treatment in arm.treatments]

    def run(name: str, treatment: str, tested: Array) -> dict[str, Array]:
        rows = arms[name].rows
        fitted = fit_treatment(arms[name], treatment, ~tested & rows.fit_row, recipe)
        return fitted.probabilities(rows.X[tested])

    # threads, not processes: solvers and trees release the interpreter's lock. SMOTENC
    # holds it while it votes, so folds stand outside and it runs beside other fits
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    done = parallel(delayed(run)(*job, tested) for _, tested in tests for job in jobs)
    found: dict[Cell, Array] = {}
    for i, (repeat, tested) in enumerate(tests, 1):
        for (name, treatment), result in zip(jobs, done, strict=False):
            for correction, p in result.items():
                cell = found.setdefault((name, treatment, correction), np.empty(folds.shape))
                cell[repeat, tested] = p
        progress(f"{i} of {len(tests)} folds, {len(jobs)} treatments each")
    return found
