"""The reliability curve and the decomposition, against model-diagnostics and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from model_diagnostics.scoring import LogLoss, SquaredError
from model_diagnostics.scoring import decompose as oracle
from sklearn.isotonic import IsotonicRegression

from creditrisk.metrics import corp

PARTS = ("miscalibration", "discrimination", "uncertainty", "score")
DRAWS = {"n_replicates": 200, "random_state": 0}


def sample(seed: int, n: int = 3000, *, too_extreme: float = 1.0):
    """Labels drawn from p; what is shown is p with its log-odds stretched."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    y = (rng.random(n) < p).astype(int)
    return y, 1 / (1 + np.exp(-too_extreme * np.log(p / (1 - p))))


def test_recalibration_pools_what_falls():
    # .1 -> 1 and .2 -> 0 are in the wrong order and share 1/2; .3 -> 1 stays
    y, p = np.array([1, 1, 0]), np.array([0.1, 0.3, 0.2])
    assert corp.recalibrated(y, p).tolist() == [0.5, 1.0, 0.5]


@pytest.mark.parametrize("seed", range(3))
def test_recalibration_equals_scikit_learn_with_ties(seed):
    y, p = sample(seed, n=400)
    p = np.round(p, 2)
    assert corp.recalibrated(y, p) == pytest.approx(IsotonicRegression().fit(p, y).predict(p))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("digits", [2, 9])
def test_decomposition_equals_model_diagnostics(seed, digits):
    y, p = sample(seed, too_extreme=1.4)
    p = np.clip(np.round(p, digits), 0.01, 0.99)
    own = corp.decompose(y, p)
    for name, score in (("brier", SquaredError()), ("log_loss", LogLoss())):
        other = oracle(y, p, scoring_function=score).to_dicts()[0]
        # ours clips a recalibrated 0 or 1 by 1e-6 before it takes a logarithm
        assert [own[name][part] for part in PARTS] == pytest.approx(
            [other[part] for part in PARTS], abs=2e-6
        )


def test_the_parts_add_up_to_the_score():
    for parts in corp.decompose(*sample(5)).values():
        total = parts["miscalibration"] - parts["discrimination"] + parts["uncertainty"]
        assert total == pytest.approx(parts["score"])


def test_stretched_log_odds_cost_miscalibration_and_leave_discrimination():
    y, honest = sample(6)
    _, stretched = sample(6, too_extreme=2.0)
    plain, worse = corp.decompose(y, honest)["log_loss"], corp.decompose(y, stretched)["log_loss"]
    assert worse["miscalibration"] > plain["miscalibration"] + 0.05
    assert worse["discrimination"] == pytest.approx(plain["discrimination"], abs=1e-9)


def test_miscalibration_test_expects_what_calibrated_samples_show():
    own, expected, p_values = [], [], []
    for seed in range(12):
        y, p = sample(seed, n=800)
        row = corp.miscalibration_test(y, p, **DRAWS)["brier"]
        own.append(corp.decompose(y, p)["brier"]["miscalibration"])
        expected.append(row["expected"])
        p_values.append(row["p"])
    assert np.mean(expected) == pytest.approx(np.mean(own), rel=0.2)
    assert 0.2 < np.mean(p_values) < 0.8
    assert min(p_values) > 1 / 201


def test_miscalibration_test_finds_stretched_log_odds():
    row = corp.miscalibration_test(*sample(1, too_extreme=1.6), **DRAWS)
    assert row["brier"]["p"] == row["log_loss"]["p"] == pytest.approx(1 / 201)


def test_the_curve_is_the_recalibration_on_equal_steps_and_short():
    y, p = sample(2)
    curve = corp.reliability_curve(y, p, level=0.9, **DRAWS)
    x, observed = np.array(curve["probability"]), np.array(curve["observed"])
    assert len(x) == corp.CURVE_POINTS == 150
    assert (x[0], x[-1]) == (p.min(), p.max())
    fitted = corp.recalibrated(y, p)
    for here, value in zip(x[::10], observed[::10], strict=True):
        assert value == fitted[p <= here].max()  # the last step that has begun
    assert (np.diff(observed) >= 0).all()
    assert (np.array(curve["low"]) <= np.array(curve["high"])).all()


def test_a_calibrated_curve_stays_in_its_band_at_about_the_stated_share():
    shares = [
        corp.reliability_curve(*sample(seed, n=1500), level=0.9, **DRAWS)["outside"]
        for seed in range(12)
    ]
    assert 0.02 < np.mean(shares) < 0.2


def test_a_stretched_curve_leaves_the_band():
    calm = corp.reliability_curve(*sample(3), level=0.9, **DRAWS)["outside"]
    stretched = corp.reliability_curve(*sample(3, too_extreme=2), level=0.9, **DRAWS)["outside"]
    assert stretched > max(0.5, calm)


def test_the_band_depends_on_seed_and_probabilities_alone():
    y, p = sample(4, n=500)
    order = np.random.default_rng(9).permutation(len(y))
    first = corp.reliability_curve(y, p, level=0.9, **DRAWS)
    again = corp.reliability_curve(y[order], p[order], level=0.9, **DRAWS)
    assert first == again
    other = corp.reliability_curve(y, p, level=0.9, n_replicates=200, random_state=1)
    assert other["low"] != first["low"]
