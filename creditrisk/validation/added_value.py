"""Do segments add to the delinquency features? Likelihood ratios, and differences out of fold.

A base model reads some families of features; each arm gives it the columns of one
segmentation as well. Two questions, two answers. *Is there anything?*: the likelihood
ratio of two unpenalised logistic regressions on the rows that may be fitted on. *Does it
predict better?*: paired differences over grouped folds with the corrected t of Nadeau &
Bengio and Holm's correction. With many rows the first can be yes and the second no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.metrics.calibration import row_log_loss
from creditrisk.models import families
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows
from creditrisk.validation import ablation
from creditrisk.validation.ablation_arms import Arm

Array = np.ndarray
Progress = Callable[[str], None]

RANK_TOLERANCE = 1e-9
"""Singular values below this share of the largest one count as 0."""


@dataclass(frozen=True)
class Base:
    """One model that segments are added to.

    Attributes
    ----------
    id, label : str
    family : str
    parameters : mapping
        Of that family of :mod:`creditrisk.models.families`, with a single C.
    features : sequence of str, length k
    rows : TrainingRows, n rows
        ``X`` holds those features.
    """

    id: str
    label: str
    family: str
    parameters: Mapping[str, Any]
    features: Sequence[str]
    rows: TrainingRows


@dataclass(frozen=True)
class Addition:
    """What is added: its id, its name in reports and its columns, shape (n, j)."""

    id: str
    label: str
    columns: Array


def as_addition(id: str, label: str, columns: Mapping[str, Any]) -> Addition:
    """Return the :func:`indicators` of some columns, side by side, as one addition."""
    parts = [indicators(values, name=name) for name, values in columns.items()]
    return Addition(id, label, np.column_stack(parts))


def indicators(values: Any, *, name: str) -> Array:
    """Return a column of 0 and 1 for each level but the first.

    Parameters
    ----------
    values : array-like, shape (n,)
        Scores, names or numbers of groups.
    name : str

    Returns
    -------
    ndarray of float, shape (n, levels − 1)

    Raises
    ------
    UserError
        Naming the values, when there is one level only: it can add nothing.
    """
    values = np.asarray(values)
    levels = np.unique(values)
    if len(levels) < 2:
        raise UserError(
            f"{name} is {levels[0] if len(levels) else 'empty'} in every training row and can "
            "add nothing: change the bands or rules in section rfm, or take more clients"
        )
    return (values[:, None] == levels[1:]).astype(float)


def likelihood_ratio(y: Array, X: Array, added: Array, *, name: str = "added") -> dict[str, Any]:
    """Test whether columns add to a logistic regression (Wilks 1938).

    Both models are fitted without a penalty. Columns that are a sum of others count once:
    the degrees of freedom are the difference of the two designs' ranks.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    X, added : ndarray of float, shapes (n, k) and (n, j)
    name : str
        What the columns are called in errors.

    Returns
    -------
    dict
        ``n``, ``statistic`` (2 Δ log likelihood), ``df``, ``p_value``, ``gain``: the drop
        of the log loss in the rows of the fit, nats a client.

    Raises
    ------
    UserError
        When there is one class only, a column is not finite, the fit does not converge or
        the columns are sums of those that are there already.
    """
    from scipy.stats import chi2

    if len(np.unique(y)) < 2:
        raise UserError(f"{name}: the training rows hold one class only; take more clients")
    if not (np.isfinite(X).all() and np.isfinite(added).all()):
        raise UserError(f"{name}: a column holds a value that is not finite")
    less, df_less = _log_likelihood(y, X, name)
    more, df_more = _log_likelihood(y, np.column_stack([X, added]), name)
    df = df_more - df_less
    if df < 1:
        raise UserError(f"{name}: every column is a sum of columns that the base already has")
    statistic = max(2 * (more - less), 0.0)
    return {
        "n": len(y),
        "statistic": statistic,
        "df": df,
        "p_value": float(chi2.sf(statistic, df)),
        "gain": (more - less) / len(y),
    }


def _log_likelihood(y: Array, X: Array, name: str) -> tuple[float, int]:
    """Return the greatest log likelihood of a logistic regression, and the rank of its design.

    An orthonormal basis of the columns' space has the same one, and is well conditioned.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    spread = X.std(axis=0)
    scaled = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    basis, size, _ = np.linalg.svd(scaled, full_matrices=False)
    basis = basis[:, size > RANK_TOLERANCE * size.max()] * np.sqrt(len(y))
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            p = model.fit(basis, y).predict_proba(basis)[:, 1]
        except ConvergenceWarning as error:
            raise UserError(
                f"{name}: the unpenalised logistic regression did not converge; some columns "
                "separate the classes: take more clients or fewer columns"
            ) from error
    return float(-row_log_loss(y, p).sum()), basis.shape[1] + 1


def compare(
    bases: Sequence[Base],
    additions: Sequence[Addition],
    *,
    scaler: str,
    n_folds: int,
    n_repeats: int,
    random_state: int,
    alpha: float,
    n_jobs: int,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Add each segmentation to each base and measure what that brings.

    Parameters
    ----------
    bases : sequence of Base
        On the same training rows. Likelihood ratios are taken on the features of the
        first; the others are compared out of fold only.
    additions : sequence of Addition
    scaler : {"standard", "robust"}
    n_folds, n_repeats, random_state : int
        See :func:`~creditrisk.models.folds.deal_folds`.
    alpha : float
        Family-wise error rate: of the likelihood ratios, and of each metric of each base.
    n_jobs : int
        Folds at a time, in threads; the result does not depend on it.
    progress : callable

    Returns
    -------
    dict
        ``design``; ``tests``, see :func:`judge_additions`; ``models``, one a base: ``id``,
        ``label``, ``n_features``, ``roc_auc``, ``log_loss`` and ``arms``, rows of
        :func:`creditrisk.validation.ablation.compare`.
    """
    rows = bases[0].rows
    folds = deal_folds(
        rows.y, rows.groups, n_folds=n_folds, n_repeats=n_repeats, random_state=random_state
    )
    tests = judge_additions(rows, additions, alpha=alpha)
    progress(", ".join(f"{t['id']} p {t['p_value']:.2g}" for t in tests))
    models = []
    for base in bases:
        arms = list(_arms(base, additions, scaler))
        figures = ablation.fold_figures(arms[0], folds, n_jobs)
        table = ablation.compare(
            arms[1:],
            figures,
            folds,
            alpha=alpha,
            n_jobs=n_jobs,
            progress=partial(_tell, progress, base.id),
        )
        means = {metric: float(values.mean()) for metric, values in figures.items()}
        models.append({**arms[0].facts, **means, "arms": table})
    return {
        "design": {
            "n_folds": n_folds,
            "n_repeats": n_repeats,
            "n_rows": len(rows.y),
            "n_fit_rows": int(rows.fit_row.sum()),
            "alpha": alpha,
            "tested_on": bases[0].id,
        },
        "tests": tests,
        "models": models,
    }


def _tell(progress: Progress, name: str, line: str) -> None:
    progress(f"{name}: {line}")


def judge_additions(
    rows: TrainingRows, additions: Sequence[Addition], *, alpha: float
) -> list[dict[str, Any]]:
    """Return each addition's :func:`likelihood_ratio`, with ``p_adjusted`` over all (Holm)."""
    from statsmodels.stats.multitest import multipletests

    fit = rows.fit_row
    tests = [
        {
            "id": a.id,
            "label": a.label,
            **likelihood_ratio(rows.y[fit], rows.X[fit], a.columns[fit], name=a.label),
        }
        for a in additions
    ]
    adjusted = multipletests([t["p_value"] for t in tests], alpha=alpha, method="holm")[1]
    return [{**t, "p_adjusted": float(p)} for t, p in zip(tests, adjusted, strict=True)]


def _arms(base: Base, additions: Sequence[Addition], scaler: str) -> list[Arm]:
    """Return a base and the same model with each addition."""
    pipeline = families.build(base.family, base.parameters, scaler=scaler)
    k = base.rows.X.shape[1]
    facts = {"id": base.id, "label": base.label, "n_features": k}
    arms = [Arm(facts, base.rows, pipeline)]
    for a in additions:
        X = np.column_stack([base.rows.X, a.columns])
        facts = {"id": a.id, "label": a.label, "change": "added", "n_features": X.shape[1] - k}
        arms.append(Arm(facts, replace(base.rows, X=X), pipeline))
    return arms


def cross_groups(segments: Array, clusters: Array) -> dict[str, Any]:
    """Cross two groupings of the same clients.

    Returns
    -------
    dict
        ``rows``, ``columns`` (the levels), ``counts`` and ``adjusted_rand``: 1 where the
        groupings are the same, 0 on average where they share nothing (Hubert & Arabie 1985).
    """
    from sklearn.metrics import adjusted_rand_score

    rows, row = np.unique(segments, return_inverse=True)
    columns, column = np.unique(clusters, return_inverse=True)
    counts = np.zeros((len(rows), len(columns)), dtype=int)
    np.add.at(counts, (row, column), 1)
    return {
        "rows": rows.tolist(),
        "columns": columns.tolist(),
        "counts": counts.tolist(),
        "adjusted_rand": float(adjusted_rand_score(segments, clusters)),
    }
