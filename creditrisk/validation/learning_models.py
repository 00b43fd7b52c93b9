"""The models of the study ``learning``: for its learning curves and for its refits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from creditrisk.models.families import LABELS, build
from creditrisk.validation.bias_variance import unpruned_tree
from creditrisk.validation.regularisation import Walk, chosen_inside

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Recipes = Mapping[str, Mapping[str, Any]]

PENALISED = ("logistic_l1", "logistic_l2")
LINE, TREES = "logistic_l2", "xgboost"
"""A stiff and a flexible family, for learning curves and refits."""

FAMILIES = (*PENALISED, TREES)


def sample_pipeline(
    family: str, recipes: Recipes, walks: Mapping[str, Walk], scaler: str
) -> Callable[[int, float], Pipeline]:
    """Return what makes a family's pipeline for a share of an outer fold's clients.

    Parameters
    ----------
    family : str
    recipes : mapping
    walks : mapping of family to Walk
    scaler : str

    Returns
    -------
    callable
        Fold, share → Pipeline. A family with a path has the C that was chosen inside the
        fold, divided by the share: C weighs the sum of the rows' losses, so that the
        penalty keeps its weight against each row. Trees keep their settings.
    """
    if family not in walks:
        return lambda fold, share: build(family, recipes[family], scaler=scaler)
    chosen = chosen_inside(walks[family])
    return lambda fold, share: build(
        family, {**recipes[family], "C": chosen[fold] / share}, scaler=scaler
    )


def stiff_to_flexible(
    recipes: Recipes,
    chosen: float,
    *,
    penalties: Sequence[float],
    trees: Sequence[Mapping[str, float]],
    scaler: str,
    random_state: int,
) -> dict[str, tuple[str, Pipeline]]:
    """Return the models that are refitted: name → family whose rows it reads, pipeline.

    Parameters
    ----------
    recipes : mapping
    chosen : float
        C, chosen without the rows that the refits are judged on.
    penalties : sequence of float
        C of further logistic regressions.
    trees : sequence of mapping
        Changes of the boosted trees' recipe.
    scaler : str
    random_state : int
        Of the unpruned tree.

    Returns
    -------
    dict
        Penalties from strong to weak, trees in the order given, one unpruned tree.
    """
    models = {}
    for C in sorted({*penalties, chosen}):
        name = f"{LABELS[LINE]}, C = {C:g}" + (" (chosen)" if chosen == C else "")
        models[name] = (LINE, build(LINE, {**recipes[LINE], "C": C}, scaler=scaler))
    for change in trees:
        recipe = {**recipes[TREES], **change}
        name = f"{LABELS[TREES]}, {recipe['n_estimators']} trees of depth {recipe['max_depth']}"
        models[name] = (TREES, build(TREES, recipe, scaler=scaler))
    tree = unpruned_tree(random_state=random_state)
    return {**models, "One unpruned tree": (TREES, tree)}
