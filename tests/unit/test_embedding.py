"""PCA against scikit-learn's own projection; t-SNE repeats and keeps neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from creditrisk.segments import embedding

SETTINGS = {"perplexity": 20, "early_iterations": 60, "iterations": 120, "exaggeration": 12}


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    cloud, _ = make_blobs(400, n_features=5, centers=4, random_state=0)
    return (cloud - cloud.mean(axis=0)) / cloud.std(axis=0)


def test_pca_is_scikit_learns_up_to_sign(points):
    pca = embedding.fit_pca(points)
    projected = embedding.project(points, pca["components"][:3])
    oracle = PCA(3).fit_transform(points)
    signs = np.sign((projected * oracle).sum(axis=0))
    np.testing.assert_allclose(projected, oracle * signs, atol=1e-4)
    assert pca["explained"].sum() == pytest.approx(1.0)
    assert np.all(np.diff(pca["explained"]) <= 0)


def test_the_largest_loading_of_each_component_is_positive(points):
    components = embedding.fit_pca(points)["components"]
    assert all(c[np.abs(c).argmax()] > 0 for c in components)


def test_a_row_is_projected_alone_as_in_a_batch(points):
    components = embedding.fit_pca(points)["components"][:3]
    np.testing.assert_array_equal(
        embedding.project(points[7:8], components)[0], embedding.project(points, components)[7]
    )


def test_tsne_keeps_neighbours_and_repeats_whatever_the_threads(points):
    first = embedding.fit_tsne(points, **SETTINGS, random_state=0)
    assert first.shape == (400, 2)
    assert trustworthiness(points, first, n_neighbors=15) > 0.9
    for n_jobs in (1, 2):
        again = embedding.fit_tsne(points, **SETTINGS, random_state=0, n_jobs=n_jobs)
        np.testing.assert_array_equal(again, first)


def test_a_small_table_lowers_the_perplexity_without_a_warning(points):
    assert embedding.fit_tsne(points[:30], **SETTINGS, random_state=0).shape == (30, 2)
