"""DBSCAN: the k-distance plot, ``eps`` by a stated rule, labels for all clients, a verdict.

scikit-learn's DBSCAN holds every neighbourhood in memory at once, which grows with
the square of the rows where data are dense. It is therefore fitted on a seeded sample
of bounded size; every client then takes the label of the nearest core point within
``eps``, and is noise when there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from creditrisk.segments.clusters import sample_rows

NOISE = -1


def k_distances(points: np.ndarray, min_samples: int) -> np.ndarray:
    """Return each point's distance to its ``min_samples``-th nearest, ascending.

    The point itself counts as the first, as in DBSCAN's ``min_samples``.

    Parameters
    ----------
    points : ndarray of float, shape (n, p), n ≥ min_samples
    min_samples : int

    Returns
    -------
    ndarray of float, shape (n,)
    """
    from sklearn.neighbors import KDTree

    distances, _ = KDTree(points).query(points, k=min_samples)
    return np.sort(distances[:, -1])


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


def label_by_core(
    points: np.ndarray, core: np.ndarray, core_labels: np.ndarray, eps: float
) -> np.ndarray:
    """Give points the label of the nearest core point within ``eps``, else noise.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    core : ndarray of float, shape (m, p)
    core_labels : ndarray of int, shape (m,)
    eps : float

    Returns
    -------
    ndarray of int, shape (n,)
    """
    from sklearn.neighbors import KDTree

    if not len(core):
        return np.full(len(points), NOISE)
    distance, index = KDTree(core).query(points, k=1)
    return np.where(distance[:, 0] <= eps, core_labels[index[:, 0]], NOISE)


def fit_dbscan(
    sample: np.ndarray, points: np.ndarray, *, eps: float, min_samples: int
) -> np.ndarray:
    """Fit DBSCAN on a sample and label all points; clusters are numbered by size.

    Parameters
    ----------
    sample : ndarray of float, shape (m, p)
    points : ndarray of float, shape (n, p)
    eps : float
        Radius in scaled units, above 0.
    min_samples : int

    Returns
    -------
    ndarray of int, shape (n,)
        0 is the largest cluster, −1 is noise.
    """
    from sklearn.cluster import DBSCAN

    fitted = DBSCAN(eps=eps, min_samples=min_samples, algorithm="kd_tree").fit(sample)
    core = fitted.core_sample_indices_
    labels = label_by_core(points, sample[core], fitted.labels_[core], eps)
    sizes = np.bincount(labels[labels >= 0], minlength=fitted.labels_.max() + 1)
    rank = np.empty(len(sizes) + 1, dtype=int)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    rank[-1] = NOISE  # label −1 reads the last entry
    return rank[labels]


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
    eps_factors: Sequence[float],
    limits: dict[str, Any],
    random_state: int,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Run DBSCAN with ``eps`` at the knee, and beside it with multiples of that ``eps``.

    Parameters
    ----------
    train : ndarray of float, shape (m, p)
        Scaled training rows; at most ``max_rows`` of them are fitted.
    points : ndarray of float, shape (n, p)
        All clients, scaled.
    max_rows, min_samples, random_state : int
    eps_factors : sequence of float
        Multiples of the knee's ``eps`` for the sensitivity table.
    limits : dict
        Keyword arguments of :func:`judge`.

    Returns
    -------
    ndarray of int, shape (n,)
        Labels at the knee's ``eps``.
    dict
        ``eps``, ``min_samples``, ``n_fitted``, the verdict of :func:`judge`,
        ``k_distance`` (about 200 points of the curve: ``share`` and ``distance``) and
        ``sensitivity`` (a row for each factor).
    """
    sample = train[sample_rows(len(train), max_rows, random_state)]
    curve = k_distances(sample, min_samples)
    eps = round_radius(find_knee(curve))
    labels = fit_dbscan(sample, points, eps=eps, min_samples=min_samples)
    sensitivity = []
    for factor in eps_factors:
        radius = round_radius(eps * factor)
        other = fit_dbscan(sample, points, eps=radius, min_samples=min_samples)
        sensitivity.append({"factor": factor, "eps": radius, **judge(other, **limits)})
    picked = np.linspace(0, len(curve) - 1, min(200, len(curve))).round().astype(int)
    return labels, {
        "eps": eps,
        "min_samples": min_samples,
        "n_fitted": len(sample),
        **judge(labels, **limits),
        "k_distance": {"share": picked / (len(curve) - 1), "distance": curve[picked]},
        "sensitivity": sensitivity,
    }
