"""Two groups compared: every statistic against a second library, theory or a hand count."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttest_ind

from creditrisk.errors import UserError
from creditrisk.stats import testing
from creditrisk.stats.samples import NotApplicableError

RNG = np.random.default_rng(11)
FIRST, SECOND = RNG.normal(10, 2, 80), RNG.normal(11, 4, 150)


@pytest.mark.parametrize(("method", "usevar"), [("welch_t", "unequal"), ("pooled_t", "pooled")])
def test_t_tests_equal_statsmodels(method, usevar):
    found = testing.compare_means(FIRST, SECOND, method=method, confidence=0.9)
    t, p, df = ttest_ind(FIRST, SECOND, usevar=usevar)
    assert (found["statistic"], found["p_value"]) == pytest.approx((t, p), rel=1e-9)
    assert found["df"] == pytest.approx(df, rel=1e-9)
    both = CompareMeans(DescrStatsW(FIRST), DescrStatsW(SECOND))
    expected = both.tconfint_diff(alpha=0.1, usevar=usevar)
    assert (found["low"], found["high"]) == pytest.approx(expected, rel=1e-9)


def test_z_test_by_its_formula():
    found = testing.compare_means(FIRST, SECOND, method="z_test", confidence=0.95)
    error = np.sqrt(FIRST.var(ddof=1) / FIRST.size + SECOND.var(ddof=1) / SECOND.size)
    z = (FIRST.mean() - SECOND.mean()) / error
    assert found["statistic"] == pytest.approx(z, rel=1e-9)
    assert found["p_value"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert found["df"] is None
    half = stats.norm.ppf(0.975) * error
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=1e-9)


def test_hedges_g_equals_statsmodels():
    """Same g to 1e-9; statsmodels' variance has n1+n2−3.94 too (Hedges & Olkin 1985)."""
    found = testing.hedges_g(FIRST, SECOND, confidence=0.95)
    g, variance = effectsize_smd(
        FIRST.mean(),
        FIRST.std(ddof=1),
        FIRST.size,
        SECOND.mean(),
        SECOND.std(ddof=1),
        SECOND.size,
    )
    assert found["effect"] == pytest.approx(g, rel=1e-9)
    half = stats.norm.ppf(0.975) * np.sqrt(variance)
    assert found["high"] - found["low"] == pytest.approx(2 * half, rel=1e-9)


def test_point_biserial_correlation_equals_scipy():
    labels = np.r_[np.ones(FIRST.size), np.zeros(SECOND.size)]
    expected = stats.pointbiserialr(labels, np.r_[FIRST, SECOND]).statistic
    found = testing.hedges_g(FIRST, SECOND, confidence=0.95)
    assert found["correlation"] == pytest.approx(expected, rel=1e-9)


def test_interval_of_g_covers_the_true_effect():
    rng = np.random.default_rng(0)
    n_hits = 0
    for _ in range(2000):
        found = testing.hedges_g(rng.normal(0.4, 1, 60), rng.normal(0, 1, 90), confidence=0.95)
        n_hits += found["low"] <= 0.4 <= found["high"]
    interval = stats.binomtest(n_hits, 2000).proportion_ci(0.999)
    assert interval.low <= 0.95 <= interval.high


def test_means_and_g_equal_pingouin():
    for method, correction in (("welch_t", True), ("pooled_t", False)):
        found = testing.compare_means(FIRST, SECOND, method=method, confidence=0.95)
        theirs = pingouin.ttest(FIRST, SECOND, correction=correction).iloc[0]
        assert found["statistic"] == pytest.approx(theirs["T"], rel=1e-9)
        assert found["df"] == pytest.approx(theirs["dof"], rel=1e-9)
        assert found["p_value"] == pytest.approx(theirs["p_val"], rel=1e-9)
    g = pingouin.compute_effsize(FIRST, SECOND, eftype="hedges")
    assert testing.hedges_g(FIRST, SECOND, confidence=0.95)["effect"] == pytest.approx(g, rel=1e-9)


def test_rank_biserial_counts_pairs():
    """Of the 2 × 3 pairs the first is larger in 4, smaller in 1, equal in 1: (4 − 1)/6."""
    found = testing.compare_ranks([3.0, 5.0], [1.0, 3.0, 4.0], confidence=0.95)
    assert found["rank_biserial"] == pytest.approx(3 / 6)
    assert found["statistic"] == 4.5


def test_rank_biserial_equals_pingouin():
    first, second = np.round(FIRST), np.round(SECOND)  # with ties
    found = testing.compare_ranks(first, second, confidence=0.95)
    theirs = pingouin.mwu(first, second, method="asymptotic").iloc[0]
    assert found["rank_biserial"] == pytest.approx(theirs["RBC"], rel=1e-9)
    assert found["rank_biserial"] == pytest.approx(2 * theirs["CLES"] - 1, rel=1e-9)
    assert found["statistic"] == pytest.approx(theirs["U_val"], rel=1e-9)


def rank_error(found):
    """Standard error that an interval of the rank-biserial correlation at 95 % was made of."""
    return (found["high"] - found["low"]) / (2 * stats.norm.ppf(0.975))


def test_interval_of_the_rank_biserial_has_the_variance_of_brunner_and_munzel():
    """Their statistic is (P(second > first) − ½) / its standard error, from placements too."""
    first, second = np.round(FIRST), np.round(SECOND)
    found = testing.compare_ranks(first, second, confidence=0.95)
    w = stats.brunnermunzel(first, second).statistic
    assert -found["rank_biserial"] / rank_error(found) == pytest.approx(w, rel=1e-9)


def test_interval_of_the_rank_biserial_agrees_with_the_bootstrap():
    rng = np.random.default_rng(6)
    first, second = np.round(FIRST), np.round(SECOND)
    found = testing.compare_ranks(first, second, confidence=0.95)
    sign = np.sign(first[:, None] - second[None, :])
    drawn = []
    for _ in range(2000):
        i, j = rng.integers(0, first.size, first.size), rng.integers(0, second.size, second.size)
        drawn.append(sign[np.ix_(i, j)].mean())
    # the standard deviation of 2,000 replicates is known to 1/√4000 of itself
    assert np.std(drawn) == pytest.approx(rank_error(found), rel=4 / np.sqrt(4000))


def test_interval_of_the_rank_biserial_covers_the_true_one():
    """Normals one apart: P(X > Y) = Φ(1/√2)."""
    rng, truth, n_hits = np.random.default_rng(7), 2 * stats.norm.cdf(1 / np.sqrt(2)) - 1, 0
    for _ in range(1000):
        found = testing.compare_ranks(rng.normal(1, 1, 80), rng.normal(0, 1, 60), confidence=0.9)
        n_hits += found["low"] <= truth <= found["high"]
    interval = stats.binomtest(n_hits, 1000).proportion_ci(0.999)
    assert interval.low <= 0.9 <= interval.high


def test_rank_biserial_of_groups_apart_has_an_interval_that_is_no_point():
    """Wilson's interval of 3 successes in 3 trials: from 3/(3 + z²)."""
    above = testing.compare_ranks([7.0, 8.0, 9.0], [1.0, 2.0, 3.0, 4.0], confidence=0.95)
    z2 = stats.norm.ppf(0.975) ** 2
    assert (above["rank_biserial"], above["high"]) == (1, 1)
    assert above["low"] == pytest.approx(2 * 3 / (3 + z2) - 1)
    below = testing.compare_ranks([1.0, 2.0, 3.0, 4.0], [7.0, 8.0, 9.0], confidence=0.95)
    assert (below["low"], below["high"]) == (-1, -above["low"])


def test_spread_is_an_anova_of_deviations_from_the_median():
    found = testing.compare_spread(FIRST, SECOND)
    expected = stats.f_oneway(*(np.abs(x - np.median(x)) for x in (FIRST, SECOND)))
    assert found["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found["variance_ratio"] == pytest.approx(SECOND.var(ddof=1) / FIRST.var(ddof=1))


def test_spread_equals_pingouin():
    values = pd.DataFrame(
        {"y": np.r_[FIRST, SECOND], "g": np.r_[np.zeros(FIRST.size), np.ones(SECOND.size)]}
    )
    found = testing.compare_spread(FIRST, SECOND)
    theirs = pingouin.homoscedasticity(values, dv="y", group="g", method="levene").iloc[0]
    assert found["statistic"] == pytest.approx(theirs["W"], rel=1e-9)
    assert found["p_value"] == pytest.approx(theirs["pval"], rel=1e-9)


def permute(first, second, n_permutations=4999, random_state=0, **more):
    return testing.permute_difference(
        first, second, n_permutations=n_permutations, random_state=random_state, **more
    )


def test_permutation_p_approaches_the_exact_one():
    """All 20 ways to choose 3 of 6 clients, counted."""
    first, second = [1.0, 2.0, 7.0], [3.0, 8.0, 9.0]
    together = np.array(first + second)
    observed = abs(np.mean(first) - np.mean(second))
    exact = np.mean(
        [
            abs(together[list(c)].mean() - np.delete(together, c).mean()) >= observed - 1e-9
            for c in combinations(range(6), 3)
        ]
    )
    assert permute(first, second)["p_value"] == pytest.approx(exact, abs=0.025)


def test_permutation_agrees_with_scipy():
    def difference(a, b, axis):
        return a.mean(axis=axis) - b.mean(axis=axis)

    theirs = stats.permutation_test(
        (FIRST, SECOND + 0.0),
        difference,
        n_resamples=4999,
        vectorized=True,
        rng=np.random.default_rng(3),
    )
    ours = permute(FIRST, SECOND)
    assert stats.ks_2samp(ours["replicates"], theirs.null_distribution).pvalue > 0.001
    assert ours["p_value"] == pytest.approx(theirs.pvalue, abs=0.015)


def test_permutation_counts_itself():
    """Nothing shuffled reaches the observed difference: p = 1/(m + 1), never 0."""
    found = permute(np.arange(100.0, 130), np.arange(40.0), n_permutations=99)
    assert found["n_extreme"] == 0
    assert found["p_value"] == 1 / 100


def test_permutation_is_symmetric_in_the_groups():
    """The smaller group is the one drawn, whichever comes first."""
    forth, back = permute(FIRST, SECOND), permute(SECOND, FIRST)
    assert forth["observed"] == -back["observed"]
    assert forth["p_value"] == pytest.approx(back["p_value"], abs=0.02)


def test_permutation_does_not_depend_on_threads():
    one, three = (permute(FIRST, SECOND, 205, n_jobs=n)["replicates"] for n in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_permutation_p_is_uniform_under_the_null():
    """300 pairs of samples of one distribution; Kolmogorov-Smirnov against the uniform."""
    rng = np.random.default_rng(4)
    p_values = [
        permute(rng.exponential(size=20), rng.exponential(size=35), 199, seed)["p_value"]
        for seed in range(300)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert np.mean(np.array(p_values) <= 0.05) < 0.1


@pytest.mark.parametrize("method", testing.MEAN_TESTS)
def test_p_values_are_uniform_under_the_null(method):
    rng = np.random.default_rng(5)
    p_values = [
        testing.compare_means(
            rng.normal(size=60), rng.normal(size=60), method=method, confidence=0.95
        )["p_value"]
        for _ in range(400)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_groups_are_split_by_ascending_label():
    groups = testing.split_groups([1, 2, 3, 4], ["b", "a", "b", "a"], name="x", group="g")
    assert {k: v.tolist() for k, v in groups.items()} == {"a": [2, 4], "b": [1, 3]}
    assert list(groups) == ["a", "b"]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1, 1, 1, 1], "g: 1 group, at least two"),
        ([1, 1, 1, 2], "x where g = 2: 1 value, at least 2"),
    ],
)
def test_empty_group_and_group_of_one_are_not_applicable(labels, words):
    with pytest.raises(NotApplicableError, match=words):
        testing.split_groups([1, 2, 3, 4], labels, name="x", group="g")


def test_missing_label_and_value_are_errors():
    with pytest.raises(UserError, match="g: 1 of 2 labels"):
        testing.split_groups([1, 2], [1, np.nan], name="x", group="g")
    with pytest.raises(UserError, match="x: 1 of 2 values"):
        testing.split_groups([1, np.inf], [1, 2], name="x", group="g")
    with pytest.raises(UserError, match="labels for"):
        testing.split_groups([1, 2], [1, 2, 3], name="x", group="g")


@pytest.mark.parametrize("method", testing.MEAN_TESTS)
def test_constant_groups_are_not_applicable(method):
    with pytest.raises(NotApplicableError, match="AGE: no spread within either group"):
        testing.compare_means([1, 1], [2, 2], method=method, confidence=0.95, name="AGE")


PAIRS = {
    "compare_means": lambda a, b: testing.compare_means(a, b, method="z_test", confidence=0.95),
    "hedges_g": lambda a, b: testing.hedges_g(a, b, confidence=0.95),
    "compare_ranks": lambda a, b: testing.compare_ranks(a, b, confidence=0.95),
    "compare_spread": testing.compare_spread,
    "permute_difference": lambda a, b: permute(a, b, 99),
}


@pytest.mark.parametrize("compare", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize(
    ("first", "error", "words"),
    [
        ([], NotApplicableError, "0 values, at least 2"),
        ([1.0], NotApplicableError, "1 value, at least 2"),
        ([2.0, 2.0, 2.0], NotApplicableError, "no spread"),
        ([1.0, np.nan], UserError, "1 of 2 values are missing or infinite"),
        ([1.0, -np.inf], UserError, "1 of 2 values are missing or infinite"),
    ],
    ids=["empty", "single", "constant", "nan", "inf"],
)
def test_every_comparison_says_what_is_wrong_with_a_group(compare, first, error, words):
    for pair in ((first, [1.0, 1.0, 1.0]), ([1.0, 1.0, 1.0], first)):
        with pytest.raises(error, match=words):
            compare(*pair)


def test_spread_of_a_constant_group_has_no_ratio():
    assert testing.compare_spread([1.0, 1.0, 1.0], [1.0, 2.0, 5.0])["variance_ratio"] is None


def test_unknown_method_is_refused():
    with pytest.raises(UserError, match="z_test, welch_t, pooled_t"):
        testing.compare_means(FIRST, SECOND, method="t", confidence=0.95)
