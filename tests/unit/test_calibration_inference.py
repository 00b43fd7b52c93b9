"""Tests, robust intervals and the gate, against statsmodels, MAPIE and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from mapie.metrics.calibration import spiegelhalter_p_value
from scipy import stats

from creditrisk.metrics import calibration_inference as ci
from creditrisk.metrics.calibration import logit


def sample(seed: int, n: int = 2000, *, slope: float = 1.0, shift: float = 0.0):
    """Labels drawn from p, 1.5 rows a group; what is shown is off by slope and shift."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    y = (rng.random(n) < p).astype(int)
    groups = rng.integers(0, 2 * n // 3, n)
    return y, 1 / (1 + np.exp(-(logit(p) - shift) / slope)), groups


def test_affine_is_the_inverse_of_what_was_done():
    p = np.array([0.02, 0.3, 0.9])
    moved = ci.affine(p, slope=0.8, intercept=0.1)
    assert logit(moved) == pytest.approx(0.1 + 0.8 * logit(p))
    assert ci.affine(moved, slope=1 / 0.8, intercept=-0.1 / 0.8) == pytest.approx(p)


def test_spiegelhalter_hand_worked():
    # p .1 -> 1: .9·.8 = .72; p .3 -> 0: −.3·.4 = −.12; sum .6
    # variance .64·.09 + .16·.21 = .0912; z = .6 / .30199 = 1.9868
    row = ci.spiegelhalter(np.array([1, 0]), np.array([0.1, 0.3]))
    assert row["z"] == pytest.approx(0.6 / np.sqrt(0.0912))
    assert row["p"] == pytest.approx(2 * stats.norm.sf(1.98680), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slope", [0.8, 1.25])
def test_spiegelhalter_agrees_with_mapie(seed, slope):
    y, p, _ = sample(seed, slope=slope)
    row = ci.spiegelhalter(y, p)
    one_sided = spiegelhalter_p_value(y, p)  # against a score that is worse than expected
    assert stats.norm.sf(row["z"]) == pytest.approx(one_sided, abs=1e-9)
    assert row["p"] == pytest.approx(2 * min(one_sided, 1 - one_sided), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_cox_test_equals_the_deviances_of_statsmodels(seed):
    y, p, _ = sample(seed, slope=0.9, shift=0.1)
    binomial = sm.families.Binomial()
    free = sm.GLM(y, sm.add_constant(logit(p)), family=binomial).fit()
    fixed = sm.families.Binomial().loglike(y, p)
    row = ci.cox_test(y, p)
    assert row["statistic"] == pytest.approx(2 * (free.llf - fixed), rel=1e-6)
    assert row["p"] == pytest.approx(stats.chi2.sf(row["statistic"], 2))
    assert row["df"] == 2


def test_cox_test_is_calibrated_under_calibration():
    p_values = [ci.cox_test(*sample(seed, n=500)[:2])["p"] for seed in range(200)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_no_cox_test_without_a_slope():
    assert ci.cox_test(np.array([0, 1, 0, 1]), np.full(4, 0.5)) is None


def test_grouped_mean_hand_worked():
    # mean 2; sums of deviations by group: (−2 + −1) = −3 and +3; 2/1 · 18 / 16 = 9/4
    row = ci.grouped_mean(np.array([0.0, 1.0, 3.0, 4.0]), np.array([7, 7, 1, 1]))
    assert row == {"mean": 2.0, "se": 1.5}


def test_grouped_mean_of_single_rows_is_the_usual_standard_error():
    values = np.random.default_rng(0).normal(size=50)
    row = ci.grouped_mean(values, np.arange(50))
    assert row["se"] == pytest.approx(stats.sem(values))


@pytest.mark.parametrize("seed", range(3))
def test_intervals_equal_statsmodels_cluster_covariance(seed):
    y, p, groups = sample(seed, slope=0.8, shift=0.2)
    glm = sm.GLM(y, sm.add_constant(logit(p)), family=sm.families.Binomial())
    fitted = glm.fit(cov_type="cluster", cov_kwds={"groups": groups})
    mean = sm.OLS(p - y, np.ones(len(y))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    row = ci.intervals(y, p, groups, level=0.9)
    low, high = fitted.conf_int(alpha=0.1).T
    names = ("intercept", "slope")
    assert [row[n] for n in names] == pytest.approx(list(fitted.params), abs=1e-7)
    assert [row[f"{n}_low"] for n in names] == pytest.approx(list(low), abs=1e-6)
    assert [row[f"{n}_high"] for n in names] == pytest.approx(list(high), abs=1e-6)
    gap = stats.norm.interval(0.9, mean.params[0], mean.bse[0])
    assert (row["mean_gap_low"], row["mean_gap_high"]) == pytest.approx(gap, abs=1e-9)


def test_copies_of_rows_widen_nothing_but_make_naive_intervals_too_narrow():
    y, p, _ = sample(3, n=600)
    single = ci.intervals(y, p, np.arange(600), level=0.9)
    twice, own = np.repeat(y, 2), np.repeat(p, 2)
    grouped = ci.intervals(twice, own, np.repeat(np.arange(600), 2), level=0.9)
    naive = ci.intervals(twice, own, np.arange(1200), level=0.9)

    def width(row: dict) -> float:
        return row["slope_high"] - row["slope_low"]

    assert width(grouped) == pytest.approx(width(single), rel=0.01)
    assert width(naive) == pytest.approx(width(single) / np.sqrt(2), rel=0.01)


def test_a_tiny_sample_is_not_promotable_however_right_its_slope():
    """ "The interval contains 1" would let it pass; equivalence does not."""
    y, p, groups = sample(0, n=60)
    line = ci.intervals(y, p, groups, level=0.9)
    p = ci.affine(p, slope=line["slope"], intercept=line["intercept"])  # slope 1, mean exact
    row = ci.gate(y, p, groups)
    assert row["slope"] == pytest.approx(1, abs=1e-6)
    assert row["mean_gap"] == pytest.approx(0, abs=1e-9)
    assert row["slope_low"] < 1 < row["slope_high"]
    assert not row["promotable"]
    assert "slope" in row["reason"]
    assert "base rate" in row["reason"]


def test_a_large_calibrated_sample_is_promotable():
    row = ci.gate(*sample(1, n=40_000))
    assert row["promotable"]
    assert row["reason"] == "both intervals lie inside their bounds"


@pytest.mark.parametrize(
    ("off", "named", "silent"),
    [({"slope": 0.8}, "slope", None), ({"shift": 0.25}, "base rate", "slope")],
)
def test_a_large_biased_sample_is_not_and_the_reason_names_what_failed(off, named, silent):
    row = ci.gate(*sample(2, n=40_000, **off))
    assert not row["promotable"]
    assert named in row["reason"]
    assert silent is None or silent not in row["reason"]


def test_a_slope_on_its_bound_passes_rarely():
    passed = [
        ci.gate(*sample(seed, n=4000, slope=1 / 1.1), slope_bounds=(1 / 1.1, 1.3), mean_margin=1)
        for seed in range(150)
    ]
    # one-sided 5 % at the bound: 7.5 expected of 150, standard deviation 2.7
    assert 1 <= sum(row["promotable"] for row in passed) <= 16


def test_wider_bounds_let_more_pass():
    y, p, groups = sample(4, n=40_000, slope=0.8)
    assert not ci.gate(y, p, groups, mean_margin=0.1)["promotable"]
    assert ci.gate(y, p, groups, slope_bounds=(0.7, 1.1), mean_margin=0.1)["promotable"]


def test_no_slope_is_a_reason():
    row = ci.gate(np.tile([0, 1], 30), np.full(60, 0.5), np.arange(60), mean_margin=0.5)
    assert not row["promotable"]
    assert row["reason"] == "the probabilities leave no slope to fit"
