"""Bias and variance by repeated refits: how far a model's error comes from its own wobble.

Refits on random half-samples of the training rows give each client B probabilities.
Their spread is variance; what is left in the error of the central prediction is noise
plus squared bias. With one label a client the two cannot be told apart (Geman,
Bienenstock & Doursat, Neural Computation 4, 1992; Domingos, ICML 2000). Noise is the
same for every model on the same clients, so it cancels in differences of the central
part. What all refits share, the pool of rows that they are drawn from, is no part of
their spread: its own chance stays in the central part, for a smooth model about as
much as the variance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.metrics.calibration import logit
from creditrisk.models.rows import TrainingRows
from creditrisk.models.training import predict

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Array = np.ndarray


@dataclass(frozen=True)
class Split:
    """An expected loss in two parts, row by row; every array has shape (n,).

    Attributes
    ----------
    expected : ndarray
        Mean loss of the refits, ``central + variance``.
    central : ndarray
        Noise plus squared bias: what the centre of endlessly many refits would lose.
    variance : ndarray
        What a single refit loses on top of it.
    ensemble : ndarray
        Loss of the central prediction of the B refits at hand.
    """

    expected: Array
    central: Array
    variance: Array
    ensemble: Array


def split_brier(y: Array, p: Array) -> Split:
    """Split the expected Brier score of refits.

    ``mean_b (p_b − y)² = (p̄ − y)² + v`` with ``v = mean_b (p_b − p̄)²``, exactly. Both
    parts depend on B: p̄ still carries a B-th of the variance, which ``v`` lacks.
    ``v · B/(B − 1)`` and ``(p̄ − y)² − v/(B − 1)`` are unbiased and add up to the same.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (B, n)
        One row a refit; B is at least 2.

    Returns
    -------
    Split
    """
    return _unbiased((p.mean(axis=0) - y) ** 2, p.var(axis=0), len(p))


def split_log_loss(y: Array, p: Array) -> Split:
    """Split the expected log loss of refits (Heskes, Neural Computation 10, 1998).

    The central prediction is the normalised geometric mean of the refits, for two
    classes the mean in log-odds, c. With KL the Kullback–Leibler divergence,
    ``mean_b L(y, p_b) = L(y, c) + mean_b KL(c ‖ p_b)``, exactly. The correction for B is
    that of :func:`split_brier`, here right to first order in the spread.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (B, n)
        Clipped as for :func:`~creditrisk.metrics.calibration.row_log_loss`.

    Returns
    -------
    Split
        In nats.
    """
    margin = logit(p)
    center = margin.mean(axis=0)
    log_one, log_zero = -np.logaddexp(0, -margin), -np.logaddexp(0, margin)
    # the same divergence for every refit's mean: minus the log of the normaliser of c
    divergence = -np.logaddexp(log_one.mean(axis=0), log_zero.mean(axis=0))
    loss = np.logaddexp(0, np.where(y == 1, -center, center))
    return _unbiased(loss, divergence, len(p))


SPLITS: dict[str, Callable[[Array, Array], Split]] = {
    "brier": split_brier,
    "log_loss": split_log_loss,
}


def _unbiased(ensemble: Array, variance: Array, n_refits: int) -> Split:
    """Move a (B − 1)-th of the variance with divisor B out of the central part."""
    moved = variance / (n_refits - 1)
    return Split(
        expected=ensemble + variance,
        central=ensemble - moved,
        variance=variance + moved,
        ensemble=ensemble,
    )


def half_samples(groups: Array, allowed: Array, *, n_refits: int, random_state: int) -> Array:
    """Draw half of the groups without replacement, again and again.

    Half-samples vary about as much as bootstrap samples of all rows do (Buja &
    Stuetzle, Statistica Sinica 16, 2006), without repeated rows, which a flexible
    model takes for evidence. The bias is that of half the rows.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
    allowed : ndarray of bool, shape (n,)
        Rows that may be drawn.
    n_refits : int
        B.
    random_state : int

    Returns
    -------
    ndarray of bool, shape (B, n)
    """
    names, position = np.unique(groups[allowed], return_inverse=True)
    drawn = np.zeros((n_refits, len(groups)), dtype=bool)
    for refit in range(n_refits):
        order = np.random.default_rng([random_state, refit]).permutation(len(names))
        taken = np.zeros(len(names), dtype=bool)
        taken[order[: len(names) // 2]] = True
        drawn[refit, allowed] = taken[position]
    return drawn


def unpruned_tree(*, random_state: int) -> Pipeline:
    """Return one tree grown until its leaves are pure: the extreme of variance."""
    from sklearn.pipeline import Pipeline
    from sklearn.tree import DecisionTreeClassifier

    return Pipeline([("model", DecisionTreeClassifier(random_state=random_state))])


def refit(
    models: Mapping[str, tuple[Pipeline, TrainingRows]],
    samples: Array,
    tested: Array,
    *,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Array]:
    """Fit every model on every sample and score the same rows each time.

    Parameters
    ----------
    models : mapping of name to (Pipeline, TrainingRows)
        Unfitted; the rows of all are the same clients, n of them.
    samples : ndarray of bool, shape (B, n)
        Rows of each fit, none of them tested.
    tested : ndarray of bool, shape (n,)
    n_jobs : int
        Threads; the result does not depend on them.
    progress : callable

    Returns
    -------
    dict of ndarray, each of shape (B, tested rows)
    """
    from joblib import Parallel, delayed
    from sklearn.base import clone

    def one(pipeline: Pipeline, rows: TrainingRows, drawn: Array) -> Array:
        return predict(clone(pipeline).fit(rows.X[drawn], rows.y[drawn]), rows.X[tested])

    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    scored = {}
    for name, (pipeline, rows) in models.items():
        scored[name] = np.stack(list(parallel(delayed(one)(pipeline, rows, s) for s in samples)))
        progress(f"{name}: {len(samples)} refits")
    return scored


def decompose(y: Array, groups: Array, scored: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Return the table of the decomposition.

    Parameters
    ----------
    y, groups : ndarray of int, shape (n,)
    scored : mapping of name to ndarray, shape (B, n)
        Probabilities of the refits, on the same clients.

    Returns
    -------
    list of dict
        Per model ``name`` and, under ``brier`` and ``log_loss``, means over clients:
        ``expected``, ``central``, ``variance``, ``ensemble``; ``variance_se`` (jackknife
        over refits); ``excess``, central part above the lowest of the table, in which
        noise cancels, and ``excess_se`` (over groups).
    """
    table: list[dict[str, Any]] = [{"name": name} for name in scored]
    for loss, split in SPLITS.items():
        parts = {name: split(y, p) for name, p in scored.items()}
        lowest = min(parts.values(), key=lambda part: float(part.central.mean()))
        for row in table:
            part, p = parts[row["name"]], scored[row["name"]]
            above = part.central - lowest.central
            row[loss] = {
                "expected": float(part.expected.mean()),
                "central": float(part.central.mean()),
                "variance": float(part.variance.mean()),
                "variance_se": _jackknife(split, y, p),
                "ensemble": float(part.ensemble.mean()),
                "excess": float(above.mean()),
                "excess_se": grouped_se(above, groups),
            }
    return table


def _jackknife(split: Callable[[Array, Array], Split], y: Array, p: Array) -> float:
    """Return the standard error of the mean variance, leaving out one refit at a time."""
    n = len(p)
    left_out = np.array([split(y, np.delete(p, i, axis=0)).variance.mean() for i in range(n)])
    return float(np.sqrt((n - 1) * left_out.var()))


def grouped_se(values: Array, groups: Array) -> float:
    """Return the standard error of a mean over rows that are independent by group only.

    ``√(Σ_g (Σ_{i in g} (x_i − x̄))²) / n``, the linearised error of a mean over clusters
    (Cochran, Sampling Techniques, 1977, ch. 9).

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    groups : ndarray of int, shape (n,)

    Returns
    -------
    float
    """
    _, position = np.unique(groups, return_inverse=True)
    sums = np.bincount(position, weights=values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))
