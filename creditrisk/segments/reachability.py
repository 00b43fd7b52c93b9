"""Points linked by mutual reachability: one spanning tree holds DBSCAN at every radius.

scikit-learn's DBSCAN holds every neighbourhood in memory at once, which grows with the square of
the rows where data are dense. Its clusters are the connected components of the core points under
distances of at most ``eps``, and a minimum spanning tree of the mutual reachability distances
has the same components at every ``eps`` (Campello, Moulavi and Sander 2013, DBSCAN*). So the tree
is grown once, in memory that grows with the rows, and cut at as many ``eps`` as wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from creditrisk.errors import UserError

NOISE = -1


@dataclass(frozen=True)
class Linkage:
    """A sample of points, linked by the minimum spanning tree of mutual reachability.

    Attributes
    ----------
    points : ndarray of float, shape (m, p)
    core_distance : ndarray of float, shape (m,)
        Distance to the ``min_samples``-th nearest point, the point itself being the first.
    edges : ndarray of int, shape (m − 1, 2)
        Rows that an edge joins.
    length : ndarray of float, shape (m − 1,)
        Mutual reachability distance of an edge: the largest of the distance of its ends and
        their two core distances.
    """

    points: np.ndarray
    core_distance: np.ndarray
    edges: np.ndarray
    length: np.ndarray

    def label(self, points: np.ndarray, eps: float) -> np.ndarray:
        """Label points by DBSCAN with radius ``eps``; clusters are numbered by size.

        Parameters
        ----------
        points : ndarray of float, shape (n, p)
        eps : float
            In scaled units, above 0.

        Returns
        -------
        ndarray of int, shape (n,)
            0 is the largest cluster of these points, −1 is noise.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        core, short = self.core_distance <= eps, self.length <= eps
        ends, m = self.edges[short].T, len(self.points)
        graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(m, m))
        component = connected_components(graph, directed=False)[1]
        labels = label_by_core(points, self.points[core], component[core], eps)
        sizes = np.bincount(labels[labels >= 0], minlength=m)
        rank = np.empty(m + 1, dtype=int)
        rank[np.argsort(-sizes, kind="stable")] = np.arange(m)
        rank[-1] = NOISE  # label −1 reads the last entry
        return rank[labels]


def link(points: np.ndarray, min_samples: int) -> Linkage:
    """Grow the minimum spanning tree that holds DBSCAN for every ``eps``.

    Parameters
    ----------
    points : ndarray of float, shape (m, p), finite
    min_samples : int
        2 to m; the point itself counts, as in DBSCAN.

    Raises
    ------
    UserError
        Naming ``cluster.dbscan.min_samples`` or ``cluster.features``.
    """
    tree = fit_hdbscan(points, min_cluster_size=2, min_samples=min_samples)
    edges = tree.minimum_spanning_tree_.to_numpy()
    return Linkage(
        points=points,
        core_distance=core_distances(points, min_samples),
        edges=edges[:, :2].astype(int),
        length=edges[:, 2],
    )


def fit_hdbscan(points: np.ndarray, *, min_cluster_size: int, min_samples: int) -> Any:
    """Return a fitted ``hdbscan.HDBSCAN`` with its exact spanning tree.

    Its own ``min_samples`` does not count the point itself; here it counts, as in DBSCAN.

    Parameters
    ----------
    points : ndarray of float, shape (m, p), finite
    min_cluster_size : int
    min_samples : int
        2 to m.

    Raises
    ------
    UserError
        Naming ``cluster.dbscan.min_samples`` or ``cluster.features``.
    """
    from hdbscan import HDBSCAN

    if not 2 <= min_samples <= len(points):
        raise UserError(
            f"cluster.dbscan.min_samples: {min_samples} (there or in its grid) is not between 2 "
            f"and the {len(points)} rows that are fitted; change it, or raise "
            "cluster.dbscan.max_rows"
        )
    if not np.isfinite(points).all():
        raise UserError("cluster.features: a scaled value is missing or infinite; clip the feature")
    return HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples - 1,
        approx_min_span_tree=False,  # the approximate tree has other components
        gen_min_span_tree=True,
        core_dist_n_jobs=1,
    ).fit(points)


def core_distances(points: np.ndarray, min_samples: int) -> np.ndarray:
    """Return each point's distance to its ``min_samples``-th nearest, itself the first.

    Parameters
    ----------
    points : ndarray of float, shape (n, p), n ≥ min_samples
    min_samples : int

    Returns
    -------
    ndarray of float, shape (n,)
        Sorted, it is the k-distance curve.
    """
    from sklearn.neighbors import KDTree

    distances, _ = KDTree(points).query(points, k=min_samples)
    return distances[:, -1]


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
