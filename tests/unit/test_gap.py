"""The gap statistic on clouds whose number of groups is known, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from creditrisk.segments import gap

KS = range(1, 5)


def prefer(points: np.ndarray, seed: int) -> int | None:
    settings = {"n_init": 2}
    draws = [gap.measure_draw(points, KS, random_state=seed + d, **settings) for d in range(12)]
    logs = gap.log_dispersion(points, KS, random_state=seed, **settings)
    return gap.summarise(KS, logs, draws)["k"]


@pytest.mark.parametrize("seed", range(2))
def test_three_clear_groups_are_found_and_none_in_even_points(seed):
    groups, _ = make_blobs(
        300, centers=[[-4, 0], [0, 4], [4, 0]], cluster_std=0.6, random_state=seed
    )
    assert prefer(groups, 100 * seed) == 3
    even = np.random.default_rng(seed).uniform(size=(300, 2)) @ [[2.0, 1.0], [0.0, 0.5]]
    assert prefer(even, 100 * seed) == 1


def test_the_box_follows_the_principal_axes():
    rng = np.random.default_rng(0)
    turned = rng.uniform([-3, -1], [3, 1], (2000, 2)) @ [[0.6, 0.8], [-0.8, 0.6]] + [5, 7]
    drawn = gap.draw_box(turned, 1)
    np.testing.assert_allclose(drawn.mean(axis=0), [5, 7], atol=0.15)
    # an even box of these sides again: the axes were found, not the larger upright box
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(turned.T), atol=0.15)
    back = (drawn - [5, 7]) @ np.array([[0.6, 0.8], [-0.8, 0.6]]).T
    assert np.abs(back).max(axis=0) == pytest.approx([3, 1], abs=0.15)


def test_dispersion_is_the_logarithm_of_inertia():
    points, _ = make_blobs(200, centers=3, random_state=1)
    one, three = gap.log_dispersion(points, [1, 3], n_init=5, random_state=0)
    assert one == pytest.approx(np.log(((points - points.mean(axis=0)) ** 2).sum()), rel=1e-12)
    oracle = KMeans(3, n_init=5, random_state=9).fit(points).inertia_
    assert three == pytest.approx(np.log(oracle), abs=1e-5)


def test_the_rule_takes_the_first_k_within_one_error_of_the_next():
    # gaps 1, 2, 2.05; draws of k = 3 differ by 2: s(3) = 1 · √1.5, so 2 ≥ 2.05 − 1.22
    found = gap.summarise([1, 2, 3], [4.0, 2.0, 0.95], [[5.0, 4.0, 2.0], [5.0, 4.0, 4.0]])
    assert [row["gap"] for row in found["rows"]] == pytest.approx([1.0, 2.0, 2.05])
    assert [row["error"] for row in found["rows"]] == pytest.approx([0.0, 0.0, 1.5**0.5])
    assert found["k"] == 2


def test_a_gap_that_rises_to_the_end_prefers_no_k():
    assert gap.summarise([1, 2], [4.0, 2.0], [[5.0, 4.0], [5.0, 4.0]])["k"] is None
