"""Chi-square and ANOVA against a second library, theory and published numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from statsmodels.discrete.discrete_model import Logit
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import proportions_ztest

from creditrisk.errors import UserError
from creditrisk.stats import association
from creditrisk.stats.samples import NotApplicableError

TABLE = np.array([[120, 30], [200, 90], [15, 40]])
# Yield of dried plants, control and two treatments: R's data set PlantGrowth (Dobson 1983)
PLANTS = (
    [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
    [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
    [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26],
)


def test_chi_square_equals_statsmodels():
    found = association.chi_square(TABLE, confidence=0.95)
    expected = Table(TABLE, shift_zeros=False).test_nominal_association()
    assert found["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found["df"] == expected.df == 2


def test_chi_square_of_a_2_by_2_table_is_z_squared():
    z, p = proportions_ztest([30, 90], [150, 290])
    found = association.chi_square([[120, 30], [200, 90]], confidence=0.95)
    assert found["statistic"] == pytest.approx(z**2, rel=1e-9)
    assert found["p_value"] == pytest.approx(p, rel=1e-9)
    # and the raw V of such a table is the absolute correlation of the two 0/1 columns
    rows, columns = (
        np.repeat([0, 0, 1, 1], [120, 30, 200, 90]),
        np.repeat([0, 1] * 2, [120, 30, 200, 90]),
    )
    assert found["cramers_v_raw"] == pytest.approx(abs(np.corrcoef(rows, columns)[0, 1]))


def test_raw_v_equals_scipy():
    found = association.chi_square(TABLE, confidence=0.95)
    assert found["cramers_v_raw"] == pytest.approx(
        stats.contingency.association(TABLE, method="cramer"), rel=1e-9
    )


def test_corrected_v_by_hand():
    """2 × 2, n = 100, χ² = 4: φ²= .04 − 1/99, sides 2 − 1/99 (Bergsma 2013)."""
    counts = [[30, 20], [20, 30]]
    found = association.chi_square(counts, confidence=0.95)
    assert found["statistic"] == pytest.approx(4)
    assert found["cramers_v"] == pytest.approx(np.sqrt((0.04 - 1 / 99) / (1 - 1 / 99)))
    assert found["min_expected"] == 25
    assert found["small_expected_share"] == 0


def test_corrected_v_of_a_table_that_is_not_square_by_hand():
    """Rows 40/20, 30/30, 20/40, n = 180: every cell expects 30, so χ² = 4 · 100/30;
    φ² less 2 · 1/179 is .0629009, the shorter side 2 − 1/179, so V² = .0632543."""
    found = association.chi_square([[40, 20], [30, 30], [20, 40]], confidence=0.95)
    assert found["statistic"] == pytest.approx(40 / 3)
    assert found["cramers_v"] ** 2 == pytest.approx(0.0632543, abs=5e-8)


def test_chi_square_and_g_equal_pingouin():
    """Columns of labels, not counts, so the cross-tabulation is checked too."""
    rows, columns = np.divmod(np.repeat(np.arange(6), TABLE.ravel()), 2)
    frame = pd.DataFrame({"row": rows, "column": columns})
    theirs = pingouin.chi2_independence(frame, "row", "column", correction=False)[2]
    theirs = theirs.set_index("test")
    counts = association.count_table(rows, columns, name="row")["counts"]
    found = association.chi_square(counts, confidence=0.95)
    for test, name in ((found, "pearson"), (found["g_test"], "log-likelihood")):
        assert test["statistic"] == pytest.approx(theirs.loc[name, "chi2"], rel=1e-9)
        assert test["p_value"] == pytest.approx(theirs.loc[name, "pval"], rel=1e-9)
    assert found["cramers_v_raw"] == pytest.approx(theirs.loc["pearson", "cramer"], rel=1e-9)


def test_g_by_its_formula_with_an_empty_cell():
    """2 Σ O ln(O/E): an empty cell adds nothing, and the others hold twice what they expect."""
    found = association.chi_square([[10, 0], [0, 10]], confidence=0.95)
    assert found["g_test"]["statistic"] == pytest.approx(2 * 20 * np.log(2), rel=1e-12)


def test_corrected_v_is_unbiased_under_independence_and_raw_v_is_not():
    rng = np.random.default_rng(0)
    tables = rng.multinomial(400, np.full(10, 0.1), size=500).reshape(-1, 5, 2)
    found = [association.chi_square(t, confidence=0.95) for t in tables]
    squares = {k: np.mean([f[k] ** 2 for f in found]) for k in ("cramers_v", "cramers_v_raw")}
    assert squares["cramers_v_raw"] == pytest.approx(4 / 400, rel=0.2)
    assert squares["cramers_v"] < 0.5 * squares["cramers_v_raw"]


def test_interval_of_v_inverts_the_non_central_distribution():
    found = association.chi_square(TABLE, confidence=0.9)
    n = TABLE.sum()
    for end, tail in (("low", 0.95), ("high", 0.05)):
        assert stats.ncx2.cdf(found["statistic"], 2, n * found[end] ** 2) == pytest.approx(
            tail, abs=1e-9
        )


def test_interval_of_v_reaches_zero_exactly_when_the_test_keeps_h0():
    """Two-sided at 90 % has 5 % on each side, the one-sided level of the chi-square test."""
    for counts in ([[55, 45], [45, 55]], [[52, 48], [48, 52]], [[65, 35], [45, 55]]):
        found = association.chi_square(counts, confidence=0.9)
        assert (found["low"] > 0) == (found["p_value"] < 0.05)


def test_interval_of_v_covers_the_true_one():
    rng = np.random.default_rng(1)
    cells = np.array([[0.30, 0.05], [0.28, 0.10], [0.20, 0.07]])
    independent = cells.sum(1, keepdims=True) * cells.sum(0, keepdims=True)
    true_v = np.sqrt(((cells - independent) ** 2 / independent).sum())
    n_hits = 0
    for counts in rng.multinomial(2000, cells.ravel(), size=600).reshape(-1, 3, 2):
        found = association.chi_square(counts, confidence=0.95)
        n_hits += found["low"] <= true_v <= found["high"]
    interval = stats.binomtest(n_hits, 600).proportion_ci(0.999)
    assert interval.low <= 0.95 <= interval.high


def test_empty_rows_and_columns_do_not_count():
    padded = np.array([[120, 0, 30], [0, 0, 0], [200, 0, 90], [15, 0, 40]])
    full, found = (association.chi_square(t, confidence=0.95) for t in (TABLE, padded))
    assert found == full


def test_constant_columns_are_not_applicable():
    with pytest.raises(NotApplicableError, match="SEX: constant"):
        association.chi_square([[10, 20], [0, 0]], confidence=0.95, name="SEX")


@pytest.mark.parametrize("bad", [[[1, np.nan], [2, 3]], [[1, -1], [2, 3]], [1, 2]])
def test_what_is_no_table_of_counts_is_refused(bad):
    with pytest.raises(UserError, match="two-way table of counts"):
        association.chi_square(bad, confidence=0.95)


def test_count_table_by_hand():
    table = association.count_table([2, 1, 2, 2], [0, 1, 1, 0], name="SEX")
    assert table["rows"] == [1, 2]
    assert table["columns"] == [0, 1]
    assert table["counts"].tolist() == [[0, 1], [2, 1]]


def test_rare_codes_are_pooled():
    """Column shares .5: rows of 4 and 6 expect 2 and 3; together 5, so they become one row."""
    counts = np.array([[50, 50], [3, 1], [2, 4], [30, 30]])
    pooled = association.pool_rare(counts)
    assert pooled.shape == (3, 2)
    assert pooled.sum() == counts.sum()
    assert pooled[-1].tolist() == [5, 5]
    assert association.expected_counts(pooled).min() >= 5
    np.testing.assert_array_equal(association.pool_rare(TABLE), TABLE)


def test_rate_range_leaves_out_rows_too_small_to_speak():
    counts = np.array([[90, 10], [60, 40], [0, 2]])
    assert association.rate_range(counts) == pytest.approx(0.3)
    assert association.rate_range(np.ones((3, 3), dtype=int)) is None


def test_ranking_is_by_v_and_keeps_constant_columns_apart():
    rng = np.random.default_rng(2)
    target = rng.integers(0, 2, 600)
    columns = {
        "noise": rng.integers(0, 4, 600),
        "constant": np.ones(600, dtype=int),
        "copy": target,
        "half": np.where(rng.random(600) < 0.5, target, rng.integers(0, 2, 600)),
    }
    ranked = association.rank_categoricals(columns, target, confidence=0.95)
    assert [row["column"] for row in ranked] == ["copy", "half", "noise", "constant"]
    assert ranked[0]["cramers_v"] == pytest.approx(1)
    assert set(ranked[-1]) == {"column", "reason"}


def test_anova_reproduces_the_published_plants():
    """PlantGrowth: F(2, 27) = 4.846, p = .0159; R's oneway.test F = 5.181, df 17.128;
    kruskal.test H = 7.9882, p = .01842."""
    found = association.compare_groups(PLANTS, confidence=0.9)
    assert (found["df"], found["df_error"]) == (2, 27)
    assert found["statistic"] == pytest.approx(4.846, abs=5e-4)
    assert found["p_value"] == pytest.approx(0.01591, abs=5e-6)
    assert found["welch"]["statistic"] == pytest.approx(5.181, abs=5e-4)
    assert found["welch"]["df_error"] == pytest.approx(17.128, abs=5e-4)
    assert found["kruskal"]["statistic"] == pytest.approx(7.9882, abs=5e-5)
    assert found["kruskal"]["p_value"] == pytest.approx(0.01842, abs=5e-6)


def test_anova_equals_the_other_library():
    found = association.compare_groups(PLANTS, confidence=0.9)
    equal = anova_oneway(PLANTS, use_var="equal")
    assert found["statistic"] == pytest.approx(equal.statistic, rel=1e-9)
    assert found["p_value"] == pytest.approx(equal.pvalue, rel=1e-9)
    welch = stats.f_oneway(*PLANTS, equal_var=False)
    assert found["welch"]["statistic"] == pytest.approx(welch.statistic, rel=1e-9)
    assert found["welch"]["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pingouin's call of pandas
def test_one_way_tests_equal_pingouin():
    frame = pd.DataFrame({"y": np.concatenate(PLANTS), "g": np.repeat([0, 1, 2], 10)})
    found = association.compare_groups(PLANTS, confidence=0.9)
    f = pingouin.anova(frame, dv="y", between="g", effsize="n2").iloc[0]
    assert found["statistic"] == pytest.approx(f["F"], rel=1e-9)
    assert found["p_value"] == pytest.approx(f["p_unc"], rel=1e-9)
    assert found["eta2"] == pytest.approx(f["n2"], rel=1e-9)
    welch = pingouin.welch_anova(frame, dv="y", between="g").iloc[0]
    assert found["welch"]["statistic"] == pytest.approx(welch["F"], rel=1e-9)
    assert found["welch"]["df_error"] == pytest.approx(welch["ddof2"], rel=1e-9)
    assert found["welch"]["p_value"] == pytest.approx(welch["p_unc"], rel=1e-9)
    kruskal = pingouin.kruskal(frame, dv="y", between="g").iloc[0]
    assert found["kruskal"]["statistic"] == pytest.approx(kruskal["H"], rel=1e-9)
    assert found["kruskal"]["p_value"] == pytest.approx(kruskal["p_unc"], rel=1e-9)


def test_shares_of_variance_by_their_sums_of_squares():
    """η² = SSB/SST, ω² = (SSB − df·MSE)/(SST + MSE)."""
    found = association.compare_groups(PLANTS, confidence=0.9)
    together = np.concatenate(PLANTS)
    total = ((together - together.mean()) ** 2).sum()
    within = sum(((np.array(g) - np.mean(g)) ** 2).sum() for g in PLANTS)
    error = within / 27
    assert found["eta2"] == pytest.approx((total - within) / total, rel=1e-9)
    omega2 = (total - within - 2 * error) / (total + error)
    assert found["omega2"] == pytest.approx(omega2, rel=1e-9)
    assert found["low"] <= found["omega2"] <= found["high"]


def test_interval_of_eta2_inverts_the_non_central_distribution():
    found = association.compare_groups(PLANTS, confidence=0.9)
    for end, tail in (("low", 0.95), ("high", 0.05)):
        non_centrality = 30 * found[end] / (1 - found[end])
        cdf = stats.ncf.cdf(found["statistic"], 2, 27, non_centrality)
        assert cdf == pytest.approx(tail, abs=1e-9)


def test_intervals_hold_for_very_strong_effects():
    """statsmodels' own interval saturates at a non-centrality of 10,000."""
    rng = np.random.default_rng(3)
    samples = [rng.normal(mean, 1, 5000) for mean in (0, 3, 6)]
    found = association.compare_groups(samples, confidence=0.95)
    assert found["low"] < found["omega2"] < found["high"]
    assert found["omega2"] == pytest.approx(6 / 7, abs=0.01)  # between 6, within 1
    table = association.chi_square([[9000, 500], [400, 8000]], confidence=0.95)
    assert table["low"] < table["cramers_v"] < table["high"]


def test_anova_of_two_groups_is_the_squared_t_test():
    found = association.compare_groups(PLANTS[:2], confidence=0.95)
    t = stats.ttest_ind(*PLANTS[:2])
    assert found["statistic"] == pytest.approx(t.statistic**2, rel=1e-9)
    assert found["p_value"] == pytest.approx(t.pvalue, rel=1e-9)


def test_anova_of_a_0_1_column_and_chi_square_share_their_numbers():
    """χ² = n · η²: the identity that makes chi-square the twin of ANOVA on a 0/1 target."""
    samples = [np.repeat([0.0, 1.0], row) for row in TABLE]
    found = association.compare_groups(samples, confidence=0.95)
    chi2 = association.chi_square(TABLE, confidence=0.95)
    assert TABLE.sum() * found["eta2"] == pytest.approx(chi2["statistic"], rel=1e-9)


def binary_columns():
    """Labels and a 0/1 outcome that TABLE counts."""
    return np.divmod(np.repeat(np.arange(6), TABLE.ravel()), 2)


def test_three_tests_of_a_0_1_outcome():
    labels, outcome = binary_columns()
    found = association.compare_binary(outcome, labels, confidence=0.95)
    assert found["n"] == TABLE.sum()
    assert found["chi_square"] == association.chi_square(TABLE, confidence=0.95)
    assert found["n_eta2"] == pytest.approx(found["chi_square"]["statistic"], rel=1e-12)
    f = stats.f_oneway(*(outcome[labels == k] for k in range(3)))
    assert found["anova"]["statistic"] == pytest.approx(f.statistic, rel=1e-9)


def test_likelihood_ratio_is_that_of_the_logistic_regression_on_the_groups():
    labels, outcome = binary_columns()
    found = association.compare_binary(outcome, labels, confidence=0.95)["likelihood_ratio"]
    fit = Logit(outcome, np.eye(3)[labels] @ [[1, 0, 0], [1, 1, 0], [1, 0, 1]]).fit(
        disp=0, method="newton", tol=1e-12
    )
    assert found["statistic"] == pytest.approx(fit.llr, rel=1e-9)
    assert found["p_value"] == pytest.approx(fit.llr_pvalue, rel=1e-9)
    assert found["df"] == fit.df_model


@pytest.mark.parametrize(
    ("outcome", "groups", "error", "words"),
    [
        ([0, 2, 1, 0], [1, 1, 2, 2], UserError, "default: expected only 0 and 1"),
        ([0, np.nan, 1, 0], [1, 1, 2, 2], UserError, "default: 1 of 4"),
        ([0, np.inf, 1, 0], [1, 1, 2, 2], UserError, "default: 1 of 4"),
        ([0, 1, 1, 0], [1, 1, 2, None], UserError, "1 of 4 labels"),
        ([0, 1, 1, 0], [1, 1, 2], UserError, "default: 4 values, but groups of"),
        ([], [], NotApplicableError, "default: 0 values"),
        ([1], [1], NotApplicableError, "default: 1 value"),
        ([0, 0, 0, 0], [1, 1, 2, 2], NotApplicableError, "default: constant"),
        ([0, 1, 1, 0], [1, 1, 1, 1], NotApplicableError, "default: constant"),
        ([0, 1, 0, 1], [1, 1, 1, 2], NotApplicableError, "group 2: 1 value"),
        ([0, 0, 1, 1], [1, 1, 2, 2], NotApplicableError, "no spread within any group"),
    ],
)
def test_a_0_1_outcome_that_cannot_be_compared_says_why(outcome, groups, error, words):
    with pytest.raises(error, match=words):
        association.compare_binary(outcome, groups, confidence=0.95, name="default")


def test_welch_is_left_out_where_a_group_has_no_variance():
    assert association.compare_groups([[1, 1], [1, 2, 3]], confidence=0.95)["welch"] is None


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([[1.0, 2.0]], "1 group, at least two"),
        ([[1.0, 2.0], []], "group 2: 0 values"),
        ([[1.0, 2.0], [3.0]], "group 2: 1 value,"),
        ([[1.0, 1.0], [2.0, 2.0]], "no spread within any group"),
    ],
)
def test_anova_that_cannot_be_done_says_why(samples, words):
    with pytest.raises(NotApplicableError, match=words):
        association.compare_groups(samples, confidence=0.95, name="AGE")


def test_anova_refuses_values_that_are_not_finite():
    with pytest.raises(UserError, match="AGE, group 1: 1 of 2"):
        association.compare_groups([[1.0, np.nan], [1.0, 2.0]], confidence=0.95, name="AGE")


def test_pooling_leaves_two_rows_to_compare():
    counts = np.array([[3, 2], [2, 1], [1, 2]])  # every row is rare
    pooled = association.pool_rare(counts)
    np.testing.assert_array_equal(pooled, [[3, 2], [3, 3]])
    (ranked,) = association.rank_categoricals(
        {"code": np.repeat([0, 0, 1, 1, 2, 2], counts.ravel())},
        np.repeat([0, 1] * 3, counts.ravel()),
        confidence=0.95,
    )
    assert ranked["n_levels"] == 3  # ranked, not taken for constant
    assert 0 <= ranked["pooled_v"] <= 1


def test_a_key_has_no_groups_to_compare():
    # every label once: the bias-corrected V is 0 / 0
    with pytest.raises(NotApplicableError, match="ID: no value occurs twice"):
        association.chi_square([[1, 0], [0, 1], [1, 0], [0, 1]], confidence=0.95, name="ID")
