"""Intervals and resampling against scipy, statsmodels and theory."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import estimation
from creditrisk.stats.estimation import NotApplicableError

SKEWED = np.random.default_rng(5).lognormal(11.5, 0.8, 400)


def bootstrap(values, n_replicates=2000, random_state=0, **more):
    return estimation.bootstrap_replicates(
        values, n_replicates=n_replicates, random_state=random_state, **more
    )


def test_bootstrap_does_not_depend_on_threads_and_repeats():
    one = bootstrap(SKEWED, 503, n_jobs=1)
    assert one.shape == (503,)
    np.testing.assert_array_equal(one, bootstrap(SKEWED, 503, n_jobs=3))
    assert not np.array_equal(one, bootstrap(SKEWED, 503, random_state=1))


def test_more_replicates_keep_the_first_ones():
    """Whole blocks have a seed of their own, so a longer run extends a shorter one."""
    np.testing.assert_array_equal(bootstrap(SKEWED, 50), bootstrap(SKEWED, 90)[:50])


def test_bootstrap_distribution_has_the_moments_that_theory_gives():
    """Mean of the sample and sd / sqrt(n) with divisor n (Efron 1979), in Monte-Carlo error."""
    means = bootstrap(SKEWED, 20_000)
    error = SKEWED.std() / np.sqrt(SKEWED.size)
    assert abs(means.mean() - SKEWED.mean()) < 4 * error / np.sqrt(means.size)
    assert means.std() == pytest.approx(error, rel=4 / np.sqrt(2 * means.size))


def test_bootstrap_agrees_with_scipy_in_distribution():
    ours = bootstrap(SKEWED, 4000)
    theirs = stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=4000, rng=np.random.default_rng(1), batch=200
    ).bootstrap_distribution
    assert stats.ks_2samp(ours, theirs).pvalue > 0.001


def test_bootstrap_takes_other_statistics():
    medians = bootstrap([1.0, 2.0, 9.0], 3000, statistic=np.median)
    shares = [float((medians == v).mean()) for v in (1, 2, 9)]
    # the median is 1 when two or three of three draws are 1: 7/27; 2 in the rest: 13/27
    np.testing.assert_allclose(shares, [7 / 27, 13 / 27, 7 / 27], atol=0.035)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_bootstrap_intervals_equal_scipy_on_the_same_replicates(confidence):
    class Earlier:
        bootstrap_distribution = bootstrap(SKEWED)

    ours = {
        "percentile": estimation.percentile_interval(Earlier.bootstrap_distribution, confidence),
        "basic": estimation.basic_interval(
            Earlier.bootstrap_distribution, SKEWED.mean(), confidence
        ),
        "BCa": estimation.bca_interval(
            Earlier.bootstrap_distribution,
            SKEWED.mean(),
            estimation.jackknife_means(SKEWED),
            confidence,
        ),
    }
    for method, interval in ours.items():
        theirs = stats.bootstrap(
            (SKEWED,),
            np.mean,
            n_resamples=0,
            confidence_level=confidence,
            method=method,
            bootstrap_result=Earlier,
        ).confidence_interval
        np.testing.assert_allclose(interval, theirs, rtol=1e-9, err_msg=method)


def test_normal_and_t_intervals_equal_statsmodels():
    described = sm.stats.DescrStatsW(SKEWED)
    error = SKEWED.std(ddof=1) / np.sqrt(SKEWED.size)
    np.testing.assert_allclose(
        estimation.t_interval(SKEWED.mean(), error, SKEWED.size - 1, 0.95),
        described.tconfint_mean(0.05),
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        estimation.normal_interval(SKEWED.mean(), error, 0.95),
        described.zconfint_mean(0.05),
        rtol=1e-9,
    )


def test_jackknife_means_by_hand():
    np.testing.assert_allclose(estimation.jackknife_means(np.array([1.0, 2.0, 6.0])), [4, 3.5, 1.5])


def test_cluster_standard_error_equals_statsmodels():
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 60, SKEWED.size)
    fit = sm.OLS(SKEWED, np.ones(SKEWED.size)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    n_groups = np.unique(groups).size
    expected = fit.bse[0] * np.sqrt(n_groups / (n_groups - 1))
    assert estimation.cluster_standard_error(SKEWED, groups) == pytest.approx(expected, rel=1e-9)


def test_cluster_standard_error_of_single_rows_is_the_usual_one():
    usual = SKEWED.std(ddof=1) / np.sqrt(SKEWED.size)
    assert estimation.cluster_standard_error(SKEWED, np.arange(SKEWED.size)) == pytest.approx(usual)


def test_doubled_rows_widen_the_grouped_interval_only():
    """Each value twice, as one group: the honest error is that of half the rows."""
    doubled = np.repeat(SKEWED, 2)
    found = estimation.estimate_mean(
        doubled,
        bootstrap(doubled, 300),
        confidence=0.95,
        groups=np.repeat(np.arange(SKEWED.size), 2),
        name="x",
    )
    width = {row["method"]: row["high"] - row["low"] for row in found["intervals"]}
    assert width["grouped"] / width["normal"] == pytest.approx(np.sqrt(2), rel=0.01)
    assert list(width) == ["normal", "t", "percentile", "basic", "bca", "grouped"]


def test_intervals_cover_the_true_mean_of_a_normal_sample():
    """500 samples of 200: the coverage's exact 99.9 % binomial interval holds 95 %."""
    rng = np.random.default_rng(8)
    hits = dict.fromkeys(("normal", "t", "percentile", "bca"), 0)
    n_trials = 500
    for trial in range(n_trials):
        sample = rng.normal(10, 2, 200)
        found = estimation.estimate_mean(
            sample, bootstrap(sample, 400, trial), confidence=0.95, name="x"
        )
        for row in found["intervals"]:
            if row["method"] in hits:
                hits[row["method"]] += row["low"] <= 10 <= row["high"]
    for method, n in hits.items():
        low, high = stats.binomtest(n, n_trials).proportion_ci(0.999)
        assert low <= 0.95 <= high, (method, n)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(bad):
    with pytest.raises(UserError, match="LIMIT_BAL: 1 of 3 values are missing or infinite"):
        estimation.check_sample([1.0, bad, 2.0], name="LIMIT_BAL")


def test_text_is_no_number():
    with pytest.raises(UserError, match="AGE: expected numbers"):
        estimation.check_sample(["a", "b"], name="AGE")


@pytest.mark.parametrize(("values", "words"), [([], "0 values"), ([1.0], "1 value,")])
def test_too_few_values_are_not_applicable(values, words):
    with pytest.raises(NotApplicableError, match=f"AGE: {words}"):
        estimation.check_sample(values, name="AGE")


def test_a_constant_column_has_no_interval():
    with pytest.raises(NotApplicableError, match="all 5 values are equal"):
        estimation.estimate_mean(np.ones(5), np.ones(10), confidence=0.95, name="x")


def test_bca_without_spread_is_refused():
    with pytest.raises(NotApplicableError, match="no spread"):
        estimation.bca_interval(np.ones(10), 1.0, np.ones(5), 0.95)


def test_missing_labels_are_counted():
    with pytest.raises(UserError, match="SEX: 2 of 3 labels are missing"):
        estimation.check_labels([1.0, np.nan, None], name="SEX")


def test_no_replicates_are_refused():
    with pytest.raises(UserError, match="n_replicates"):
        bootstrap(SKEWED, 0)
