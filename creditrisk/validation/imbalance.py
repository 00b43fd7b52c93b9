"""The resampling ledger: what treatments of imbalance do, and which may be promoted.

Every cell is a model, a treatment and a correction, judged out of fold on grouped
folds of the training rows. Promotion is by equivalence: the interval of the
calibration slope must lie inside its bounds and that of mean probability less base
rate inside its margin. That an interval holds the ideal would not do, since a vague
interval holds everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from creditrisk.metrics import calibration, calibration_inference, comparison, discrimination
from creditrisk.models import resampling
from creditrisk.models.folds import deal_folds
from creditrisk.models.treatments import Arm, Cell, Recipe, each_test, out_of_fold

Array = np.ndarray

RANKING = {"roc_auc": discrimination.roc_auc, "pr_auc": discrimination.pr_auc}
ROWWISE = {"log_loss": calibration.row_log_loss, "brier": calibration.row_brier}
COMPARED = ("roc_auc", "log_loss")
"""Figures whose differences to the untreated, uncorrected model are tested."""


def ledger(
    arms: Mapping[str, Arm],
    recipe: Recipe,
    *,
    n_folds: int,
    n_repeats: int,
    folds_seed: int,
    gate: Mapping[str, Any],
    alpha: float,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Judge every treatment and correction of every model out of fold.

    Parameters
    ----------
    arms : mapping of name to Arm
        All on the same rows.
    recipe : Recipe
    n_folds, n_repeats, folds_seed : int
        See :func:`~creditrisk.models.folds.deal_folds`.
    gate : mapping
        ``slope_bounds``, ``mean_margin`` and ``level`` of
        :func:`~creditrisk.metrics.calibration_inference.gate`.
    alpha : float
        Family-wise error rate of each metric's table of differences.
    n_jobs : int
        Folds at a time, in threads; the result does not depend on it.
    progress : callable
        Gets one short line a fold.

    Returns
    -------
    dict
        ``design`` (see :func:`design`) and ``rows``, one a cell: ``model``,
        ``treatment``, ``correction``; ``roc_auc``, ``pr_auc``, ``log_loss``, ``brier``,
        means over folds; ``mean_probability``; ``gate``, in which all repeats of a
        client are one cluster; ``difference`` to the untreated, uncorrected model of
        the same kind (see :func:`paired_differences`).
    """
    rows = next(iter(arms.values())).rows
    folds = deal_folds(
        rows.y, rows.groups, n_folds=n_folds, n_repeats=n_repeats, random_state=folds_seed
    )
    probabilities = out_of_fold(arms, folds, recipe, n_jobs=n_jobs, progress=progress)
    by_fold = {cell: fold_figures(rows.y, p, folds) for cell, p in probabilities.items()}
    ratio = float(np.mean([t.sum() / (~t & rows.fit_row).sum() for _, t in each_test(folds)]))
    differences = paired_differences(by_fold, ratio, alpha=alpha)
    y, groups = np.tile(rows.y, n_repeats), np.tile(rows.groups, n_repeats)
    table = [
        {
            **dict(zip(("model", "treatment", "correction"), cell, strict=True)),
            **{metric: float(values.mean()) for metric, values in by_fold[cell].items()},
            "mean_probability": float(p.mean()),
            "gate": calibration_inference.gate(y, p.ravel(), groups, **gate),
            "difference": differences[cell],
        }
        for cell, p in probabilities.items()
    ]
    counts = {"n_folds": n_folds, "n_repeats": n_repeats, "alpha": alpha}
    return {"design": design(arms, recipe) | counts, "rows": table}


def design(arms: Mapping[str, Arm], recipe: Recipe) -> dict[str, Any]:
    """Return what the ledger rests on: rows, settings and, by model, its build.

    Parameters
    ----------
    arms : mapping of name to Arm
    recipe : Recipe

    Returns
    -------
    dict
        ``n`` and ``base_rate`` of the training rows, ``n_fit_rows``; ``n_inner``,
        ``k_neighbors``; ``treatments`` and ``corrections``, the names of both in reports;
        ``models`` with ``label``, ``parameters``, ``n_features`` and ``categorical``, the
        columns that SMOTENC takes by vote.
    """
    rows = next(iter(arms.values())).rows
    return {
        "n": len(rows.y),
        "n_fit_rows": int(rows.fit_row.sum()),
        "base_rate": float(rows.y.mean()),
        "n_inner": recipe.n_inner,
        "k_neighbors": recipe.k_neighbors,
        "treatments": resampling.TREATMENTS,
        "corrections": resampling.CORRECTIONS,
        "models": {
            name: {
                "label": arm.label,
                "parameters": dict(arm.parameters),
                "n_features": len(arm.features),
                "categorical": [arm.features[i] for i in arm.categorical],
            }
            for name, arm in arms.items()
        },
    }


def fold_figures(y: Array, p: Array, folds: Array) -> dict[str, Array]:
    """Return a cell's figures of each fold of each repeat.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n_repeats, n)
    folds : ndarray of int, shape (n_repeats, n)

    Returns
    -------
    dict of ndarray, each of shape (J,)
        ``roc_auc``, ``pr_auc``, ``log_loss``, ``brier``.
    """
    tests = [(y[tested], p[repeat, tested]) for repeat, tested in each_test(folds)]
    ranked = {name: np.array([of(*test) for test in tests]) for name, of in RANKING.items()}
    means = {name: np.array([of(*test).mean() for test in tests]) for name, of in ROWWISE.items()}
    return ranked | means


def paired_differences(
    by_fold: Mapping[Cell, Mapping[str, Array]], ratio: float, *, alpha: float
) -> dict[Cell, dict[str, Any]]:
    """Compare every cell with the raw, untreated model of its kind (Nadeau–Bengio, Holm).

    ROC AUC is tested once a treatment: a correction keeps the order within a fold, so
    its cells share the raw one's row, and the table counts it once.

    Parameters
    ----------
    by_fold : mapping of cell to mapping
        From :func:`fold_figures`.
    ratio : float
        Rows of a test fold over rows that were fitted on.
    alpha : float
        Family-wise error rate of each metric's table, over all models.

    Returns
    -------
    dict of dict
        Metric → a row of :func:`~creditrisk.metrics.comparison.holm` with its
        ``verdict``, or None where there is nothing to compare.
    """
    tested = {
        "roc_auc": [cell for cell in by_fold if cell[1] != "none" and cell[2] == "raw"],
        "log_loss": [cell for cell in by_fold if cell[1:] != ("none", "raw")],
    }
    table: dict[Cell, dict[str, Any]] = {cell: dict.fromkeys(COMPARED) for cell in by_fold}
    for metric, cells in tested.items():
        paired = {
            cell: by_fold[cell][metric] - by_fold[cell[0], "none", "raw"][metric] for cell in cells
        }
        tests = {"/".join(cell): comparison.nadeau_bengio(d, ratio) for cell, d in paired.items()}
        for cell, row in zip(cells, comparison.holm(tests, alpha).values(), strict=True):
            shared = resampling.CORRECTIONS if metric == "roc_auc" else [cell[2]]
            for correction in shared:
                word = comparison.verdict(row, metric, alpha)
                table[cell[0], cell[1], correction][metric] = {**row, "verdict": word}
    return table


def markdown(document: Mapping[str, Any]) -> str:
    """Return the ledger as a Markdown table, for the log of experiments.

    Parameters
    ----------
    document : mapping
        From :func:`ledger`.

    Returns
    -------
    str
        One line a cell, ending with a line feed.
    """
    design = document["design"]
    lines = [
        "| Model | Treatment | Correction | ROC AUC | Log loss | Mean − base rate, points | "
        "Slope | Promotable |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in document["rows"]:
        cells = [
            design["models"][row["model"]]["label"],
            design["treatments"][row["treatment"]],
            design["corrections"][row["correction"]],
            _judged(row, "roc_auc"),
            _judged(row, "log_loss"),
            _interval(row["gate"], "mean_gap", 100),
            _interval(row["gate"], "slope", 1),
            "yes" if row["gate"]["promotable"] else "no",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _judged(row: Mapping[str, Any], metric: str) -> str:
    """Return a figure with the verdict on its difference, where there is one."""
    judged = row["difference"][metric]
    return f"{row[metric]:.4f}" + (f", {judged['verdict']}" if judged else "")


def _interval(gate: Mapping[str, Any], name: str, unit: float) -> str:
    """Return a figure of the gate with its interval; a dash where there was none to fit."""
    if name not in gate:
        return "–"
    value, low, high = (unit * gate[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
