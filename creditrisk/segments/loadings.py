"""Principal components with the uncertainty of their loadings."""

from __future__ import annotations

from typing import Any

import numpy as np

from creditrisk.segments import reference

LEVEL = 0.95


def bootstrap_loadings(points: np.ndarray, n_resamples: int, random_state: int) -> dict[str, Any]:
    """Fit principal components; draw the rows anew to see how far they move.

    Each resample's components are taken in the order of their variance and turned so
    that they point the way of the reference's (Jackson 1995: an axis has no sign). Two
    components of like variance may change places; ``alignment`` shows it.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    n_resamples, random_state : int

    Returns
    -------
    dict
        ``n_resamples``, ``level`` and ``components``, one dict each in the order of variance:
        ``explained`` with ``low`` and ``high`` (shares of the variance, percentile
        interval), ``loadings`` (list of ``value``, ``low``, ``high``, a feature each; the
        largest is positive) and ``alignment``, the mean absolute cosine between a
        resample's component and the reference's (1 is the same direction).

    Raises
    ------
    UserError
        Naming ``cluster.features`` when a column is constant or not finite.
    """
    reference.check_points(points)
    shares, vectors = _components(points, np.ones(len(points)))
    vectors *= np.sign(vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)])[:, None]
    rng = np.random.default_rng(random_state)
    drawn_shares, drawn_vectors, cosines = [], [], []
    for _ in range(n_resamples):
        drawn = rng.integers(0, len(points), len(points))
        weights = np.bincount(drawn, minlength=len(points)).astype(float)
        share, turned = _components(points, weights)
        cosine = (turned * vectors).sum(axis=1)
        drawn_shares.append(share)
        drawn_vectors.append(turned * np.where(cosine < 0, -1.0, 1.0)[:, None])
        cosines.append(np.abs(cosine))
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    share_ends = np.quantile(drawn_shares, tails, axis=0)
    ends = np.quantile(drawn_vectors, tails, axis=0)
    alignment = np.mean(cosines, axis=0)
    return {
        "n_resamples": n_resamples,
        "level": LEVEL,
        "components": [
            {
                "explained": float(shares[c]),
                "low": float(share_ends[0, c]),
                "high": float(share_ends[1, c]),
                "alignment": float(alignment[c]),
                "loadings": [
                    {"value": float(v), "low": float(low), "high": float(high)}
                    for v, low, high in zip(vectors[c], ends[0, c], ends[1, c], strict=True)
                ],
            }
            for c in range(len(shares))
        ],
    }


def _components(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return shares of the variance, largest first, and components, a row each."""
    covariance = np.cov(points, rowvar=False, aweights=weights, ddof=0)
    values, columns = np.linalg.eigh(covariance)
    return values[::-1] / values.sum(), columns.T[::-1].copy()
