"""Variants of a recipe: other settings of the model, other models around it, other rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from creditrisk.models.rows import TrainingRows
from creditrisk.validation.idea_steps import scaled_logistic

Array = np.ndarray
Recipe = Callable[[Any, Sequence[str]], Any]
"""An unfitted model and the names of the base columns → another unfitted model."""

RISES = (
    "n_late_2plus",
    "n_late_any",
    "max_months_past_due",
    "mean_months_past_due",
    "weighted_delay",
    "delay_run",
)
"""Delay features with which the risk should never fall."""
FALLS = ("months_since_delay",)


def settings(**changes: Any) -> Recipe:
    """Return the recipe with some settings of the model replaced."""
    return lambda model, _names: model.set_params(**changes)


def scaled_settings(**factors: float) -> Recipe:
    """Return the recipe with some settings multiplied, whole numbers kept whole."""

    def recipe(model: Any, _names: Sequence[str]) -> Any:
        old = model.get_params()
        return model.set_params(**{k: type(old[k])(old[k] * f) for k, f in factors.items()})

    return recipe


def monotone_delay(model: Any, names: Sequence[str]) -> Any:
    """Return trees that may not lower the risk where delay grows."""
    signs = {**dict.fromkeys(RISES, 1), **dict.fromkeys(FALLS, -1)}
    return model.set_params(monotone_constraints=tuple(signs.get(name, 0) for name in names))


def status_apart_from_amounts(model: Any, names: Sequence[str]) -> Any:
    """Return trees in which a branch splits on status or on amounts, never on both."""
    from creditrisk.features import registry

    status = {f.name for f in registry.all_features() if f.family in ("status_codes", "delay")}
    sides = [[i for i, n in enumerate(names) if (n in status) is side] for side in (True, False)]
    # as text: XGBoost takes a list for one of column names, which a matrix has not
    return model.set_params(interaction_constraints=str([side for side in sides if side]))


def four_seeds(model: Any, _names: Sequence[str]) -> Any:
    """Return the mean of four fits that differ in their seed alone."""
    from sklearn.base import clone
    from sklearn.ensemble import VotingClassifier

    members = [(f"seed {s}", clone(model).set_params(random_state=s)) for s in range(4)]
    return VotingClassifier(members, voting="soft")


def blend_with_logistic(model: Any, names: Sequence[str]) -> Any:
    """Return trees on the base columns and a logistic on those behind, averaged 2 : 1."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import VotingClassifier
    from sklearn.pipeline import make_pipeline

    n = len(names)
    trees = make_pipeline(ColumnTransformer([("base", "passthrough", slice(0, n))]), model)
    behind = ColumnTransformer([("linear", "passthrough", slice(n, None))])
    linear = make_pipeline(behind, scaled_logistic())
    return VotingClassifier([("trees", trees), ("linear", linear)], voting="soft", weights=[2, 1])


def all_rows(rows: TrainingRows) -> Array:
    """Let the rows under the outlier rule enter the fit."""
    return np.ones(len(rows.y), dtype=bool)


def one_row_per_group(rows: TrainingRows) -> Array:
    """Let one row of each group enter the fit: of twins and duplicates, the first."""
    allowed = np.flatnonzero(rows.fit_row)
    _, first = np.unique(rows.groups[allowed], return_index=True)
    chosen = np.zeros(len(rows.y), dtype=bool)
    chosen[allowed[first]] = True
    return chosen
