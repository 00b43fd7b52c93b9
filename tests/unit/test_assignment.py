"""Assigning clients to clusters from saved numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from creditrisk.features.record import from_frame
from creditrisk.segments import assignment
from creditrisk.segments.assignment import ClusterAssigner
from tests import generated

NUMBERS = {
    "names": ["low", "middle", "high"],
    "features": [
        {"name": "credit_utilization", "clip": [0.0, 1.0], "transform": "identity"},
        {"name": "spend_mean_over_limit", "clip": [0.0, 0.4], "transform": "sqrt"},
        {"name": "n_late_2plus", "clip": [0.0, 6.0], "transform": "identity"},
    ],
    "mean": [0.4, 0.2, 0.7],
    "scale": [0.3, 0.15, 1.4],
    "centres": [[-1.0, 0.0, -0.4], [0.0, 0.5, 0.0], [1.0, -0.2, 1.5]],
    "distance_quantiles": {"levels": [0.5, 0.9, 0.99], "values": [[0.5, 1.0, 2.0]] * 3},
    "pca_components": [[1.0, 0.0, 0.0]],
}


@pytest.fixture
def assigner() -> ClusterAssigner:
    return ClusterAssigner(NUMBERS)


def test_transform_clips_then_takes_the_root():
    values = np.array([[-1.0, 0.09, 9.0], [2.0, 0.81, 3.0]])
    out = assignment.transform(values, NUMBERS["features"])
    np.testing.assert_allclose(out, [[0.0, 0.3, 6.0], [1.0, np.sqrt(0.4), 3.0]])
    assert values[0, 0] == -1.0  # the input stays as it was


@pytest.mark.parametrize("seed", range(3))
def test_one_client_alone_gets_the_same_bits_as_in_a_batch(assigner, seed):
    batch = from_frame(generated.raw_clients(200, seed))
    cluster, confidence = assigner.assign(batch)
    for i in range(len(batch)):
        alone, surely = assigner.assign(batch.take(np.array([i])))
        assert (alone[0], surely[0]) == (cluster[i], confidence[i])


def test_labels_do_not_depend_on_row_order(assigner):
    batch = from_frame(generated.raw_clients(300))
    order = np.random.default_rng(1).permutation(300)
    np.testing.assert_array_equal(
        assigner.assign(batch.take(order))[0], assigner.assign(batch)[0][order]
    )


def test_everyone_gets_the_nearest_centre_and_a_confidence(assigner):
    """Against numpy's own norm, computed another way."""
    batch = from_frame(generated.raw_clients(300))
    cluster, confidence = assigner.assign(batch)
    points = assigner.scaled(batch)
    norms = np.linalg.norm(points[:, None] - np.array(NUMBERS["centres"]), axis=2)
    np.testing.assert_array_equal(cluster, norms.argmin(axis=1))
    assert confidence.shape == (300,)
    assert np.all((confidence >= 0) & (confidence <= 1))
    assert len(np.unique(cluster)) == 3


def test_confidence_is_one_on_a_centre_and_zero_half_way():
    distances = np.array([[0.0, 2.0], [1.0, 1.0], [1.0, 4.0], [4.0, 5.0]])
    confidence = assignment.margin_confidence(distances, np.array([2.0, 2.0]))
    # the last lies beyond the limit of 2: (1 − 4/5) · 2/4
    np.testing.assert_allclose(confidence, [1.0, 0.0, 0.75, 0.1])


def test_typical_is_within_the_limit_of_the_nearest_centre():
    distances = np.array([[2.0, 5.0], [2.1, 5.0], [5.0, 2.1], [np.nan, 1.0]])
    typical = assignment.is_typical(distances, np.array([2.0, 3.0]))
    # the second is beyond the limit of its own centre, and the other's says nothing
    assert typical.tolist() == [True, False, True, False]


def test_confidence_is_cut_exactly_where_a_point_is_not_typical():
    batch = from_frame(generated.raw_clients(300))
    numbers = {**NUMBERS, "distance_quantiles": {"levels": [0.99], "values": [[1.0]] * 3}}
    assigner = ClusterAssigner(numbers)
    distances = assigner.distances(batch)
    typical = assignment.is_typical(distances, assigner.limits)
    uncut = assignment.margin_confidence(distances, np.full(3, np.inf))
    cut = assigner.assign(batch)[1] < uncut
    np.testing.assert_array_equal(cut, ~typical & (uncut > 0))
    assert 0 < typical.sum() < len(typical)


def test_two_centres_in_one_place_give_no_confidence_and_no_warning():
    confidence = assignment.margin_confidence(np.zeros((1, 2)), np.zeros(2))
    assert confidence.tolist() == [0.0]


def test_numbers_survive_json(assigner):
    batch = from_frame(generated.raw_clients(100))
    again = ClusterAssigner(json.loads(json.dumps(NUMBERS)))
    np.testing.assert_array_equal(again.assign(batch)[1], assigner.assign(batch)[1])
    assert again.names == ["low", "middle", "high"]
