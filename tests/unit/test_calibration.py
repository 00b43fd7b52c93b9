"""Calibration figures against statsmodels, scikit-learn and hand-worked bins."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import brier_score_loss, log_loss

from creditrisk.data.rates import wilson
from creditrisk.metrics import calibration as c


def sample(seed: int, n: int = 2000, *, slope: float = 1.0, shift: float = 0.0):
    """Labels drawn from p; the probabilities that are shown are off by slope and shift."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    y = (rng.random(n) < p).astype(int)
    return y, 1 / (1 + np.exp(-(c.logit(p) - shift) / slope))


@pytest.mark.parametrize("seed", range(3))
def test_slope_and_intercept_equal_those_of_a_glm(seed):
    y, p = sample(seed, slope=0.7, shift=0.4)
    fitted = sm.GLM(y, sm.add_constant(c.logit(p)), family=sm.families.Binomial()).fit()
    line = c.slope_and_intercept(y, p)
    assert [line["intercept"], line["slope"]] == pytest.approx(list(fitted.params), abs=1e-7)
    assert [line["intercept_se"], line["slope_se"]] == pytest.approx(list(fitted.bse), rel=1e-5)


def test_slope_below_one_means_too_extreme():
    y, honest = sample(0, n=20_000)
    extreme = 1 / (1 + np.exp(-2 * c.logit(honest)))
    assert c.slope_and_intercept(y, honest)["slope"] == pytest.approx(1, abs=0.05)
    assert c.slope_and_intercept(y, extreme)["slope"] == pytest.approx(0.5, abs=0.03)


def test_no_slope_where_the_probability_hardly_varies():
    y, _ = sample(0, n=100)
    assert c.slope_and_intercept(y, np.full(100, 0.22)) is None
    assert c.slope_and_intercept(y, np.where(np.arange(100) < 50, 0.220, 0.221)) is None
    assert "calibration_slope" not in c.summary(y, np.full(100, 0.22))


@pytest.mark.parametrize(
    "labels", [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]
)
def test_no_slope_where_the_classes_are_separated_or_one_is_absent(labels):
    for touching in (0.3, 0.7):
        p = np.array([0.1, 0.2, 0.3, touching, 0.8, 0.9])
        assert c.slope_and_intercept(np.array(labels), p) is None


def test_row_losses_average_to_scikit_learns():
    y, p = sample(1)
    assert c.row_log_loss(y, p).mean() == pytest.approx(log_loss(y, p))
    assert c.row_brier(y, p).mean() == pytest.approx(brier_score_loss(y, p))


def test_a_certain_and_wrong_probability_costs_a_finite_loss():
    losses = c.row_log_loss(np.array([1, 0]), np.array([0.0, 1.0]))
    assert losses == pytest.approx([-np.log(c.TINY)] * 2, rel=1e-4)


def test_ece_hand_worked():
    # two bins of two: mean p .15 against 0, mean p .75 against 1/2 -> (.15 + .25) / 2
    y, p = np.array([0, 0, 1, 0]), np.array([0.1, 0.2, 0.7, 0.8])
    assert c.expected_calibration_error(y, p, n_bins=2) == pytest.approx(0.2)


def test_bins_hold_equal_numbers_and_ties_stay_together():
    p = np.random.default_rng(0).random(1003)
    counts = np.bincount(c.equal_mass_bins(p), minlength=10)
    assert counts.min() >= 100
    assert counts.max() <= 101
    tied = np.repeat([0.1, 0.3, 0.8], [500, 300, 200])
    bins = c.equal_mass_bins(tied)
    assert all(len(set(bins[tied == value])) == 1 for value in (0.1, 0.3, 0.8))


def test_ece_and_bins_do_not_depend_on_row_order():
    y, p = sample(2, n=500)
    p = np.round(p, 2)
    order = np.random.default_rng(0).permutation(len(y))
    assert c.expected_calibration_error(y[order], p[order]) == pytest.approx(
        c.expected_calibration_error(y, p)
    )
    assert c.reliability(y[order], p[order]) == [pytest.approx(b) for b in c.reliability(y, p)]


def test_reliability_counts_everybody_and_its_intervals_hold_the_rate():
    y, p = sample(3)
    bins = c.reliability(y, p)
    assert sum(b["n"] for b in bins) == len(y)
    assert sum(b["n"] * b["observed"] for b in bins) == pytest.approx(y.sum())
    assert all(b["low"] <= b["observed"] <= b["high"] for b in bins)


def test_wilson_textbook_value():
    # 5 of 10: (0.5 + z²/20 ± z·sqrt(.025 + z²/400)) / (1 + z²/10), z = 1.96
    low, high = wilson(np.array([5]), np.array([10]))
    assert (low[0], high[0]) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))


def test_shifted_labels_show_in_the_intercept():
    y, p = sample(4, n=20_000, shift=-0.8)
    assert c.slope_and_intercept(y, p)["intercept"] == pytest.approx(-0.8, abs=0.08)
