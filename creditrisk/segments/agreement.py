"""Do other algorithms, seeds and scalings cut the clients in the same way?

Agreement of partitions is measured by the adjusted Rand index (Hubert & Arabie 1985) and
the adjusted mutual information (Vinh, Epps & Bailey 2010): 1 for the same partition, 0 for
chance.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.segments import clusters, reference

WINSOR = (0.05, 0.95)
"""Quantiles at which the other scalings look."""
FLAT = 2.0
"""A direction of a mixture component is flat when its variance is below this many reg_covar."""


def scale_robustly(points: np.ndarray) -> np.ndarray:
    """Scale each column by its median and the distance between its 5 % and 95 % quantiles.

    A column whose quantiles coincide keeps its scale, as in scikit-learn's RobustScaler.
    """
    from sklearn.preprocessing import RobustScaler

    quantiles = (100 * WINSOR[0], 100 * WINSOR[1])
    return np.asarray(RobustScaler(quantile_range=quantiles).fit_transform(points))


def winsorise(points: np.ndarray) -> np.ndarray:
    """Clip each column to its 5 % and 95 % quantiles, then scale it to mean 0 and SD 1.

    A column that the clip would make constant is left as it is.
    """
    low, high = np.quantile(points, WINSOR, axis=0)
    flat = low == high
    clipped = np.clip(points, np.where(flat, -np.inf, low), np.where(flat, np.inf, high))
    return np.asarray((clipped - clipped.mean(axis=0)) / clipped.std(axis=0))


SCALINGS = {"robust scaling": scale_robustly, "winsorised": winsorise}


def label_kmeans(points: np.ndarray, k: int, *, n_init: int, random_state: int) -> np.ndarray:
    """Return KMeans labels of the points, shape (n,)."""
    return clusters.label(
        points, clusters.fit_centres(points, k, n_init=n_init, random_state=random_state)
    )


def label_ward(
    points: np.ndarray, k: int, *, max_rows: int, random_state: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Join a seeded sample of rows by Ward's method; all rows take the nearest mean.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    k : int
    max_rows : int
        Memory grows with its square.
    random_state : int

    Returns
    -------
    ndarray of int, shape (n,)
    dict
        ``n_rows`` of the sample and ``kept``, the share of it whose nearest mean is
        that of the group Ward's method put them in.
    """
    from sklearn.cluster import AgglomerativeClustering

    rows = clusters.sample_rows(len(points), max_rows, random_state)
    joined = AgglomerativeClustering(k, linkage="ward").fit_predict(points[rows])
    centres = np.array([points[rows][joined == c].mean(axis=0) for c in range(k)])
    labels = clusters.label(points, centres)
    return labels, {"n_rows": len(rows), "kept": float((labels[rows] == joined).mean())}


def fit_mixture(
    points: np.ndarray, k: int, *, n_init: int, reg_covar: float, random_state: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Fit a Gaussian mixture with full covariances.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    k, n_init : int
    reg_covar : float
        Added to every variance: without it, a group in which a count does not vary
        has an unbounded likelihood.
    random_state : int

    Returns
    -------
    ndarray of int, shape (n,)
    dict
        ``k``, ``bic`` (small is good), ``converged`` and ``n_flat``, components that
        have hardly more than ``reg_covar`` of variance in some direction: their part of
        the BIC is a matter of that number.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    model = GaussianMixture(
        k, n_init=n_init, reg_covar=reg_covar, max_iter=500, random_state=random_state
    )
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by `converged`
        labels = model.fit_predict(points)
        bic = float(model.bic(points))
    narrowest = np.linalg.eigvalsh(model.covariances_)[:, 0]
    return labels, {
        "k": k,
        "bic": bic,
        "converged": bool(model.converged_),
        "n_flat": int((narrowest < FLAT * reg_covar).sum()),
    }


def compare_partitions(partitions: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the agreement of every pair of partitions.

    Parameters
    ----------
    partitions : mapping of ndarray of int, shape (n,)

    Returns
    -------
    dict
        ``names``, and the symmetric matrices ``ari`` and ``ami``.
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    scores = {"ari": adjusted_rand_score, "ami": adjusted_mutual_info_score}
    listed = list(partitions.values())
    matrices = {}
    for name, score in scores.items():
        matrix = np.eye(len(listed))
        for i, first in enumerate(listed):
            for j in range(i):
                matrix[i, j] = matrix[j, i] = score(listed[j], first)
        matrices[name] = matrix
    return {"names": list(partitions), **matrices}


def measure_agreement(
    points: np.ndarray,
    k: int,
    ks: Sequence[int],
    *,
    n_init: int,
    n_seeds: int,
    ward_rows: int,
    mixture: Mapping[str, Any],
    random_state: int,
) -> dict[str, Any]:
    """Cluster in other ways and measure how far they agree with KMeans.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    k : int
        Number of clusters of all ways.
    ks : sequence of int
        For which the mixture's BIC is computed.
    n_init : int
        Of KMeans.
    n_seeds : int
        Other seeds of KMeans: ``random_state + 1`` and on.
    ward_rows : int
        At most so many rows are joined.
    mixture : mapping
        ``n_init`` and ``reg_covar``.
    random_state : int

    Returns
    -------
    dict
        ``k``, ``names``, ``ari``, ``ami``, ``ward`` and ``mixtures`` (one for each k).

    Raises
    ------
    UserError
        Naming ``cluster.features`` or ``cluster.k_max``.
    """
    reference.check_points(points, k_max=max(*ks, k))
    kmeans = {"n_init": n_init, "random_state": random_state}
    partitions = {"KMeans": label_kmeans(points, k, **kmeans)}
    for seed in range(1, n_seeds + 1):
        other = {"n_init": n_init, "random_state": random_state + seed}
        partitions[f"KMeans, seed {other['random_state']}"] = label_kmeans(points, k, **other)
    for name, scale in SCALINGS.items():
        partitions[f"KMeans, {name}"] = label_kmeans(scale(points), k, **kmeans)
    partitions["Ward"], ward = label_ward(points, k, max_rows=ward_rows, random_state=random_state)
    fits = {m: fit_mixture(points, m, **mixture, random_state=random_state) for m in {*ks, k}}
    partitions["Gaussian mixture"] = fits[k][0]
    return {
        "k": k,
        **compare_partitions(partitions),
        "ward": ward,
        "mixtures": [fits[m][1] for m in sorted(fits)],
    }
