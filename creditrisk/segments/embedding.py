"""Pictures of the clients in few dimensions: principal components and t-SNE."""

from __future__ import annotations

from typing import Any

import numpy as np

DECIMALS = 6
TSNE_DECIMALS = 3


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
) -> np.ndarray:
    """Embed rows in the plane by t-SNE (van der Maaten & Hinton 2008; openTSNE).

    Exact neighbours, PCA initialisation, gradient by interpolation and FFT
    (Linderman et al. 2019), early exaggeration first. A picture, never an input of a
    clustering.

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
        embedded = openTSNE.TSNEEmbedding(
            openTSNE.initialization.pca(points, random_state=random_state),
            affinities,
            negative_gradient_method="fft",
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
