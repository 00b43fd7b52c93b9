"""The last steps of each family's pipeline: what it learns with, scaled or not before.

One small function a kind. scikit-learn, XGBoost and optbinning are imported inside,
because a stage needs one of them at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk import schema

Array = np.ndarray
Steps = list[tuple[str, Any]]
Parameters = Mapping[str, Any]

TREE_PARAMETERS = (
    "max_depth",
    "n_estimators",
    "learning_rate",
    "min_child_weight",
    "subsample",
    "colsample_bynode",
    "reg_lambda",
    "max_bin",
)
FOREST_PARAMETERS = ("n_estimators", "min_samples_leaf", "max_features", "max_samples")
CARD_PARAMETERS = (
    "segments",
    "directions",
    "max_bins",
    "max_prebins",
    "min_bin_share",
    "min_information_value",
    "max_correlation",
    "C",
    "tol",
    "max_iter",
    "pdo",
    "anchor_points",
    "anchor_odds",
)
MAX_LEVELS = schema.STATUS_MAX - schema.STATUS_MIN + 1
"""A column with at most as many values as there are status codes is one of levels."""


def base_rate() -> Steps:
    """Return the share of defaults for everybody."""
    from sklearn.dummy import DummyClassifier

    return [("model", DummyClassifier(strategy="prior"))]


def lookup(parameters: Parameters) -> Steps:
    """Return Bayes' rule on one code: its default rate, smoothed by ``alpha``."""
    from sklearn.naive_bayes import CategoricalNB
    from sklearn.preprocessing import OrdinalEncoder

    codes = [float(code) for code in range(schema.STATUS_MIN, schema.STATUS_MAX + 1)]
    encode = OrdinalEncoder(categories=[codes], dtype=int)
    model = CategoricalNB(alpha=parameters["alpha"], min_categories=len(codes))
    return [("encode", encode), ("model", model)]


def logistic(parameters: Parameters, *, penalty: str = "l2") -> Steps:
    """Return a logistic regression with one penalty.

    Parameters
    ----------
    parameters : mapping
        With ``C`` (one number), ``tol``, ``max_iter`` and ``seed``.
    penalty : {"l1", "l2"}
    """
    from sklearn.linear_model import LogisticRegression

    if penalty == "l1":
        # coordinate descent, five times as fast as saga here; it penalises the intercept,
        # which the large scaling makes negligible
        solver = {"solver": "liblinear", "l1_ratio": 1.0, "intercept_scaling": 100.0}
    else:
        solver = {"solver": "newton-cholesky", "l1_ratio": 0.0}
    model = LogisticRegression(
        C=parameters["C"],
        tol=parameters["tol"],
        max_iter=parameters["max_iter"],
        random_state=parameters["seed"],
        **solver,
    )
    return [("model", model)]


def scorecard(parameters: Parameters, features: Sequence[str]) -> Steps:
    """Return cards of points, which bind segments and directions to names of columns."""
    from creditrisk.models.scorecard import Scorecard

    card = Scorecard(features=features, **{name: parameters[name] for name in CARD_PARAMETERS})
    return [("model", card)]


def additive(parameters: Parameters) -> Steps:
    """Return a sum of one smooth curve a column: splines and levels, ridge-penalised.

    A column of few values (a code, a count) gets a weight for each of them, one of many
    a spline with knots at quantiles of the rows of the fit; beyond the outermost knots
    it stays constant, so an amount never seen cannot run away. A level that the fit
    hardly saw shares the weight of the other rare ones.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, SplineTransformer

    splines = SplineTransformer(
        n_knots=parameters["n_knots"],
        degree=parameters["degree"],
        knots="quantile",
        extrapolation="constant",
        include_bias=False,
    )
    levels = OneHotEncoder(
        min_frequency=parameters["min_level_rows"],
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    expand = ColumnTransformer([("splines", splines, many_valued), ("levels", levels, few_valued)])
    return [("expand", expand), *logistic(parameters)]


def few_valued(X: Array) -> list[int]:
    """Return the columns of at most :data:`MAX_LEVELS` distinct values."""
    return [j for j, x in enumerate(X.T) if len(np.unique(x)) <= MAX_LEVELS]


def many_valued(X: Array) -> list[int]:
    """Return the columns that :func:`few_valued` leaves."""
    few = set(few_valued(X))
    return [j for j in range(X.shape[1]) if j not in few]


def forest(parameters: Parameters, n_jobs: int) -> Steps:
    """Return a random forest.

    It adds up its trees in the order in which threads end, so only a fit may take
    several; :func:`creditrisk.models.training.portable` sets it back for predictions.
    """
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        **{name: parameters[name] for name in FOREST_PARAMETERS},
        random_state=parameters["seed"],
        n_jobs=n_jobs,
    )
    return [("model", model)]


def boosted_trees(parameters: Parameters, n_jobs: int) -> Steps:
    """Return gradient-boosted trees."""
    from xgboost import XGBClassifier

    model = XGBClassifier(
        **{name: parameters[name] for name in TREE_PARAMETERS},
        random_state=parameters["seed"],
        n_jobs=n_jobs,
    )
    return [("model", model)]
