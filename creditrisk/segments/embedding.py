"""Pictures of the clients in few dimensions: principal components and t-SNE."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from creditrisk.errors import UserError

DECIMALS = 6
TSNE_DECIMALS = 3
FINE, COARSE = 96, 40
"""Cells along the map's longer side: for labels; for means, which need clients in a cell."""


def fit_pca(points: np.ndarray) -> dict[str, np.ndarray]:
    """Fit principal components.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
        Scaled training rows (mean 0).

    Returns
    -------
    dict of ndarray
        ``components`` (p, p), a row each, six decimals, the sign chosen so that the
        largest loading is positive; ``explained`` (p,), shares of the variance.
    """
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        fitted = PCA(svd_solver="covariance_eigh").fit(points)
    components = fitted.components_
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return {
        "components": (components * signs[:, None]).round(DECIMALS) + 0.0,
        "explained": fitted.explained_variance_ratio_,
    }


def project(points: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Project scaled rows on components, direction by direction, shape (n, c).

    Summed feature by feature, so a row gets the same numbers alone and in a batch.
    """
    total = np.zeros((len(points), len(components)))
    for j in range(points.shape[1]):
        total += points[:, j, None] * components[:, j]
    return total


def fit_tsne(
    points: np.ndarray,
    *,
    perplexity: float,
    early_iterations: int,
    iterations: int,
    exaggeration: float,
    random_state: int,
    n_jobs: int = 1,
    start: Literal["pca", "random"] = "pca",
    gradient: Literal["fft", "bh"] = "fft",
) -> np.ndarray:
    """Embed rows in the plane by t-SNE (van der Maaten & Hinton 2008; openTSNE).

    Exact neighbours, early exaggeration first. A picture, never an input of a clustering.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
        Scaled features, rows in a fixed order.
    perplexity : float
        Lowered to a third of the rows on a small table, as openTSNE asks.
    early_iterations, iterations : int
    exaggeration : float
        Factor of the early phase.
    random_state : int
    n_jobs : int
        Threads; the coordinates were found to be the same with one and two.
    start : {"pca", "random"}
        Where the rows lie before the first step.
    gradient : {"fft", "bh"}
        By interpolation and FFT (Linderman et al. 2019), or by Barnes-Hut trees, which
        take a third of the time with a few thousand rows.

    Returns
    -------
    ndarray of float, shape (n, 2)
        Rounded to three decimals.
    """
    import openTSNE
    from threadpoolctl import threadpool_limits

    shared: dict[str, Any] = {"n_jobs": n_jobs, "random_state": random_state}
    with threadpool_limits(limits=1, user_api="blas"):  # parallel sums reorder
        affinities = openTSNE.affinity.PerplexityBasedNN(
            points,
            perplexity=min(perplexity, (len(points) - 1) / 3),
            method="exact",
            **shared,
        )
        initial = {"pca": openTSNE.initialization.pca, "random": openTSNE.initialization.random}
        embedded = openTSNE.TSNEEmbedding(
            initial[start](points, random_state=random_state),
            affinities,
            negative_gradient_method=gradient,
            **shared,
        )
        for n_iter, factor, momentum in (
            (early_iterations, exaggeration, 0.5),
            (iterations, 1, 0.8),
        ):
            embedded.optimize(
                n_iter, exaggeration=factor, momentum=momentum, n_jobs=n_jobs, inplace=True
            )
    return np.asarray(embedded).round(TSNE_DECIMALS) + 0.0


def grid_means(coordinates: np.ndarray, values: np.ndarray, n_cells: int) -> dict[str, Any]:
    """Average a value over the square cells of a map.

    Parameters
    ----------
    coordinates : ndarray of float, shape (n, 2)
    values : ndarray of float, shape (n,)
        A quantity or an event (0, 1).
    n_cells : int
        Cells along the map's longer side.

    Returns
    -------
    dict
        ``low`` [x, y], ``side`` and ``shape`` [rows, columns] of the grid; by cell that
        holds anybody ``cells`` (row · columns + column, ascending), ``n`` and ``mean``.

    Raises
    ------
    UserError
        When the map has no extent or a value is not finite.
    """
    frame, cell = _cells(coordinates, n_cells)
    if not np.isfinite(values).all():
        raise UserError("map: the values to average must be finite; leave the others out")
    cells, index, n = np.unique(cell, return_inverse=True, return_counts=True)
    mean = np.bincount(index, weights=values) / n
    return frame | {"cells": cells.tolist(), "n": n.tolist(), "mean": mean.tolist()}


def grid_majority(coordinates: np.ndarray, labels: np.ndarray, n_cells: int) -> dict[str, Any]:
    """Find the commonest label in each square cell of a map.

    Parameters
    ----------
    coordinates : ndarray of float, shape (n, 2)
    labels : ndarray of int, shape (n,)
    n_cells : int
        Cells along the map's longer side.

    Returns
    -------
    dict
        As from :func:`grid_means`, with ``label`` (the lowest of equally common ones)
        and ``share``, its share of the cell's clients, in place of ``mean``.
    """
    frame, cell = _cells(coordinates, n_cells)
    cells, index, n = np.unique(cell, return_inverse=True, return_counts=True)
    names, code = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(cells), len(names)), dtype=int)
    np.add.at(counts, (index, code), 1)
    return frame | {
        "cells": cells.tolist(),
        "n": n.tolist(),
        "label": names[counts.argmax(axis=1)].tolist(),
        "share": (counts.max(axis=1) / n).tolist(),
    }


def _cells(coordinates: np.ndarray, n_cells: int) -> tuple[dict[str, Any], np.ndarray]:
    """Lay a grid of square cells over a map; return its frame and each row's cell."""
    low = coordinates.min(axis=0)
    extent = np.ptp(coordinates, axis=0)
    side = float(extent.max()) / n_cells
    if not side > 0 or not np.isfinite(side):
        raise UserError("map: positions must be finite and differ; check the coordinates")
    columns, rows = (int(v) for v in np.maximum(np.ceil(extent / side - 1e-9), 1))
    column, row = np.minimum(
        ((coordinates - low) / side).astype(int).T, [[columns - 1], [rows - 1]]
    )
    frame = {"low": low.tolist(), "side": side, "shape": [rows, columns]}
    return frame, row * columns + column


def draw_grids(
    coordinates: np.ndarray,
    *,
    kmeans: np.ndarray,
    dbscan: np.ndarray,
    pay_0: np.ndarray,
    outcome: np.ndarray,
) -> dict[str, dict[str, Any]]:
    """Return the panels of the map: one grid for each thing that colours it.

    Parameters
    ----------
    coordinates : ndarray of float, shape (n, 2)
    kmeans, dbscan : ndarray of int, shape (n,)
        Labels; −1 is DBSCAN's noise.
    pay_0 : ndarray of int, shape (n,)
        September's status code, −2 to 8.
    outcome : ndarray of int, shape (n,)
        1 = default; to look at, the map has not seen it.

    Returns
    -------
    dict
        ``kmeans``, ``dbscan`` and ``pay_0`` (codes shifted to 0 for −2 … 4 for 2 and
        above): :func:`grid_majority`; ``default``: :func:`grid_means`.
    """
    codes = np.clip(pay_0, -2, 2) + 2
    named = {"kmeans": kmeans, "dbscan": dbscan, "pay_0": codes}
    grids = {name: grid_majority(coordinates, v, FINE) for name, v in named.items()}
    return grids | {"default": grid_means(coordinates, outcome, COARSE)}
