"""Everything that the benchmark's page section shows: nested, fixed, and cross-checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.features import record, registry
from creditrisk.metrics import calibration, comparison, discrimination
from creditrisk.models import families
from creditrisk.models.artefacts import PUBLIC_SEED, PUBLIC_TEST_SHARE
from creditrisk.models.folds import deal_folds
from creditrisk.validation import benchmark

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Progress = Callable[[str], None]

CONFIGURATIONS = {"all": "include", "served": "exclude"}
"""All 23 columns, as in published figures, or without the audit attributes."""
FIXED = ("scorecard", "xgboost", "blend")
CROSS_CHECKED = ("xgboost", "blend")
PAIRS = {
    "blend_over_trees": ("Blend less the champion's trees", ("all", "blend"), ("all", "trees")),
    "all_over_served_blend": (
        "Blend with the four attributes less without",
        ("all", "blend"),
        ("served", "blend"),
    ),
    "all_over_served_trees": (
        "Trees with the four attributes less without",
        ("all", "trees"),
        ("served", "trees"),
    ),
}


def fixed_model(
    family: str, recipe: Mapping[str, Any], *, scaler: str, configuration: str, n_jobs: int
) -> tuple[list[str], Callable[[], Any]]:
    """Return a family's columns under a configuration, and what builds it.

    Parameters
    ----------
    family : str
    recipe : mapping
        The family's parameters in ``params.yaml``.
    scaler : str
    configuration : {"all", "served"}
    n_jobs : int

    Returns
    -------
    names : list of str
    make_model : callable
    """
    rule = CONFIGURATIONS[configuration]
    available = {f: registry.select([f], audit_attributes=rule) for f in registry.families()}
    names = families.model_features(family, recipe, available)
    return names, lambda: families.build(
        family, recipe, scaler=scaler, n_jobs=n_jobs, features=names
    )


def score_fixed(
    clients: pd.DataFrame,
    y: Array,
    fold: Array,
    recipes: Mapping[str, Mapping[str, Any]],
    *,
    scaler: str,
    n_jobs: int,
    progress: Progress,
) -> dict[str, Any]:
    """Score the fixed recipes of some families on the folds, in both configurations."""
    found: dict[str, Any] = {}
    for configuration in CONFIGURATIONS:
        for family, recipe in recipes.items():
            names, make = fixed_model(
                family, recipe, scaler=scaler, configuration=configuration, n_jobs=n_jobs
            )
            X = registry.compute(record.from_frame(clients), names)
            result, _ = benchmark.score_folds(make, X, y, fold)
            found.setdefault(configuration, {})[family] = result
            progress(f"fixed {family}, {configuration}: {result['mean']['roc_auc']:.4f}")
    return found


def compare_pairs(
    y: Array, fold: Array, nested: Mapping[str, Mapping[str, Any]], *, alpha: float
) -> dict[str, Any]:
    """Compare our own arms on the same test rows.

    Differences are those of the mean over folds. Their standard errors come from the test
    rows (DeLong for ROC AUC, row-wise losses for log loss), folds taken as independent: what
    another draw of training rows would move is not in them.

    Parameters
    ----------
    y, fold : ndarray of int, shape (n,)
    nested : mapping
        Configuration → result of :func:`creditrisk.validation.benchmark.nested_folds`.
    alpha : float
        Family-wise error rate of each metric's pairs (Holm).

    Returns
    -------
    dict
        Pair → ``label``, ``roc_auc`` and ``log_loss``, each a row of
        :func:`creditrisk.metrics.comparison.holm` with its ``verdict``.
    """
    raw: dict[str, dict[str, Any]] = {"roc_auc": {}, "log_loss": {}}
    for name, (_, one, other) in PAIRS.items():
        p, q = (nested[c]["probability"][arm] for c, arm in (one, other))
        for metric, difference in {
            "roc_auc": _auc_difference,
            "log_loss": _loss_difference,
        }.items():
            parts = [difference(y[fold == f], p[fold == f], q[fold == f]) for f in _numbers(fold)]
            raw[metric][name] = _mean_difference(parts)
    table: dict[str, Any] = {name: {"label": PAIRS[name][0]} for name in PAIRS}
    for metric, rows in raw.items():
        for name, row in comparison.holm(rows, alpha).items():
            word = comparison.verdict(row, metric, alpha)
            table[name][metric] = {**row, "verdict": word}
    return table


def _numbers(fold: Array) -> list[int]:
    return np.unique(fold[fold >= 0]).tolist()


def _auc_difference(y: Array, p: Array, q: Array) -> tuple[float, float]:
    """Return the difference of ROC AUC and its variance (DeLong, paired)."""
    area, covariance = discrimination.delong(y, np.stack([p, q]))
    contrast = np.array([1.0, -1.0])
    return float(area @ contrast), float(contrast @ covariance @ contrast)


def _loss_difference(y: Array, p: Array, q: Array) -> tuple[float, float]:
    """Return the difference of log loss and its variance over rows."""
    gap = calibration.row_log_loss(y, p) - calibration.row_log_loss(y, q)
    return float(gap.mean()), float(gap.var(ddof=1) / len(gap))


def _mean_difference(parts: Sequence[tuple[float, float]]) -> dict[str, float]:
    from scipy.stats import norm

    values, variances = np.array(parts).T
    difference, se = float(values.mean()), float(np.sqrt(variances.sum()) / len(values))
    p = float(2 * norm.sf(abs(difference) / se)) if se > 0 else float(difference == 0)
    return {"difference": difference, "se": se, "p": p, "df": 0}


def cross_check(
    clients: pd.DataFrame,
    y: Array,
    groups: Array,
    recipes: Mapping[str, Mapping[str, Any]],
    *,
    scaler: str,
    seeds: Sequence[int],
    n_folds: int,
    n_jobs: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Score fixed recipes on partitions of our own, twins kept together or not.

    Parameters
    ----------
    clients : DataFrame, n rows
    y, groups : ndarray of int, shape (n,)
    recipes : mapping of family to mapping
    scaler : str
    seeds : sequence of int
        One partition each, grouped and ungrouped.
    n_folds, n_jobs : int
    progress : callable

    Returns
    -------
    list of dict
        ``seed``, ``grouped`` and, per family, mean ``roc_auc`` and ``log_loss``.
    """
    from joblib import Parallel, delayed

    matrices = {}
    for family, recipe in recipes.items():
        names, make = fixed_model(family, recipe, scaler=scaler, configuration="all", n_jobs=1)
        matrices[family] = registry.compute(record.from_frame(clients), names), make()
    alone = np.arange(len(y))
    rows = []
    for seed in seeds:
        for grouped, units in ((False, alone), (True, groups)):
            fold = deal_folds(y, units, n_folds=n_folds, n_repeats=1, random_state=seed)[0]
            jobs = [(family, number) for family in recipes for number in range(n_folds)]
            scores = Parallel(n_jobs=n_jobs)(
                delayed(_score_one)(*matrices[family], y, fold, number) for family, number in jobs
            )
            row: dict[str, Any] = {"seed": seed, "grouped": grouped}
            for i, family in enumerate(recipes):
                mean = np.mean(scores[i * n_folds : (i + 1) * n_folds], axis=0)
                row[family] = {"roc_auc": float(mean[0]), "log_loss": float(mean[1])}
            rows.append(row)
            progress(f"partition {seed}, {'grouped' if grouped else 'ungrouped'}")
    return rows


def _score_one(X: Array, model: Any, y: Array, fold: Array, number: int) -> tuple[float, float]:
    from sklearn.base import clone

    tested = fold == number
    p = benchmark.predict(clone(model).fit(X[~tested], y[~tested]), X[tested])
    loss = float(calibration.row_log_loss(y[tested], p).mean())
    return discrimination.roc_auc(y[tested], p), loss


def summarize_partitions(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Return mean and spread over the partitions, by family and by kind of partition."""
    summary: dict[str, Any] = {}
    for name in names:
        for kind, grouped in (("ungrouped", False), ("grouped", True)):
            own = [row[name] for row in rows if row["grouped"] == grouped]
            areas = [row["roc_auc"] for row in own]
            summary.setdefault(name, {})[kind] = {
                "roc_auc_mean": float(np.mean(areas)),
                "roc_auc_sd": float(np.std(areas, ddof=1)),
                "log_loss_mean": float(np.mean([row["log_loss"] for row in own])),
            }
    return summary


def public_split(
    clients: pd.DataFrame,
    y: Array,
    recipes: Mapping[str, Mapping[str, Any]],
    *,
    scaler: str,
    n_jobs: int,
) -> dict[str, float]:
    """Return each recipe's ROC AUC on the split of public work, all columns."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(len(y)), test_size=PUBLIC_TEST_SHARE, random_state=PUBLIC_SEED, stratify=y
    )
    found = {}
    for family, recipe in recipes.items():
        names, make = fixed_model(family, recipe, scaler=scaler, configuration="all", n_jobs=n_jobs)
        X = registry.compute(record.from_frame(clients), names)
        p = benchmark.predict(make().fit(X[train], y[train]), X[test])
        found[family] = discrimination.roc_auc(y[test], p)
    return found


def published_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what others report: ``method``, ``split``, ``roc_auc``, ``log_loss``, ``source``.

    ``log_loss`` is None where it was not published.
    """
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def study(
    clients: pd.DataFrame,
    y: Array,
    fold: Array,
    groups: Array,
    recipes: Mapping[str, Mapping[str, Any]],
    *,
    space: Mapping[str, Any],
    twins: Mapping[str, Any],
    scaler: str,
    seeds: Sequence[int],
    alpha: float,
    random_state: int,
    n_jobs: int,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Return the whole document but fingerprint and published figures.

    Parameters
    ----------
    clients : DataFrame, n rows
        Kaggle's columns, every client.
    y, fold, groups : ndarray of int, shape (n,)
        ``groups`` serve the cross-check only: nested folds group their training rows anew.
    recipes : mapping
        The families of section ``train``.
    space, twins, random_state, n_jobs, progress
        See :func:`creditrisk.validation.benchmark.nested_folds`.
    scaler : str
    seeds : sequence of int
        Of the partitions of our own.
    alpha : float
        See :func:`compare_pairs`.

    Returns
    -------
    dict
        ``design``, ``nested``, ``fixed``, ``pairs``, ``partitions``, ``partition_summary``
        and ``public_split``.
    """
    fixed = {name: recipes[name] for name in FIXED}
    checked = {name: recipes[name] for name in CROSS_CHECKED}
    nested = {
        configuration: benchmark.nested_folds(
            clients,
            y,
            fold,
            space=space,
            twins=twins,
            audit_attributes=rule,
            random_state=random_state,
            n_jobs=n_jobs,
            progress=partial(benchmark.say, progress, f"nested {configuration}: "),
        )
        for configuration, rule in CONFIGURATIONS.items()
    }
    numbers = _numbers(fold)
    partitions = cross_check(
        clients,
        y,
        groups,
        checked,
        scaler=scaler,
        seeds=seeds,
        n_folds=len(numbers),
        n_jobs=n_jobs,
        progress=progress,
    )
    return {
        "design": {
            "n": int((fold >= 0).sum()),
            "folds": len(numbers),
            "n_test": int((fold == numbers[0]).sum()),
            "inner_folds": space["folds"],
            "candidates": {kind: space[kind]["n_candidates"] for kind in ("trees", "networks")},
            "seed": random_state,
        },
        "nested": {
            configuration: {key: value for key, value in found.items() if key != "probability"}
            for configuration, found in nested.items()
        },
        "fixed": score_fixed(
            clients, y, fold, fixed, scaler=scaler, n_jobs=n_jobs, progress=progress
        ),
        "pairs": compare_pairs(y, fold, nested, alpha=alpha),
        "partitions": partitions,
        "partition_summary": summarize_partitions(partitions, list(checked)),
        "public_split": public_split(clients, y, checked, scaler=scaler, n_jobs=n_jobs),
    }
