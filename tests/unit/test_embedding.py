"""PCA against scikit-learn's own projection; t-SNE repeats and keeps neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from creditrisk.errors import UserError
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


def test_a_random_start_and_the_other_gradient_keep_neighbours_too(points):
    drawn = [
        embedding.fit_tsne(points, **SETTINGS, random_state=0, gradient="bh", start=start)
        for start in ("pca", "random")
    ]
    assert not np.array_equal(*drawn)
    assert all(trustworthiness(points, d, n_neighbors=15) > 0.9 for d in drawn)


# two by two cells of side 1: the upper right one is empty, its neighbour holds two
PLACES = np.array([[0.0, 0.0], [0.5, 0.2], [2.0, 0.9], [0.1, 1.9], [0.9, 2.0]])


def test_means_by_cell_by_hand():
    found = embedding.grid_means(PLACES, np.array([1, 0, 1, 3, 5]), 2)
    assert found == {
        "low": [0, 0], "side": 1, "shape": [2, 2],
        "cells": [0, 1, 2], "n": [2, 1, 2], "mean": [0.5, 1, 4],
    }  # fmt: skip


def test_the_commonest_label_by_cell_by_hand():
    found = embedding.grid_majority(PLACES, np.array([4, -1, 4, 2, 2]), 2)
    assert found["label"] == [-1, 4, 2], "the lowest of equally common labels"
    assert found["share"] == [0.5, 1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_a_grid_holds_every_client_once(seed):
    rng = np.random.default_rng(seed)
    places, values = rng.normal(size=(700, 2)) * [3, 1], rng.random(700)
    found = embedding.grid_means(places, values, 17)
    assert found["shape"][1] == 17
    assert found["shape"][0] < 17
    assert sum(found["n"]) == 700
    assert max(found["cells"]) < np.prod(found["shape"])
    assert np.dot(found["n"], found["mean"]) == pytest.approx(values.sum())


def test_a_grid_refuses_a_map_without_extent_and_values_that_are_not_finite():
    with pytest.raises(UserError, match="differ"):
        embedding.grid_means(np.zeros((5, 2)), np.zeros(5), 4)
    with pytest.raises(UserError, match="finite"):
        embedding.grid_means(PLACES, np.array([1, 0, np.nan, 1, 1]), 4)
    with pytest.raises(UserError, match="finite"):
        embedding.grid_majority(PLACES * [[1, np.nan]], np.zeros(5, int), 4)


def test_panels_shift_the_status_codes():
    labels, codes = np.arange(5), np.array([-2, -1, 0, 1, 8])
    grids = embedding.draw_grids(
        PLACES * 1000, kmeans=labels, dbscan=labels - 1, pay_0=codes, outcome=labels % 2
    )
    assert set(grids) == {"kmeans", "dbscan", "pay_0", "default"}
    assert sorted(grids["pay_0"]["label"]) == [0, 1, 2, 3, 4]
    assert sum(grids["default"]["n"]) == 5
