"""Fitted steps of ideas: what they learn, they learn in ``fit``, inside the pipeline.

The base classes are scikit-learn's, so this module loads it; only the study of
ideas imports this module, never a stage or the service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone

Array = np.ndarray

INNER_FOLDS = 3
"""Folds inside a fit, for columns that are predictions of a model."""


def inner_folds() -> Any:
    """Return the splitter of the rows of one fit, stratified by what is predicted."""
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=0)


class PeerDifferences(TransformerMixin, BaseEstimator):
    """Quantities less their median among clients of a like limit.

    Parameters
    ----------
    n_bands : int
        Bands of the limit, at its quantiles.
    """

    def __init__(self, n_bands: int = 10) -> None:
        self.n_bands = n_bands

    def fit(self, X: Array, y: Array | None = None) -> PeerDifferences:
        """Learn the bands of column 0 and the medians of the other columns in each."""
        inner = np.linspace(0, 1, self.n_bands + 1)[1:-1]
        self.edges_ = np.unique(np.quantile(X[:, 0], inner))
        band = self._band(X)
        overall = np.median(X[:, 1:], axis=0)
        self.medians_ = np.array(
            [
                np.median(X[band == b, 1:], axis=0) if (band == b).any() else overall
                for b in range(len(self.edges_) + 1)
            ]
        )
        return self

    def _band(self, X: Array) -> Array:
        return np.searchsorted(self.edges_, X[:, 0], side="right")

    def transform(self, X: Array) -> Array:
        """Return the differences, shape (n, k − 1)."""
        return X[:, 1:] - self.medians_[self._band(X)]


class WeightOfEvidence(TransformerMixin, BaseEstimator):
    """Each column as the weight of evidence of its bin, positive where default is likely.

    ``log(share of defaults in the bin / share of others in the bin)``, half a client
    added to every count. Bins lie at quantiles; a column of few values has one bin each.

    Parameters
    ----------
    n_bins : int
        At most.
    """

    def __init__(self, n_bins: int = 20) -> None:
        self.n_bins = n_bins

    def fit(self, X: Array, y: Array) -> WeightOfEvidence:
        """Learn bins and weights of every column."""
        inner = np.linspace(0, 1, self.n_bins + 1)[1:-1]
        self.edges_ = [self._edges(column, inner) for column in X.T]
        self.weights_ = []
        for column, edges in zip(X.T, self.edges_, strict=True):
            bins = np.searchsorted(edges, column, side="right")
            counts = [
                np.bincount(bins[y == label], minlength=len(edges) + 1) + 0.5 for label in (1, 0)
            ]
            self.weights_.append(
                np.log(counts[0] / counts[0].sum() / (counts[1] / counts[1].sum()))
            )
        return self

    def _edges(self, column: Array, inner: Array) -> Array:
        values = np.unique(column)
        return values[1:] if len(values) <= self.n_bins else np.unique(np.quantile(column, inner))

    def transform(self, X: Array) -> Array:
        """Return the weights, shape (n, k)."""
        parts = zip(X.T, self.edges_, self.weights_, strict=True)
        return np.array([w[np.searchsorted(e, column, side="right")] for column, e, w in parts]).T


class OutOfFold(TransformerMixin, BaseEstimator):
    """The probability that a model inside the fit gives, as a column.

    Rows of the fit get theirs from inner folds that left them out, as rows that the
    fit never saw would; those get it from the model fitted on all rows of the fit.

    Parameters
    ----------
    estimator : classifier
    own_target : bool
        True: column 0 is what the model predicts from the others, and the surprise
        (column 0 less the probability) is returned too. False: it predicts ``y``.
    """

    def __init__(self, estimator: Any, *, own_target: bool = False) -> None:
        self.estimator = estimator
        self.own_target = own_target

    def _parts(self, X: Array, y: Array | None) -> tuple[Array, Array | None]:
        """Return inputs and target."""
        return (X[:, 1:], X[:, 0].astype(int)) if self.own_target else (X, y)

    def _columns(self, X: Array, p: Array) -> Array:
        return np.column_stack([p, X[:, 0] - p] if self.own_target else [p])

    def fit(self, X: Array, y: Array) -> OutOfFold:
        """Fit the model on all rows."""
        inputs, target = self._parts(X, y)
        self.model_ = clone(self.estimator).fit(inputs, target)
        return self

    def transform(self, X: Array) -> Array:
        """Return the columns for rows that the fit never saw."""
        return self._columns(X, self.model_.predict_proba(self._parts(X, None)[0])[:, 1])

    def fit_transform(self, X: Array, y: Array, **_: Any) -> Array:
        """Fit, and return the columns of the rows of the fit, out of their inner folds."""
        from sklearn.model_selection import cross_val_predict

        inputs, target = self._parts(X, y)
        p = cross_val_predict(
            self.estimator, inputs, target, cv=inner_folds(), method="predict_proba"
        )
        self.fit(X, y)
        return self._columns(X, p[:, 1])


def appended(make: Callable[[], Any]) -> Callable[[int], Any]:
    """Return a step that leaves the base columns and transforms those behind them.

    Parameters
    ----------
    make : callable
        Returns an unfitted transformer.

    Returns
    -------
    callable
        Number of base columns → transformer of the whole matrix.
    """
    from sklearn.compose import ColumnTransformer

    def step(n_base: int) -> Any:
        return ColumnTransformer(
            [("base", "passthrough", slice(0, n_base)), ("idea", make(), slice(n_base, None))]
        )

    return step


def path_encoder() -> Any:
    """Return a target encoder with empirical-Bayes smoothing, cross-fitted inside the fit."""
    from sklearn.preprocessing import TargetEncoder

    return TargetEncoder(target_type="binary", smooth="auto", cv=inner_folds())


def september_model() -> OutOfFold:
    """Return the model of September's delay from the months before it."""
    from xgboost import XGBClassifier

    trees = XGBClassifier(
        max_depth=3, n_estimators=60, learning_rate=0.15, reg_lambda=10, max_bin=64, n_jobs=1
    )
    return OutOfFold(trees, own_target=True)


def scaled_logistic() -> Any:
    """Return a scaled L2 logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.001, solver="newton-cholesky"))


def stacked_logistic() -> OutOfFold:
    """Return a logistic regression's probability."""
    return OutOfFold(scaled_logistic())


def quantiles(_n_base: int) -> Any:
    """Return the step that spreads every column evenly between 0 and 1."""
    from sklearn.preprocessing import QuantileTransformer

    return QuantileTransformer(n_quantiles=200, subsample=None)


def splines(n_base: int) -> Any:
    """Return the step that gives every column a curve with bends at its quartiles."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    # knots at quantiles of the values themselves would coincide where values repeat
    curves = SplineTransformer(n_knots=5, degree=2, include_bias=False)
    pipeline = make_pipeline(quantiles(n_base), curves)
    return ColumnTransformer([("all", pipeline, slice(0, n_base))])


def evidence(_n_base: int) -> Any:
    """Return the step that replaces every column by its weight of evidence."""
    return WeightOfEvidence()
