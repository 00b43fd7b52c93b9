"""Two-way analysis of variance against another library and R's published example."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import association, factorial
from creditrisk.stats.samples import NotApplicableError

# Length of guinea pigs' teeth by supplement and dose: R's data set ToothGrowth (Crampton 1947)
TEETH = {
    ("VC", 0.5): [4.2, 11.5, 7.3, 5.8, 6.4, 10, 11.2, 11.2, 5.2, 7],
    ("VC", 1.0): [16.5, 16.5, 15.2, 17.3, 22.5, 17.3, 13.6, 14.5, 18.8, 15.5],
    ("VC", 2.0): [23.6, 18.5, 33.9, 25.5, 26.4, 32.5, 26.7, 21.5, 23.3, 29.5],
    ("OJ", 0.5): [15.2, 21.5, 17.6, 9.7, 14.5, 10, 8.2, 9.4, 16.5, 9.7],
    ("OJ", 1.0): [19.7, 23.3, 23.6, 26.4, 20, 25.2, 25.8, 21.2, 14.5, 27.3],
    ("OJ", 2.0): [25.5, 26.4, 22.4, 24.5, 24.8, 30.9, 26.4, 27.3, 29.4, 23],
}


def columns(cells):
    """Values and both factors' labels of a mapping of cells."""
    values = np.concatenate([np.asarray(cell, float) for cell in cells.values()])
    sizes = [len(cell) for cell in cells.values()]
    first, second = (np.repeat([key[i] for key in cells], sizes) for i in (0, 1))
    return values, first, second


def analyse(values, first, second, confidence=0.9):
    found = factorial.two_way(values, first, second, confidence=confidence, name="AGE")
    return found, {row["term"]: row for row in found["terms"]}


def uneven(seed, shape=(3, 4), interaction=0.0):
    """Values in cells of unequal size, where type I, II and III differ."""
    rng = np.random.default_rng(seed)
    return {
        (i, j): rng.normal(0.5 * i - 0.2 * j + interaction * i * j, 1 + j / 4, rng.integers(2, 40))
        for i in range(shape[0])
        for j in range(shape[1])
    }


def test_balanced_design_reproduces_r():
    """R: summary(aov(len ~ supp * factor(dose), ToothGrowth))."""
    found, terms = analyse(*columns(TEETH))
    published = {  # df, sum of squares, F
        "first": (1, 205.4, 15.572),
        "second": (2, 2426.4, 92.000),
        "interaction": (2, 108.3, 4.107),
    }
    for term, (df, squares, f) in published.items():
        assert terms[term]["df"] == df
        assert terms[term]["sum_of_squares"] == pytest.approx(squares, abs=0.05)
        assert terms[term]["statistic"] == pytest.approx(f, abs=5e-4)
    assert terms["interaction"]["p_value"] == pytest.approx(0.021860, abs=5e-7)
    assert (found["n"], found["df_error"]) == (60, 54)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pingouin's call of pandas
@pytest.mark.parametrize("seed", range(4))
def test_uneven_design_equals_pingouin(seed):
    values, first, second = columns(uneven(seed, interaction=0.1))
    frame = pd.DataFrame({"y": values, "a": first, "b": second})
    theirs = pingouin.anova(frame, dv="y", between=["a", "b"], ss_type=2)
    _, terms = analyse(values, first, second)
    for term, (_, expected) in zip(terms.values(), theirs.iterrows(), strict=False):
        assert term["df"] == expected["DF"]
        assert term["sum_of_squares"] == pytest.approx(expected["SS"], rel=1e-9)
        assert term["statistic"] == pytest.approx(expected["F"], rel=1e-9)
        assert term["p_value"] == pytest.approx(expected["p_unc"], rel=1e-9)


def test_partial_omega2_by_its_sums_of_squares():
    """(SS − df · MSE) / (SS + (n − df) · MSE), Olejnik & Algina (2003); MSE = 712.1/54 in R."""
    _, terms = analyse(*columns(TEETH))
    row, error = terms["interaction"], 712.106 / 54
    expected = (row["sum_of_squares"] - 2 * error) / (row["sum_of_squares"] + 58 * error)
    assert row["effect"] == pytest.approx(expected, rel=1e-6)
    for term in terms.values():
        assert term["low"] <= term["effect"] <= term["high"]


def test_interval_of_partial_omega2_inverts_the_non_central_distribution():
    _, terms = analyse(*columns(TEETH))
    row = terms["interaction"]
    for end, tail in (("low", 0.95), ("high", 0.05)):
        non_centrality = 60 * row[end] / (1 - row[end])
        assert stats.ncf.cdf(row["statistic"], 2, 54, non_centrality) == pytest.approx(
            tail, abs=1e-9
        )


def test_one_factor_without_the_other_has_the_effect_of_the_one_way_analysis():
    """ω² of a single F is the same formula, so both modules must agree on it."""
    samples = [np.arange(5.0) + k for k in range(3)]
    one_way = association.compare_groups(samples, confidence=0.9)
    n, f = 15, one_way["statistic"]
    assert one_way["omega2"] == pytest.approx(2 * (f - 1) / (2 * (f - 1) + n), rel=1e-12)


def test_sums_of_squares_of_a_balanced_design_add_up():
    values, first, second = columns(TEETH)
    found, _ = analyse(values, first, second)
    error = sum(row["sd"] ** 2 * (row["n"] - 1) for row in found["cells"])
    explained = sum(row["sum_of_squares"] for row in found["terms"])
    assert explained + error == pytest.approx(((values - values.mean()) ** 2).sum(), rel=1e-12)


def test_cells_are_described_in_order():
    found, _ = analyse(*columns(TEETH))
    cell = found["cells"][0]
    assert (cell["first"], cell["second"], cell["n"]) == ("OJ", 0.5, 10)
    assert cell["mean"] == pytest.approx(np.mean(TEETH["OJ", 0.5]))
    assert cell["sd"] == pytest.approx(np.std(TEETH["OJ", 0.5], ddof=1))
    assert [(c["first"], c["second"]) for c in found["cells"]] == sorted(TEETH)


def test_swapping_the_factors_swaps_their_terms():
    values, first, second = columns(uneven(5))
    _, one = analyse(values, first, second)
    _, other = analyse(values, second, first)
    for term, twin in (("first", "second"), ("second", "first"), ("interaction",) * 2):
        expected = [other[twin][k] for k in ("df", "sum_of_squares", "p_value", "low", "high")]
        found = [one[term][k] for k in ("df", "sum_of_squares", "p_value", "low", "high")]
        assert found == pytest.approx(expected, rel=1e-9)


def test_a_shift_and_a_scale_change_no_statistic():
    """Amounts in the hundred thousands: sums are taken about their means."""
    values, first, second = columns(uneven(6))
    _, plain = analyse(values, first, second)
    _, moved = analyse(1e6 + 1e3 * values, first, second)
    for term, row in plain.items():
        assert moved[term]["statistic"] == pytest.approx(row["statistic"], rel=1e-8)


def test_p_of_the_interaction_is_uniform_without_one():
    rng = np.random.default_rng(9)
    first, second = rng.integers(0, 2, 120), rng.integers(0, 3, 120)
    p_values = [
        analyse(first + 2.0 * second + rng.normal(size=120), first, second)[1]["interaction"][
            "p_value"
        ]
        for _ in range(300)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


A, B = [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 1, 1, 2, 2]
VALUES = [1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 6.0, 8.0]


@pytest.mark.parametrize(
    ("values", "first", "second", "error", "words"),
    [
        ([], [], [], NotApplicableError, "AGE: 0 values"),
        ([1.0], [1], [1], NotApplicableError, "a factor has one level"),
        (VALUES, [1] * 8, B, NotApplicableError, "a factor has one level"),
        (VALUES, A, [1, 1, 1, 1, 1, 1, 2, 2], NotApplicableError, "0 values where .* 1 and 2"),
        (VALUES, A, [1, 1, 2, 2, 1, 1, 1, 2], NotApplicableError, "1 values where .* 2 and 2"),
        ([3.0] * 8, A, B, NotApplicableError, "AGE: no spread within any combination"),
        ([1.0, np.nan, *VALUES[2:]], A, B, UserError, "AGE: 1 of 8"),
        ([1.0, np.inf, *VALUES[2:]], A, B, UserError, "AGE: 1 of 8"),
        (VALUES, [None, *A[1:]], B, UserError, "first factor: 1 of 8 labels"),
        (VALUES, A, B[1:], UserError, "8 values, but 8 and 7 labels"),
    ],
)
def test_designs_that_cannot_be_analysed_say_why(values, first, second, error, words):
    with pytest.raises(error, match=words):
        analyse(values, first, second)
