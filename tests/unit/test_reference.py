"""References without groups: what they keep, what they lose, and how clients are compared."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from creditrisk.errors import UserError
from creditrisk.segments import reference

KMEANS = {"n_init": 3, "n_resamples": 2, "silhouette_rows": 200}


def correlated(n: int = 4000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = rng.exponential(size=n)
    return np.column_stack([first, np.round(first + rng.normal(size=n)), rng.normal(3, 2, n)])


@pytest.mark.parametrize("seed", range(3))
def test_permuted_columns_keep_their_margins_exactly_and_lose_their_dependence(seed):
    points = correlated(seed=seed)
    drawn = reference.permute_columns(points, seed)
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(points, axis=0))
    assert abs(np.corrcoef(points.T)[0, 1]) > 0.6
    # standard error of a null correlation is 1/√n = 0.016
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.07


@pytest.mark.parametrize("seed", range(3))
def test_the_gaussian_keeps_mean_and_covariance_and_loses_the_shape(seed):
    points = correlated(seed=seed)
    drawn = reference.draw_gaussian(points, seed)
    np.testing.assert_allclose(drawn.mean(axis=0), points.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(points.T), atol=0.25)
    assert points[:, 0].min() >= 0 > drawn[:, 0].min()  # the exponential is gone


def test_a_column_that_others_determine_does_not_break_the_gaussian():
    points = correlated()
    twin = np.column_stack([points, points[:, 0] - points[:, 2]])
    drawn = reference.draw_gaussian(twin, 1)
    np.testing.assert_allclose(drawn[:, 3], drawn[:, 0] - drawn[:, 2], atol=1e-6)


def test_draws_are_compared_by_hand():
    def one(silhouette, davies_bouldin):
        values = {"silhouette": silhouette, "davies_bouldin": davies_bouldin}
        return [{"k": 4, "calinski_harabasz": 10.0, "min_jaccard": 0.9, **values}]

    rows = reference.compare(one(0.5, 1.0), {"gaussian": [one(0.2, 0.8), one(0.4, 1.6)]})
    by = {row["measure"]: row for row in rows}
    mine = by["silhouette"]
    assert (mine["k"], mine["kind"], mine["mean"]) == (4, "gaussian", pytest.approx(0.3))
    assert (mine["low"], mine["high"]) == (0.2, 0.4)
    assert mine["beyond"]
    assert mine["p_value"] == pytest.approx(1 / 3)
    # small is good: 0.8 is better than the clients' 1.0
    assert by["davies_bouldin"]["n_as_good"] == 1
    assert not by["davies_bouldin"]["beyond"]
    assert by["calinski_harabasz"]["n_as_good"] == 2  # a tie is as good


def test_groups_stand_out_and_a_gaussian_does_not_from_itself():
    groups, _ = make_blobs(400, centers=[[-5, 0], [0, 5], [5, 0]], random_state=0)
    cloud = np.random.default_rng(1).normal(size=(400, 2))
    for points, expected in ((groups, True), (cloud, False)):
        mine = reference.measure_draw(points, "clients", [3], random_state=1, **KMEANS)
        draws = {
            kind: [
                reference.measure_draw(points, kind, [3], random_state=s, **KMEANS)
                for s in range(2, 7)
            ]
            for kind in reference.DRAWS
        }
        rows = [r for r in reference.compare(mine, draws) if r["kind"] == "gaussian"]
        assert all(row["beyond"] for row in rows) == expected


def test_points_that_cannot_be_clustered_are_refused_by_name():
    points = correlated(100)
    with pytest.raises(UserError, match=r"cluster.k_max: 11 clusters want at least 110"):
        reference.check_points(points, k_max=11)
    points[3, 1] = np.nan
    with pytest.raises(UserError, match=r"cluster.features: a value is NaN or infinite"):
        reference.check_points(points)
    points[:, 1] = 2.0
    with pytest.raises(UserError, match=r"cluster.features: no. 2 is constant"):
        reference.check_points(points)
