"""KMeans, the choice of k, names and DBSCAN on clouds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, jaccard_score
from threadpoolctl import threadpool_limits

from creditrisk.errors import UserError
from creditrisk.segments import cluster_tables, clusters, density, reachability, segmentation

FEATURES = [
    {"name": "a", "clip": [-9, 9], "transform": "identity", "high": "many", "low": "few"},
    {"name": "b", "clip": [-9, 9], "transform": "identity", "high": "big", "low": None},
]


def blobs(n: int = 600, seed: int = 0, spread: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(n, centers=[[-4, 0], [0, 4], [4, 0]], cluster_std=spread, random_state=seed)


def try_k(points, k, **changes):
    settings = {"n_init": 10, "n_resamples": 5, "silhouette_rows": 300, "random_state": 1}
    return clusters.try_k(points, k, **(settings | changes))


@pytest.mark.parametrize("seed", range(3))
def test_centres_are_those_of_kmeans_sorted(seed):
    points, truth = blobs(seed=seed)
    centres = clusters.fit_centres(points, 3, n_init=10, random_state=seed)
    assert np.all(np.diff(centres[:, 0]) > 0)
    assert adjusted_rand_score(truth, clusters.label(points, centres)) == 1.0
    oracle = KMeans(3, n_init=10, random_state=seed + 100).fit(points).cluster_centers_
    np.testing.assert_allclose(centres, oracle[np.argsort(oracle[:, 0])], atol=1e-6)


def test_labels_are_the_same_with_more_threads():
    points, _ = blobs(3000, spread=2.0)
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            centres = clusters.fit_centres(points, 5, n_init=10, random_state=0)
            found.append((centres, clusters.label(points, centres)))
    for centres, labels in found[1:]:
        np.testing.assert_array_equal(centres, found[0][0])
        np.testing.assert_array_equal(labels, found[0][1])


@pytest.mark.parametrize("seed", range(3))
def test_jaccard_against_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    expected = [max(jaccard_score(first == c, second == d) for d in range(3)) for c in range(3)]
    np.testing.assert_allclose(clusters.jaccard(first, second, 3), expected)


def test_jaccard_of_a_clustering_with_itself_renumbered_is_one():
    labels = np.array([0, 0, 1, 2, 2, 2])
    np.testing.assert_array_equal(clusters.jaccard(labels, (labels + 1) % 3, 3), [1, 1, 1])


def test_the_rule_finds_three_blobs():
    points, _ = blobs()
    tried = [try_k(points, k) for k in (2, 3, 4, 5)]
    choice = clusters.choose_k(tried, k_floor=2, min_jaccard=0.85, min_share=0.03)
    assert choice["k"] == 3
    assert choice["satisfied"]
    assert choice["rank_sums"][3] == 3  # first in all three indices
    assert tried[1]["min_jaccard"] > 0.99


def entry(k, jaccard, silhouette, ch, db, share=0.2):
    return {
        "k": k,
        "min_jaccard": jaccard,
        "min_share": share,
        "silhouette": silhouette,
        "calinski_harabasz": ch,
        "davies_bouldin": db,
    }


def test_stability_is_a_gate_and_indices_vote_behind_it():
    """k = 5 has the best indices and is unstable; k = 6 is tiny; 4 beats 3 by 2:1."""
    tried = [
        entry(2, 1.0, 0.9, 900, 0.1),
        entry(3, 0.90, 0.30, 500, 0.90),
        entry(4, 0.86, 0.40, 400, 0.80),
        entry(5, 0.60, 0.80, 800, 0.20),
        entry(6, 0.95, 0.80, 800, 0.20, share=0.01),
    ]
    choice = clusters.choose_k(tried, k_floor=3, min_jaccard=0.85, min_share=0.03)
    assert choice["candidates"] == [3, 4]
    assert choice["rank_sums"] == {3: 5, 4: 4}
    assert (choice["k"], choice["satisfied"]) == (4, True)


def test_when_no_k_passes_the_most_stable_is_taken_and_said_so():
    tried = [entry(3, 0.5, 0.3, 1, 1), entry(4, 0.7, 0.2, 1, 1)]
    choice = clusters.choose_k(tried, k_floor=3, min_jaccard=0.85, min_share=0.03)
    assert (choice["k"], choice["satisfied"], choice["candidates"]) == (4, False, [])


def test_structureless_points_are_less_stable_than_blobs():
    noise = np.random.default_rng(0).normal(size=(600, 2))
    points, _ = blobs()
    assert try_k(noise, 5)["min_jaccard"] < 0.85 < try_k(points, 3)["min_jaccard"]


def test_a_constant_feature_is_named():
    values = np.column_stack([np.arange(5.0), np.full(5, 20.0)])  # b is 9 everywhere when clipped
    with pytest.raises(UserError, match=r"cluster\.features: b is constant"):
        clusters.fit_scaling(values, FEATURES)


def test_too_few_rows_name_the_parameter():
    with pytest.raises(UserError, match=r"cluster\.k_max.*80 training rows.*79"):
        clusters.check_rows(79, k_max=8)
    with pytest.raises(UserError, match=r"cluster\.k_max"):
        clusters.check_distinct(np.ones((100, 2)), k_max=3)


def test_sampling_is_seeded_ascending_and_never_more_than_there_is():
    np.testing.assert_array_equal(clusters.sample_rows(5, 9, 0), np.arange(5))
    rows = clusters.sample_rows(100, 10, 3)
    np.testing.assert_array_equal(rows, clusters.sample_rows(100, 10, 3))
    assert np.all(np.diff(rows) > 0)


# --- DBSCAN -----------------------------------------------------------------------


def test_the_knee_is_where_the_curve_turns():
    flat_then_steep = np.concatenate([np.linspace(0, 1, 91), np.linspace(2, 10, 9)])
    assert density.find_knee(flat_then_steep) == pytest.approx(1.0)
    assert density.find_knee(np.full(5, 2.0)) == 2.0


def test_k_distance_counts_the_point_itself():
    """Points 0, 1, 3 on a line: to the second nearest, itself first, it is 1, 1, 2."""
    np.testing.assert_allclose(
        reachability.core_distances(np.array([[0.0], [1.0], [3.0]]), 2), [1, 1, 2]
    )


def settings(**changes):
    limits = {"max_noise_share": 0.25, "max_largest_share": 0.9, "max_clusters": 20}
    return {
        "max_rows": 5000,
        "min_samples": 5,
        "limits": limits,
        "random_state": 0,
    } | changes


def test_dbscan_agrees_with_scikit_learn_where_it_is_certain():
    """Core points and noise are certain; a border point may belong to either neighbour."""
    points, _ = blobs(spread=0.6)
    labels, found = density.cluster(points, points, **settings())
    oracle = DBSCAN(eps=found["eps"], min_samples=5).fit(points)
    core = oracle.core_sample_indices_
    assert adjusted_rand_score(labels[core], oracle.labels_[core]) == 1.0
    np.testing.assert_array_equal(labels == -1, oracle.labels_ == -1)
    assert found["n_clusters"] == 3
    assert not found["degenerate"]


def test_dbscan_numbers_clusters_by_size():
    points, _ = make_blobs([50, 200, 100], centers=[[-9, 0], [0, 9], [9, 0]], random_state=0)
    labels, _ = density.cluster(points, points, **settings())
    sizes = np.bincount(labels[labels >= 0])
    assert np.all(np.diff(sizes) <= 0)


def test_a_sample_is_fitted_and_everyone_is_labelled():
    points, _ = blobs(2000)
    labels, found = density.cluster(points, points, **settings(max_rows=400))
    assert found["n_fitted"] == 400
    assert len(labels) == 2000
    far = np.array([[100.0, 100.0]])
    assert reachability.link(points, 5).label(far, 1.0).tolist() == [-1]


def test_one_cluster_and_all_noise_are_degenerate():
    limits = settings()["limits"]
    one = density.judge(np.zeros(100, dtype=int), **limits)
    assert one["degenerate"]
    assert one["reasons"] == ["fewer than two clusters", "one cluster holds nearly all clients"]
    noise = density.judge(np.full(100, -1), **limits)
    assert (noise["n_clusters"], noise["noise_share"]) == (0, 1.0)
    assert noise["degenerate"]
    two = density.judge(np.repeat([0, 1], 50), **limits)
    assert not two["degenerate"]


def test_no_core_point_makes_everyone_noise():
    points = 10.0 * np.arange(20, dtype=float)[:, None]
    assert set(reachability.link(points, 3).label(points, 1.0)) == {-1}


# --- names ------------------------------------------------------------------------


def test_a_cluster_is_named_by_its_largest_deviation():
    centres = np.array([[-1.5, 0.2], [0.1, 2.0]])
    assert segmentation.name_clusters(centres, FEATURES) == ["few", "big"]


def test_clusters_that_share_a_word_get_another():
    """Both lie highest in a; the second has a word for b too, the first has none below."""
    centres = np.array([[2.0, -1.0], [1.5, 1.0]])
    assert segmentation.name_clusters(centres, FEATURES) == ["many", "many, big"]


def test_clusters_that_share_all_words_get_a_number():
    centres = np.array([[2.0, 1.0], [1.5, 1.0], [-3.0, 0.0]])
    names = segmentation.name_clusters(centres, FEATURES)
    assert names == ["many, big (0)", "many, big (1)", "few"]


def test_a_knee_among_equal_rows_still_gives_a_radius():
    # Equal rows are at distance 0 from their neighbours, and the knee is their last one.
    points = np.vstack([np.zeros((300, 2)), np.arange(12.0).reshape(6, 2) + 5])
    labels, found = density.cluster(points, points, **settings())
    assert found["eps"] == 0.001
    assert set(labels[:300]) == {0}


def test_a_cluster_that_the_sample_misses_has_no_silhouette():
    points, truth = blobs(n=300)
    cluster_id = np.where(np.arange(300) == 3, 3, truth)
    sample = {"n_rows": 60, "random_state": 0}
    assert 3 not in clusters.sample_rows(300, *sample.values())
    *known, missed = cluster_tables.mean_silhouettes(points, cluster_id, 4, **sample)
    assert missed is None
    assert all(0.5 < width < 1 for width in known)
    assert cluster_tables.mean_silhouettes(points, truth * 0, 2, **sample) == [None, None]
