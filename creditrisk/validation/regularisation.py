"""The penalty of a logistic regression: how C is chosen, and what choosing costs.

Choosing a point on a path and reporting its figure from the same folds flatters it
(Cawley & Talbot, JMLR 11, 2010). Nested cross-validation chooses anew inside the
training rows of every outer fold, so the outer test rows have no say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from creditrisk.metrics import comparison
from creditrisk.models.families import ONE_AT_A_TIME, build, candidates
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows
from creditrisk.models.selection import choose_on_path
from creditrisk.models.training import fit_fold

Array = np.ndarray
Point = dict[str, float]

METRICS = ("log_loss", "roc_auc")
"""Figures whose optimism is measured."""

SHOWN = (
    ("train_log_loss", "train_log_loss", "train_se"),
    ("log_loss", "validation_log_loss", "validation_se"),
    ("roc_auc", "validation_roc_auc", "roc_auc_se"),
)
"""A fold's figure, its name in the table of a path, and that of its standard error."""


@dataclass(frozen=True)
class Walk:
    """A family's path of C on the outer folds, and inside each of them.

    Attributes
    ----------
    options : list of dict
        The family's parameters with one C each, ascending.
    outer : list of list of dict
        ``[fold][option]``: figures of that fit on the fold's test rows.
    points : list of dict
        The path over the outer folds, as a plain cross-validation shows it.
    inner : list of list of dict
        Per outer fold the path over folds of its training rows.
    """

    options: list[dict[str, Any]]
    outer: list[list[Point]]
    points: list[Point]
    inner: list[list[Point]]


def only(rows: TrainingRows, kept: Array) -> TrainingRows:
    """Return some of the rows; the others leave the memory of what follows."""
    return replace(
        rows,
        X=rows.X[kept],
        y=rows.y[kept],
        groups=rows.groups[kept],
        fit_row=rows.fit_row[kept],
    )


def walk(
    family: str,
    parameters: Mapping[str, Any],
    rows: TrainingRows,
    folds: Array,
    *,
    scaler: str,
    inner_folds: int,
    random_state: int,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> Walk:
    """Fit a family's path on the outer folds and on folds inside each of them.

    Parameters
    ----------
    family : {"logistic_l1", "logistic_l2"}
    parameters : mapping
        Its recipe, with a list under ``C``.
    rows : TrainingRows, n rows
    folds : ndarray of int, shape (n,)
        Outer fold in which each row is tested.
    scaler : str
    inner_folds : int
    random_state : int
        Of the inner folds.
    n_jobs : int
        Threads, where the family allows several.
    progress : callable

    Returns
    -------
    Walk
    """
    from joblib import Parallel, delayed

    options = candidates(family, parameters)
    pipelines = [build(family, option, scaler=scaler) for option in options]
    jobs = [(rows, folds == fold) for fold in np.unique(folds)]
    n_outer = len(jobs)
    for _, tested in jobs[:n_outer]:
        inside = only(rows, ~tested)
        (dealt,) = deal_folds(
            inside.y, inside.groups, n_folds=inner_folds, n_repeats=1, random_state=random_state
        )
        jobs += [(inside, dealt == fold) for fold in range(inner_folds)]
    parallel = Parallel(
        n_jobs=1 if family in ONE_AT_A_TIME else n_jobs, prefer="threads", return_as="generator"
    )
    fits = []
    for fitted in parallel(delayed(fit_fold)(pipelines, *job) for job in jobs):
        fits.append([{**point["figures"], "n_weights": point["n_weights"]} for point in fitted])
        progress(f"{family}: {len(fits)} of {len(jobs)} paths walked")
    inner = [fits[i : i + inner_folds] for i in range(n_outer, len(fits), inner_folds)]
    return Walk(
        options=options,
        outer=fits[:n_outer],
        points=path_table(options, fits[:n_outer]),
        inner=[path_table(options, one) for one in inner],
    )


def path_table(
    options: Sequence[Mapping[str, Any]], fits: Sequence[Sequence[Point]]
) -> list[Point]:
    """Return mean and standard error over folds for each point of a path.

    Parameters
    ----------
    options : sequence of mapping, length m
    fits : sequence of sequence of dict
        ``[fold][option]``.

    Returns
    -------
    list of dict
        ``C``, ``train_log_loss``, ``validation_log_loss``, ``validation_roc_auc``, the
        standard errors ``train_se``, ``validation_se`` (log loss) and ``roc_auc_se``,
        and ``n_weights``.
    """
    table = []
    for i, option in enumerate(options):
        point = {"C": option["C"], "n_weights": float(np.mean([f[i]["n_weights"] for f in fits]))}
        for key, name, error in SHOWN:
            values = np.array([fold[i][key] for fold in fits])
            point[name] = float(values.mean())
            point[error] = float(values.std(ddof=1) / np.sqrt(len(values)))
        table.append(point)
    return table


def choices(walked: Walk, rule: str) -> tuple[int, list[int]]:
    """Return the option that a rule chooses on the outer folds, and inside each of them."""
    plain = choose_on_path(walked.points, rule=rule)
    return plain, [choose_on_path(path, rule=rule) for path in walked.inner]


def chosen_inside(walked: Walk) -> list[float]:
    """Return the C that the family's own rule chooses inside each outer fold."""
    _, nested = choices(walked, walked.options[0]["rule"])
    return [walked.options[i]["C"] for i in nested]


def optimism(walks: Mapping[str, Walk], *, alpha: float) -> dict[str, dict[str, dict[str, Any]]]:
    """Set the nested estimate beside the plain one, for each family and rule.

    Parameters
    ----------
    walks : mapping of family to Walk
        On the same outer folds.
    alpha : float
        Family-wise level of one metric's column.

    Returns
    -------
    dict of dict of dict
        ``[family][rule]``, the family's rule first, then ``lowest``: ``C`` (plain
        choice), ``chosen`` (C by outer fold) and, per metric of :data:`METRICS`,
        ``plain``, ``nested`` and ``optimism``: nested − plain, paired over the outer
        folds, with interval and verdict.
    """
    table = {
        family: {
            rule: _estimates(walked, rule)
            for rule in dict.fromkeys((walked.options[0]["rule"], "lowest"))
        }
        for family, walked in walks.items()
    }
    rows = {f"{f}/{rule}": row for f, by_rule in table.items() for rule, row in by_rule.items()}
    for metric in METRICS:
        raw = {name: row[metric]["optimism"] for name, row in rows.items()}
        for name, found in comparison.holm(raw, alpha).items():
            word = comparison.verdict(found, metric, alpha)
            rows[name][metric]["optimism"] = {**found, "verdict": word}
    return table


def _estimates(walked: Walk, rule: str) -> dict[str, Any]:
    """Return the plain and the nested estimate of one rule, and their paired difference."""
    plain, nested = choices(walked, rule)
    row: dict[str, Any] = {
        "C": walked.options[plain]["C"],
        "chosen": [walked.options[i]["C"] for i in nested],
    }
    for metric in METRICS:
        same = np.array([fold[plain][metric] for fold in walked.outer])
        anew = np.array([fold[i][metric] for fold, i in zip(walked.outer, nested, strict=True)])
        row[metric] = {
            "plain": float(same.mean()),
            "nested": float(anew.mean()),
            "optimism": comparison.nadeau_bengio(anew - same, 1 / (len(same) - 1)),
        }
    return row
