"""DBSCAN: ``eps`` by a stated rule, labels for all clients, a verdict.

The tree that holds its clusters (:mod:`creditrisk.segments.reachability`) is grown on a seeded
sample, which bounds the time; every client then takes the label of the nearest core point within
``eps``, and is noise when there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from creditrisk.segments.clusters import sample_rows
from creditrisk.segments.reachability import NOISE, link


def find_knee(ascending: np.ndarray) -> float:
    """Return the value at the knee of a convex, ascending curve.

    The point farthest below the chord from the first to the last point, both axes
    scaled to 0–1 (Satopää et al. 2011, "Kneedle", without smoothing).

    Parameters
    ----------
    ascending : ndarray of float, shape (n,)

    Returns
    -------
    float
        The last value when the curve is flat.
    """
    span = ascending[-1] - ascending[0]
    if span <= 0:
        return float(ascending[-1])
    across = np.linspace(0.0, 1.0, len(ascending))
    return float(ascending[np.argmax(across - (ascending - ascending[0]) / span)])


def round_radius(radius: float) -> float:
    """Round to three decimals, 0.001 at least: among many equal rows the knee is at 0."""
    return max(round(radius, 3), 0.001)


def judge(
    labels: np.ndarray, *, max_noise_share: float, max_largest_share: float, max_clusters: int
) -> dict[str, Any]:
    """Judge whether a density clustering says anything about the clients.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    max_noise_share, max_largest_share : float
        Above one of these it is degenerate: it drops too many clients, or one cluster
        swallows them.
    max_clusters : int
        Above this it is degenerate too: a partition in fragments.

    Returns
    -------
    dict
        ``n_clusters``, ``n_noise``, ``noise_share``, ``largest_share``,
        ``degenerate`` and ``reasons`` (list of str).
    """
    sizes = np.bincount(labels[labels >= 0])
    n_clusters, n_noise = int((sizes > 0).sum()), int((labels == NOISE).sum())
    noise_share = n_noise / len(labels)
    largest_share = float(sizes.max() / len(labels)) if n_clusters else 0.0
    reasons = []
    if n_clusters < 2:
        reasons.append("fewer than two clusters")
    if noise_share > max_noise_share:
        reasons.append("too many clients are noise")
    if largest_share > max_largest_share:
        reasons.append("one cluster holds nearly all clients")
    if n_clusters > max_clusters:
        reasons.append("a multitude of fragments")
    return {
        "n_clusters": n_clusters,
        "n_noise": n_noise,
        "noise_share": noise_share,
        "largest_share": largest_share,
        "degenerate": bool(reasons),
        "reasons": reasons,
    }


def cluster(
    train: np.ndarray,
    points: np.ndarray,
    *,
    max_rows: int,
    min_samples: int,
    limits: Mapping[str, Any],
    random_state: int,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Run DBSCAN with ``eps`` at the knee.

    Parameters
    ----------
    train : ndarray of float, shape (m, p)
        Scaled training rows; at most ``max_rows`` of them are fitted.
    points : ndarray of float, shape (n, p)
        All clients, scaled.
    max_rows, min_samples, random_state : int
    limits : mapping
        Keyword arguments of :func:`judge`.

    Returns
    -------
    ndarray of int, shape (n,)
        Labels at the knee's ``eps``.
    dict
        ``eps``, ``min_samples``, ``n_fitted``, the verdict of :func:`judge` and
        ``k_distance`` (about 200 points of the curve: ``share`` and ``distance``).
    """
    sample = train[sample_rows(len(train), max_rows, random_state)]
    linkage = link(sample, min_samples)
    curve = np.sort(linkage.core_distance)
    eps = round_radius(find_knee(curve))
    labels = linkage.label(points, eps)
    picked = np.linspace(0, len(curve) - 1, min(200, len(curve))).round().astype(int)
    return labels, {
        "eps": eps,
        "min_samples": min_samples,
        "n_fitted": len(sample),
        **judge(labels, **limits),
        "k_distance": {"share": picked / (len(curve) - 1), "distance": curve[picked]},
    }
