"""Bootstrap replicates against scipy, theory and full enumeration."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import bootstrap
from creditrisk.stats.samples import NotApplicableError

SKEWED = np.random.default_rng(5).lognormal(11.5, 0.8, 400)
LUMPY = SKEWED.round(-5) + 10_000  # few distinct values: drawn as multinomial counts
BOTH = pytest.mark.parametrize("sample", [SKEWED, LUMPY], ids=["rows", "counts"])


def replicates(values, n_replicates=2000, random_state=0, **more):
    return bootstrap.bootstrap_replicates(
        values, n_replicates=n_replicates, random_state=random_state, **more
    )


def test_the_two_samples_take_the_two_ways():
    n_levels = [np.unique(sample).size * bootstrap.ROWS_A_LEVEL for sample in (SKEWED, LUMPY)]
    assert n_levels[0] >= 400 > n_levels[1]


@BOTH
def test_replicates_do_not_depend_on_threads_and_repeat(sample):
    for statistic in (bootstrap.mean_and_error, bootstrap.median):
        one = replicates(sample, 503, statistic=statistic)
        np.testing.assert_array_equal(one, replicates(sample, 503, n_jobs=3, statistic=statistic))
    assert one.shape == (503,)
    assert not np.array_equal(replicates(sample), replicates(sample, random_state=1))


def test_replicates_do_not_depend_on_how_many_rows_are_held_at_a_time(monkeypatch):
    at_once = replicates(SKEWED, 35)
    for draws in (1, 1000, 2777):
        monkeypatch.setattr(bootstrap, "DRAWS_AT_A_TIME", draws)
        np.testing.assert_array_equal(replicates(SKEWED, 35), at_once)


@BOTH
def test_more_replicates_keep_the_first_ones(sample):
    """Whole blocks have a seed of their own, so a longer run extends a shorter one."""
    np.testing.assert_array_equal(replicates(sample, 50), replicates(sample, 90)[:50])


@BOTH
def test_moments_are_those_that_theory_gives(sample):
    """Mean of the sample and sd / sqrt(n) with divisor n (Efron 1979), in Monte-Carlo error."""
    means = replicates(sample, 20_000)
    error = sample.std() / np.sqrt(sample.size)
    assert abs(means.mean() - sample.mean()) < 4 * error / np.sqrt(means.size)
    assert means.std() == pytest.approx(error, rel=4 / np.sqrt(2 * means.size))


@BOTH
@pytest.mark.parametrize(
    ("ours", "theirs"), [(bootstrap.mean, np.mean), (bootstrap.median, np.median)]
)
def test_distribution_agrees_with_scipy(sample, ours, theirs):
    found = replicates(sample, 4000, statistic=ours)
    expected = stats.bootstrap(
        (sample,), theirs, n_resamples=4000, rng=np.random.default_rng(1), batch=200,
        method="percentile",
    ).bootstrap_distribution  # fmt: skip
    assert stats.ks_2samp(found, expected).pvalue > 0.001


def test_every_resample_of_three_values_is_as_frequent_as_enumeration_says():
    """All 27 resamples of 1, 2, 9 are equally likely; means and errors are compared with theirs."""
    values = np.array([1.0, 2.0, 9.0])
    drawn = replicates(values, 27_000, statistic=bootstrap.mean_and_error)
    found = Counter(map(tuple, drawn.round(9).tolist()))
    expected = Counter()
    for resample in product(values, repeat=3):
        error = np.std(resample, ddof=1) / np.sqrt(3)
        expected[round(float(np.mean(resample)), 9), round(float(error), 9)] += 1000
    assert set(found) == set(expected)
    test = stats.chisquare([found[key] for key in expected], list(expected.values()))
    assert test.pvalue > 0.001


@BOTH
def test_counts_of_a_drawn_sample_are_multinomial(sample):
    _, frequencies = np.unique(sample, return_counts=True)
    counts = bootstrap.draw_counts(np.random.default_rng(2), frequencies, n=400, k=3000)
    assert (counts.sum(axis=1) == 400).all()
    # the commonest level is binomial: mean f, variance f (1 - f/n)
    top = int(frequencies.argmax())
    f = frequencies[top]
    variance = f * (1 - f / 400)
    assert abs(counts[:, top].mean() - f) < 4 * np.sqrt(variance / 3000)
    assert counts[:, top].var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 3000))


@pytest.mark.parametrize("n", [7, 8])
def test_statistics_of_counts_are_those_of_the_rows(n):
    rng = np.random.default_rng(n)
    levels = np.sort(rng.normal(1e6, 1.0, 5))  # far from 0: squares must not lose digits
    counts = rng.multinomial(n, np.full(5, 0.2), size=200)
    rows = [np.repeat(levels, c) for c in counts]
    errors = [row.std(ddof=1) / np.sqrt(n) for row in rows]
    found = bootstrap.mean_and_error(levels, counts)
    np.testing.assert_allclose(found[:, 0], [row.mean() for row in rows], rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], errors, atol=1e-6)
    np.testing.assert_array_equal(bootstrap.mean(levels, counts), found[:, 0])
    medians = [np.median(row) for row in rows]
    np.testing.assert_allclose(bootstrap.median(levels, counts), medians, rtol=1e-12)


def test_bad_samples_are_refused():
    with pytest.raises(UserError, match="LIMIT_BAL: 1 of 3 values are missing or infinite"):
        replicates([1.0, np.nan, 2.0], name="LIMIT_BAL")
    with pytest.raises(NotApplicableError, match="1 value, at least 2 needed"):
        replicates([1.0])
    with pytest.raises(UserError, match="n_replicates"):
        replicates(SKEWED, 0)
