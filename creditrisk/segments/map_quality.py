"""How far the t-SNE map can be believed: neighbourhoods, seeds, placed clients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.segments import embedding
from creditrisk.segments.assignment import squared_distances
from creditrisk.segments.clusters import sample_rows

Z95 = 1.959964
EMPTY_LEVEL = 0.999
"""A place is empty space when the nearest client on the map is farther away than this
share of the clients have their own nearest neighbour."""


def nearest_to(row: int, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest other rows, nearest first, and all distances of a row.

    Parameters
    ----------
    row : int
    points : ndarray of float, shape (n, p)
    k : int

    Returns
    -------
    ndarray of int, shape (k,)
        The lower row number first on a tie.
    ndarray of float, shape (n,)
        Squared distances; infinite to the row itself.
    """
    squared = squared_distances(points[row : row + 1], points)[0]
    squared[row] = np.inf
    near = np.flatnonzero(squared <= np.partition(squared, k - 1)[k - 1])
    return near[np.argsort(squared[near], kind="stable")][:k], squared


def neighbour_quality(
    points: np.ndarray, coordinates: np.ndarray, rows: np.ndarray, k: int
) -> dict[str, np.ndarray]:
    """Compare the neighbours of some rows on the map and in feature space, among all rows.

    Trustworthiness (Venna & Kaski 2001) charges for each neighbour on the map how far
    beyond the k-th its rank in feature space is; continuity charges the other way round.
    Both are 1 when nothing is to be charged. A rank counts the rows that are strictly
    nearer, so equal clients do not push each other out.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
        Scaled features.
    coordinates : ndarray of float, shape (n, 2)
    rows : ndarray of int, shape (m,)
        Rows that are judged; their neighbours are sought among all n.
    k : int

    Returns
    -------
    dict of ndarray of float, shape (m,)
        ``trustworthiness``, ``continuity`` and ``kept``, the share of the k neighbours
        that both spaces have in common. The means over all rows are the usual indices.

    Raises
    ------
    UserError
        When k is not below half of n, or a value is not finite.
    """
    n = len(points)
    if not 1 <= k < n / 2:
        raise UserError(f"cluster.map.n_neighbours: {k} must be below half of the {n} clients")
    if not (np.isfinite(points).all() and np.isfinite(coordinates).all()):
        raise UserError("t-SNE map: features and positions must be finite; clean them first")
    found: dict[str, list[float]] = {"trustworthiness": [], "continuity": [], "kept": []}
    scale = 2 / (k * (2 * n - 3 * k - 1))
    for row in rows.tolist():
        on_map, map_distances = nearest_to(row, coordinates, k)
        in_space, distances = nearest_to(row, points, k)
        found["trustworthiness"].append(1 - scale * _beyond(on_map, distances, k))
        found["continuity"].append(1 - scale * _beyond(in_space, map_distances, k))
        found["kept"].append(len(np.intersect1d(on_map, in_space)) / k)
    return {name: np.array(values) for name, values in found.items()}


def _beyond(neighbours: np.ndarray, distances: np.ndarray, k: int) -> int:
    """Sum how far the ranks of neighbours lie beyond k."""
    ranks = [1 + int(np.count_nonzero(distances < distances[j])) for j in neighbours]
    return sum(max(rank - k, 0) for rank in ranks)


def measure_map(
    points: np.ndarray,
    coordinates: np.ndarray,
    labels: np.ndarray,
    *,
    n_rows: int,
    k: int,
    random_state: int,
) -> dict[str, Any]:
    """Judge a map on a seeded sample of its rows, as a whole and by cluster.

    Parameters
    ----------
    points, coordinates : ndarray of float, shapes (n, p) and (n, 2)
    labels : ndarray of int, shape (n,)
        Clusters, numbered from 0.
    n_rows, k, random_state : int

    Returns
    -------
    dict
        ``n``, ``n_rows``, ``k``; ``trustworthiness``, ``continuity`` and ``kept``, each
        with ``value``, ``low`` and ``high`` (95 % normal interval of a mean over sampled
        rows); ``clusters``: ``group``, ``n_rows`` and the three values (None without
        sampled rows).
    """
    rows = sample_rows(len(points), n_rows, random_state)
    found = neighbour_quality(points, coordinates, rows, k)
    clusters = []
    for group in range(int(labels.max()) + 1):
        mine = labels[rows] == group
        means = {name: float(v[mine].mean()) if mine.any() else None for name, v in found.items()}
        clusters.append({"group": group, "n_rows": int(mine.sum()), **means})
    return {
        "n": len(points),
        "n_rows": len(rows),
        "k": k,
        **{name: _mean_with_interval(values) for name, values in found.items()},
        "clusters": clusters,
    }


def _mean_with_interval(values: np.ndarray) -> dict[str, float]:
    """Return a mean over at least two sampled rows with its 95 % interval, within 0–1."""
    mean, half = values.mean(), Z95 * values.std(ddof=1) / math.sqrt(len(values))
    low, high = max(mean - half, 0.0), min(mean + half, 1.0)
    return {"value": float(mean), "low": float(low), "high": float(high)}


def compare_maps(
    first: np.ndarray, second: np.ndarray, rows: np.ndarray, k: int
) -> dict[str, float]:
    """Compare two maps of the same clients.

    Parameters
    ----------
    first, second : ndarray of float, shape (n, 2)
    rows : ndarray of int, shape (m,)
        Rows whose neighbours are compared.
    k : int

    Returns
    -------
    dict
        ``overlap``: mean share of the k nearest neighbours that both maps have in
        common; ``chance``: what unrelated maps would have; ``procrustes``: the share of
        the positions' variance that is left after the best shift, turn, reflection and
        scaling (0 the same map, 1 unrelated; Gower 1975).
    """
    from scipy.spatial import procrustes

    common = [
        len(np.intersect1d(nearest_to(i, first, k)[0], nearest_to(i, second, k)[0]))
        for i in rows.tolist()
    ]
    return {
        "overlap": float(np.mean(common) / k),
        "chance": k / (len(first) - 1),
        "procrustes": float(procrustes(first, second)[2]),
    }


def seed_sensitivity(
    points: np.ndarray,
    *,
    tsne: Mapping[str, Any],
    n_rows: int,
    k: int,
    random_state: int,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Draw a seeded sample anew, with another seed and from a random start.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    tsne : mapping
        Settings of the map, see :func:`creditrisk.segments.embedding.fit_tsne`.
    n_rows : int
        Rows of the three maps; 2,000 take about six seconds a map.
    k, random_state, n_jobs : int

    Returns
    -------
    dict
        ``n_rows``, ``k``; ``seed`` and ``start``: :func:`compare_maps` of the sample's map
        with the map of the next seed and with that of a random start; ``kept``: mean
        share of the k neighbours that the sample's map has in common with the features,
        the scale on which to read an overlap.
    """
    from joblib import Parallel, delayed

    sample = points[sample_rows(len(points), n_rows, random_state)]
    variants = [(random_state, "pca"), (random_state + 1, "pca"), (random_state, "random")]
    first, seed, start = Parallel(n_jobs=n_jobs, max_nbytes=None)(
        delayed(embedding.fit_tsne)(
            sample, **tsne, random_state=number, start=kind, gradient="bh"
        )
        for number, kind in variants
    )  # fmt: skip
    every = np.arange(len(sample))
    return {
        "n_rows": len(sample),
        "k": k,
        "seed": compare_maps(first, seed, every, k),
        "start": compare_maps(first, start, every, k),
        "kept": float(neighbour_quality(sample, first, every, k)["kept"].mean()),
    }


def measure_placing(
    placed: np.ndarray,
    true: np.ndarray,
    labels: np.ndarray,
    *,
    coordinates: np.ndarray,
    map_labels: np.ndarray,
) -> dict[str, Any]:
    """Compare where held-out clients are placed with where the map has them.

    Parameters
    ----------
    placed, true : ndarray of float, shape (m, 2)
        Positions by the rule; positions on the map.
    labels : ndarray of int, shape (m,)
        The clients' own clusters.
    coordinates : ndarray of float, shape (n, 2)
        The training clients on the map.
    map_labels : ndarray of int, shape (n,)
        Their clusters.

    Returns
    -------
    dict
        ``n``; ``median_error`` and ``p90_error`` in map units; ``width`` of the map, its
        longer side; ``region_share``: the nearest training client on the map is of the
        client's own cluster; ``region_ceiling``: the same at the true positions;
        ``empty_share``: placed where the map has nobody near; ``empty_ceiling``: the same
        at the true positions.
    """
    from scipy.spatial import cKDTree

    error = np.hypot(*(placed - true).T)
    tree = cKDTree(coordinates)
    limit = np.quantile(tree.query(coordinates, 2)[0][:, 1], EMPTY_LEVEL)
    found: dict[str, Any] = {
        "n": len(true),
        "median_error": float(np.median(error)),
        "p90_error": float(np.quantile(error, 0.9)),
        "width": float(np.ptp(coordinates, axis=0).max()),
    }
    for ending, positions in (("share", placed), ("ceiling", true)):
        gap, nearest = tree.query(positions)
        found[f"region_{ending}"] = float((map_labels[nearest] == labels).mean())
        found[f"empty_{ending}"] = float((gap > limit).mean())
    return found
