"""Data without groups: what KMeans makes of them, beside what it makes of the clients.

Cells of structureless data can be stable and compact too (Hennig 2007, section 5), so an
index or a Jaccard similarity says little alone. Two references keep what is no grouping:
columns permuted independently keep every margin and no dependence, a Gaussian keeps
means and covariances and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.segments import clusters

MEASURES = {**clusters.INDICES, "min_jaccard": 1}
"""What is compared; −1 where small is good."""


def check_points(points: np.ndarray, *, k_max: int = 1) -> None:
    """Refuse points that cannot be clustered.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    k_max : int

    Raises
    ------
    UserError
        Naming ``cluster.features`` when a value is not finite or a column constant,
        ``cluster.k_max`` when there are too few rows.
    """
    clusters.check_rows(len(points), k_max=k_max)
    if not np.isfinite(points).all():
        raise UserError("cluster.features: a value is NaN or infinite; clip or remove its feature")
    if constant := np.flatnonzero(np.ptp(points, axis=0) == 0).tolist():
        raise UserError(
            f"cluster.features: no. {', '.join(str(j + 1) for j in constant)} is constant on these "
            "rows; remove it or widen its clip"
        )


def permute_columns(points: np.ndarray, random_state: int) -> np.ndarray:
    """Permute every column on its own: the margins stay exactly, all dependence goes.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    random_state : int

    Returns
    -------
    ndarray of float, shape (n, p)
    """
    return np.random.default_rng(random_state).permuted(points, axis=0)


def draw_gaussian(points: np.ndarray, random_state: int) -> np.ndarray:
    """Draw from the Gaussian with the points' mean and covariance, shape (n, p)."""
    rng = np.random.default_rng(random_state)
    values, directions = np.linalg.eigh(np.cov(points, rowvar=False))
    root = directions * np.sqrt(np.maximum(values, 0.0))  # a zero may come out below zero
    return points.mean(axis=0) + rng.standard_normal(points.shape) @ root.T


DRAWS = {"permuted": permute_columns, "gaussian": draw_gaussian}
"""Kinds of reference."""


def measure_draw(
    points: np.ndarray, kind: str, ks: Sequence[int], *, random_state: int, **kmeans: Any
) -> list[dict[str, Any]]:
    """Cluster one draw of a reference (or the points themselves) with every k.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    kind : str
        A key of :data:`DRAWS`, or ``clients`` for the points as they are.
    ks : sequence of int
    random_state : int
        Seed of the draw and of its fits.
    **kmeans
        ``n_init``, ``n_resamples`` and ``silhouette_rows`` of
        :func:`creditrisk.segments.clusters.try_k`.

    Returns
    -------
    list of dict
        What :func:`~creditrisk.segments.clusters.try_k` returns, for each k.
    """
    drawn = DRAWS[kind](points, random_state) if kind in DRAWS else points
    return [clusters.try_k(drawn, k, random_state=random_state, **kmeans) for k in ks]


def compare(
    clients: Sequence[Mapping[str, Any]],
    draws: Mapping[str, Iterable[Sequence[Mapping[str, Any]]]],
) -> list[dict[str, Any]]:
    """Set the clients' values beside those of all draws of a reference.

    Parameters
    ----------
    clients : sequence of mapping
        From :func:`measure_draw`, a k each.
    draws : mapping
        Kind of reference → one such sequence a draw.

    Returns
    -------
    list of dict
        For each kind, measure and k: ``value`` of the clients, ``mean``, ``low`` and
        ``high`` (the extremes) of the draws, ``n_draws``, ``n_as_good`` (draws that do
        as well or better), ``beyond`` (none does) and the Monte Carlo ``p_value``
        (Davison & Hinkley 1997, eq. 4.11).
    """
    rows = []
    for kind, measured in draws.items():
        listed = list(measured)
        for measure, sign in MEASURES.items():
            for i, mine in enumerate(clients):
                theirs = np.array([draw[i][measure] for draw in listed])
                as_good = int((sign * theirs >= sign * mine[measure]).sum())
                rows.append(
                    {
                        "kind": kind,
                        "measure": measure,
                        "k": mine["k"],
                        "value": mine[measure],
                        "mean": float(theirs.mean()),
                        "low": float(theirs.min()),
                        "high": float(theirs.max()),
                        "n_draws": len(theirs),
                        "n_as_good": as_good,
                        "beyond": as_good == 0,
                        "p_value": (1 + as_good) / (1 + len(theirs)),
                    }
                )
    return rows
