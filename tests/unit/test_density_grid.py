"""The tree that holds DBSCAN at every radius, and the grid over min_samples and eps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_score

from creditrisk.errors import UserError
from creditrisk.segments import density, density_grid, reachability

LIMITS = {"max_noise_share": 0.25, "max_largest_share": 0.9, "max_clusters": 20}


def cloud(n: int = 400, seed: int = 0) -> np.ndarray:
    """Three blobs that touch, on a lattice: many equal rows and equal distances."""
    points, _ = make_blobs(n, centers=[[-2, 0], [0, 2], [2, 0]], cluster_std=0.6, random_state=seed)
    return points.round(1)


def run_grid(points: np.ndarray, **changes):
    settings = {
        "max_rows": 5000,
        "min_samples": [4, 8],
        "eps_factors": [0.5, 1.0, 2.0],
        "limits": LIMITS,
        "silhouette_rows": 5000,
        "random_state": 0,
    }
    kmeans = KMeans(3, n_init=3, random_state=0).fit_predict(points)
    return density_grid.grid(points, points, kmeans, **(settings | changes)), kmeans


# --- the tree ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_samples", [2, 5, 12])
def test_every_cut_has_the_core_points_and_components_of_scikit_learn(seed, min_samples):
    points = cloud(seed=seed)
    linkage = reachability.link(points, min_samples)
    for eps in (0.05, 0.15, 0.25, 0.45, 0.85, 2.05):  # between the lattice's distances
        oracle = DBSCAN(eps=eps, min_samples=min_samples).fit(points)
        labels, core = linkage.label(points, eps), oracle.core_sample_indices_
        np.testing.assert_array_equal(np.flatnonzero(linkage.core_distance <= eps), core)
        np.testing.assert_array_equal(labels == -1, oracle.labels_ == -1)
        assert adjusted_rand_score(labels[core], oracle.labels_[core]) == 1.0
        assert labels.max() == oracle.labels_.max()


def test_the_tree_is_the_smallest_of_mutual_reachability():
    """Against scipy's tree of the whole matrix: the same lengths, whatever the edges."""
    points = np.random.default_rng(0).normal(size=(80, 3))
    linkage = reachability.link(points, 5)
    core = np.sort(cdist(points, points), axis=1)[:, 4]
    np.testing.assert_allclose(linkage.core_distance, core)
    mutual = np.maximum(cdist(points, points), np.maximum(core[:, None], core))
    expected = np.sort(minimum_spanning_tree(np.triu(mutual, 1)).data)
    np.testing.assert_allclose(np.sort(linkage.length), expected)


def test_a_lone_core_point_is_a_cluster_and_its_neighbours_join_it():
    """A star: the middle has four within 1, each of which has only the middle."""
    star = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [9, 9]], dtype=float)
    labels = reachability.link(star, 5).label(star, 1.1)
    assert labels.tolist() == [0, 0, 0, 0, 0, -1]


def test_equal_rows_are_one_cluster():
    points = np.zeros((30, 2))
    assert set(reachability.link(points, 5).label(points, 0.001)) == {0}


@pytest.mark.parametrize("min_samples", [1, 21])
def test_min_samples_that_cannot_be_are_named(min_samples):
    points = cloud(20)
    with pytest.raises(UserError, match=rf"cluster\.dbscan\.min_samples: {min_samples} .* 20 rows"):
        reachability.link(points, min_samples)
    assert len(reachability.link(points, 20).length) == 19


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_or_infinite_value_is_refused(value):
    """hdbscan itself would silently call such rows noise."""
    points = cloud(50)
    points[3, 1] = value
    with pytest.raises(UserError, match=r"cluster\.features"):
        reachability.link(points, 5)


# --- the grid ---------------------------------------------------------------------


def test_the_cell_of_the_knee_is_the_result_that_is_kept():
    points = cloud()
    found, kmeans = run_grid(points)
    labels, kept = density.cluster(
        points, points, max_rows=5000, min_samples=8, limits=LIMITS,
        random_state=0,
    )  # fmt: skip
    cell = next(r for r in found["rows"] if (r["min_samples"], r["factor"]) == (8, 1.0))
    for key in ("eps", "n_clusters", "n_noise", "largest_share", "degenerate", "reasons"):
        assert cell[key] == kept[key]
    assert cell["adjusted_rand"] == pytest.approx(adjusted_rand_score(kmeans, labels))


def test_cells_agree_with_scikit_learn():
    points = cloud()
    found, kmeans = run_grid(points)
    assert [(r["min_samples"], r["factor"]) for r in found["rows"]] == [
        (4, 0.5), (4, 1.0), (4, 2.0), (8, 0.5), (8, 1.0), (8, 2.0),
    ]  # fmt: skip
    for row in found["rows"]:
        eps = row["eps"] + 1e-9  # a lattice distance may be eps itself, but for rounding
        oracle = DBSCAN(eps=eps, min_samples=row["min_samples"]).fit(points).labels_
        assert abs(row["n_noise"] - (oracle == -1).sum()) <= 0.02 * len(points)
        assert row["noise_share"] == row["n_noise"] / len(points)
        labels = reachability.link(points, row["min_samples"]).label(points, row["eps"])
        kept = labels >= 0
        if row["n_clusters"] < 2:
            assert row["silhouette"] is None
        else:
            expected = silhouette_score(points[kept], labels[kept])
            assert row["silhouette"] == pytest.approx(expected)
        assert row["adjusted_rand"] == pytest.approx(adjusted_rand_score(kmeans, labels))
    assert {r["silhouette"] is None for r in found["rows"]} == {True, False}  # both are met


def test_noise_falls_and_clusters_join_as_eps_grows():
    for seed in range(3):
        found, _ = run_grid(cloud(seed=seed))
        for m in (4, 8):
            noise = [r["n_noise"] for r in found["rows"] if r["min_samples"] == m]
            assert noise == sorted(noise, reverse=True)


def test_a_bounded_sample_is_fitted_and_silhouettes_are_of_another():
    found, _ = run_grid(cloud(), max_rows=150, silhouette_rows=100)
    assert (found["n_fitted"], found["silhouette_rows"]) == (150, 100)
    again, _ = run_grid(cloud(), max_rows=150, silhouette_rows=100)
    assert found == again


def test_silhouette_leaves_noise_out_and_needs_two_clusters():
    points = np.array([[0.0], [0.1], [5.0], [5.1], [2.5]])
    with_noise = density_grid.silhouette(points, np.array([0, 0, 1, 1, -1]))
    assert with_noise == pytest.approx(silhouette_score(points[:4], [0, 0, 1, 1]))
    assert density_grid.silhouette(points, np.array([0, 0, 0, 0, -1])) is None
    assert density_grid.silhouette(points, np.full(5, -1)) is None
    assert density_grid.silhouette(points, np.arange(5)) is None
