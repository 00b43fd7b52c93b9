"""HDBSCAN: clusters of any density, their validity, and what the same rows give when shuffled.

The validity is the approximation of the density-based cluster validation index (DBCV; Moulavi et
al. 2014) on the spanning tree, −1 to 1, as ``hdbscan`` computes it. Where many distances are equal
there are many minimum spanning trees; which one is found depends on the order of the rows, and
with it the validity, sometimes a lot. Labels are therefore computed on sorted rows, so that no
order can change them, and the validity is given with its range over other orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.segments.clusters import sample_rows
from creditrisk.segments.density import judge
from creditrisk.segments.density_grid import adjusted_rand
from creditrisk.segments.reachability import fit_hdbscan


def cluster(
    train: np.ndarray,
    kmeans: np.ndarray,
    *,
    max_rows: int,
    min_samples: int,
    min_cluster_size: Sequence[int],
    n_orders: int,
    limits: Mapping[str, Any],
    random_state: int,
) -> dict[str, Any]:
    """Run HDBSCAN at every ``min_cluster_size`` on the sample that DBSCAN is fitted on.

    Parameters
    ----------
    train : ndarray of float, shape (m, p)
        Scaled training rows; at most ``max_rows`` of them are fitted.
    kmeans : ndarray of int, shape (m,)
        Their KMeans labels.
    max_rows, random_state : int
    min_samples : int
        As in DBSCAN: the point itself counts.
    min_cluster_size : sequence of int
        Least rows of a cluster, of those that are fitted.
    n_orders : int
        Other orders of the rows that are tried.
    limits : mapping
        Keyword arguments of :func:`creditrisk.segments.density.judge`.

    Returns
    -------
    dict
        ``n_fitted, min_samples, n_orders`` and ``rows``, one for each size:
        ``min_cluster_size``, the verdict of ``judge``, what :func:`describe` returns,
        ``adjusted_rand`` with KMeans (noise as a group), and what :func:`vary_order` and
        :func:`fit_shuffled` return.

    Raises
    ------
    UserError
        Naming ``cluster.hdbscan.min_cluster_size`` or ``cluster.dbscan.min_samples``.
    """
    rows = sample_rows(len(train), max_rows, random_state)
    sample, known = train[rows], kmeans[rows]
    found = []
    for size in min_cluster_size:
        fitted = fit(sample, size, min_samples)
        seeded = {"random_state": random_state}
        found.append(
            {
                "min_cluster_size": size,
                **judge(fitted["labels"], **limits),
                **describe(fitted),
                "adjusted_rand": adjusted_rand(known, fitted["labels"]),
                **vary_order(sample, fitted, size, min_samples, n_orders=n_orders, **seeded),
                "shuffled": fit_shuffled(sample, size, min_samples, limits=limits, **seeded),
            }
        )
    return {
        "n_fitted": len(sample),
        "min_samples": min_samples,
        "n_orders": n_orders,
        "rows": found,
    }


def fit(points: np.ndarray, min_cluster_size: int, min_samples: int) -> dict[str, Any]:
    """Fit HDBSCAN; labels do not depend on the order of the rows.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    min_cluster_size : int
        2 to n.
    min_samples : int

    Returns
    -------
    dict
        ``labels`` (shape (n,), −1 is noise), ``validity`` (float, or None without two clusters)
        and ``persistence`` (shape (k,), or None, see :func:`describe`).

    Raises
    ------
    UserError
        Naming ``cluster.hdbscan.min_cluster_size`` or ``cluster.dbscan.min_samples``.
    """
    order = np.lexsort(points.T)
    labels = np.empty(len(points), dtype=int)
    fitted = _fit(points[order], min_cluster_size, min_samples)
    labels[order] = fitted["labels"]
    return fitted | {"labels": labels}


def _fit(points: np.ndarray, min_cluster_size: int, min_samples: int) -> dict[str, Any]:
    """Fit HDBSCAN on rows in the order given."""
    if not 2 <= min_cluster_size <= len(points):
        raise UserError(
            f"cluster.hdbscan.min_cluster_size: {min_cluster_size} is not between 2 and the "
            f"{len(points)} rows that are fitted; change it, or raise cluster.dbscan.max_rows"
        )
    model = fit_hdbscan(points, min_cluster_size=min_cluster_size, min_samples=min_samples)
    levels = model.condensed_tree_.to_numpy()["lambda_val"]
    usable = model.labels_.max() >= 1  # one cluster has nothing to be separated from
    return {
        "labels": model.labels_,
        "validity": float(model.relative_validity_) if usable else None,
        "persistence": model.cluster_persistence_ if np.isfinite(levels).all() else None,
    }


def describe(fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the validity of a fit and the persistence of its clusters.

    Returns
    -------
    dict
        ``validity``, and ``clusters``: ``n`` and ``persistence`` by cluster, largest first. A
        cluster's persistence, 0 to 1, is its excess of mass over the most it could have; it is
        None where equal rows make a cluster, as their density is then infinite.
    """
    labels, persistence = fitted["labels"], fitted["persistence"]
    sizes = np.bincount(labels[labels >= 0])
    return {
        "validity": fitted["validity"],
        "clusters": [
            {"n": int(sizes[c]), "persistence": None if persistence is None else persistence[c]}
            for c in np.argsort(-sizes, kind="stable")
        ],
    }


def vary_order(
    points: np.ndarray,
    fitted: Mapping[str, Any],
    min_cluster_size: int,
    min_samples: int,
    *,
    n_orders: int,
    random_state: int,
) -> dict[str, Any]:
    """Fit again with the rows in other orders, which breaks ties between distances otherwise.

    Returns
    -------
    dict
        ``validity_low`` and ``validity_high`` over all orders, the sorted one included (None
        where one has no validity), and ``order_adjusted_rand``, the least agreement of labels with
        the sorted order's.
    """
    rng = np.random.default_rng(random_state)
    validities, agreements = [fitted["validity"]], [1.0]
    for _ in range(n_orders):
        order = rng.permutation(len(points))
        again = _fit(points[order], min_cluster_size, min_samples)
        validities.append(again["validity"])
        agreements.append(adjusted_rand(fitted["labels"][order], again["labels"]))
    known = [] if None in validities else validities
    return {
        "validity_low": min(known, default=None),
        "validity_high": max(known, default=None),
        "order_adjusted_rand": min(agreements),
    }


def fit_shuffled(
    points: np.ndarray,
    min_cluster_size: int,
    min_samples: int,
    *,
    limits: Mapping[str, Any],
    random_state: int,
) -> dict[str, Any]:
    """Fit HDBSCAN on columns shuffled one by one: the same values, without what ties them.

    Returns
    -------
    dict
        ``n_clusters`` and ``noise_share``.
    """
    shuffled = np.random.default_rng(random_state).permuted(points, axis=0)
    verdict = judge(fit(shuffled, min_cluster_size, min_samples)["labels"], **limits)
    return {key: verdict[key] for key in ("n_clusters", "noise_share")}
