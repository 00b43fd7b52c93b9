"""Bootstrap distributions against scipy, theory and small cases by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import distributions
from creditrisk.stats.distributions import Settings, describe, describe_all
from creditrisk.stats.samples import NotApplicableError
from tests import generated

RNG = np.random.default_rng(6)
FIRST, SECOND = RNG.lognormal(0, 1, 80), RNG.lognormal(0.3, 0.6, 120)
SETTINGS = Settings(n_bootstrap=4000, confidence=0.9, random_state=1)
ALONE = {"group": None, "first": None, "second": None}


def interval(found, method):
    (row,) = (row for row in found["intervals"] if row["method"] == method)
    return row


class Earlier:
    """What scipy takes as replicates drawn before."""

    def __init__(self, drawn):
        self.bootstrap_distribution = drawn


def mean_difference(a, b, axis=-1):
    return a.mean(axis=axis) - b.mean(axis=axis)


def median_difference(a, b, axis=-1):
    return np.median(a, axis=axis) - np.median(b, axis=axis)


@pytest.mark.parametrize(
    ("statistic", "theirs"), [("mean", mean_difference), ("median", median_difference)]
)
def test_intervals_of_a_difference_equal_scipy_on_the_same_replicates(statistic, theirs):
    drawn = stats.bootstrap(
        (FIRST, SECOND), theirs, n_resamples=999, rng=np.random.default_rng(0), method="percentile"
    ).bootstrap_distribution
    rows = distributions.find_intervals(
        [FIRST, SECOND], statistic, drawn, theirs(FIRST, SECOND), 0.9
    )
    assert [row["method"] for row in rows] == ["percentile", "bca"]
    for row, method in zip(rows, ("percentile", "BCa"), strict=True):
        expected = stats.bootstrap(
            (FIRST, SECOND), theirs, n_resamples=0, confidence_level=0.9, method=method,
            bootstrap_result=Earlier(drawn),
        ).confidence_interval  # fmt: skip
        np.testing.assert_allclose((row["low"], row["high"]), expected, rtol=1e-9)


def test_a_difference_agrees_with_scipy_and_with_the_formula():
    found = describe({"a": FIRST, "b": SECOND}, "mean", SETTINGS, seed=[1])
    assert found["n"] == [80, 120]
    assert found["parts"] == pytest.approx([FIRST.mean(), SECOND.mean()])
    assert found["estimate"] == pytest.approx(FIRST.mean() - SECOND.mean())
    error = np.hypot(FIRST.std(ddof=1) / np.sqrt(80), SECOND.std(ddof=1) / np.sqrt(120))
    assert found["formula_error"] == pytest.approx(error)
    plain = np.hypot(FIRST.std() / np.sqrt(80), SECOND.std() / np.sqrt(120))
    assert found["standard_error"] == pytest.approx(plain, rel=4 / np.sqrt(2 * 4000))
    assert abs(found["bias"]) < 4 * plain / np.sqrt(4000)
    theirs = stats.bootstrap(
        (FIRST, SECOND), mean_difference, n_resamples=4000, confidence_level=0.9,
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    bca = interval(found, "bca")
    # an end is a quantile: its Monte-Carlo error is about 2.1 errors / sqrt(B) at 5 %
    noise = 4 * np.sqrt(2) * 2.1 * error / np.sqrt(4000)
    np.testing.assert_allclose((bca["low"], bca["high"]), theirs, atol=noise)
    assert sum(found["counts"]) == 4000
    assert len(found["edges"]) == distributions.N_BINS + 1


def test_the_median_of_three_values_is_counted_value_by_value():
    found = describe({"x": [1.0, 2.0, 9.0]}, "median", SETTINGS, seed=[1])
    assert found["values"].tolist() == [1, 2, 9]
    assert found["n_distinct"] == 3
    # the median is 1 when two or three of three draws are 1: 7/27; 2 in the rest: 13/27
    noise = 4 * 0.5 / np.sqrt(4000)
    np.testing.assert_allclose(found["counts"] / 4000, [7 / 27, 13 / 27, 7 / 27], atol=noise)
    assert found["at_estimate"] == pytest.approx(13 / 27, abs=noise)
    assert found["bias"] == pytest.approx((7 * 1 + 13 * 2 + 7 * 9) / 27 - 2, abs=4 * 3.4 / 63)
    assert found["formula_error"] is None


def test_a_median_amid_equal_values_has_no_bca_interval_but_says_why():
    limits = np.repeat([10_000.0, 50_000.0, 90_000.0], [30, 50, 20])
    found = describe({"LIMIT_BAL": limits}, "median", SETTINGS, seed=[1])
    bca = interval(found, "bca")
    assert bca["low"] is None
    assert bca["high"] is None
    assert "does not move the statistic" in bca["reason"]
    assert interval(found, "percentile")["low"] == 50_000
    # binomial(100, 1/2) between ranks 42 and 59 (Conover 1999): both fall on 50,000
    order = interval(found, "order")
    assert (order["low"], order["high"]) == (50_000, 50_000)


def test_order_statistics_hold_the_median_often_enough():
    """At least 90 % of 300 normal samples: less than 4 standard errors short would be chance."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        rows = distributions.find_intervals(
            [rng.normal(size=31)], "median", np.array([0.0, 0.1]), 0.05, 0.9
        )
        held += rows[-1]["low"] <= 0 <= rows[-1]["high"]
    assert held / 300 > 0.9 - 4 * np.sqrt(0.09 / 300)


@pytest.mark.parametrize("n", [2, 3, 4, 7, 8, 25])
def test_jackknife_leaves_out_one_value_after_the_other(n):
    sample = np.random.default_rng(n).normal(size=n)
    left_out = [np.delete(sample, i) for i in range(n)]
    means = [part.mean() for part in left_out]
    np.testing.assert_allclose(distributions.jackknife_means(sample), means)
    order = np.argsort(sample)
    medians = np.array([np.median(part) for part in left_out])[order]
    np.testing.assert_allclose(distributions.jackknife_medians(sample), medians)


def test_a_rate_has_the_binomial_error():
    outcome = np.repeat([0, 1], [150, 50])
    found = describe({"default": outcome}, "rate", SETTINGS, seed=[1])
    assert found["estimate"] == 0.25
    assert found["formula_error"] == pytest.approx(np.sqrt(0.25 * 0.75 / 200))
    tails = stats.binom.ppf([0.05, 0.95], 200, 0.25) / 200
    percentile = interval(found, "percentile")
    np.testing.assert_allclose((percentile["low"], percentile["high"]), tails, atol=0.005)


def asked(**changes):
    return {"id": "x", "statistic": "mean", "value": "LIMIT_BAL", **ALONE, **changes}


def test_a_table_is_described_row_by_row():
    clients = generated.clients(600, 1)
    by_default = asked(id="gap", statistic="median", group="default", first=1, second=0)
    rows = describe_all([asked(), by_default], clients, SETTINGS)
    assert [row["id"] for row in rows] == ["x", "gap"]
    assert all(row["applicable"] for row in rows)
    medians = clients.groupby("default")["LIMIT_BAL"].median()
    assert rows[1]["parts"] == [medians[1], medians[0]]
    assert rows[1]["estimate"] == medians[1] - medians[0]
    threads = Settings(n_bootstrap=4000, confidence=0.9, random_state=1, n_jobs=3)
    again = describe_all([by_default, asked()], clients, threads)
    # neither threads nor the order of the list touch a result: each id has its own stream
    assert str(again[::-1]) == str(rows)


def test_exchanged_groups_turn_the_sign():
    clients = generated.clients(600, 1)
    forth = asked(group="default", first=1, second=0)
    rows = describe_all([forth, forth | {"first": 0, "second": 1}], clients, SETTINGS)
    assert rows[0]["estimate"] == -rows[1]["estimate"]
    low, high = (interval(row, "percentile") for row in rows)
    error = rows[0]["standard_error"]
    assert low["low"] == pytest.approx(-high["high"], abs=0.3 * error)


def test_what_cannot_be_described_says_why():
    table = pd.DataFrame(
        {
            "same": [1.0] * 4,
            "x": [1.0, 2.0, 3.0, 4.0],
            "bad": [np.inf] * 4,
            "g": ["a", "a", "a", "b"],
            "half": ["a", "a", "b", "b"],
        }
    )
    rows = describe_all(
        [
            asked(value="same"),
            asked(value="x", group="g", first="a", second="b"),
            asked(value="x", group="g", first="a", second="nobody"),
            asked(value="same", group="half", first="a", second="b"),
        ],
        table,
        SETTINGS,
    )
    assert not any(row["applicable"] for row in rows)
    assert [row["reason"] for row in rows] == [
        "same: all 4 values are equal",
        "x where g = b: 1 value, at least 2 needed",
        "x where g = nobody: 0 values, at least 2 needed",
        "same where half = a and same where half = b: no spread in either",
    ]
    with pytest.raises(UserError, match="bad: 4 of 4 values are missing or infinite"):
        describe_all([asked(value="bad")], table, SETTINGS)
    with pytest.raises(UserError, match="x: a rate needs zeros and ones"):
        describe_all([asked(value="x", statistic="rate")], table, SETTINGS)
    with pytest.raises(UserError, match="expected one of mean, rate, median, got 'mode'"):
        describe_all([asked(value="x", statistic="mode")], table, SETTINGS)
    with pytest.raises(NotApplicableError, match="2 needed"):
        describe({"x": [1.0]}, "mean", SETTINGS, seed=[1])
