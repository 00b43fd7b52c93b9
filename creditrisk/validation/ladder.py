"""The ladder of families: figures, intervals and paired differences to the champion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.metrics import comparison
from creditrisk.models.families import RESAMPLED
from creditrisk.models.rows import Scored
from creditrisk.models.training import figures

Array = np.ndarray

COMPARED = ("roc_auc", "log_loss", "brier")
"""Metrics whose differences stand in the table of comparisons."""


def ladder(
    scored: Scored,
    trained: Mapping[str, Mapping[str, Any]],
    champion: str,
    *,
    n_replicates: int,
    random_state: int,
    alpha: float,
) -> list[dict[str, Any]]:
    """Return every family's figures and its paired differences to the champion.

    Parameters
    ----------
    scored : Scored
    trained : mapping of family to mapping
        What training stored, simplest family first.
    champion : str
    n_replicates, random_state : int
        Of the grouped bootstrap on the hold-out.
    alpha : float
        Family-wise error rate of each column of comparisons.

    Returns
    -------
    list of dict
        Per family ``cv``, ``holdout`` (with ``roc_auc_low``/``high`` and those of the
        other bootstrapped figures), ``n_parameters`` and, but for the champion,
        ``cv_difference`` and ``holdout_difference``: metric → a row of
        :func:`~creditrisk.metrics.comparison.holm` with its ``verdict``. A difference
        is the family less the champion. ``step``, on every rung but the lowest: the same
        out of fold, less the rung ``below``. Resampled arms are no rungs.
    """
    replicates = comparison.bootstrap(
        scored.holdout_y,
        scored.holdout,
        scored.holdout_groups,
        n_replicates=n_replicates,
        random_state=random_state,
    )
    holdout = {f: figures(scored.holdout_y, p) for f, p in scored.holdout.items()}
    on_cv = cv_differences(trained, champion, alpha=alpha)
    on_holdout = holdout_differences(holdout, replicates, champion, alpha=alpha)
    below = {upper: lower for lower, upper in pairwise(rungs(trained))}
    steps = step_differences(trained, below, alpha=alpha)
    rows = []
    for family, stored in trained.items():
        for metric, values in replicates[family].items():
            low, high = comparison.percentile_interval(values)
            holdout[family] |= {f"{metric}_low": low, f"{metric}_high": high}
        row = {
            "family": family,
            "label": stored["label"],
            "n_features": len(stored["features"]),
            "n_parameters": stored["n_parameters"],
            "cv": stored["cv"],
            "holdout": holdout[family],
        }
        if family != champion:
            row |= {"cv_difference": on_cv[family], "holdout_difference": on_holdout[family]}
        if family in below:
            row |= {"below": below[family], "step": steps[family]}
        rows.append(row)
    return rows


def rungs(families: Iterable[str]) -> list[str]:
    """Return the families that are steps of the ladder: all but the resampled arms."""
    return [family for family in families if family not in RESAMPLED]


def step_differences(
    trained: Mapping[str, Mapping[str, Any]], below: Mapping[str, str], *, alpha: float
) -> dict[str, dict[str, Any]]:
    """Compare every rung with the one below it, fold by fold (Nadeau–Bengio, Holm)."""
    raw: dict[str, dict[str, Any]] = {metric: {} for metric in COMPARED}
    for family, lower in below.items():
        for metric, row in fold_differences(trained, family, lower).items():
            raw[metric][family] = row
    return _adjusted(raw, alpha)


def fold_differences(
    trained: Mapping[str, Mapping[str, Any]], family: str, reference: str
) -> dict[str, dict[str, float]]:
    """Return the corrected differences of two families over the same folds, by metric.

    Raises
    ------
    UserError
        When their folds differ: the differences would not be paired.
    """
    own, other = trained[family]["folds"], trained[reference]["folds"]
    if _sizes(own) != _sizes(other):
        raise UserError(
            f"{family} was cross-validated on other folds than {reference}: run `dvc repro`"
        )
    ratio = float(np.mean([fold["n_test"] / fold["n_train"] for fold in other]))
    return {
        metric: comparison.nadeau_bengio(
            np.array([a[metric] - b[metric] for a, b in zip(own, other, strict=True)]), ratio
        )
        for metric in COMPARED
    }


def cv_differences(
    trained: Mapping[str, Mapping[str, Any]], champion: str, *, alpha: float
) -> dict[str, dict[str, Any]]:
    """Compare every family with the champion fold by fold (Nadeau–Bengio, Holm).

    Raises
    ------
    UserError
        Naming a family whose folds are not the champion's: their differences would
        not be paired.
    """
    raw: dict[str, dict[str, Any]] = {metric: {} for metric in COMPARED}
    for family in trained:
        if family != champion:
            for metric, row in fold_differences(trained, family, champion).items():
                raw[metric][family] = row
    return _adjusted(raw, alpha)


def _sizes(folds: Sequence[Mapping[str, Any]]) -> list[tuple[int, ...]]:
    """Return what tells folds from others: repeat, number, rows fitted on and tested."""
    return [tuple(fold[k] for k in ("repeat", "fold", "n_train", "n_test")) for fold in folds]


def holdout_differences(
    figures_of: Mapping[str, Mapping[str, float]],
    replicates: Mapping[str, Mapping[str, Array]],
    champion: str,
    *,
    alpha: float,
) -> dict[str, dict[str, Any]]:
    """Compare every family with the champion on the hold-out (grouped bootstrap, Holm)."""
    raw: dict[str, dict[str, Any]] = {metric: {} for metric in COMPARED}
    for family in figures_of:
        if family == champion:
            continue
        for metric in COMPARED:
            raw[metric][family] = comparison.paired_bootstrap(
                figures_of[family][metric] - figures_of[champion][metric],
                replicates[family][metric] - replicates[champion][metric],
            )
    return _adjusted(raw, alpha)


def _adjusted(
    raw: Mapping[str, Mapping[str, Mapping[str, float]]], alpha: float
) -> dict[str, dict[str, Any]]:
    """Adjust each metric's column and turn the table to family → metric."""
    table: dict[str, dict[str, Any]] = {}
    for metric, rows in raw.items():
        for family, row in comparison.holm(rows, alpha).items():
            word = comparison.verdict(row, metric, alpha)
            table.setdefault(family, {})[metric] = {**row, "verdict": word}
    return table
