"""The study of regularisation: what the penalty, more clients and more freedom do.

Everything happens inside the training rows; the hold-out is not read. The outer folds
are those of the first repeat of the ``train`` stage, so the plain path here is the one
that chose C there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from creditrisk.models.families import LABELS
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows
from creditrisk.validation import bias_variance, coefficients, regularisation
from creditrisk.validation.learning_curves import learning_curves
from creditrisk.validation.learning_models import (
    FAMILIES,
    LINE,
    PENALISED,
    TREES,
    Recipes,
    sample_pipeline,
    stiff_to_flexible,
)
from creditrisk.validation.regularisation import Walk, chosen_inside

Array = np.ndarray


@dataclass(frozen=True)
class Settings:
    """What the study is run with.

    Attributes
    ----------
    scaler : str
    folds, fold_seed : int
        Outer folds.
    inner_folds : int
        Folds inside the training rows of each outer fold.
    grid_points, strongest : int
        Points of the finer path of C; features followed along it.
    coefficient_tol : float
        Stopping tolerance of the fits whose coefficients are shown.
    shares : sequence of float
        Of the groups of a fold's training rows, ascending; the last is 1.
    subsamples : int
        Random orders in which groups are added.
    refits : int
        B of the decomposition.
    penalties : sequence of float
        C of the logistic regressions that are refitted beside the chosen one.
    trees : sequence of mapping
        Changes of the boosted trees' recipe, from stiff to flexible.
    seed : int
        Of inner folds, subsamples and half-samples.
    alpha : float
    """

    scaler: str
    folds: int
    fold_seed: int
    inner_folds: int
    grid_points: int
    strongest: int
    coefficient_tol: float
    shares: Sequence[float]
    subsamples: int
    refits: int
    penalties: Sequence[float]
    trees: Sequence[Mapping[str, float]]
    seed: int
    alpha: float


def study(
    recipes: Recipes,
    rows: Mapping[str, TrainingRows],
    names: Mapping[str, Sequence[str]],
    settings: Settings,
    *,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Run the whole study.

    Parameters
    ----------
    recipes : mapping of family to mapping
        Section ``train.families`` for :data:`FAMILIES`.
    rows : mapping of family to TrainingRows
        The same clients with each family's features.
    names : mapping of family to sequence of str
    settings : Settings
    n_jobs : int
        Threads; the result does not depend on them.
    progress : callable

    Returns
    -------
    dict
        ``design``, ``paths``, ``coefficients``, ``nested``, ``curves`` and
        ``decomposition``: plain values.
    """
    line = rows[LINE]
    (folds,) = deal_folds(
        line.y, line.groups, n_folds=settings.folds, n_repeats=1, random_state=settings.fold_seed
    )
    walks = {}
    for family in PENALISED:
        walks[family] = regularisation.walk(
            family,
            recipes[family],
            rows[family],
            folds,
            scaler=settings.scaler,
            inner_folds=settings.inner_folds,
            random_state=settings.seed,
            n_jobs=n_jobs,
            progress=progress,
        )
    inputs = (recipes, walks, rows, folds, settings)
    return {
        "design": design(rows, folds, settings),
        "paths": {
            family: {"rule": recipes[family]["rule"], "points": walked.points}
            for family, walked in walks.items()
        },
        "coefficients": _coefficients(walks, rows, names, folds, settings, n_jobs=n_jobs),
        "nested": regularisation.optimism(walks, alpha=settings.alpha),
        "curves": _curves(*inputs, n_jobs=n_jobs, progress=progress),
        "decomposition": _decomposition(*inputs, n_jobs=n_jobs, progress=progress),
    }


def _coefficients(
    walks: Mapping[str, Walk],
    rows: Mapping[str, TrainingRows],
    names: Mapping[str, Sequence[str]],
    folds: Array,
    settings: Settings,
    *,
    n_jobs: int,
) -> dict[str, Any]:
    """Follow the coefficients of both penalties."""
    return {
        family: coefficients.follow(
            family,
            walked,
            rows[family],
            names[family],
            folds,
            n_points=settings.grid_points,
            n_strongest=settings.strongest,
            tol=settings.coefficient_tol,
            scaler=settings.scaler,
            n_jobs=n_jobs,
        )
        for family, walked in walks.items()
    }


def _curves(
    recipes: Recipes,
    walks: Mapping[str, Walk],
    rows: Mapping[str, TrainingRows],
    folds: Array,
    settings: Settings,
    *,
    n_jobs: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure the learning curves of the line and of the trees."""
    models = {
        family: (sample_pipeline(family, recipes, walks, settings.scaler), rows[family])
        for family in (LINE, TREES)
    }
    return learning_curves(
        models,
        folds,
        settings.shares,
        n_subsamples=settings.subsamples,
        random_state=settings.seed,
        alpha=settings.alpha,
        n_jobs=n_jobs,
        progress=progress,
    )


def _decomposition(
    recipes: Recipes,
    walks: Mapping[str, Walk],
    rows: Mapping[str, TrainingRows],
    folds: Array,
    settings: Settings,
    *,
    n_jobs: int,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Refit models on half-samples without the first outer fold and judge them on it."""
    line, tested = rows[LINE], folds == 0
    samples = bias_variance.half_samples(
        line.groups,
        ~tested & line.fit_row,
        n_refits=settings.refits,
        random_state=settings.seed,
    )
    # C was chosen without the rows that the refits are judged on
    chosen = chosen_inside(walks[LINE])[0]
    refitted = stiff_to_flexible(
        recipes,
        chosen,
        penalties=settings.penalties,
        trees=settings.trees,
        scaler=settings.scaler,
        random_state=settings.seed,
    )
    models = {name: (pipeline, rows[family]) for name, (family, pipeline) in refitted.items()}
    scored = bias_variance.refit(models, samples, tested, n_jobs=n_jobs, progress=progress)
    return bias_variance.decompose(line.y[tested], line.groups[tested], scored)


def design(rows: Mapping[str, TrainingRows], folds: Array, settings: Settings) -> dict[str, Any]:
    """Return the counts and settings behind the figures."""
    line, tested = rows[LINE], folds == 0
    pool = np.unique(line.groups[~tested & line.fit_row])
    return {
        "n_rows": len(line.y),
        "n_fit_rows": int(line.fit_row.sum()),
        "n_groups": len(np.unique(line.groups)),
        "n_features": {family: rows[family].X.shape[1] for family in FAMILIES},
        "labels": {family: LABELS[family] for family in FAMILIES},
        "folds": settings.folds,
        "inner_folds": settings.inner_folds,
        "subsamples": settings.subsamples,
        "refits": settings.refits,
        "n_judged": int(tested.sum()),
        "n_half_groups": len(pool) // 2,
        "alpha": settings.alpha,
    }


def markdown(document: Mapping[str, Any]) -> str:
    """Return the findings as compact Markdown, without a heading.

    Parameters
    ----------
    document : mapping
        What :func:`study` returned.

    Returns
    -------
    str
        What choosing C costs, what the last clients bought, how errors split.
    """
    labels = document["design"]["labels"]
    lines = _head("Family", "Rule", "C", "C inside outer folds", "Plain", "Nested", "Optimism")
    for family, by_rule in document["nested"].items():
        for rule, row in by_rule.items():
            loss, inside = row["log_loss"], ", ".join(f"{C:g}" for C in row["chosen"])
            figures = (
                f"{loss['plain']:.4f}",
                f"{loss['nested']:.4f}",
                _difference(loss["optimism"]),
            )
            lines.append(
                _line(labels[family], rule.replace("_", " "), f"{row['C']:g}", inside, *figures)
            )
    lines += ["", *(_step(labels[name], curve) for name, curve in document["curves"].items()), ""]
    lines += _head("Refitted model", "Loss", "Expected", "Noise + bias", "Variance")
    for row in document["decomposition"]:
        for loss, word in (("brier", "Brier"), ("log_loss", "log loss")):
            parts = [f"{row[loss][part]:.4f}" for part in ("expected", "central", "variance")]
            lines.append(_line(row["name"], word, *parts))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> str:
    """Return one row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def _head(*cells: str) -> list[str]:
    """Return the head of a Markdown table."""
    return [_line(*cells), _line(*["---"] * len(cells))]


def _difference(row: Mapping[str, Any]) -> str:
    """Return a difference with its interval and verdict."""
    return f"{row['difference']:+.5f} [{row['low']:+.5f}, {row['high']:+.5f}], {row['verdict']}"


def _step(label: str, curve: Mapping[str, Any]) -> str:
    """Return what the last step of a learning curve bought, as one item of a list."""
    (before, last), step = curve["points"][-2:], curve["last_step"]
    return (
        f"- {label}, {before['n_rows']:,.0f} to {last['n_rows']:,.0f} rows: log loss "
        f"{_difference(step['log_loss'])}; ROC AUC {_difference(step['roc_auc'])}."
    )
