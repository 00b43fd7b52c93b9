"""The quality of a map against scikit-learn and scipy, and the edges by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from creditrisk.errors import UserError
from creditrisk.segments import map_quality

TSNE = {"perplexity": 20, "early_iterations": 50, "iterations": 60, "exaggeration": 12}


def cloud(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A cloud and a map of it that is partly wrong."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 5))
    return points, points[:, :2] + 0.2 * rng.normal(size=(n, 2))


@pytest.mark.parametrize("seed", range(4))
def test_all_rows_give_scikit_learns_trustworthiness_and_continuity(seed):
    points, coordinates = cloud(seed)
    found = map_quality.neighbour_quality(points, coordinates, np.arange(200), 15)
    expected = trustworthiness(points, coordinates, n_neighbors=15)
    assert found["trustworthiness"].mean() == pytest.approx(expected, abs=1e-12)
    other = trustworthiness(coordinates, points, n_neighbors=15)  # the spaces change places
    assert found["continuity"].mean() == pytest.approx(other, abs=1e-12)


def test_kept_neighbours_are_those_of_scikit_learn():
    points, coordinates = cloud(0)
    near = [NearestNeighbors(n_neighbors=15).fit(a).kneighbors(return_distance=False)
            for a in (points, coordinates)]  # fmt: skip
    kept = [len(set(a) & set(b)) / 15 for a, b in zip(*near, strict=True)]
    found = map_quality.neighbour_quality(points, coordinates, np.arange(200), 15)
    np.testing.assert_allclose(found["kept"], kept)


def test_sampled_rows_are_judged_among_all():
    points, coordinates = cloud(1)
    whole = map_quality.neighbour_quality(points, coordinates, np.arange(200), 15)
    some = map_quality.neighbour_quality(points, coordinates, np.array([3, 70]), 15)
    for name, values in some.items():
        np.testing.assert_array_equal(values, whole[name][[3, 70]])


def test_a_faithful_map_is_without_fault_also_with_equal_clients():
    points = np.repeat(np.random.default_rng(0).normal(size=(20, 2)), 10, axis=0)
    found = map_quality.neighbour_quality(points, points, np.arange(200), 15)
    assert all((values == 1).all() for values in found.values())


def test_measure_map_sums_up_the_whole_and_each_cluster():
    points, coordinates = cloud(2, n=400)
    labels = np.where(points[:, 0] > 0, 2, 0)
    found = map_quality.measure_map(points, coordinates, labels, n_rows=150, k=10, random_state=1)
    assert found["n"] == 400
    assert found["n_rows"] == sum(c["n_rows"] for c in found["clusters"]) == 150
    t = found["trustworthiness"]
    assert 0 <= t["low"] < t["value"] < t["high"] <= 1
    assert found["clusters"][1] == {
        "group": 1, "n_rows": 0, "trustworthiness": None, "continuity": None, "kept": None,
    }  # fmt: skip
    mean = sum(c["n_rows"] * c["kept"] for c in found["clusters"] if c["n_rows"]) / 150
    assert mean == pytest.approx(found["kept"]["value"])


def test_the_interval_covers_the_value_over_all_rows():
    points, coordinates = cloud(3, n=500)
    truth = trustworthiness(points, coordinates, n_neighbors=15)
    hits = 0
    for seed in range(20):
        t = map_quality.measure_map(
            points, coordinates, np.zeros(500, int), n_rows=60, k=15, random_state=seed
        )["trustworthiness"]
        hits += t["low"] <= truth <= t["high"]
    assert hits >= 17


def test_a_turned_map_is_the_same_and_an_unrelated_one_is_at_chance():
    _, first = cloud(0, n=600)
    rows = np.arange(600)
    turned = first @ np.array([[0.0, 3.0], [3.0, 0.0]]) + 7
    same = map_quality.compare_maps(first, turned, rows, 15)
    assert same["overlap"] == 1
    assert same["procrustes"] == pytest.approx(0, abs=1e-12)
    unrelated = map_quality.compare_maps(first, cloud(9, n=600)[1], rows, 15)
    assert unrelated["overlap"] == pytest.approx(unrelated["chance"], abs=0.01)
    assert unrelated["procrustes"] > 0.9


def test_seed_sensitivity_repeats_whatever_the_processes():
    points, _ = cloud(0, n=300)
    settings = {"tsne": TSNE, "n_rows": 150, "k": 10, "random_state": 3}
    found = map_quality.seed_sensitivity(points, **settings)
    assert found == map_quality.seed_sensitivity(points, **settings, n_jobs=2)
    assert found["n_rows"] == 150
    assert found["start"]["procrustes"] > found["seed"]["procrustes"]
    assert 0 < found["kept"] < 1


def test_placed_clients_by_hand():
    # training clients on a line one apart; the gap beyond which nobody is near is 1
    train = np.column_stack([np.arange(10.0), np.zeros(10)])
    labels = np.repeat([0, 1], 5)
    true = np.array([[0.0, 0.0], [4.0, 0.0], [9.0, 0.0], [8.0, 0.0]])
    placed = np.array([[0.0, 0.5], [5.0, 0.0], [9.0, 3.0], [8.0, 0.0]])
    found = map_quality.measure_placing(
        placed, true, np.array([0, 0, 1, 1]), coordinates=train, map_labels=labels
    )
    assert found["n"] == 4
    assert found["median_error"] == pytest.approx(0.75)
    assert found["width"] == 9
    assert (found["region_share"], found["region_ceiling"]) == (0.75, 1.0)
    assert (found["empty_share"], found["empty_ceiling"]) == (0.25, 0.0)


def test_too_many_neighbours_and_values_that_are_not_finite_are_refused():
    points, coordinates = cloud(0, n=30)
    with pytest.raises(UserError, match=r"cluster\.map\.n_neighbours"):
        map_quality.neighbour_quality(points, coordinates, np.arange(3), 15)
    for bad in (np.nan, np.inf):
        coordinates[0, 0] = bad
        with pytest.raises(UserError, match="finite"):
            map_quality.neighbour_quality(points, coordinates, np.arange(3), 5)
