"""The ladder of model families, each one scikit-learn or imbalanced-learn pipeline.

Whatever a family learns (scales, synthetic rows, weights, trees) it learns in
``fit``, so a fold's test rows cannot reach it. Linear families and SMOTE need
columns on one scale, so their pipelines start with a scaler; trees split on order
alone, a scorecard and splines bin or bend each column by itself, so they have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.models import steps
from creditrisk.models.blend import blend
from creditrisk.models.resampling import smote

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

LABELS = {
    "majority": "Base rate",
    "lookup": "Lookup of one column",
    "logistic_raw": "Logistic, raw columns",
    "logistic_states": "Logistic, one-hot states",
    "logistic_l1": "Logistic, L1",
    "logistic_l2": "Logistic, L2",
    "logistic_smote": "Logistic, L2, SMOTE",
    "scorecard": "Scorecard (weight of evidence)",
    "additive": "Additive splines",
    "random_forest": "Random forest",
    "xgboost": "XGBoost",
    "xgboost_smote": "XGBoost, SMOTE",
    "blend": "Blend of trees and networks",
}
"""Every family, simplest first, with its name in reports."""

# The states of `logistic_states` are the registry's family of that name: one definition
# of what a code means, so the step from it to `logistic_l2` is the other features alone.
LINEAR = ("logistic_raw", "logistic_states", "logistic_l1", "logistic_l2", "logistic_smote")
ONE_AT_A_TIME = ("logistic_l1",)
"""liblinear draws from one generator for the whole process, so two fits at a time would
take each other's draws and no longer repeat."""
MOSTLY_PYTHON = ("scorecard", "blend")
"""Their fits are many small steps that hold the interpreter's lock: folds run in processes."""
RESAMPLED = ("logistic_smote", "xgboost_smote")
EXPLAINED_EXACTLY = {
    "majority": "one number for everybody",
    "lookup": "one rate a code",
    "logistic_raw": "log-odds are a sum of one term a column",
    "logistic_states": "log-odds are a sum of one term a column",
    "logistic_l1": "log-odds are a sum of one term a column",
    "logistic_l2": "log-odds are a sum of one term a column",
    "scorecard": "points are a sum of one entry of the table a column",
    "additive": "log-odds are a sum of one curve a column",
    "xgboost": "log-odds are a sum of trees, whose Shapley values follow from the trees alone",
}
"""Family whose every prediction can be taken apart without sampling → the reason.

Not the forest and the blend: they average probabilities, so their parts do not add up in
log-odds, and deep trees and networks make exact values slow. Not the resampled arms: what they explain is the
probability in a population that does not exist.
"""


def make_scaler(kind: str) -> Any:
    """Return an unfitted scaler.

    Parameters
    ----------
    kind : {"standard", "robust"}
        Mean and standard deviation, or median and interquartile range.

    Raises
    ------
    UserError
        Naming the allowed kinds.
    """
    from sklearn.preprocessing import RobustScaler, StandardScaler

    kinds = {"standard": StandardScaler, "robust": RobustScaler}
    if kind not in kinds:
        raise UserError(f"scaler must be {' or '.join(kinds)}, got {kind!r}")
    return kinds[kind]()


def model_features(
    family: str, parameters: Mapping[str, Any], available: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the columns that a family reads, in order.

    Parameters
    ----------
    family : str
    parameters : mapping
        The family's parameters: ``features`` names families of the registry, ``column``
        (``lookup`` only) the one column of them that is used, ``directions``
        (``scorecard`` only) those that are used.
    available : mapping of str to sequence of str
        Features that models may use after the audit rule, by registry family. A
        registry family that the rule emptied counts as having none.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        Naming an unknown registry family or column and the allowed ones.
    """
    known = registry.families()
    where = f"train.families.{family}"
    if unknown := sorted(set(parameters["features"]) - set(known)):
        raise UserError(
            f"{where}.features: no feature family {', '.join(unknown)}; "
            f"there are: {', '.join(known)}"
        )
    names = [n for f in known if f in parameters["features"] for n in available.get(f, [])]
    if "directions" in parameters:
        return _directed(where, parameters, names)
    if "column" not in parameters:
        return names
    if parameters["column"] not in names:
        raise UserError(
            f"{where}.column: {parameters['column']!r} is not among the features of "
            f"{', '.join(parameters['features'])}"
        )
    return [parameters["column"]]


def _directed(where: str, parameters: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Keep the columns that have a direction; the audit rule may have taken some of them."""
    directed = {name for columns in parameters["directions"].values() for name in columns}
    existing = registry.select(parameters["features"], audit_attributes="include")
    if unknown := sorted(directed - set(existing)):
        raise UserError(
            f"{where}.directions: {', '.join(unknown)} not among the features of "
            f"{', '.join(parameters['features'])}"
        )
    return [name for name in names if name in directed]


def candidates(family: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one set of parameters for each point of a family's path.

    ``C`` given as a list is a path that cross-validation chooses from; a family
    without one has a single candidate.
    """
    path = parameters.get("C")
    if not isinstance(path, list | tuple):
        return [dict(parameters)]
    return [{**parameters, "C": value} for value in sorted(path)]


def build(
    family: str,
    parameters: Mapping[str, Any],
    *,
    scaler: str,
    n_jobs: int = 1,
    features: Sequence[str] = (),
) -> Pipeline:
    """Return a family's unfitted pipeline.

    Parameters
    ----------
    family : str
        A key of :data:`LABELS`.
    parameters : mapping
        Its parameters, with a single ``C``.
    scaler : {"standard", "robust"}
        For the pipelines that scale.
    n_jobs : int
        Threads of a fit of trees; its result does not depend on them.
    features : sequence of str
        Names of the columns; only ``scorecard`` and ``blend`` need them.

    Returns
    -------
    Pipeline
        Steps among ``scale``, ``resample``, ``encode``, ``expand`` and ``model``.

    Raises
    ------
    UserError
        For an unknown family, naming the known ones.
    """
    from imblearn.pipeline import Pipeline

    if family not in LABELS:
        raise UserError(f"no model family {family!r}; there are: {', '.join(LABELS)}")
    first: steps.Steps = []
    if family in (*LINEAR, *RESAMPLED):
        first.append(("scale", make_scaler(scaler)))
    if family in RESAMPLED:
        step = smote(k_neighbors=parameters["k_neighbors"], random_state=parameters["seed"])
        first.append(("resample", step))
    return Pipeline([*first, *_model_steps(family, parameters, n_jobs, list(features))])


def _model_steps(
    family: str, parameters: Mapping[str, Any], n_jobs: int, features: list[str]
) -> steps.Steps:
    """Return what a family learns with, after scaling and resampling."""
    if family in LINEAR:
        return steps.logistic(parameters, penalty="l1" if family == "logistic_l1" else "l2")
    if family in ("xgboost", "xgboost_smote"):
        return steps.boosted_trees(parameters, n_jobs)
    others: dict[str, Callable[[], steps.Steps]] = {
        "majority": steps.base_rate,
        "lookup": lambda: steps.lookup(parameters),
        "scorecard": lambda: steps.scorecard(parameters, features),
        "additive": lambda: steps.additive(parameters),
        "random_forest": lambda: steps.forest(parameters, n_jobs),
        "blend": lambda: [("model", blend(parameters, features))],
    }
    return others[family]()
