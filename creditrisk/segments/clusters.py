"""KMeans on behavioural ratios: scaling, the choice of k, stability and saved numbers.

Fits run on one thread and on rows in the order given (callers sort by ID), because
KMeans adds up in another order with more threads; centres are then sorted, renumbered
and rounded, and labels come from the rounded numbers (:mod:`.assignment`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.segments.assignment import squared_distances, transform

DECIMALS = 6
INDICES = {"silhouette": 1, "calinski_harabasz": 1, "davies_bouldin": -1}
"""Validity indices that vote on k; −1 where small is good."""


def fit_scaling(
    values: np.ndarray, features: Sequence[Mapping[str, Any]]
) -> tuple[np.ndarray, np.ndarray]:
    """Fit mean and standard deviation of the transformed features.

    Parameters
    ----------
    values : ndarray of float, shape (n, p)
        Raw feature values of the training rows.
    features : sequence of mapping, length p
        ``name``, ``clip`` and ``transform``.

    Returns
    -------
    ndarray, ndarray, shape (p,) each
        Mean and population standard deviation, rounded as they are saved.

    Raises
    ------
    UserError
        Naming the features of ``cluster.features`` that are constant.
    """
    transformed = transform(values, features)
    mean, scale = transformed.mean(axis=0).round(DECIMALS), transformed.std(axis=0).round(DECIMALS)
    if constant := [f["name"] for f, s in zip(features, scale, strict=True) if s == 0]:
        raise UserError(
            f"cluster.features: {', '.join(constant)} is constant on the training rows "
            "(after its clip); remove it or widen its clip"
        )
    return mean, scale


def check_rows(n: int, *, k_max: int) -> None:
    """Refuse fewer than ten rows a cluster.

    Raises
    ------
    UserError
        Naming ``cluster.k_max``.
    """
    if n < 10 * k_max:
        raise UserError(
            f"cluster.k_max: {k_max} clusters want at least {10 * k_max} training rows, "
            f"there are {n}; lower k_max or bring more rows"
        )


def check_distinct(points: np.ndarray, *, k_max: int) -> None:
    """Refuse rows that are so alike that KMeans could not tell k_max of them apart.

    Raises
    ------
    UserError
        Naming ``cluster.k_max``.
    """
    n_distinct = len(np.unique(points, axis=0))
    if n_distinct <= k_max:
        raise UserError(
            f"cluster.k_max: {k_max} clusters want more distinct training rows than the "
            f"{n_distinct} there are; lower k_max or choose other cluster.features"
        )


def fit_centres(points: np.ndarray, k: int, *, n_init: int, random_state: int) -> np.ndarray:
    """Fit KMeans on one thread; return centres in a fixed order, rounded.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
        Scaled features, rows in a fixed order.
    k, n_init, random_state : int

    Returns
    -------
    ndarray of float, shape (k, p)
        Sorted by the first feature (then the second, …), six decimals.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        fitted = KMeans(k, n_init=n_init, random_state=random_state).fit(points)
    centres = fitted.cluster_centers_.round(DECIMALS) + 0.0  # no negative zero
    return centres[np.lexsort(centres.T[::-1])]


def label(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the number of the nearest centre, shape (n,)."""
    return squared_distances(points, centres).argmin(axis=1)


def jaccard(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """Return each cluster's best Jaccard similarity with a second clustering.

    ``max over D of |C ∩ D| / |C ∪ D|`` (Hennig 2007).

    Parameters
    ----------
    first, second : ndarray of int, shape (n,)
        Labels below k of the same rows.
    k : int

    Returns
    -------
    ndarray of float, shape (k,)
    """
    both = np.bincount(first * k + second, minlength=k * k).reshape(k, k)
    union = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    return np.divide(both, union, out=np.zeros(both.shape), where=union > 0).max(axis=1)


def measure_stability(
    points: np.ndarray, centres: np.ndarray, *, n_resamples: int, n_init: int, random_state: int
) -> np.ndarray:
    """Return the mean bootstrap Jaccard similarity of each cluster (Hennig 2007).

    Each resample draws n rows with replacement and is clustered anew; the drawn rows,
    each counted once, are then compared under both clusterings.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    centres : ndarray of float, shape (k, p)
    n_resamples, n_init, random_state : int
        The r-th resample has the seed ``random_state + r``.

    Returns
    -------
    ndarray of float, shape (k,)
    """
    k = len(centres)
    labels = label(points, centres)
    total = np.zeros(k)
    for r in range(1, n_resamples + 1):
        drawn = np.sort(
            np.random.default_rng(random_state + r).integers(0, len(points), len(points))
        )
        again = fit_centres(points[drawn], k, n_init=n_init, random_state=random_state + r)
        rows = np.unique(drawn)
        total += jaccard(labels[rows], label(points[rows], again), k)
    return total / n_resamples


def measure_indices(
    points: np.ndarray, labels: np.ndarray, *, n_rows: int, random_state: int
) -> dict[str, float]:
    """Compute silhouette (on a seeded sample), Calinski-Harabasz and Davies-Bouldin.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    labels : ndarray of int, shape (n,)
    n_rows : int
        Rows of the silhouette's sample.
    random_state : int

    Returns
    -------
    dict
        ``silhouette`` (−1…1), ``calinski_harabasz``, ``davies_bouldin`` (≥ 0).
    """
    from sklearn import metrics

    rows = sample_rows(len(points), n_rows, random_state)
    return {
        "silhouette": float(metrics.silhouette_score(points[rows], labels[rows])),
        "calinski_harabasz": float(metrics.calinski_harabasz_score(points, labels)),
        "davies_bouldin": float(metrics.davies_bouldin_score(points, labels)),
    }


def sample_rows(n: int, n_wanted: int, random_state: int) -> np.ndarray:
    """Return at most ``n_wanted`` of n row numbers, drawn by seed, ascending."""
    if n <= n_wanted:
        return np.arange(n)
    return np.sort(np.random.default_rng(random_state).choice(n, n_wanted, replace=False))


def try_k(
    points: np.ndarray,
    k: int,
    *,
    n_init: int,
    n_resamples: int,
    silhouette_rows: int,
    random_state: int,
) -> dict[str, Any]:
    """Cluster with one k and measure what the choice of k weighs.

    Returns
    -------
    dict
        ``k``, ``centres``, ``inertia``, the indices, ``jaccard`` of each cluster,
        ``min_jaccard`` and ``min_share``, the smallest cluster's share of rows.
    """
    centres = fit_centres(points, k, n_init=n_init, random_state=random_state)
    distances = squared_distances(points, centres)
    labels = distances.argmin(axis=1)
    stability = measure_stability(
        points,
        centres,
        n_resamples=n_resamples,
        n_init=max(n_init // 4, 1),
        random_state=random_state,
    )
    return {
        "k": k,
        "centres": centres,
        "inertia": float(distances.min(axis=1).sum()),
        **measure_indices(points, labels, n_rows=silhouette_rows, random_state=random_state),
        "jaccard": stability,
        "min_jaccard": float(stability.min()),
        "min_share": float(np.bincount(labels, minlength=k).min() / len(labels)),
    }


def choose_k(
    tried: Sequence[Mapping[str, Any]], *, k_floor: int, min_jaccard: float, min_share: float
) -> dict[str, Any]:
    """Choose k: stability is a gate, the three indices vote among what passes it.

    A k passes when it is at least ``k_floor``, its least stable cluster reaches
    ``min_jaccard`` and its smallest cluster ``min_share``. Among those the lowest sum
    of ranks over :data:`INDICES` wins, then the larger silhouette, then the smaller k.
    When none passes, the most stable k at or above ``k_floor`` is taken and the
    result says so.

    Parameters
    ----------
    tried : sequence of mapping
        From :func:`try_k`.
    k_floor : int
    min_jaccard, min_share : float
        0–1.

    Returns
    -------
    dict
        ``k``, ``satisfied`` (bool), ``candidates`` (the k that pass) and
        ``rank_sums`` by k.
    """
    eligible = [t for t in tried if t["k"] >= k_floor]
    passing = [
        t for t in eligible if t["min_jaccard"] >= min_jaccard and t["min_share"] >= min_share
    ]
    if not passing:
        best = max(eligible, key=lambda t: (t["min_jaccard"], -t["k"]))
        return {"k": best["k"], "satisfied": False, "candidates": [], "rank_sums": {}}
    rank_sums = {
        t["k"]: sum(
            sum(sign * other[index] > sign * t[index] for other in passing) + 1
            for index, sign in INDICES.items()
        )
        for t in passing
    }
    best = min(passing, key=lambda t: (rank_sums[t["k"]], -t["silhouette"], t["k"]))
    return {
        "k": best["k"],
        "satisfied": True,
        "candidates": [t["k"] for t in passing],
        "rank_sums": rank_sums,
    }
