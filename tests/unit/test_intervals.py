"""Intervals against scipy, statsmodels, pingouin, enumeration and theory."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from creditrisk.stats import bootstrap, intervals
from creditrisk.stats.distributions import jackknife_means
from creditrisk.stats.samples import NotApplicableError

SKEWED = np.random.default_rng(5).lognormal(11.5, 0.8, 400)
ERROR = SKEWED.std(ddof=1) / np.sqrt(SKEWED.size)

# Davison & Hinkley (1997), example 1.1: hours between failures of air-conditioning equipment
FAILURES = np.array([3, 5, 7, 18, 43, 85, 91, 98, 100, 130, 230, 487], dtype=float)


def replicates(values, n_replicates=2000, random_state=0):
    return bootstrap.bootstrap_replicates(
        values,
        n_replicates=n_replicates,
        random_state=random_state,
        statistic=bootstrap.mean_and_error,
    ).T


def standard_error(values):
    return values.std(ddof=1) / np.sqrt(values.size)


class Earlier:
    """What scipy takes as replicates drawn before."""

    def __init__(self, drawn):
        self.bootstrap_distribution = drawn


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_bootstrap_intervals_equal_scipy_on_the_same_replicates(confidence):
    drawn, _ = replicates(SKEWED)
    acceleration = intervals.find_acceleration(jackknife_means(SKEWED))
    ours = {
        "percentile": intervals.percentile_interval(drawn, confidence),
        "basic": intervals.basic_interval(drawn, SKEWED.mean(), confidence),
        "BCa": intervals.bca_interval(drawn, SKEWED.mean(), acceleration, confidence),
    }
    for method, interval in ours.items():
        theirs = stats.bootstrap(
            (SKEWED,),
            np.mean,
            n_resamples=0,
            confidence_level=confidence,
            method=method,
            bootstrap_result=Earlier(drawn),
        ).confidence_interval
        np.testing.assert_allclose(interval, theirs, rtol=1e-9, err_msg=method)


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_bootstrap_intervals_agree_with_scipy_on_its_own_replicates(method):
    """Ends of 20 runs of each on 12 skewed values: their means within Monte-Carlo error."""
    n_runs, skewness = 20, float(stats.skew(FAILURES))
    ours, theirs = [], []
    for run in range(n_runs):
        drawn, errors = replicates(FAILURES, 999, [run, 1])
        found = intervals.mean_intervals(
            FAILURES.mean(), standard_error(FAILURES), drawn, errors,
            n=12, skewness=skewness, confidence=0.95,
        )  # fmt: skip
        ours.append(found[method])
        expected = stats.bootstrap(
            (FAILURES,), np.mean, n_resamples=999, rng=np.random.default_rng(run),
            method={"bca": "BCa"}.get(method, method),
        )  # fmt: skip
        theirs.append(expected.confidence_interval)
    gap = np.mean(ours, axis=0) - np.mean(theirs, axis=0)
    noise = np.sqrt((np.var(ours, axis=0) + np.var(theirs, axis=0)) / (n_runs - 1))
    assert (np.abs(gap) < 4 * noise).all()


def test_two_sample_acceleration_equals_scipy():
    """BCa of a difference of means (Efron & Tibshirani 1993, 14.3) on the same replicates."""
    first, second = SKEWED[:60], SKEWED[60:]

    def difference(a, b, axis=-1):
        return a.mean(axis=axis) - b.mean(axis=axis)

    drawn = replicates(first)[0] - replicates(second, random_state=1)[0]
    theirs = stats.bootstrap(
        (first, second), difference, n_resamples=0, method="BCa", bootstrap_result=Earlier(drawn)
    ).confidence_interval
    # the difference falls where the second mean rises
    acceleration = intervals.find_acceleration(jackknife_means(first), -jackknife_means(second))
    ours = intervals.bca_interval(drawn, difference(first, second), acceleration, 0.95)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_acceleration_of_a_mean_is_its_skewness():
    by_skewness = stats.skew(SKEWED) / (6 * np.sqrt(SKEWED.size))
    assert intervals.find_acceleration(jackknife_means(SKEWED)) == pytest.approx(by_skewness)


def test_normal_and_t_intervals_equal_statsmodels_and_pingouin():
    with warnings.catch_warnings():  # the import itself warns of what it will drop one day
        warnings.simplefilter("ignore")
        import pingouin

    described = sm.stats.DescrStatsW(SKEWED)
    t = intervals.t_interval(SKEWED.mean(), ERROR, SKEWED.size - 1, 0.95)
    np.testing.assert_allclose(t, described.tconfint_mean(0.05), rtol=1e-9)
    normal = intervals.normal_interval(SKEWED.mean(), ERROR, 0.95)
    np.testing.assert_allclose(normal, described.zconfint_mean(0.05), rtol=1e-9)
    theirs = pingouin.compute_bootci(
        SKEWED, func="mean", method="norm", n_boot=200, seed=1, decimals=6, return_dist=True
    )
    spread = theirs[1].std(ddof=1)
    ours = intervals.normal_interval(2 * SKEWED.mean() - theirs[1].mean(), spread, 0.95)
    np.testing.assert_allclose(ours, theirs[0], rtol=1e-6)


def enumerated(values):
    """Return means and standard errors of all n^n resamples."""
    every = np.array(list(product(values, repeat=values.size)))
    return every.mean(axis=1), every.std(axis=1, ddof=1) / np.sqrt(values.size)


def test_studentised_interval_by_hand():
    """Three values 0, 0, 3: mean 1, error 1, and 27 resamples.

    With one 3 (12 of 27): mean 1, error 1, t* = 0. With two (6 of 27): mean 2, error 1,
    t* = 1. The other 9 are constant and have none. So of 18 ratios 12 are 0 and 6 are 1: at
    80 % the quantiles are 0 and 1, and the interval runs from 1 - 1 to 1 - 0.
    """
    means, errors = enumerated(np.array([0.0, 0.0, 3.0]))
    assert np.count_nonzero(errors > 0) == 18
    assert intervals.studentised_interval(means, errors, 1.0, 1.0, 0.8) == (0.0, 1.0)


def test_studentised_interval_of_all_resamples_and_of_drawn_ones():
    """Five values: 3125 resamples listed; quantiles of t* by numpy, and by drawing."""
    values = np.array([1.0, 2.0, 4.0, 7.0, 15.0])
    estimate, error = values.mean(), standard_error(values)
    means, errors = enumerated(values)
    used = errors > 0
    assert np.count_nonzero(~used) == 5  # the constant ones
    ratios = (means[used] - estimate) / errors[used]
    low, high = estimate - error * np.quantile(ratios, [0.95, 0.05])
    exact = intervals.studentised_interval(means, errors, estimate, error, 0.9)
    np.testing.assert_allclose(exact, (low, high), rtol=1e-12)
    # shares of drawn replicates beyond the exact ends: 5 % each, ties apart
    drawn_means, drawn_errors = replicates(values, 20_000)
    fair = drawn_errors > 0
    assert abs(np.mean(~fair) - 5 / 3125) < 4 * np.sqrt(5 / 3125 / 20_000)
    drawn = (drawn_means[fair] - estimate) / drawn_errors[fair]
    for end in (0.05, 0.5, 0.95):
        cut = np.quantile(ratios, end) + 1e-6
        share = (ratios <= cut).mean()
        noise = np.sqrt(share * (1 - share) / drawn.size)
        assert abs((drawn <= cut).mean() - share) < 4 * noise


def test_studentised_interval_reaches_further_on_the_side_of_the_tail():
    """Right-skewed hours: the long end is the upper one, as D & H show for these data (5.2)."""
    means, errors = replicates(FAILURES, 9999)
    estimate = FAILURES.mean()
    low, high = intervals.studentised_interval(
        means, errors, estimate, standard_error(FAILURES), 0.95
    )
    normal = intervals.normal_interval(estimate, standard_error(FAILURES), 0.95)
    assert estimate == pytest.approx(108.083, abs=5e-4)
    assert high > normal[1]
    assert low > normal[0]


def test_many_samples_at_once_are_the_samples_one_by_one():
    rng = np.random.default_rng(4)
    samples = rng.lognormal(0, 1, (7, 25))
    drawn = np.array([replicates(sample, 300, i) for i, sample in enumerate(samples)])
    together = intervals.mean_intervals(
        samples.mean(axis=1), samples.std(axis=1, ddof=1) / 5, drawn[:, 0], drawn[:, 1],
        n=25, skewness=stats.skew(samples, axis=1), confidence=0.9,
    )  # fmt: skip
    assert tuple(together) == intervals.MEAN_METHODS
    for i, sample in enumerate(samples):
        alone = intervals.mean_intervals(
            sample.mean(), standard_error(sample), *drawn[i],
            n=25, skewness=stats.skew(sample), confidence=0.9,
        )  # fmt: skip
        for method, (low, high) in alone.items():
            np.testing.assert_allclose(
                (together[method][0][i], together[method][1][i]), (low, high), rtol=1e-12
            )


def test_intervals_follow_a_change_of_unit():
    """Dollars to cents and a shift: every interval moves along."""
    drawn, errors = replicates(SKEWED, 500)
    shape = {"n": SKEWED.size, "skewness": stats.skew(SKEWED), "confidence": 0.95}
    before = intervals.mean_intervals(SKEWED.mean(), ERROR, drawn, errors, **shape)
    after = intervals.mean_intervals(
        100 * SKEWED.mean() + 7, 100 * ERROR, 100 * drawn + 7, 100 * errors, **shape
    )
    for method, (low, high) in before.items():
        np.testing.assert_allclose(after[method], (100 * low + 7, 100 * high + 7), rtol=1e-9)


def test_without_spread_there_is_no_interval():
    with pytest.raises(NotApplicableError, match="no spread"):
        intervals.bca_interval(np.ones(10), 1.0, 0.1, 0.95)
    with pytest.raises(NotApplicableError, match="outside all replicates"):
        intervals.bca_interval(np.arange(10.0), 11.0, 0.1, 0.95)
    with pytest.raises(NotApplicableError, match="does not move the statistic"):
        intervals.find_acceleration(np.ones(5))
    with pytest.raises(NotApplicableError, match="no replicate has spread"):
        intervals.studentised_interval(np.arange(5.0), np.zeros(5), 2.0, 1.0, 0.95)
