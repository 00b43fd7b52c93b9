"""Landmarks: the rule by hand, no mean over a tear, and a client alone as in a batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from creditrisk.errors import UserError
from creditrisk.segments import placing


def numbers(radius: float = 2.0) -> dict:
    """Three landmarks close together in feature space; the map has the third far away."""
    return {
        "points": [[0.0, 0.0], [3.0, 0.0], [0.0, 2.0]],
        "coordinates": [[0.0, 0.0], [1.0, 0.0], [50.0, 50.0]],
        "radius": radius,
        "n_nearest": 3,
    }


@pytest.fixture(scope="module")
def cloud() -> tuple[np.ndarray, np.ndarray]:
    points, _ = make_blobs(1500, n_features=4, centers=5, random_state=0)
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    return points, 20 * points[:, :2]  # a map that has its place from two features


def test_the_weighted_mean_by_hand():
    # squared distances 1, 4 and 5; the third landmark is beyond the radius on the map:
    # (0 · 1 + 1 · 1/4) / (1 + 1/4) = 0.2 along the first axis
    place = placing.Placer(numbers()).place(np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(place, [[0.2, 0.0]], atol=1e-12)


def test_a_wide_radius_averages_over_the_tear():
    place = placing.Placer(numbers(radius=100.0)).place(np.array([[1.0, 0.0]]))
    assert place[0, 1] == pytest.approx(50 / 5 / (1 + 1 / 4 + 1 / 5))


def test_a_client_on_a_landmark_takes_its_place():
    placed = placing.Placer(numbers()).place(np.array(numbers()["points"]))
    np.testing.assert_allclose(placed, numbers()["coordinates"], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_row_alone_is_placed_as_in_a_batch_and_across_blocks(cloud, seed, monkeypatch):
    points, coordinates = cloud
    saved = json.loads(json.dumps(placing.fit_landmarks(points, coordinates, 60, seed)))
    placer = placing.Placer(saved)
    batch = placer.place(points[:400])
    alone = np.vstack([placer.place(points[i : i + 1]) for i in range(400)])
    np.testing.assert_array_equal(alone, batch)
    monkeypatch.setattr(placing, "BLOCK", 7)
    np.testing.assert_array_equal(placer.place(points[:400]), batch)


def test_nobody_is_placed_nowhere():
    assert placing.Placer(numbers()).place(np.empty((0, 2))).shape == (0, 2)


def test_landmarks_are_clients_spread_over_all_groups_and_repeat(cloud):
    points, coordinates = cloud
    found = placing.fit_landmarks(points, coordinates, 60, 1)
    assert found == placing.fit_landmarks(points, coordinates, 60, 1)
    assert found != placing.fit_landmarks(points, coordinates, 60, 2)
    assert 50 <= len(found["points"]) <= 60
    rows = {tuple(row) for row in points.round(6)}
    assert all(tuple(p) in rows for p in found["points"])
    far = np.sqrt(((points[:, None] - np.array(found["points"])) ** 2).sum(axis=2)).min(axis=1)
    assert far.max() < 1.5, "a client has no landmark of its kind"


def test_more_landmarks_place_better(cloud):
    points, coordinates = cloud
    train, held = slice(0, 1200), slice(1200, 1500)

    def error(n: int) -> float:
        placer = placing.Placer(placing.fit_landmarks(points[train], coordinates[train], n, 0))
        return float(np.median(np.hypot(*(placer.place(points[held]) - coordinates[held]).T)))

    assert max(error(300), error(60)) < error(10) / 2


def test_fewer_different_clients_than_landmarks(cloud):
    points, coordinates = (np.repeat(a[:4], 5, axis=0) for a in cloud)
    found = placing.fit_landmarks(points, coordinates, 60, 0)
    assert len(found["points"]) == 4
    np.testing.assert_allclose(placing.Placer(found).place(points), coordinates, atol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(cloud, bad):
    points, coordinates = (a[:50].copy() for a in cloud)
    points[3, 0] = bad
    with pytest.raises(UserError, match="finite"):
        placing.fit_landmarks(points, coordinates, 5, 0)
    with pytest.raises(UserError, match="finite"):
        placing.Placer(numbers()).place(points[:, :2])


def test_a_map_without_extent_and_a_single_landmark_are_refused(cloud):
    points, coordinates = cloud
    with pytest.raises(UserError, match="one spot"):
        placing.fit_landmarks(points, np.zeros_like(coordinates), 5, 0)
    with pytest.raises(UserError, match=r"cluster\.map\.n_landmarks"):
        placing.fit_landmarks(points, coordinates, 1, 0)
