"""What is kept of the champion: trees without pickle, names, scaler, public split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.metrics import discrimination
from creditrisk.models.families import make_scaler
from creditrisk.models.training import predict

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

Array = np.ndarray

PUBLIC_TEST_SHARE, PUBLIC_SEED = 0.2, 42
"""The split that public work on this table uses: scikit-learn's, stratified."""


def booster_bytes(pipeline: Pipeline, family: str) -> bytes:
    """Return the champion's trees in XGBoost's own format (UBJSON).

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of a single boosted-tree step: what is served takes the features as
        they are.
    family : str
        For the message.

    Raises
    ------
    UserError
        When the family cannot be served as trees alone.
    """
    model = pipeline.named_steps["model"]
    if not hasattr(model, "get_booster") or len(pipeline.steps) > 1:
        raise UserError(
            f"evaluate.champion.among: {family} cannot be served; only boosted trees "
            "without a scaler or resampling can"
        )
    return bytes(model.get_booster().save_raw("ubj"))


def research_scaler(pipeline: Pipeline, X: Array, labels: pd.DataFrame, kind: str) -> Any:
    """Return a scaler fitted on the champion's features, in their order.

    The champion's own where its pipeline scales; trees need none, so for them it is
    fitted here, on the same training rows, for work on the features outside.

    Parameters
    ----------
    pipeline : Pipeline
        The fitted champion.
    X : ndarray of float, shape (n, k)
        Every row.
    labels : DataFrame, n rows
        With split and fit_row: only training rows that may enter a fit are used.
    kind : {"standard", "robust"}
    """
    if "scale" in pipeline.named_steps:
        return pipeline.named_steps["scale"]
    fitted = (labels[schema.SPLIT] == schema.TRAIN) & labels[schema.FIT_ROW]
    return make_scaler(kind).fit(X[fitted.to_numpy()])


def public_split_auc(pipeline: Pipeline, X: Array, labels: pd.DataFrame, *, n_jobs: int) -> float:
    """Fit the champion's recipe on the split of public work and return its ROC AUC.

    ``train_test_split(test_size=0.2, random_state=42, stratify=y)`` of all rows in
    canonical order, none dropped. Twins may lie on both sides there: the figure is
    for comparison with public work only.

    Parameters
    ----------
    pipeline : Pipeline
        A clone of it is fitted.
    X : ndarray of float, shape (n, k)
        Every row, sorted by ID; all 23 raw columns are among the sources.
    labels : DataFrame, n rows
        With the target.
    n_jobs : int
        Threads of XGBoost.
    """
    from sklearn.base import clone
    from sklearn.model_selection import train_test_split

    y = labels[schema.TARGET].to_numpy()
    X_fit, X_test, y_fit, y_test = train_test_split(
        X, y, test_size=PUBLIC_TEST_SHARE, random_state=PUBLIC_SEED, stratify=y
    )
    model = clone(pipeline)
    if hasattr(model.named_steps["model"], "get_booster"):
        model.set_params(model__n_jobs=n_jobs)
    model.fit(X_fit, y_fit)
    return discrimination.roc_auc(y_test, predict(model, X_test))


def champion_document(
    family: str,
    features: Sequence[str],
    *,
    calibration: Mapping[str, float] | None,
    policy: Mapping[str, Any],
    band: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return ``champion.json``: all that the service needs beside the trees.

    Parameters
    ----------
    family : str
    features : sequence of str
        In the order of the trees' columns.
    calibration : mapping or None
        ``slope`` and ``intercept`` in log-odds; None where the probabilities are served
        as the trees give them.
    policy : mapping
        ``grades`` (seven bounds of probability) and ``threshold`` (``name``, ``value``,
        ``basis``): a client at or above its value is flagged.
    band : mapping or None
        The refit band of :func:`creditrisk.validation.refits.build_band`; None where the
        study behind it speaks of another champion.

    Returns
    -------
    dict
        ``interval`` only where there is a band.
    """
    document = {
        "family": family,
        "features": list(features),
        "calibration": calibration,
        "policy": {name: policy[name] for name in ("grades", "threshold")},
    }
    return document if band is None else {**document, "interval": dict(band)}
