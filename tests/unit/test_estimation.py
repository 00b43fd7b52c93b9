"""Checked samples, and a mean with its intervals, against statsmodels and theory."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from creditrisk.errors import UserError
from creditrisk.stats import bootstrap, estimation
from creditrisk.stats.samples import NotApplicableError, check_labels, check_sample

SKEWED = np.random.default_rng(5).lognormal(11.5, 0.8, 400)


def estimate(values, n_replicates=300, **more):
    drawn = bootstrap.bootstrap_replicates(
        values, n_replicates=n_replicates, random_state=0, statistic=bootstrap.mean_and_error
    )
    return estimation.estimate_mean(
        values, drawn[:, 0], standard_errors=drawn[:, 1], confidence=0.95, name="x", **more
    )


def test_a_mean_is_described_as_numpy_does():
    found = estimate(SKEWED, 4000)
    assert found["n"] == 400
    assert found["mean"] == pytest.approx(SKEWED.mean())
    assert found["median"] == pytest.approx(np.median(SKEWED))
    assert found["standard_error"] == pytest.approx(SKEWED.std(ddof=1) / 20)
    # the bootstrap knows the divisor n only; 4 standard errors of a standard deviation
    plain = SKEWED.std() / 20
    assert found["bootstrap_standard_error"] == pytest.approx(plain, rel=4 / np.sqrt(8000))
    methods = [row["method"] for row in found["intervals"]]
    assert methods == ["normal", "t", "percentile", "basic", "bca", "studentised"]
    for row in found["intervals"]:
        assert row["low"] < found["mean"] < row["high"]


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
    found = estimate(doubled, groups=np.repeat(np.arange(SKEWED.size), 2))
    width = {row["method"]: row["high"] - row["low"] for row in found["intervals"]}
    assert width["grouped"] / width["normal"] == pytest.approx(np.sqrt(2), rel=0.01)
    assert list(width)[-2:] == ["studentised", "grouped"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(bad):
    with pytest.raises(UserError, match="LIMIT_BAL: 1 of 3 values are missing or infinite"):
        check_sample([1.0, bad, 2.0], name="LIMIT_BAL")


def test_text_is_no_number():
    with pytest.raises(UserError, match="AGE: expected numbers"):
        check_sample(["a", "b"], name="AGE")


@pytest.mark.parametrize(("values", "words"), [([], "0 values"), ([1.0], "1 value,")])
def test_too_few_values_are_not_applicable(values, words):
    with pytest.raises(NotApplicableError, match=f"AGE: {words}"):
        check_sample(values, name="AGE")


def test_a_constant_column_has_no_interval():
    with pytest.raises(NotApplicableError, match="all 5 values are equal"):
        estimate(np.ones(5))


def test_missing_labels_are_counted():
    with pytest.raises(UserError, match="SEX: 2 of 3 labels are missing"):
        check_labels([1.0, np.nan, None], name="SEX")
