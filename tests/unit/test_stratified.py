"""Two rates within strata against statsmodels and three published examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep

from creditrisk.errors import UserError
from creditrisk.stats import stratified
from creditrisk.stats.samples import NotApplicableError

# UC Berkeley 1973, admitted and rejected, men and women (Bickel, Hammel & O'Connell 1975)
BERKELEY = {
    "A": [[512, 313], [89, 19]],
    "B": [[353, 207], [17, 8]],
    "C": [[120, 205], [202, 391]],
    "D": [[138, 279], [131, 244]],
    "E": [[53, 138], [94, 299]],
    "F": [[22, 351], [24, 317]],
}
# Tolbutamide and death, two ages (Rothman, Greenland & Lash 2008, table 15-1)
TOLBUTAMIDE = {"under 55": [[8, 98], [5, 115]], "55 and over": [[22, 76], [16, 69]]}
# Success of open surgery and of percutaneous nephrolithotomy by size of the kidney stone
# (Charig et al. 1986; Julious & Mullee 1994)
STONES = {"small": [[81, 6], [234, 36]], "large": [[192, 71], [55, 25]]}


def columns(tables, factor=1):
    """Exposure, outcome and stratum of every row that the tables count."""
    exposed, outcome, strata = [], [], []
    for label, table in tables.items():
        for i, row in enumerate(table):
            for j, n in enumerate(row):
                exposed += [1 - i] * n * factor
                outcome += [1 - j] * n * factor
                strata += [label] * n * factor
    return exposed, outcome, strata


def compare(tables, confidence=0.95, factor=1):
    return stratified.compare_strata(*columns(tables, factor), confidence=confidence, name="SEX")


def test_berkeley_reproduces_the_published_analysis():
    """R's mantelhaen.test(UCBAdmissions): common odds ratio 0.9047 (0.7719 to 1.0603);
    men are admitted 14.2 points more often, until departments are held fixed."""
    found = compare(BERKELEY)
    assert (found["n"], found["n_left_out"], found["strata_left_out"]) == (4526, 0, [])
    ends = [found[key] for key in ("odds_ratio", "low", "high")]
    assert ends == pytest.approx([0.9046968, 0.7719074, 1.0603298], abs=5e-7)
    marginal, adjusted = found["marginal"], found["adjusted"]
    assert marginal["rate_exposed"] == pytest.approx(1198 / 2691)
    assert marginal["rate_other"] == pytest.approx(557 / 1835)
    assert marginal["low"] > 0.11
    assert adjusted["difference"] < 0 < adjusted["high"]
    assert found["simpson"] == "unclear"  # the gap is gone, but not turned round
    # women do better in department A alone
    sides = {row["label"]: (row["low"] > 0, row["high"] < 0) for row in found["strata"]}
    assert sides["A"] == (False, True)
    assert {sides[k] for k in "BCDEF"} == {(False, False)}


def test_risk_difference_reproduces_the_published_one():
    """Rothman et al. (2008), chapter 15: 0.035, 90 % interval −0.018 to 0.088; metafor's
    check of the same example has 0.0349, −0.0176 to 0.0874, odds ratio exp(0.3387),
    χ² = 1.1914 and 0.3489 for Tarone's test."""
    found = compare(TOLBUTAMIDE, confidence=0.9)
    ends = [found["adjusted"][key] for key in ("difference", "low", "high")]
    assert ends == pytest.approx([0.0349, -0.0176, 0.0874], abs=6e-5)
    assert np.log(found["odds_ratio"]) == pytest.approx(0.3387, abs=6e-5)
    assert np.log(found["high"]) == pytest.approx(0.8505, abs=6e-5)
    assert found["homogeneity"]["statistic"] == pytest.approx(0.3489, abs=6e-5)
    assert found["homogeneity"]["p_value"] == pytest.approx(0.5547, abs=6e-5)
    assert found["marginal"]["difference"] == pytest.approx(0.0446, abs=6e-5)


def test_reversal_is_called_one_when_both_intervals_exclude_0():
    """Kidney stones: open surgery loses in all and wins in both sizes. With the published
    700 patients the intervals hold 0; with thirty times as many they do not."""
    few, many = compare(STONES), compare(STONES, factor=30)
    assert few["simpson"] == "unclear"
    assert many["marginal"]["difference"] == pytest.approx(273 / 350 - 289 / 350)
    assert many["marginal"]["high"] < 0 < many["adjusted"]["low"]
    assert many["simpson"] == "reversed"
    assert all(row["difference"] > 0 for row in many["strata"])


def test_a_difference_that_stays_has_the_same_sign():
    tables = {"a": [[60, 40], [30, 70]], "b": [[80, 120], [40, 160]]}
    assert compare(tables)["simpson"] == "same_sign"
    flipped = {k: t[::-1] for k, t in tables.items()}
    assert compare(flipped)["simpson"] == "same_sign"


@pytest.mark.parametrize("seed", range(4))
def test_pooled_odds_equal_statsmodels(seed):
    rng = np.random.default_rng(seed)
    tables = {k: rng.integers(3, 60, (2, 2)).tolist() for k in range(5)}
    found = compare(tables)
    theirs = StratifiedTable([np.array(t) for t in tables.values()])
    assert found["odds_ratio"] == pytest.approx(theirs.oddsratio_pooled, rel=1e-9)
    assert (found["low"], found["high"]) == pytest.approx(
        theirs.oddsratio_pooled_confint(), rel=1e-9
    )
    null = theirs.test_null_odds()
    assert found["statistic"] == pytest.approx(null.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(null.pvalue, rel=1e-9, abs=1e-14)
    equal = theirs.test_equal_odds(adjust=True)
    assert found["homogeneity"]["statistic"] == pytest.approx(equal.statistic, rel=1e-9)
    assert found["homogeneity"]["p_value"] == pytest.approx(equal.pvalue, rel=1e-9, abs=1e-14)
    assert found["homogeneity"]["df"] == 4


def test_homogeneity_where_the_pooled_odds_ratio_is_1():
    """Odds ratios 4 and 1/4 on equal tables: pooled exactly 1, where statsmodels divides 0
    by 0. Every cell then expects 15, so each table adds 5² · 4/15."""
    found = compare({"a": [[20, 10], [10, 20]], "b": [[10, 20], [20, 10]]})
    assert found["odds_ratio"] == 1
    assert found["homogeneity"]["statistic"] == pytest.approx(2 * 25 * 4 / 15, rel=1e-12)


def test_a_tiny_p_value_is_no_zero():
    found = compare({"a": [[900, 100], [100, 900]], "b": [[90, 10], [10, 90]]})
    assert 0 < found["p_value"] < 1e-100
    assert found["p_value"] == pytest.approx(stats.chi2.sf(found["statistic"], 1), rel=1e-9)


def test_one_stratum_has_nothing_to_adjust():
    table = [[30, 70], [20, 80]]
    found = compare({"all": table})
    assert found["homogeneity"] is None
    assert found["odds_ratio"] == pytest.approx(30 * 80 / (20 * 70), rel=1e-12)
    assert found["adjusted"]["difference"] == pytest.approx(0.1, rel=1e-12)
    assert found["strata"][0]["low"] == found["marginal"]["low"]
    expected = confint_proportions_2indep(30, 100, 20, 100, method="newcomb")
    assert (found["marginal"]["low"], found["marginal"]["high"]) == pytest.approx(expected)


def test_intervals_of_strata_hold_together():
    """Six strata at 95 %: each has 1 − 0.05/6 (Bonferroni)."""
    row = compare(BERKELEY)["strata"][2]
    (a, b), (c, d) = BERKELEY["C"]
    expected = confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", alpha=0.05 / 6)
    assert (row["low"], row["high"]) == pytest.approx(expected, rel=1e-12)
    assert (row["label"], row["n"], row["n_exposed"]) == ("C", 918, 325)


def test_sato_interval_covers_the_common_difference():
    """Few large strata and many of about ten: the variance is made for both."""
    rng = np.random.default_rng(10)
    for n_strata, size in ((3, 60), (60, 5)):
        base = rng.uniform(0.2, 0.6, n_strata)
        n_hits = 0
        for _ in range(600):
            events = rng.binomial(size, [base + 0.15, base])
            tables = np.stack([events, size - events], axis=-1).transpose(1, 0, 2)
            found = stratified._adjusted_difference(tables.astype(float), 0.95)
            n_hits += found["low"] <= 0.15 <= found["high"]
        interval = stats.binomtest(n_hits, 600).proportion_ci(0.999)
        assert interval.low <= 0.95 <= interval.high


def test_strata_with_an_empty_margin_are_left_out_and_counted():
    padded = BERKELEY | {
        "nobody exposed": [[0, 0], [3, 4]],
        "no event": [[0, 5], [0, 6]],
        "all events": [[2, 0], [1, 0]],
    }
    found, plain = compare(padded), compare(BERKELEY)
    assert found["n_left_out"] == 7 + 11 + 3
    assert found["strata_left_out"] == ["all events", "no event", "nobody exposed"]
    for key in ("n", "odds_ratio", "homogeneity", "marginal", "adjusted", "strata", "simpson"):
        assert found[key] == plain[key]


def test_an_empty_cell_has_no_odds_ratio_of_its_own():
    found = compare({"a": [[5, 5], [0, 10]], "b": [[20, 20], [10, 30]]})
    assert [row["odds_ratio"] for row in found["strata"]] == [None, 3]
    assert np.isfinite(found["odds_ratio"])


def test_order_of_rows_does_not_matter():
    exposed, outcome, strata = map(np.array, columns(TOLBUTAMIDE))
    order = np.random.default_rng(0).permutation(exposed.size)
    shuffled = stratified.compare_strata(
        exposed[order] == 1, outcome[order], strata[order], confidence=0.95, name="SEX"
    )
    assert shuffled == compare(TOLBUTAMIDE)


X, Y, S = [1, 1, 0, 0, 1, 0], [1, 0, 1, 0, 1, 0], list("aaaabb")


@pytest.mark.parametrize(
    ("exposed", "outcome", "strata", "error", "words"),
    [
        ([], [], [], NotApplicableError, "SEX: 0 values"),
        ([1], [1], ["a"], NotApplicableError, "SEX: no stratum has both sides"),
        ([1] * 6, Y, S, NotApplicableError, "SEX: no stratum has both sides"),
        (X, [0] * 6, S, NotApplicableError, "SEX: no stratum has both sides"),
        ([1, 1, 0, 0], [1, 1, 0, 0], list("aaaa"), NotApplicableError, "odds ratio is 0 or"),
        ([1, 2, 1, 2, 1, 2], Y, S, UserError, "SEX: expected only 0 and 1"),
        (X, [0, 1, 2, 0, 1, 2], S, UserError, "outcome of SEX: expected only 0 and 1"),
        ([np.nan, *X[1:]], Y, S, UserError, "SEX: 1 of 6"),
        (X, [np.inf, *Y[1:]], S, UserError, "outcome of SEX: 1 of 6"),
        (X, Y, [None, *S[1:]], UserError, "strata of SEX: 1 of 6 labels"),
        (X, Y, S[1:], UserError, "SEX: exposure, outcome and strata differ"),
    ],
)
def test_strata_that_cannot_be_compared_say_why(exposed, outcome, strata, error, words):
    with pytest.raises(error, match=words):
        stratified.compare_strata(exposed, outcome, strata, confidence=0.95, name="SEX")
