"""Which feature families and which ideas pay, one change at a time on the same folds.

Two kinds of model are the base: a logistic regression and boosted trees, both
without audit attributes. Each arm changes one thing; its fold-by-fold differences to
the base get the corrected t of Nadeau & Bengio and Holm's correction over its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.features.record import ClientRecord
from creditrisk.metrics import comparison
from creditrisk.models import training
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows
from creditrisk.validation.ablation_arms import FAMILY_OF, Arm, Bench, words

Array = np.ndarray
Progress = Callable[[str], None]

METRICS = ("roc_auc", "log_loss")


def fold_figures(arm: Arm, folds: Array, n_jobs: int) -> dict[str, Array]:
    """Cross-validate one arm.

    Parameters
    ----------
    arm : Arm, n rows
    folds : ndarray of int, shape (n_repeats, n)
        From :func:`~creditrisk.models.folds.deal_folds`.
    n_jobs : int
        Folds at a time, in threads; the result does not depend on it.

    Returns
    -------
    dict of ndarray, each of shape (n_repeats · n_folds,)
        ``roc_auc`` and ``log_loss`` of each test fold.
    """
    from joblib import Parallel, delayed

    jobs = [repeat == fold for repeat in folds for fold in np.unique(repeat)]
    fits = Parallel(n_jobs=n_jobs, prefer="threads")(
        delayed(training.fit_fold)([arm.pipeline], arm.rows, tested) for tested in jobs
    )
    return {m: np.array([fit[0]["figures"][m] for fit in fits]) for m in METRICS}


def compare(
    arms: Iterable[Arm],
    base: Mapping[str, Array],
    folds: Array,
    *,
    alpha: float,
    n_jobs: int,
    progress: Progress = lambda line: None,
) -> list[dict[str, Any]]:
    """Measure arms against their base: one table.

    Parameters
    ----------
    arms : iterable of Arm
    base : mapping
        :func:`fold_figures` of the base, on the same folds.
    folds : ndarray of int, shape (n_repeats, n)
    alpha : float
        Family-wise error rate of each metric's column.
    n_jobs : int
    progress : callable
        Gets a line for each arm.

    Returns
    -------
    list of dict
        The facts of each arm, for each metric a row of
        :func:`~creditrisk.metrics.comparison.holm` (the arm less its base) with its
        ``verdict``, and ``outcome``, see :func:`outcome`.
    """
    facts: list[dict[str, Any]] = []
    raw: dict[str, dict[str, Any]] = {metric: {} for metric in METRICS}
    ratio = 1 / (len(np.unique(folds)) - 1)
    for arm in arms:
        measured = fold_figures(arm, folds, n_jobs)
        for metric in METRICS:
            difference = comparison.nadeau_bengio(measured[metric] - base[metric], ratio)
            raw[metric][arm.facts["id"]] = difference
        facts.append(arm.facts)
        changes = ", ".join(f"{m} {raw[m][arm.facts['id']]['difference']:+.5f}" for m in METRICS)
        progress(f"{arm.facts['change']} {arm.facts['id']}: {changes}")
    adjusted = {metric: comparison.holm(rows, alpha) for metric, rows in raw.items()}
    table = []
    for known in facts:
        row = dict(known)
        for metric in METRICS:
            cell = adjusted[metric][known["id"]]
            row[metric] = {**cell, "verdict": comparison.verdict(cell, metric, alpha)}
        table.append({**row, "outcome": outcome(row)})
    return table


def outcome(row: Mapping[str, Any]) -> str:
    """Return what follows from both verdicts of a row.

    Returns
    -------
    {"keep", "within noise", "worse"}
        ``keep`` where one metric is better and none worse, ``worse`` where one is.
    """
    verdicts = {row[metric]["verdict"] for metric in METRICS}
    if "worse" in verdicts:
        return "worse"
    return "keep" if "better" in verdicts else "within noise"


def faster(parameters: Mapping[str, Any], speed_up: int) -> dict[str, Any]:
    """Return a recipe of trees with fewer rounds at a higher learning rate.

    Rounds × learning rate stays what it was, which leaves the fit nearly unchanged as
    long as the learning rate stays small (about 0.1).
    """
    return {
        **parameters,
        "learning_rate": parameters["learning_rate"] * speed_up,
        "n_estimators": parameters["n_estimators"] // speed_up,
    }


def ablate(
    record: ClientRecord,
    rows: TrainingRows,
    recipes: Mapping[str, Mapping[str, Any]],
    *,
    scaler: str,
    n_folds: int,
    n_repeats: int,
    random_state: int,
    alpha: float,
    n_jobs: int,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Run the whole study.

    Parameters
    ----------
    record : ClientRecord, n rows
        The training side.
    rows : TrainingRows, n rows
        Labels, groups and rows that may enter a fit; ``X`` is not read.
    recipes : mapping of kind to mapping
        Parameters of ``logistic`` (with a single C) and ``trees``.
    scaler : {"standard", "robust"}
    n_folds, n_repeats, random_state : int
        See :func:`~creditrisk.models.folds.deal_folds`.
    alpha : float
        Family-wise error rate of each column of each table.
    n_jobs : int
        Folds at a time.
    progress : callable

    Returns
    -------
    dict
        ``design``, ``base``, ``families`` and ``ideas``; the last three by kind.
    """
    folds = deal_folds(
        rows.y, rows.groups, n_folds=n_folds, n_repeats=n_repeats, random_state=random_state
    )
    document: dict[str, Any] = {
        "design": {
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "n_rows": len(rows.y),
            "n_fit_rows": int(rows.fit_row.sum()),
            "alpha": alpha,
            "recipes": {kind: dict(recipe) for kind, recipe in recipes.items()},
        },
        **{part: {} for part in ("base", "families", "ideas")},
    }
    for kind in FAMILY_OF:
        bench, told = Bench(kind, recipes[kind], scaler, record, rows), _prefixed(progress, kind)
        base = bench.base()
        figures = fold_figures(base, folds, n_jobs)
        document["base"][kind] = base.facts | {m: float(v.mean()) for m, v in figures.items()}
        told("base: " + ", ".join(f"{m} {v.mean():.5f}" for m, v in figures.items()))
        for part, arms in (("families", bench.family_arms()), ("ideas", bench.idea_arms())):
            document[part][kind] = compare(
                arms, figures, folds, alpha=alpha, n_jobs=n_jobs, progress=told
            )
    return document


def _prefixed(progress: Progress, kind: str) -> Progress:
    """Return progress that says first which kind of model a line is about."""
    return lambda line: progress(f"{kind}: {line}")


def markdown(document: Mapping[str, Any]) -> str:
    """Return the study's two tables, families and ideas, as Markdown.

    Parameters
    ----------
    document : mapping
        From :func:`ablate`.

    Returns
    -------
    str
        Lines of two tables with a heading each; ends with a line feed. An idea's cells
        hold a dash where it was not tried on that kind of model.
    """
    kinds = [*FAMILY_OF]
    heads = [f"{kind}: {word}" for kind in kinds for word in ("ROC AUC", "log loss", "verdict")]
    lines: list[str] = []
    for part, title, first in (
        ("families", "Feature families", ["Family", "Change"]),
        ("ideas", "Ideas", ["Idea", "Question"]),
    ):
        columns = [*first, *heads]
        lines += [f"### {title}", "", _line(columns), _line(["---"] * len(columns))]
        keys, by_kind = _joined({kind: document[part][kind] for kind in kinds})
        for key, start in keys.items():
            cells = [c for kind in kinds for c in _cells(by_kind[kind].get(key))]
            lines.append(_line([*start, *cells]))
        lines.append("")
    return "\n".join(lines)


def _joined(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[dict[Any, Any], Any]:
    """Return the keys of all tables with their first cells, and each table by key."""
    keys: dict[tuple[str, str], list[str]] = {}
    by_kind: dict[str, dict[tuple[str, str], Any]] = {}
    for kind, table in tables.items():
        by_kind[kind] = {(row["id"], row["change"]): row for row in table}
        for key, row in by_kind[kind].items():
            asked = row.get("question")
            start = [words(row["id"]), asked] if asked else [row["label"], row["change"]]
            keys.setdefault(key, start)
    return keys, by_kind


def _cells(row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return ["–"] * 3
    return [*(f"{row[m]['difference']:+.5f}" for m in METRICS), row["outcome"]]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
