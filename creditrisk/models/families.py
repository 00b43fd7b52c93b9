"""The ladder of model families, each one scikit-learn or imbalanced-learn pipeline.

Whatever a family learns (scales, synthetic rows, weights, trees) it learns in
``fit``, so a fold's test rows cannot reach it. Linear families and SMOTE need
columns on one scale, so their pipelines start with a scaler; trees split on order
alone, so the plain boosted trees have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.models.resampling import smote

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

LABELS = {
    "majority": "Base rate",
    "lookup": "Lookup of one column",
    "logistic_l1": "Logistic, L1",
    "logistic_l2": "Logistic, L2",
    "logistic_smote": "Logistic, L2, SMOTE",
    "xgboost": "XGBoost",
    "xgboost_smote": "XGBoost, SMOTE",
}
"""Every family, simplest first, with its name in reports."""

LINEAR = ("logistic_l1", "logistic_l2", "logistic_smote")
ONE_AT_A_TIME = ("logistic_l1",)
"""liblinear draws from one generator for the whole process, so two fits at a time would
take each other's draws and no longer repeat."""
RESAMPLED = ("logistic_smote", "xgboost_smote")

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
        (``lookup`` only) the one column of them that is used.
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
    if "column" not in parameters:
        return names
    if parameters["column"] not in names:
        raise UserError(
            f"{where}.column: {parameters['column']!r} is not among the features of "
            f"{', '.join(parameters['features'])}"
        )
    return [parameters["column"]]


def candidates(family: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one set of parameters for each point of a family's path.

    ``C`` given as a list is a path that cross-validation chooses from; a family
    without one has a single candidate.
    """
    path = parameters.get("C")
    if not isinstance(path, list | tuple):
        return [dict(parameters)]
    return [{**parameters, "C": value} for value in sorted(path)]


def build(family: str, parameters: Mapping[str, Any], *, scaler: str, n_jobs: int = 1) -> Pipeline:
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
        Threads of XGBoost; its result does not depend on them.

    Returns
    -------
    Pipeline
        Steps among ``scale``, ``resample`` and ``model``.

    Raises
    ------
    UserError
        For an unknown family, naming the known ones.
    """
    from imblearn.pipeline import Pipeline

    if family not in LABELS:
        raise UserError(f"no model family {family!r}; there are: {', '.join(LABELS)}")
    steps: list[tuple[str, Any]] = []
    if family in (*LINEAR, *RESAMPLED):
        steps.append(("scale", make_scaler(scaler)))
    if family in RESAMPLED:
        step = smote(k_neighbors=parameters["k_neighbors"], random_state=parameters["seed"])
        steps.append(("resample", step))
    return Pipeline([*steps, *_model_steps(family, parameters, n_jobs)])


def _model_steps(family: str, parameters: Mapping[str, Any], n_jobs: int) -> list[tuple[str, Any]]:
    if family == "majority":
        from sklearn.dummy import DummyClassifier

        return [("model", DummyClassifier(strategy="prior"))]
    if family == "lookup":
        return _lookup_steps(parameters["alpha"])
    if family in LINEAR:
        return [("model", _logistic(family, parameters))]
    from xgboost import XGBClassifier

    model = XGBClassifier(
        **{name: parameters[name] for name in TREE_PARAMETERS},
        random_state=parameters["seed"],
        n_jobs=n_jobs,
    )
    return [("model", model)]


def _lookup_steps(alpha: float) -> list[tuple[str, Any]]:
    """Bayes' rule on one code: the default rate of each code, smoothed by ``alpha``."""
    from sklearn.naive_bayes import CategoricalNB
    from sklearn.preprocessing import OrdinalEncoder

    codes = [float(code) for code in range(schema.STATUS_MIN, schema.STATUS_MAX + 1)]
    encode = OrdinalEncoder(categories=[codes], dtype=int)
    return [("encode", encode), ("model", CategoricalNB(alpha=alpha, min_categories=len(codes)))]


def _logistic(family: str, parameters: Mapping[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    if family == "logistic_l1":
        # coordinate descent, five times as fast as saga here; it penalises the intercept,
        # which the large scaling makes negligible
        solver = {"solver": "liblinear", "l1_ratio": 1.0, "intercept_scaling": 100.0}
    else:
        solver = {"solver": "newton-cholesky", "l1_ratio": 0.0}
    return LogisticRegression(
        C=parameters["C"],
        tol=parameters["tol"],
        max_iter=parameters["max_iter"],
        random_state=parameters["seed"],
        **solver,
    )
