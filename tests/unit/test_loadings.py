"""Bootstrap bands of loadings: against the plain fit, and against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.segments import embedding, loadings

VARIANCES = np.array([6.0, 2.5, 1.0])


def population(seed: int = 0) -> np.ndarray:
    """Return three orthonormal directions, a row each, largest entry positive."""
    turned = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return turned * np.sign(turned[np.arange(3), np.abs(turned).argmax(axis=1)])[:, None]


def draw(n: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(n, 3)) * np.sqrt(VARIANCES)
    return scores @ population()


def test_values_are_those_of_the_plain_fit():
    points = draw(500, 3)
    plain = embedding.fit_pca(points)
    found = loadings.bootstrap_loadings(points, 20, 1)["components"]
    values = [[entry["value"] for entry in c["loadings"]] for c in found]
    np.testing.assert_allclose(values, plain["components"], atol=1e-6)
    np.testing.assert_allclose([c["explained"] for c in found], plain["explained"], rtol=1e-9)
    for c in found:
        assert c["low"] < c["explained"] < c["high"]
        assert all(e["low"] <= e["value"] <= e["high"] for e in c["loadings"])
    assert loadings.bootstrap_loadings(points, 20, 1)["components"] == found
    assert loadings.bootstrap_loadings(points, 20, 2)["components"] != found


def test_bands_hold_the_true_loadings_about_as_often_as_they_say():
    truth, held = population(), []
    shares = VARIANCES / VARIANCES.sum()
    held_shares = []
    for seed in range(40):
        found = loadings.bootstrap_loadings(draw(300, seed), 120, seed)["components"]
        for direction, share, c in zip(truth, shares, found, strict=True):
            sign = np.sign(
                sum(d * e["value"] for d, e in zip(direction, c["loadings"], strict=True))
            )
            held += [
                e["low"] <= sign * d <= e["high"]
                for d, e in zip(direction, c["loadings"], strict=True)
            ]
            held_shares.append(c["low"] <= share <= c["high"])
    # 40 samples, loadings of one sample dependent: two standard errors are about 0.05
    assert np.mean(held) == pytest.approx(0.95, abs=0.05)
    assert np.mean(held_shares) == pytest.approx(0.95, abs=0.06)


def test_components_of_like_variance_lose_their_direction():
    firm, loose = draw(300, 1), np.random.default_rng(1).normal(size=(300, 3))
    assert loadings.bootstrap_loadings(firm, 50, 0)["components"][0]["alignment"] > 0.99
    assert loadings.bootstrap_loadings(loose, 50, 0)["components"][1]["alignment"] < 0.9


def test_a_constant_column_is_refused():
    points = draw(100, 0)
    points[:, 2] = 1.0
    with pytest.raises(UserError, match=r"cluster.features: no. 3 is constant"):
        loadings.bootstrap_loadings(points, 5, 0)
