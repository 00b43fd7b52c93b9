"""HDBSCAN: an oracle, what does not depend on the order of rows, validity and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from creditrisk.errors import UserError
from creditrisk.segments import hierarchy
from creditrisk.segments.clusters import sample_rows

LIMITS = {"max_noise_share": 0.25, "max_largest_share": 0.9, "max_clusters": 20}
CENTRES = [[-4, 0], [0, 4], [4, 0]]


def blobs(n: int = 300, seed: int = 0, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(n, centers=CENTRES, cluster_std=spread, random_state=seed)


def run(points: np.ndarray, truth: np.ndarray, **changes):
    settings = {
        "max_rows": 5000,
        "min_samples": 5,
        "min_cluster_size": [20],
        "n_orders": 2,
        "limits": LIMITS,
        "random_state": 0,
    }
    return hierarchy.cluster(points, truth, **(settings | changes))


def fit_oracle(points: np.ndarray, size: int, min_samples: int) -> np.ndarray:
    """scikit-learn's min_samples counts the point itself, as ours does and hdbscan's does not."""
    model = HDBSCAN(min_cluster_size=size, min_samples=min_samples, copy=True)
    return model.fit(points).labels_


@pytest.mark.parametrize("seed", range(4))
def test_without_ties_labels_are_those_of_scikit_learn(seed):
    """With min_samples 2 few mutual reachability distances are equal."""
    points, _ = blobs(seed=seed, spread=1.2)
    labels, oracle = hierarchy.fit(points, 5, 2)["labels"], fit_oracle(points, 5, 2)
    assert adjusted_rand_score(labels, oracle) == pytest.approx(1.0)
    np.testing.assert_array_equal(labels == -1, oracle == -1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("size", "min_samples"), [(20, 5), (40, 10)])
def test_with_ties_labels_are_those_of_scikit_learn_but_for_a_few(seed, size, min_samples):
    """One core distance is the length of many edges: scikit-learn differs from itself as much
    when rows are permuted. A min_samples that is off by one would agree less."""
    points, _ = blobs(seed=seed, spread=1.2)
    labels = hierarchy.fit(points, size, min_samples)["labels"]
    agreement = [
        adjusted_rand_score(labels, fit_oracle(points, size, min_samples + off)) for off in (0, 1)
    ]
    assert agreement[0] > max(0.97, agreement[1])


def test_three_blobs_are_found_valid_and_persistent():
    points, truth = blobs()
    found = run(points, truth)
    (row,) = found["rows"]
    assert (found["n_fitted"], found["min_samples"], found["n_orders"]) == (300, 5, 2)
    assert (row["n_clusters"], row["degenerate"], row["min_cluster_size"]) == (3, False, 20)
    assert row["adjusted_rand"] > 0.9
    assert row["validity_low"] <= row["validity"] <= row["validity_high"]
    assert row["validity"] > 0.5
    assert sum(c["n"] for c in row["clusters"]) == 300 - row["n_noise"]
    assert all(0 < c["persistence"] < 1 for c in row["clusters"])
    sizes = [c["n"] for c in row["clusters"]]
    assert sizes == sorted(sizes, reverse=True)


def test_blobs_are_more_valid_than_blobs_that_touch():
    apart, touching = (run(*blobs(n=600, spread=s))["rows"][0]["validity_low"] for s in (0.3, 1.0))
    assert apart > touching


@pytest.mark.parametrize("seed", range(3))
def test_labels_do_not_depend_on_the_order_of_rows(seed):
    """On a lattice, where ties abound and hdbscan alone would break them by row number."""
    points = blobs(n=400, spread=1.0)[0].round(1)
    order = np.random.default_rng(seed).permutation(len(points))
    first, second = (hierarchy.fit(p, 15, 4) for p in (points, points[order]))
    np.testing.assert_array_equal(first["labels"][order], second["labels"])
    assert first["validity"] == second["validity"]


def test_two_runs_are_equal():
    points, truth = blobs(spread=1.0)
    settings = {"min_cluster_size": [10, 40], "max_rows": 200}
    assert run(points, truth, **settings) == run(points, truth, **settings)


def test_kmeans_labels_follow_the_sample():
    points, truth = blobs()
    (row,) = run(points, truth, max_rows=150)["rows"]
    rows = sample_rows(300, 150, 0)
    labels = hierarchy.fit(points[rows], 20, 5)["labels"]
    assert row["adjusted_rand"] == pytest.approx(adjusted_rand_score(truth[rows], labels))


def test_noise_has_no_validity_and_is_degenerate():
    """Uniform points: no two clusters of a quarter of them."""
    points = np.random.default_rng(0).uniform(size=(200, 2))
    (row,) = run(points, np.zeros(200, dtype=int), min_cluster_size=[90])["rows"]
    assert row["degenerate"]
    assert row["clusters"] == []
    assert row["validity"] is row["validity_low"] is row["validity_high"] is None


def test_equal_rows_leave_persistence_untold():
    """Rows at distance 0 have a density without limit: hdbscan would say 1 for all clusters."""
    points, truth = blobs()
    points[:40] = points[0]
    (row,) = run(points, truth, min_cluster_size=[20])["rows"]
    assert {c["persistence"] for c in row["clusters"]} == {None}
    assert row["validity"] is not None


def test_only_equal_rows_are_no_two_clusters():
    (row,) = run(np.zeros((60, 2)), np.zeros(60, dtype=int))["rows"]
    assert (row["degenerate"], row["validity"]) == (True, None)


def test_shuffled_columns_lose_what_ties_them():
    """Ten blobs on a diagonal; shuffled, their hundred crossings hold too few each."""
    centres = 5.0 * np.arange(10)[:, None] * [1, 1]
    points, truth = make_blobs(500, centers=centres, cluster_std=0.4, random_state=0)
    (row,) = run(points, truth)["rows"]
    assert row["n_clusters"] == 10
    assert row["shuffled"]["n_clusters"] < 10
    shuffled = hierarchy.fit_shuffled(points, 20, 5, limits=LIMITS, random_state=0)
    assert shuffled == row["shuffled"]


@pytest.mark.parametrize("size", [1, 301])
def test_a_size_that_cannot_be_is_named(size):
    with pytest.raises(UserError, match=rf"cluster\.hdbscan\.min_cluster_size: {size} .* 300 rows"):
        run(*blobs(), min_cluster_size=[size])


def test_a_min_samples_that_cannot_be_is_named():
    with pytest.raises(UserError, match=r"cluster\.dbscan\.min_samples: 400"):
        run(*blobs(), min_samples=400)
