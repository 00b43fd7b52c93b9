"""A rule on outliers as a fit meets it: bounds from a fold's training rows, test rows as they are.

Rows are dropped, or values clipped and features computed anew, on the training side
only. The pipeline's own removal (``fit_row``) plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.outliers import compute_bounds, flag_rows, winsorise
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.models.training import predict

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

Array = np.ndarray
Bounds = dict[str, tuple[float, float]]
Cell = tuple[str, str]
"""Model, arm."""

COLUMNS = {
    "asked": ("AGE", schema.LIMIT),
    "amounts": ("AGE", schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS),
}
"""The columns that were asked for, and those that public work filters on."""
BASE = "none"
"""The arm without any treatment, from which the others differ."""


@dataclass(frozen=True)
class Arm:
    """A rule on some columns and what is done with the rows that it flags.

    Attributes
    ----------
    columns : {"asked", "amounts"}
        A key of :data:`COLUMNS`.
    rule : {"zscore", "iqr", "both"}
    treatment : {"remove", "winsorise", "thin"}
        ``thin`` is the control of ``remove``: as many rows are dropped, but at random.
    """

    columns: str
    rule: str
    treatment: str

    @property
    def id(self) -> str:
        """Return a name that is unique among arms."""
        return f"{self.columns}_{self.rule}_{self.treatment}"


@dataclass(frozen=True)
class Outcome:
    """What one model under one arm gave.

    Attributes
    ----------
    probability : ndarray of float, shape (n_repeats, n)
        Out of fold.
    flagged : ndarray of bool, shape (n_repeats, n)
        Rows outside of the bounds that the other folds gave.
    treated_shares : list of float
        Share of each fold's training rows that the arm treats.
    """

    probability: Array
    flagged: Array
    treated_shares: list[float]

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> Outcome:
        """Return an outcome to be filled."""
        return cls(np.full(shape, np.nan), np.zeros(shape, dtype=bool), [])


@dataclass(frozen=True)
class Model:
    """An unfitted pipeline on its features."""

    label: str
    pipeline: Pipeline
    parameters: Mapping[str, Any]
    features: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """Thresholds of both rules (standard deviations, interquartile ranges), and a seed."""

    z: float
    iqr_factor: float
    random_state: int

    def bounds(self, clients: pd.DataFrame, arm: Arm) -> Bounds:
        """Return the bounds of the arm's columns, learnt from these rows."""
        return {
            name: compute_bounds(
                clients[name].to_numpy(float), arm.rule, z=self.z, iqr_factor=self.iqr_factor
            )
            for name in COLUMNS[arm.columns]
        }


def fit_arm(
    clients: pd.DataFrame,
    models: Mapping[str, Model],
    X: Mapping[str, Array],
    arm: Arm | None,
    setting: Setting,
    *,
    tested: Array,
) -> dict[str, Any]:
    """Fit the models on one fold's training rows as an arm treats them.

    Parameters
    ----------
    clients : DataFrame, n rows
    models : mapping of name to Model
    X : mapping of name to ndarray, shape (n, k)
        Each model's features of the untreated values.
    arm : Arm, optional
        None fits the rows as they are.
    setting : Setting
    tested : ndarray of bool, shape (n,)
        Test rows: neither bounds nor fits read them, and they are never treated.

    Returns
    -------
    dict
        ``probability`` by model and ``flagged`` (outside of the bounds), of the test
        rows; ``treated_share``, of the training rows.
    """
    from sklearn.base import clone

    y, fitted_on = clients[schema.TARGET].to_numpy(), ~tested
    flagged, fit_X = np.zeros(len(y), dtype=bool), {n: x[fitted_on] for n, x in X.items()}
    if arm is not None:
        train = clients.loc[fitted_on]
        bounds = setting.bounds(train, arm)
        flagged = flag_rows(clients, bounds)
        if arm.treatment != "winsorise":
            gone = flagged if arm.treatment == "remove" else _at_random(flagged, tested, setting)
            fitted_on = fitted_on & ~gone
            fit_X = {name: x[fitted_on] for name, x in X.items()}
        else:
            clipped = from_frame(winsorise(train, bounds, np.ones(len(train), dtype=bool)))
            fit_X = {n: registry.compute(clipped, models[n].features) for n in models}
    probability = {
        name: predict(clone(model.pipeline).fit(fit_X[name], y[fitted_on]), X[name][tested])
        for name, model in models.items()
    }
    return {
        "probability": probability,
        "flagged": flagged[tested],
        "treated_share": float(flagged[~tested].mean()),
    }


def _at_random(flagged: Array, tested: Array, setting: Setting) -> Array:
    """Mark as many training rows as are flagged, drawn without replacement."""
    train = np.flatnonzero(~tested)
    rng = np.random.default_rng([setting.random_state, int(train.sum())])  # each fold its own
    drawn = np.zeros(len(flagged), dtype=bool)
    drawn[rng.permutation(train)[: flagged[train].sum()]] = True
    return drawn


def cross_fit(
    clients: pd.DataFrame,
    models: Mapping[str, Model],
    arms: Sequence[Arm],
    setting: Setting,
    folds: Array,
    *,
    n_jobs: int,
    progress: Callable[[str], None],
) -> dict[Cell, Outcome]:
    """Fit every model under every arm, and untreated, on every fold.

    Parameters
    ----------
    clients : DataFrame, n rows
    models : mapping of name to Model
    arms : sequence of Arm
    setting : Setting
    folds : ndarray of int, shape (n_repeats, n)
        From :func:`~creditrisk.models.folds.deal_folds`.
    n_jobs : int
        Fits at a time, in threads; the result does not depend on it.
    progress : callable
        Gets one short line a fold.

    Returns
    -------
    dict of (model, arm) to Outcome
    """
    from joblib import Parallel, delayed

    record = from_frame(clients)
    X = {name: registry.compute(record, model.features) for name, model in models.items()}
    treated: list[Arm | None] = [None, *arms]
    tests = [(r, folds[r] == fold) for r in range(len(folds)) for fold in np.unique(folds[r])]
    found = {
        (name, arm.id if arm else BASE): Outcome.empty(folds.shape)
        for name in models
        for arm in treated
    }

    def run(arm: Arm | None, tested: Array) -> dict[str, Any]:
        return fit_arm(clients, models, X, arm, setting, tested=tested)

    # threads: both solvers release the interpreter's lock
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    done = parallel(delayed(run)(arm, tested) for _, tested in tests for arm in treated)
    for i, (repeat, tested) in enumerate(tests, 1):
        for arm, fitted in zip(treated, done, strict=False):
            for name in models:
                outcome = found[name, arm.id if arm else BASE]
                outcome.probability[repeat, tested] = fitted["probability"][name]
                outcome.flagged[repeat, tested] = fitted["flagged"]
                outcome.treated_shares.append(fitted["treated_share"])
        progress(f"{i} of {len(tests)} folds, {len(treated)} arms each")
    return found


def who(
    clients: pd.DataFrame, arms: Sequence[Arm], setting: Setting, *, alpha: float
) -> list[dict[str, Any]]:
    """Describe the clients that each rule flags, and the others.

    Parameters
    ----------
    clients : DataFrame, n rows
        Bounds come from all of them.
    arms : sequence of Arm
        One row for each pair of columns and rule among them.
    setting : Setting
    alpha : float
        The intervals of the differences hold together at 1 − alpha (Bonferroni).

    Returns
    -------
    list of dict
        ``columns``, ``rule``, ``n``, ``share``; ``flagged`` and ``kept`` (see
        :func:`_profile`; None for nobody); ``difference`` of their default rates, flagged
        less kept, with ``low``, ``high`` (Newcombe 1998, as statsmodels), or None.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    rules = {(arm.columns, arm.rule): arm for arm in arms}
    rows: list[dict[str, Any]] = []
    for (columns, rule), arm in rules.items():
        flagged = flag_rows(clients, setting.bounds(clients, arm))
        sides = {"flagged": _profile(clients[flagged]), "kept": _profile(clients[~flagged])}
        row: dict[str, Any] = {"columns": columns, "rule": rule, "n": int(flagged.sum()), **sides}
        row |= {"share": float(flagged.mean()), "difference": None, "low": None, "high": None}
        if (one := sides["flagged"]) and (other := sides["kept"]):
            low, high = confint_proportions_2indep(
                one["defaults"],
                one["n"],
                other["defaults"],
                other["n"],
                method="newcomb",
                compare="diff",
                alpha=alpha / len(rules),
            )
            difference = one["default_rate"] - other["default_rate"]
            row |= {"difference": difference, "low": float(low), "high": float(high)}
        rows.append(row)
    return rows


def _profile(clients: pd.DataFrame) -> dict[str, float | int] | None:
    """Return size, default rate, limit, age, sex, education and delays of some clients."""
    if clients.empty:
        return None
    late = clients[list(schema.STATUS_COLUMNS)].to_numpy() >= 2
    return {
        "n": len(clients),
        "defaults": int(clients[schema.TARGET].sum()),
        "default_rate": float(clients[schema.TARGET].mean()),
        "limit_median": float(clients[schema.LIMIT].median()),
        "age_median": float(clients["AGE"].median()),
        "women_share": float((clients["SEX"] == 2).mean()),
        "university_share": float(clients["EDUCATION"].isin((1, 2)).mean()),
        "late_share": float(late.any(axis=1).mean()),
    }
