"""Where a new client lies on the t-SNE map, by a stated rule from saved numbers alone.

t-SNE has no formula for a new row. Landmarks stand in for one: training clients spread
over the map and over the features, with their place in both. A new client is put among
its nearest landmarks, and only among those that are neighbours on the map too: t-SNE
tears neighbours apart here and there, and a mean over a tear is empty space. numpy only
where it is served; every step works element by element, so a client alone gets the same
bits as in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.segments.assignment import squared_distances

DECIMALS = 6
N_NEAREST = 3
"""Landmarks that may share in a position; five were no better on held-out clients."""

FEATURE_WEIGHT = 0.5
"""Spread of the features against the map's when landmarks are chosen. Without it whole
kinds of clients that the map draws small get no landmark of their own."""

RADIUS = 2.0
"""Reach on the map, in typical distances between neighbouring landmarks."""

BLOCK = 128
"""Clients placed at a time: their distances stay in the cache, and it changes no bit."""

ON_IT = 1e-6
"""Distance in feature space below which a client is on a landmark."""


def fit_landmarks(
    points: np.ndarray, coordinates: np.ndarray, n: int, random_state: int
) -> dict[str, Any]:
    """Choose landmarks: the clients nearest to the centres of many small groups.

    KMeans groups the clients by features and map position together, each side scaled to
    a stated total variance.

    Parameters
    ----------
    points : ndarray of float, shape (m, p)
        Scaled features of training clients.
    coordinates : ndarray of float, shape (m, 2)
        Their places on the map.
    n : int
        Landmarks wanted; fewer when there are fewer different clients.
    random_state : int

    Returns
    -------
    dict
        ``points`` (n × p, six decimals), ``coordinates`` (n × 2), ``radius`` in map
        units and ``n_nearest``: what :class:`Placer` takes.

    Raises
    ------
    UserError
        With fewer than two landmarks, a map without extent or values that are not finite.
    """
    _check_finite(points)
    _check_finite(coordinates)
    if n < 2:
        raise UserError(f"cluster.map.n_landmarks: at least 2 are needed, got {n}")
    extent = coordinates.var(axis=0).sum()
    if extent == 0:
        raise UserError("t-SNE map: all clients lie on one spot; give it clients that differ")
    weight = FEATURE_WEIGHT / np.sqrt(max(points.var(axis=0).sum(), ON_IT))
    joint = np.hstack([points * weight, coordinates * np.sqrt(2 / extent)])
    chosen = _central_rows(joint, n, random_state)
    places = coordinates[chosen]
    return {
        "points": points[chosen].round(DECIMALS).tolist(),
        "coordinates": places.tolist(),
        "radius": float(np.round(RADIUS * _typical_gap(places), DECIMALS)),
        "n_nearest": min(N_NEAREST, len(chosen)),
    }


def _check_finite(values: np.ndarray) -> None:
    """Refuse NaN and infinity."""
    if not np.isfinite(values).all():
        raise UserError("t-SNE map: features and positions must be finite; clean them first")


def _central_rows(points: np.ndarray, n: int, random_state: int) -> np.ndarray:
    """Return the rows nearest to the centres of n groups, ascending, each once."""
    from scipy.spatial import cKDTree
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    n = min(n, len(np.unique(points, axis=0)))
    with threadpool_limits(limits=1):
        groups = KMeans(n, n_init=1, max_iter=20, random_state=random_state).fit(points)
    return np.unique(cKDTree(points).query(groups.cluster_centers_)[1])


def _typical_gap(places: np.ndarray) -> float:
    """Return the median distance on the map from a landmark to the nearest other one."""
    squared = squared_distances(places, places)
    np.fill_diagonal(squared, np.inf)
    return float(np.sqrt(np.median(squared.min(axis=1))))


class Placer:
    """Places clients on the map.

    The nearest landmark in feature space is the anchor. Of the ``n_nearest`` landmarks,
    those within ``radius`` of the anchor on the map are averaged, with weights one over
    the squared distance in feature space.

    Parameters
    ----------
    numbers : mapping
        From :func:`fit_landmarks`, as stored in ``models/clusters.json`` under ``map``.
    """

    def __init__(self, numbers: Mapping[str, Any]) -> None:
        self.points = np.array(numbers["points"], dtype=float)
        self.coordinates = np.array(numbers["coordinates"], dtype=float)
        self.radius = float(numbers["radius"])
        self.n_nearest = int(numbers["n_nearest"])

    def place(self, points: np.ndarray) -> np.ndarray:
        """Place clients.

        Parameters
        ----------
        points : ndarray of float, shape (n, p)
            Scaled features, from :meth:`.assignment.ClusterAssigner.scaled`.

        Returns
        -------
        ndarray of float, shape (n, 2)
            Map units; the same bits for a client alone and in a batch.

        Raises
        ------
        UserError
            When a value is not finite.
        """
        _check_finite(points)
        blocks = range(0, len(points), BLOCK)
        return np.concatenate(
            [np.empty((0, 2)), *(self._place(points[i : i + BLOCK]) for i in blocks)]
        )

    def _place(self, points: np.ndarray) -> np.ndarray:
        """Place one block of clients."""
        squared = squared_distances(points, self.points)
        every = np.arange(len(points))
        nearest = np.empty((len(points), self.n_nearest), dtype=np.intp)
        weights = np.empty(nearest.shape)
        for j in range(self.n_nearest):
            nearest[:, j] = closest = squared.argmin(axis=1)  # the first of equals
            weights[:, j] = squared[every, closest]
            squared[every, closest] = np.inf
        places = self.coordinates[nearest]
        apart = ((places - places[:, :1]) ** 2).sum(axis=2)
        weights = (apart <= self.radius**2) / np.maximum(weights, ON_IT**2)
        return (weights[:, :, None] * places).sum(axis=1) / weights.sum(axis=1)[:, None]
