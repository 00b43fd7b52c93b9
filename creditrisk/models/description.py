"""What is stored of a trained family beside its pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.features import registry
from creditrisk.models.families import LABELS
from creditrisk.models.rows import TrainingRows
from creditrisk.models.training import TrainedFamily

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def summarize(
    family: str,
    trained: TrainedFamily,
    rows: TrainingRows,
    *,
    features: Sequence[str],
    scaler: str,
) -> dict[str, Any]:
    """Return all that is stored of a trained family beside its pipeline.

    Parameters
    ----------
    family : str
    trained : TrainedFamily
    rows : TrainingRows
    features : sequence of str, length k
    scaler : str

    Returns
    -------
    dict
        Plain values; ``headline`` holds the figures that DVC shows as metrics.
        ``feature_families`` are the registry's families with a feature among them;
        ``scorecard`` (that family only) is
        :func:`creditrisk.models.scorecard_tables.document`.
    """
    used = set(features)
    known = registry.all_features()
    document = {
        "headline": {"n_features": len(features), "cv": trained.cv},
        "family": family,
        "label": LABELS[family],
        "features": list(features),
        "feature_families": list(dict.fromkeys(f.family for f in known if f.name in used)),
        "n_parameters": n_parameters(trained.pipeline),
        "scaler": scaler,
        "is_scaled": "scale" in trained.pipeline.named_steps,
        "parameters": trained.parameters,
        "n_rows": len(rows.y),
        "n_fit_rows": int(rows.fit_row.sum()),
        "cv": trained.cv,
        "folds": trained.folds,
        "path": trained.path,
        "weights": weights(trained.pipeline, features),
    }
    if family == "scorecard":
        from creditrisk.models import scorecard_tables

        card = trained.pipeline.named_steps["model"]
        document["scorecard"] = scorecard_tables.document(card, rows.X)
    return document


def n_parameters(pipeline: Pipeline) -> int:
    """Return how many numbers a fit has set, by its kind.

    Leaves of boosted trees and of forests (not their splits); weights of networks; bins of
    a scorecard that carry points, and the start of each card; non-zero coefficients and
    the intercept of a logistic regression; codes of a lookup; one for the base rate. Kinds
    differ in how free their numbers are, so it is a measure of size, not of overfitting.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.

    Returns
    -------
    int
    """
    return _count(pipeline.named_steps["model"])


def _count(model: Any) -> int:
    """Return the numbers that one fitted model has set."""
    if hasattr(model, "get_booster"):
        return sum(tree.count("leaf=") for tree in model.get_booster().get_dump())
    if hasattr(model, "steps"):
        return _count(model[-1])
    if hasattr(model, "named_estimators_"):  # a blend
        return sum(map(_count, model.named_estimators_.values()))
    if hasattr(model, "coefs_"):  # a network
        return sum(w.size for w in (*model.coefs_, *model.intercepts_))
    if hasattr(model, "estimators_") and hasattr(model.estimators_[0], "coefs_"):
        return sum(map(_count, model.estimators_))
    if hasattr(model, "estimators_"):
        return sum(tree.get_n_leaves() for tree in model.estimators_)
    if hasattr(model, "cards_"):
        return sum(sum(map(len, card.points)) + 1 for card in model.cards_)
    if hasattr(model, "coef_"):
        return int(np.count_nonzero(model.coef_)) + 1
    if hasattr(model, "n_categories_"):
        return int(model.n_categories_.sum())
    return 1


def weights(pipeline: Pipeline, features: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a fitted family says of its features, strongest first.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    features : sequence of str, length k

    Returns
    -------
    list of dict
        ``feature`` and, for linear models, ``coefficient`` (log-odds per unit of the
        scaled column), for trees ``gain_share`` (share of the total gain of splits).
        Empty for families with neither, and where a column has many coefficients.
    """
    model = pipeline.named_steps["model"]
    if hasattr(model, "get_booster"):
        gain = model.get_booster().get_score(importance_type="total_gain")
        total = sum(gain.values()) or 1.0
        values = [gain.get(f"f{i}", 0.0) / total for i in range(len(features))]
        key = "gain_share"
    elif hasattr(model, "feature_importances_"):
        values, key = model.feature_importances_.tolist(), "gain_share"
    elif hasattr(model, "coef_") and "expand" not in pipeline.named_steps:
        values, key = model.coef_[0].tolist(), "coefficient"
    else:
        return []
    order = np.argsort(-np.abs(values), kind="stable")
    return [{"feature": features[i], key: float(values[i])} for i in order]
