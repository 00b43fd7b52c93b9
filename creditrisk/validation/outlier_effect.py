"""What removing or clipping outliers does to a model that must score everybody.

Training rows alone are used, all of them; the test rows are scored as they are, those
that a rule would have dropped among them, because the service cannot send clients
away. Differences between fits are paired over folds (Nadeau and Bengio, adjusted by
Holm); intervals of one fit's calibration count all rows and repeats of a client as one
cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.metrics import calibration, calibration_inference, comparison, discrimination
from creditrisk.models.folds import deal_folds
from creditrisk.stats.intervals import normal_interval
from creditrisk.validation.outlier_arms import (
    BASE,
    COLUMNS,
    Arm,
    Cell,
    Model,
    Outcome,
    Setting,
    cross_fit,
    who,
)

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

METRICS = ("roc_auc", "log_loss")


def measure(
    clients: pd.DataFrame,
    models: Mapping[str, Model],
    arms: Sequence[Arm],
    setting: Setting,
    *,
    n_folds: int,
    n_repeats: int,
    random_state: int,
    alpha: float,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Judge every arm with every model on untouched test folds.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table's training side, values untreated.
    models : mapping of name to Model
    arms : sequence of Arm
        Beside them every model is fitted without any treatment: the base.
    setting : Setting
    n_folds, n_repeats, random_state : int
        See :func:`~creditrisk.models.folds.deal_folds`.
    alpha : float
        Family-wise error rate of each table; see :func:`judge`.
    n_jobs : int
        Fits at a time, in threads; the result does not depend on it.
    progress : callable
        Gets one short line a fold.

    Returns
    -------
    dict
        ``design``; ``rules``, whom each flags
        (:func:`~creditrisk.validation.outlier_arms.who`); ``rows``, one a model and arm,
        the base first (:func:`judge`).
    """
    y, groups = clients[schema.TARGET].to_numpy(), clients[schema.GROUP].to_numpy()
    folds = deal_folds(y, groups, n_folds=n_folds, n_repeats=n_repeats, random_state=random_state)
    outcomes = cross_fit(clients, models, arms, setting, folds, n_jobs=n_jobs, progress=progress)
    return {
        "design": {
            "n": len(y),
            "base_rate": float(y.mean()),
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "alpha": alpha,
            **_described(models, arms, setting),
        },
        "rules": who(clients, arms, setting, alpha=alpha),
        "rows": judge(y, groups, folds, arms, outcomes, alpha=alpha),
    }


def _described(
    models: Mapping[str, Model], arms: Sequence[Arm], setting: Setting
) -> dict[str, Any]:
    """Return thresholds, columns and models as the document names them."""
    return {
        "z": setting.z,
        "iqr_factor": setting.iqr_factor,
        "columns": {arm.columns: list(COLUMNS[arm.columns]) for arm in arms},
        "models": {
            name: {
                "label": model.label,
                "parameters": dict(model.parameters),
                "n_features": len(model.features),
            }
            for name, model in models.items()
        },
    }


def judge(
    y: Array,
    groups: Array,
    folds: Array,
    arms: Sequence[Arm],
    outcomes: Mapping[Cell, Outcome],
    *,
    alpha: float,
) -> list[dict[str, Any]]:
    """Compare every arm with the untreated fit of its model.

    Parameters
    ----------
    y, groups : ndarray of int, shape (n,)
    folds : ndarray of int, shape (n_repeats, n)
    arms : sequence of Arm
    outcomes : mapping of (model, arm) to Outcome
    alpha : float
        Family-wise error rate: of each metric's table by Holm, and of all intervals of
        one kind by Bonferroni.

    Returns
    -------
    list of dict
        ``model``, ``arm``; ``columns``, ``rule``, ``treatment`` (None for the base);
        ``treated_share``, mean over folds of the training rows dropped or clipped;
        ``roc_auc``, ``log_loss``, means over test folds; ``calibration``
        (:func:`~creditrisk.metrics.calibration_inference.intervals`, all test rows);
        ``difference``: metric → row of :func:`~creditrisk.metrics.comparison.holm` with
        ``verdict``; ``flagged``: the test rows that the rule would have dropped, see
        :func:`_flagged`. The last two are None for the base.
    """
    level = 1 - alpha / len(outcomes)
    known = {arm.id: arm for arm in arms}
    tests = [(r, folds[r] == fold) for r in range(len(folds)) for fold in np.unique(folds[r])]
    by_fold = {cell: _fold_figures(y, outcome, tests) for cell, outcome in outcomes.items()}
    changes = _changes(y, outcomes, by_fold, tests, alpha=alpha)
    rows = []
    for (model, name), outcome in outcomes.items():
        arm, base = known.get(name), outcomes[model, BASE]
        repeats = len(folds)
        told = {key: getattr(arm, key, None) for key in ("columns", "rule", "treatment")}
        change = changes.get((model, name))
        rows.append(
            {
                "model": model,
                "arm": name,
                **told,
                "treated_share": float(np.mean(outcome.treated_shares)),
                **{m: float(values.mean()) for m, values in by_fold[model, name].items()},
                "calibration": calibration_inference.intervals(
                    np.tile(y, repeats),
                    outcome.probability.ravel(),
                    np.tile(groups, repeats),
                    level=level,
                ),
                "difference": change and {m: change[m] for m in METRICS},
                "flagged": change
                and _flagged(y, groups, outcome, base, level)
                | {"difference": {m: change[f"flagged_{m}"] for m in ("gap", "log_loss")}},
            }
        )
    return rows


def _fold_figures(
    y: Array, outcome: Outcome, tests: Sequence[tuple[int, Array]]
) -> dict[str, Array]:
    """Return ROC AUC and log loss of each test fold."""
    pairs = [(y[tested], outcome.probability[r, tested]) for r, tested in tests]
    return {
        "roc_auc": np.array([discrimination.roc_auc(*pair) for pair in pairs]),
        "log_loss": np.array([calibration.row_log_loss(*pair).mean() for pair in pairs]),
    }


def _changes(
    y: Array,
    outcomes: Mapping[Cell, Outcome],
    by_fold: Mapping[Cell, Mapping[str, Array]],
    tests: Sequence[tuple[int, Array]],
    *,
    alpha: float,
) -> dict[Cell, dict[str, dict[str, Any] | None]]:
    """Test each arm less its base: all test rows, and those that the rule flags."""
    cells = [cell for cell in outcomes if cell[1] != BASE]
    paired: dict[str, dict[Cell, Array]] = {m: {} for m in METRICS}
    paired |= {"flagged_gap": {}, "flagged_log_loss": {}}
    for cell in cells:
        base = (cell[0], BASE)
        for metric in METRICS:
            paired[metric][cell] = by_fold[cell][metric] - by_fold[base][metric]
        parts = _on_flagged(y, outcomes[cell], outcomes[base], tests)
        for key, values in parts.items():
            paired[f"flagged_{key}"][cell] = values
    ratio = float(np.mean([tested.sum() / (~tested).sum() for _, tested in tests]))
    table: dict[Cell, dict[str, dict[str, Any] | None]] = {
        cell: dict.fromkeys(paired) for cell in cells
    }
    for key, differences in paired.items():
        enough = {"/".join(c): c for c, values in differences.items() if len(values) > 1}
        found = {
            name: comparison.nadeau_bengio(differences[cell], ratio)
            for name, cell in enough.items()
        }
        for name, row in comparison.holm(found, alpha).items():
            metric = key.removeprefix("flagged_")
            judged = metric in comparison.HIGHER_IS_BETTER
            word = {"verdict": comparison.verdict(row, metric, alpha)} if judged else {}
            table[enough[name]][key] = row | word
    return table


def _on_flagged(
    y: Array, outcome: Outcome, base: Outcome, tests: Sequence[tuple[int, Array]]
) -> dict[str, Array]:
    """Return what the arm adds to mean probability and log loss, fold by fold with such rows."""
    gap, loss = [], []
    for r, tested in tests:
        rows = tested & outcome.flagged[r]
        if rows.any():
            p, q = outcome.probability[r, rows], base.probability[r, rows]
            gap.append(float((p - q).mean()))
            ours, theirs = (calibration.row_log_loss(y[rows], each) for each in (p, q))
            loss.append(float((ours - theirs).mean()))
    return {"gap": np.array(gap), "log_loss": np.array(loss)}


def _flagged(
    y: Array, groups: Array, outcome: Outcome, base: Outcome, level: float
) -> dict[str, Any]:
    """Return how the test rows that a rule would have dropped are scored.

    Returns
    -------
    dict
        ``n`` (mean over repeats), ``rate``; for the arm (``treated``) and its base
        (``untreated``): ``probability``, ``gap`` = mean probability less default rate with
        ``low``, ``high`` (cluster-robust, ``level``) and ``roc_auc`` (mean over repeats, None
        where a class is absent). Only ``n`` where no row, or one group alone, is flagged.
    """
    mask = outcome.flagged
    n = float(mask.sum() / len(mask))
    labels, members = (np.tile(each, (len(mask), 1))[mask] for each in (y, groups))
    if len(np.unique(members)) < 2:
        return {"n": n}
    found: dict[str, Any] = {"n": n, "rate": float(labels.mean())}
    for name, each in (("treated", outcome), ("untreated", base)):
        p = each.probability[mask]
        gap = calibration_inference.grouped_mean(p - labels, members)
        low, high = normal_interval(gap["mean"], gap["se"], level)
        pairs = [(y[m], q[m]) for m, q in zip(mask, each.probability, strict=True)]
        ranked = all(0 < truth.sum() < len(truth) for truth, _ in pairs)
        aucs = [discrimination.roc_auc(*pair) for pair in pairs] if ranked else []
        found[name] = {
            "probability": float(p.mean()),
            "gap": gap["mean"],
            "low": float(low),
            "high": float(high),
            "roc_auc": float(np.mean(aucs)) if aucs else None,
        }
    return found
