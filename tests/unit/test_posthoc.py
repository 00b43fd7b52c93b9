"""All pairs of groups: three methods against other libraries and R's published numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pingouin
import pytest
import scikit_posthocs
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import posthoc
from creditrisk.stats.samples import NotApplicableError

# R's data set PlantGrowth (Dobson 1983)
PLANTS = {
    "ctrl": [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
    "trt1": [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
    "trt2": [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26],
}
RNG = np.random.default_rng(21)
UNEVEN = {  # unequal sizes and variances, with ties
    label: np.round(RNG.normal(mean, sd, n), 1)
    for label, mean, sd, n in (("a", 0, 1, 30), ("b", 0.5, 3, 7), ("c", 1.2, 2, 55))
}
DATA = {"plants": PLANTS, "uneven": UNEVEN}


def compare(groups):
    return posthoc.compare_pairs(groups, confidence=0.95)


@cache  # a quantile of the studentised range takes a tenth of a second
def pairs(data):
    return compare(DATA[data])


def as_frame(groups):
    sizes = [len(g) for g in groups.values()]
    return pd.DataFrame(
        {"y": np.concatenate(list(groups.values())), "g": np.repeat(list(groups), sizes)}
    )


def test_tukey_reproduces_r():
    """R: TukeyHSD(aov(weight ~ group, PlantGrowth)), there second minus first."""
    published = [
        ("ctrl", "trt1", 0.371, -0.3202161, 1.0622161, 0.3908711),
        ("ctrl", "trt2", -0.494, -1.1852161, 0.1972161, 0.1979960),
        ("trt1", "trt2", -0.865, -1.5562161, -0.1737839, 0.0120064),
    ]
    for row, expected in zip(pairs("plants")["tukey"], published, strict=True):
        assert (row["first"], row["second"]) == expected[:2]
        found = [row[key] for key in ("difference", "low", "high", "p_value")]
        assert found == pytest.approx(expected[2:], abs=1e-6)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("method", "equal"), [("tukey", True), ("games_howell", False)])
def test_pairs_of_means_equal_scipy(data, method, equal):
    test = stats.tukey_hsd(*DATA[data].values(), equal_var=equal)
    ends = test.confidence_interval(0.95)
    labels = list(DATA[data])
    for row in pairs(data)[method]:
        at = labels.index(row["first"]), labels.index(row["second"])
        assert row["difference"] == pytest.approx(test.statistic[at], rel=1e-9)
        assert row["p_value"] == pytest.approx(test.pvalue[at], rel=1e-9, abs=1e-12)
        assert row["low"] == pytest.approx(ends.low[at], rel=1e-7)  # a root search in both
        assert row["high"] == pytest.approx(ends.high[at], rel=1e-7)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(
    ("method", "theirs", "p"),
    [
        ("tukey", pingouin.pairwise_tukey, "p_tukey"),
        ("games_howell", pingouin.pairwise_gameshowell, "pval"),
    ],
)
def test_pairs_of_means_equal_pingouin(data, method, theirs, p):
    expected = theirs(as_frame(DATA[data]), dv="y", between="g")
    for row, (_, other) in zip(pairs(data)[method], expected.iterrows(), strict=True):
        assert (row["first"], row["second"]) == (other["A"], other["B"])
        assert row["difference"] == pytest.approx(other["diff"], rel=1e-9)
        assert row["statistic"] == pytest.approx(other["T"], rel=1e-9)
        assert row["p_value"] == pytest.approx(other[p], rel=1e-9, abs=1e-12)


def test_intervals_say_what_the_p_values_say():
    for data in DATA:
        found = pairs(data)
        for row in found["tukey"] + found["games_howell"]:
            assert (row["p_value"] < 0.05) == (row["low"] > 0 or row["high"] < 0)


@pytest.mark.parametrize("data", DATA)
def test_dunn_equals_scikit_posthocs(data):
    theirs = scikit_posthocs.posthoc_dunn(
        as_frame(DATA[data]), val_col="y", group_col="g", p_adjust="holm"
    )
    for row in pairs(data)["dunn"]:
        assert row["p_value"] == pytest.approx(theirs.loc[row["first"], row["second"]], rel=1e-9)
        assert row["low"] is None
        assert row["high"] is None


def test_dunn_by_hand():
    """Ranks 1, 2 and 3, 4: mean ranks differ by −2; σ² = 4 · 5/12 · (1/2 + 1/2)."""
    (row,) = compare({"a": [1.0, 2.0], "b": [5.0, 9.0]})["dunn"]
    assert row["difference"] == -2
    assert row["statistic"] == pytest.approx(-2 / np.sqrt(5 / 3))


def test_dunn_of_two_groups_is_kruskal_and_wallis():
    pair = {k: UNEVEN[k] for k in "ac"}
    (row,) = compare(pair)["dunn"]
    kruskal = stats.kruskal(*pair.values())
    assert row["statistic"] ** 2 == pytest.approx(kruskal.statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(kruskal.pvalue, rel=1e-9)


def test_two_groups_need_no_adjustment():
    """With k = 2 the studentised range is √2 |t|: Student's and Welch's t-tests."""
    pair = {k: UNEVEN[k] for k in "ab"}
    found = compare(pair)
    for method, equal in (("tukey", True), ("games_howell", False)):
        t = stats.ttest_ind(*pair.values(), equal_var=equal)
        (row,) = found[method]
        assert row["statistic"] == pytest.approx(t.statistic, rel=1e-9)
        assert row["p_value"] == pytest.approx(t.pvalue, rel=1e-8)


def test_games_howell_needs_spread_in_every_group():
    found = compare({"a": [1.0, 1.0], "b": [1.0, 2.0, 4.0], "c": [3.0, 5.0]})
    assert found["games_howell"] is None
    assert len(found["tukey"]) == len(found["dunn"]) == 3


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ({"a": [1.0, 2.0]}, NotApplicableError, "AGE: 1 group, at least two"),
        ({}, NotApplicableError, "AGE: 0 group, at least two"),
        ({"a": [1.0, 2.0], "b": []}, NotApplicableError, "AGE where group = b: 0 values"),
        ({"a": [1.0, 2.0], "b": [1.0]}, NotApplicableError, "group = b: 1 value,"),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, NotApplicableError, "no spread within any group"),
        ({"a": [1.0, np.nan], "b": [2.0, 2.0]}, UserError, "group = a: 1 of 2"),
        ({"a": [1.0, np.inf], "b": [2.0, 2.0]}, UserError, "group = a: 1 of 2"),
    ],
)
def test_groups_that_cannot_be_compared_say_why(groups, error, words):
    with pytest.raises(error, match=words):
        posthoc.compare_pairs(groups, confidence=0.95, name="AGE")
