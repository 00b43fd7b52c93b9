"""DBSCAN over a grid: how much hangs on ``min_samples`` and on ``eps``.

One spanning tree for each ``min_samples`` serves its k-distance curve, hence its knee, and every
``eps`` of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.segments.clusters import sample_rows
from creditrisk.segments.density import find_knee, judge, round_radius
from creditrisk.segments.reachability import NOISE, link


def grid(
    train: np.ndarray,
    points: np.ndarray,
    kmeans: np.ndarray,
    *,
    max_rows: int,
    min_samples: Sequence[int],
    eps_factors: Sequence[float],
    limits: Mapping[str, Any],
    silhouette_rows: int,
    random_state: int,
) -> dict[str, Any]:
    """Run DBSCAN at every ``min_samples`` and multiple of its knee's ``eps``.

    Parameters
    ----------
    train : ndarray of float, shape (m, p)
        Scaled training rows; trees are grown on at most ``max_rows`` of them, the same as in
        :func:`creditrisk.segments.density.cluster`.
    points : ndarray of float, shape (n, p)
        All clients, scaled.
    kmeans : ndarray of int, shape (n,)
        Their KMeans labels.
    max_rows, random_state : int
    min_samples : sequence of int
    eps_factors : sequence of float
        Multiples of the knee's ``eps``.
    limits : mapping
        Keyword arguments of :func:`creditrisk.segments.density.judge`.
    silhouette_rows : int
        Clients of the seeded sample whose silhouettes are averaged.

    Returns
    -------
    dict
        ``n_fitted``, ``silhouette_rows`` and ``rows``, one a cell, ``min_samples`` by
        ``min_samples``: ``min_samples, factor, eps``, the verdict of
        :func:`~creditrisk.segments.density.judge` on all clients, ``silhouette`` (None where
        fewer than two clusters remain) and ``adjusted_rand`` with KMeans, noise as a group.

    Raises
    ------
    UserError
        Naming ``cluster.dbscan.min_samples``.
    """
    sample = train[sample_rows(len(train), max_rows, random_state)]
    shown = sample_rows(len(points), silhouette_rows, random_state)
    rows = []
    for neighbours in min_samples:
        linkage = link(sample, neighbours)
        knee = round_radius(find_knee(np.sort(linkage.core_distance)))
        for factor in eps_factors:
            eps = round_radius(knee * factor)
            labels = linkage.label(points, eps)
            rows.append(
                {
                    "min_samples": neighbours,
                    "factor": factor,
                    "eps": eps,
                    **judge(labels, **limits),
                    "silhouette": silhouette(points[shown], labels[shown]),
                    "adjusted_rand": adjusted_rand(kmeans, labels),
                }
            )
    return {"n_fitted": len(sample), "silhouette_rows": len(shown), "rows": rows}


def silhouette(points: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the mean silhouette of the points that are no noise.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    labels : ndarray of int, shape (n,)
        −1 is noise.

    Returns
    -------
    float or None
        −1 to 1. None with fewer than two clusters, or where every point is its own cluster.
    """
    from sklearn.metrics import silhouette_score

    kept = labels != NOISE
    if not 2 <= len(np.unique(labels[kept])) < kept.sum():
        return None
    return float(silhouette_score(points[kept], labels[kept]))


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """Return the adjusted Rand index of two labellings, noise as a group of its own."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(first, second))
