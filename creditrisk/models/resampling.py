"""Treatments of class imbalance, and what can be done to probabilities after them.

A treatment is a step of an imbalanced-learn pipeline or a weight in its ``fit``: it
sees the rows of the fit and nothing else, and ``predict`` skips it. SMOTE
interpolates between neighbours, so it needs columns on one scale before it, and it
makes values that no client has (a status code of 1.4); both are reasons to measure
it. SMOTENC takes categorical columns by vote among neighbours instead, each column
by itself, so flags of one month may still contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.metrics.calibration import logit

if TYPE_CHECKING:
    from imblearn.over_sampling import SMOTE
    from sklearn.pipeline import Pipeline

RESAMPLED_RATE = 0.5
"""Share of defaults that every treatment makes: classes of equal size or weight."""

TREATMENTS = {
    "none": "None",
    "class_weight": "Class weights",
    "scale_pos_weight": "Positive weight",
    "oversampling": "Random over-sampling",
    "undersampling": "Random under-sampling",
    "smote": "SMOTE",
    "smotenc": "SMOTENC",
}
"""Every treatment with its name in reports."""

CORRECTIONS = {
    "raw": "raw",
    "prior_corrected": "prior corrected",
    "recalibrated": "recalibrated",
}
"""What may be done to the probabilities of a treated fit, with its name in reports."""

NEIGHBOURS = ("smote", "smotenc")
"""Treatments that measure distances between clients."""

CATEGORICAL_FAMILIES = ("status_codes", "status_states")
"""Families of the registry whose columns are codes, or counts and flags made of one."""


def smote(*, k_neighbors: int, random_state: int) -> SMOTE:
    """Return the oversampling step: synthetic defaults until the classes are equal.

    Parameters
    ----------
    k_neighbors : int
        Neighbours among which a partner is drawn.
    random_state : int

    Returns
    -------
    imblearn.over_sampling.SMOTE
    """
    from imblearn.over_sampling import SMOTE

    return SMOTE(k_neighbors=k_neighbors, random_state=random_state)


def sampler(
    treatment: str, *, categorical: Sequence[int], k_neighbors: int, random_state: int
) -> Any:
    """Return a treatment's resampling step; None for one that adds and drops no rows.

    Parameters
    ----------
    treatment : str
        A key of :data:`TREATMENTS`.
    categorical : sequence of int
        Positions of the columns that SMOTENC takes by vote.
    k_neighbors : int
        For SMOTE and SMOTENC.
    random_state : int

    Returns
    -------
    imbalanced-learn sampler or None

    Raises
    ------
    UserError
        Naming the known treatments, or SMOTENC's want of a categorical column.
    """
    from imblearn import over_sampling, under_sampling

    if treatment not in TREATMENTS:
        raise UserError(f"no treatment {treatment!r}; there are: {', '.join(TREATMENTS)}")
    if treatment == "oversampling":
        return over_sampling.RandomOverSampler(random_state=random_state)
    if treatment == "undersampling":
        return under_sampling.RandomUnderSampler(random_state=random_state)
    if treatment == "smote":
        return smote(k_neighbors=k_neighbors, random_state=random_state)
    if treatment != "smotenc":
        return None
    if not categorical:
        raise UserError(
            "smotenc needs a categorical column: add one of the feature families "
            f"{', '.join(CATEGORICAL_FAMILIES)} to the model, or leave smotenc out"
        )
    return over_sampling.SMOTENC(
        list(categorical), k_neighbors=k_neighbors, random_state=random_state
    )


def treated(
    pipeline: Pipeline,
    treatment: str,
    *,
    scaler: Any,
    categorical: Sequence[int],
    k_neighbors: int,
    random_state: int,
) -> Pipeline:
    """Return an unfitted copy of a pipeline with a treatment's step before its model.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted, its last step named ``model``.
    treatment : str
        A key of :data:`TREATMENTS`.
    scaler : estimator
        Unfitted; put first where neighbours are sought and the pipeline scales nothing.
    categorical, k_neighbors, random_state
        See :func:`sampler`.

    Returns
    -------
    Pipeline
    """
    from imblearn.pipeline import Pipeline
    from sklearn.base import clone

    step = sampler(
        treatment, categorical=categorical, k_neighbors=k_neighbors, random_state=random_state
    )
    before, model = list(pipeline.steps[:-1]), pipeline.steps[-1]
    if treatment in NEIGHBOURS and "scale" not in pipeline.named_steps:
        before = [("scale", scaler), *before]
    resample = [] if step is None else [("resample", step)]
    return clone(Pipeline([*before, *resample, model]))


def fit_treated(pipeline: Pipeline, treatment: str, X: np.ndarray, y: np.ndarray) -> Pipeline:
    """Fit what :func:`treated` returned, with the weights that the treatment asks for.

    ``class_weight`` weighs each row by ``n / (2 n_class)``: scikit-learn's "balanced",
    which the logistic regression also takes as ``class_weight`` (tested to be equal).
    ``scale_pos_weight`` weighs defaults by ``n_0 / n_1`` and leaves the others at 1:
    the same ratio, but a larger total weight, so a fixed penalty counts for less.

    Parameters
    ----------
    pipeline : Pipeline
    treatment : str
    X : ndarray of float, shape (n, k)
    y : ndarray of int, shape (n,)

    Returns
    -------
    Pipeline
        The same, fitted.
    """
    n_defaults = int(y.sum())
    n_others = len(y) - n_defaults
    if treatment == "class_weight":
        weights = np.where(y == 1, len(y) / (2 * n_defaults), len(y) / (2 * n_others))
        return pipeline.fit(X, y, model__sample_weight=weights)
    if treatment == "scale_pos_weight":
        pipeline.set_params(model__scale_pos_weight=n_others / n_defaults)
    return pipeline.fit(X, y)


def corrections(treatment: str) -> list[str]:
    """Return the corrections that a treatment allows: without one, no prior was moved."""
    return [name for name in CORRECTIONS if (treatment, name) != ("none", "prior_corrected")]


def prior_corrected(p: np.ndarray, *, base_rate: float, fitted_rate: float) -> np.ndarray:
    """Shift probabilities from the rate that was fitted on back to the population's.

    ``logit p' = logit p + log[π (1 − π_s) / ((1 − π) π_s)]`` (Elkan, IJCAI 2001; King
    & Zeng, Political Analysis 9, 2001). Exact for plain over- and undersampling and
    for class weights, only rough for SMOTE, which also moves the classes' shapes.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
    base_rate : float
        π, share of defaults among clients.
    fitted_rate : float
        π_s, share of defaults among the rows of the fit.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    shift = np.log(base_rate * (1 - fitted_rate) / ((1 - base_rate) * fitted_rate))
    return 1 / (1 + np.exp(-(logit(p) + shift)))
