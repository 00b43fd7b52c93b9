"""Agreement of partitions and the other ways to cluster, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from creditrisk.errors import UserError
from creditrisk.segments import agreement

SETTINGS = {
    "n_init": 5,
    "n_seeds": 1,
    "ward_rows": 150,
    "mixture": {"n_init": 2, "reg_covar": 0.01},
    "random_state": 3,
}


def blobs(n: int = 300, spread: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(n, centers=[[-4, 0], [0, 4], [4, 0]], cluster_std=spread, random_state=seed)


def test_the_matrices_are_scikit_learns_and_symmetric():
    rng = np.random.default_rng(0)
    parts = {name: rng.integers(0, 3, 80) for name in "abc"}
    parts["d"] = (parts["a"] + 1) % 3  # the same partition under other numbers
    found = agreement.compare_partitions(parts)
    assert found["names"] == ["a", "b", "c", "d"]
    for key, score in (("ari", adjusted_rand_score), ("ami", adjusted_mutual_info_score)):
        np.testing.assert_array_equal(found[key], found[key].T)
        assert found[key][0, 1] == score(parts["a"], parts["b"])
        assert found[key][0, 3] == pytest.approx(1.0)
    # two pairs against a pair and two singles: the Rand index 5/6 of 6 pairs, adjusted 4/7
    small = {"x": np.array([0, 0, 1, 1]), "y": np.array([0, 0, 1, 2])}
    assert agreement.compare_partitions(small)["ari"][0, 1] == pytest.approx(4 / 7)


def test_clear_groups_are_cut_alike_by_all_and_a_cloud_is_not():
    points, truth = blobs()
    found = agreement.measure_agreement(points, 3, [2, 3, 4], **SETTINGS)
    assert found["names"] == [
        "KMeans", "KMeans, seed 4", "KMeans, robust scaling", "KMeans, winsorised", "Ward",
        "Gaussian mixture",
    ]  # fmt: skip
    assert found["ari"].min() == 1.0
    assert len(truth) == 300
    assert found["ward"] == {"n_rows": 150, "kept": 1.0}
    assert min(found["mixtures"], key=lambda m: m["bic"])["k"] == 3
    cloud = np.random.default_rng(0).normal(size=(300, 2))
    assert agreement.measure_agreement(cloud, 3, [3], **SETTINGS)["ari"][0, -2:].max() < 0.8


def test_ward_is_scikit_learns_on_rows_that_all_fit():
    points, _ = blobs(spread=1.2)
    labels, info = agreement.label_ward(points, 3, max_rows=1000, random_state=0)
    oracle = AgglomerativeClustering(3).fit_predict(points)
    assert info["n_rows"] == 300
    assert info["kept"] == np.mean(labels == oracle) > 0.9


def test_the_bic_is_that_of_the_formula():
    points = np.random.default_rng(2).normal(size=(200, 2)) @ [[2.0, 0.5], [0.0, 1.0]]
    _, found = agreement.fit_mixture(points, 1, n_init=1, reg_covar=1e-9, random_state=0)
    density = stats.multivariate_normal(points.mean(axis=0), np.cov(points.T, ddof=0))
    by_hand = -2 * density.logpdf(points).sum() + 5 * np.log(200)  # 2 means, 3 covariances
    assert found["bic"] == pytest.approx(by_hand, rel=1e-6)
    assert found["converged"]
    assert found["n_flat"] == 0


def test_a_group_in_which_a_count_does_not_vary_makes_a_flat_component():
    rng = np.random.default_rng(0)
    count = np.repeat([0.0, 3.0], 150)
    count[150:] += rng.normal(size=150)
    points = np.column_stack([rng.normal(size=300), count])
    mixture = {"n_init": 2, "reg_covar": 0.01, "random_state": 0}
    assert agreement.fit_mixture(points, 2, **mixture)[1]["n_flat"] == 1


def test_other_scalings_are_worked_by_hand():
    column = np.arange(101.0)  # 5 % and 95 % quantiles are 5 and 95, the median 50
    rare = np.zeros(101)
    rare[:3] = 7.0  # both quantiles are 0
    points = np.column_stack([column, rare])
    robust = agreement.scale_robustly(points)
    np.testing.assert_allclose(robust[:, 0], (column - 50) / 90)
    np.testing.assert_array_equal(robust[:, 1], rare)
    winsorised = agreement.winsorise(points)
    clipped = np.clip(column, 5, 95)
    np.testing.assert_allclose(winsorised[:, 0], (clipped - clipped.mean()) / clipped.std())
    np.testing.assert_allclose(winsorised[:, 1], (rare - rare.mean()) / rare.std())


def test_too_few_rows_and_constant_features_are_refused():
    points, _ = blobs(30)
    with pytest.raises(UserError, match=r"cluster.k_max: 4 clusters"):
        agreement.measure_agreement(points, 3, [3, 4], **SETTINGS)
    points[:, 0] = 1.0
    with pytest.raises(UserError, match=r"cluster.features: no. 1 is constant"):
        agreement.measure_agreement(points, 3, [3], **SETTINGS)
