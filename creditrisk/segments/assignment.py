"""Which cluster a client belongs to, and how surely, from saved numbers alone.

The stage that fits the clusters labels its clients with this class, and so does the
service: one path, so a label is the same in a batch, alone and in the pipeline. Every
step works element by element in a fixed order (no matrix product, whose sums depend
on the size of the batch), and a square root is rounded alike on every processor.
numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.features import registry
from creditrisk.features.record import ClientRecord

TYPICAL_LEVEL = 0.99
"""Quantile of the members' distances beyond which confidence is reduced."""


def transform(values: np.ndarray, features: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Clip the features to their stated range, then take the square root where stated.

    Parameters
    ----------
    values : ndarray of float, shape (n, p)
        Raw feature values.
    features : sequence of mapping, length p
        ``clip`` [low, high] and ``transform`` (``identity`` or ``sqrt``).

    Returns
    -------
    ndarray of float, shape (n, p)
    """
    return _bounded(values, *_bounds(features))


def _bounds(features: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return lowest and highest values (p,) each, and the columns that are rooted."""
    low, high = np.array([f["clip"] for f in features], dtype=float).T
    return low, high, [j for j, f in enumerate(features) if f["transform"] == "sqrt"]


def _bounded(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, rooted: list[int]
) -> np.ndarray:
    """Clip and root; a server does not read the bounds anew for every client."""
    bounded = np.minimum(np.maximum(values, low), high)
    bounded[:, rooted] = np.sqrt(bounded[:, rooted])
    return bounded


def squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return squared Euclidean distances, summed feature by feature.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    centres : ndarray of float, shape (k, p)

    Returns
    -------
    ndarray of float, shape (n, k)
        The same bits for a point whatever batch it comes in.
    """
    apart = np.subtract(points.T[:, :, None], centres.T[:, None, :], order="C")
    return np.add.reduce(np.multiply(apart, apart, out=apart), axis=0)


def margin_confidence(distances: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return how surely each point belongs to its nearest centre.

    ``(1 − d1 / d2) · min(1, limit / d1)``: the first factor is the simplified
    silhouette (Hruschka, de Castro & Campello 2004), 0 half-way between two centres
    and 1 on a centre; the second falls below 1 for a point farther out than nearly
    all members of the cluster were.

    Parameters
    ----------
    distances : ndarray of float, shape (n, k), k ≥ 2
        Distances to the centres.
    limits : ndarray of float, shape (k,)
        Each cluster's 99th percentile of its training members' distances.

    Returns
    -------
    ndarray of float, shape (n,)
        0 to 1.
    """
    nearest = distances.argmin(axis=1)
    first, second = np.partition(distances, 1, axis=1)[:, :2].T
    limit = limits[nearest]
    ones = np.ones_like(first)
    margin = 1.0 - np.divide(first, second, out=ones.copy(), where=second > 0)
    typical = np.divide(limit, first, out=ones, where=first > limit)
    return margin * typical


def is_typical(distances: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return whether each point lies as near to its centre as nearly all members did.

    Parameters
    ----------
    distances : ndarray of float, shape (n, k)
        Distances to the centres.
    limits : ndarray of float, shape (k,)
        Each cluster's 99th percentile of its training members' distances.

    Returns
    -------
    ndarray of bool, shape (n,)
        False where a distance is NaN: of such a client nothing is known.
    """
    nearest = distances.argmin(axis=1)
    return distances[np.arange(len(distances)), nearest] <= limits[nearest]


class ClusterAssigner:
    """Assigns clients to clusters.

    Parameters
    ----------
    numbers : mapping
        What ``models/clusters.json`` holds: ``features`` (name, clip, transform),
        ``mean``, ``scale``, ``centres`` (k × p, in scaled units), ``names`` and
        ``distance_quantiles`` (``levels`` and k × levels ``values``).

    Attributes
    ----------
    names : list of str
        Name of each cluster, by its number.
    """

    def __init__(self, numbers: Mapping[str, Any]) -> None:
        self.names: list[str] = list(numbers["names"])
        self.features: list[Mapping[str, Any]] = list(numbers["features"])
        self.mean = np.array(numbers["mean"], dtype=float)
        self.scale = np.array(numbers["scale"], dtype=float)
        self.centres = np.array(numbers["centres"], dtype=float)
        quantiles = numbers["distance_quantiles"]
        typical = list(quantiles["levels"]).index(TYPICAL_LEVEL)
        self.limits = np.array(quantiles["values"], dtype=float)[:, typical]
        self._bounds = _bounds(self.features)
        self._compute = registry.compile_features(tuple(f["name"] for f in self.features))

    def scaled(self, record: ClientRecord) -> np.ndarray:
        """Return the clients' features transformed and scaled, shape (n, p)."""
        return self.scaled_values(self._compute(record))

    def scaled_values(self, values: np.ndarray) -> np.ndarray:
        """Return raw features, shape (n, p), transformed and scaled."""
        return (_bounded(values, *self._bounds) - self.mean) / self.scale

    def distances(self, record: ClientRecord) -> np.ndarray:
        """Return Euclidean distances to the centres in scaled units, shape (n, k)."""
        return self.to_centres(self.scaled(record))

    def to_centres(self, points: np.ndarray) -> np.ndarray:
        """Return distances of scaled points, shape (n, p), to the centres, shape (n, k)."""
        return np.sqrt(squared_distances(points, self.centres))

    def assign(self, record: ClientRecord) -> tuple[np.ndarray, np.ndarray]:
        """Assign every client; nobody is left out.

        Parameters
        ----------
        record : ClientRecord, n clients

        Returns
        -------
        ndarray of int, shape (n,)
            Number of the nearest centre; the lowest one on a tie.
        ndarray of float, shape (n,)
            Confidence, 0–1, by :func:`margin_confidence`.
        """
        distances = self.distances(record)
        return distances.argmin(axis=1), margin_confidence(distances, self.limits)
