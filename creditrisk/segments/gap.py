"""The gap statistic of Tibshirani, Walther & Hastie (2001).

How much tighter k clusters of the clients are than k clusters of points spread evenly
over the same box: ``gap(k) = E*[log W(k)] − log W(k)``, W the sum of squared distances to
the centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from creditrisk.segments import assignment, clusters


def draw_box(points: np.ndarray, random_state: int) -> np.ndarray:
    """Draw points evenly over the box along the principal components, shape (n, p).

    The second of the paper's two references: the box follows the shape of the cloud.
    """
    centre = points.mean(axis=0)
    directions = np.linalg.eigh(np.cov(points, rowvar=False))[1]
    turned = (points - centre) @ directions
    rng = np.random.default_rng(random_state)
    box = rng.uniform(turned.min(axis=0), turned.max(axis=0), points.shape)
    return box @ directions.T + centre


def log_dispersion(
    points: np.ndarray, ks: Sequence[int], *, n_init: int, random_state: int
) -> list[float]:
    """Return ``log W(k)`` for each k; one cluster is the mean of all.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    ks : sequence of int
        1 and more.
    n_init, random_state : int
    """
    logs = []
    for k in ks:
        centres = (
            points.mean(axis=0, keepdims=True)
            if k == 1
            else clusters.fit_centres(points, k, n_init=n_init, random_state=random_state)
        )
        total = assignment.squared_distances(points, centres).min(axis=1).sum()
        logs.append(float(np.log(total)))
    return logs


def measure_draw(
    points: np.ndarray, ks: Sequence[int], *, n_init: int, random_state: int
) -> list[float]:
    """Return ``log W(k)`` of one draw over the box, see :func:`log_dispersion`."""
    drawn = draw_box(points, random_state)
    return log_dispersion(drawn, ks, n_init=n_init, random_state=random_state)


def summarise(
    ks: Sequence[int], logs: Sequence[float], draws: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Compute the gap and choose k by the paper's one-standard-error rule.

    The smallest k with ``gap(k) ≥ gap(k + 1) − s(k + 1)``, where s is the draws' standard
    deviation times √(1 + 1/B), is chosen.

    Parameters
    ----------
    ks : sequence of int, length m
        One after the other, from 1.
    logs : sequence of float, length m
        ``log W(k)`` of the clients.
    draws : sequence of sequence of float, shape (B, m)
        The same of each draw.

    Returns
    -------
    dict
        ``rows`` (``k``, ``log_dispersion``, ``expected``, ``gap``, ``error``),
        ``n_draws`` and ``k``, None when the gap still rises at the largest k.
    """
    table = np.asarray(draws, dtype=float)
    expected = table.mean(axis=0)
    gaps = expected - np.asarray(logs)
    errors = table.std(axis=0) * np.sqrt(1 + 1 / len(table))
    enough = gaps[:-1] >= gaps[1:] - errors[1:]
    return {
        "k": int(ks[int(enough.argmax())]) if enough.any() else None,
        "n_draws": len(table),
        "rows": [
            {"k": k, "log_dispersion": log, "expected": e, "gap": g, "error": s}
            for k, log, e, g, s in zip(
                ks, logs, expected.tolist(), gaps.tolist(), errors.tolist(), strict=True
            )
        ],
    }
