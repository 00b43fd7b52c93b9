"""Vectorised tests against the public ones, and rates of false alarms where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import association, testing
from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import false_alarms, many_tests, permutation_alarms

RNG = np.random.default_rng(3)
COLUMNS = {
    "amount": np.round(RNG.lognormal(8, 1.5, 600)),
    "code": RNG.choice([-2, -1, 0, 1, 2, 8], 600, p=[0.2, 0.2, 0.4, 0.1, 0.095, 0.005]),
    "outcome": (RNG.random(600) < 0.22).astype(int),
    "group": RNG.choice(["a", "b", "c", "d"], 600, p=[0.5, 0.3, 0.15, 0.05]),
}
SETTINGS = {
    "sizes": [60],
    "alpha": 0.05,
    "n_shuffles": 200,
    "n_reference": 39,
    "random_state": 1,
}
CASES = [
    false_alarms.Case("amount", "outcome", ("welch_t", "mann_whitney", "permutation")),
    false_alarms.Case("amount", "group", ("anova", "brown_forsythe")),
    false_alarms.Case("code", "outcome", ("chi_square", "g_test")),
]


def public(test: str, samples: list[np.ndarray], counts: np.ndarray) -> float | None:
    """Return the p-value as the statistics page computes it; None where it does not apply."""
    if test in testing.MEAN_TESTS:
        return testing.compare_means(*samples, method=test, confidence=0.9)["p_value"]
    if test == "mann_whitney":
        return testing.compare_ranks(*samples, confidence=0.9)["p_value"]
    if test == "brown_forsythe":
        return testing.compare_spread(*samples)["p_value"]
    if test == "chi_square":
        return association.chi_square(counts, confidence=0.9)["p_value"]
    if test == "g_test":
        return association.chi_square(counts, confidence=0.9)["g_test"]["p_value"]
    found = association.compare_groups(samples, confidence=0.9)
    if test == "anova":
        return found["p_value"]
    twin = found["welch" if test == "welch_anova" else "kruskal"]
    return twin and twin["p_value"]


@pytest.mark.parametrize("column", ["amount", "code"])
@pytest.mark.parametrize("n_groups", [2, 4])
def test_p_values_equal_those_of_the_page(column, n_groups):
    """Several shuffles at once, on a skewed and on a tied column, against the public functions."""
    levels, codes = many_tests.encode(COLUMNS[column].astype(float))
    sizes = many_tests.apportion([50, 30, 15, 5][:n_groups], 150)
    member = np.repeat(np.arange(n_groups), sizes)
    drawn = np.stack([np.random.default_rng(seed).permutation(600)[:150] for seed in range(5)])
    counts = many_tests.cross_counts(member, codes[drawn], n_groups, levels.size)
    two_only = {*testing.MEAN_TESTS, "mann_whitney"}
    left_out = (two_only if n_groups > 2 else set()) | (
        set(many_tests.TABLE_TESTS) if column == "amount" else set()
    )
    for test in set(many_tests.TESTS) - left_out:
        found = many_tests.p_values(test, counts, levels)
        for rows, table, p in zip(drawn, counts, found, strict=True):
            samples = [levels[codes[rows[member == g]]] for g in range(n_groups)]
            expected = public(test, samples, table)
            if expected is None:
                assert np.isnan(p), test
            else:
                assert p == pytest.approx(expected, abs=1e-9), test


def test_tests_that_do_not_apply_give_no_p_value():
    levels = np.array([1.0, 2.0])
    constant = np.array([[[3.0, 0.0], [2.0, 0.0]]])
    for test in set(many_tests.TESTS) - {"mann_whitney"}:
        assert np.isnan(many_tests.p_values(test, constant, levels)).all(), test
    lonely = np.array([[[3.0, 1.0], [1.0, 0.0]]])  # a group of one has no variance
    for test in ("z_test", "welch_t", "pooled_t", "anova", "welch_anova", "brown_forsythe"):
        assert np.isnan(many_tests.p_values(test, lonely, levels)).all(), test
    with pytest.raises(UserError, match="expected one of"):
        many_tests.p_values("sign_test", lonely, levels)


def test_groups_keep_their_proportions_and_two_rows():
    assert many_tests.apportion([500, 300, 200], 10).tolist() == [5, 3, 2]
    assert many_tests.apportion([990, 5, 5], 20).tolist() == [16, 2, 2]
    assert many_tests.apportion([1, 1, 1], 8).tolist() == [3, 3, 2]
    assert many_tests.apportion([23364, 6636], 30_000).tolist() == [23364, 6636]
    assert many_tests.apportion([599, 1], 600).tolist() == [599, 1]  # the table as it is
    with pytest.raises(UserError, match="two rows each"):
        many_tests.apportion([5, 5, 5], 5)


def test_every_test_is_measured_at_every_size():
    found = false_alarms.measure(CASES, COLUMNS, **SETTINGS)
    assert found["sizes"] == [60, 600]
    assert len(found["rows"]) == 2 * 7
    for row in found["rows"]:
        assert row["low"] <= row["share"] <= row["high"]
        assert row["n_applicable"] <= 200
        assert row["verdict"] == false_alarms.judge(row, 0.05)
    table = next(r for r in found["rows"] if r["test"] == "g_test" and r["n"] == 60)
    n_defaults = many_tests.apportion(np.bincount(COLUMNS["outcome"]), 60).min()
    rarest = np.unique(COLUMNS["code"], return_counts=True)[1].min() / 600
    assert table["facts"]["smallest_expected"] == pytest.approx(rarest * n_defaults)
    assert table["facts"]["absent_codes"] > 0.5
    amount = next(r for r in found["rows"] if r["test"] == "welch_t" and r["n"] == 600)
    assert amount["facts"]["skewness"] == pytest.approx(stats.skew(COLUMNS["amount"]))
    assert {row["test"] for row in found["gate"]} == {
        row["test"] for row in found["rows"] if row["n"] == 600 and row["high"] >= 0.06
    }


def test_rates_do_not_depend_on_threads():
    assert false_alarms.measure(CASES, COLUMNS, n_jobs=1, **SETTINGS) == false_alarms.measure(
        CASES, COLUMNS, n_jobs=3, **SETTINGS
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_rate_of_an_exact_discrete_test_is_that_of_the_hypergeometric(seed):
    """Chi-square of a 2 × 2 table with fixed margins: few tables, so the rate is known."""
    value, outcome = np.repeat([0, 1], [20, 20]), np.repeat([0, 1], [28, 12])
    found = false_alarms.measure(
        [false_alarms.Case("value", "outcome", ("chi_square",))],
        {"value": value, "outcome": outcome},
        **SETTINGS | {"sizes": [], "n_shuffles": 4000, "random_state": seed},
    )
    hits = np.arange(13)
    p = [
        stats.chi2_contingency([[20 - h, h], [8 + h, 12 - h]], correction=False).pvalue
        for h in hits
    ]
    chance = stats.hypergeom(40, 12, 20).pmf(hits)
    rejecting = np.array(p) <= 0.05
    (row,) = found["rows"]
    assert row["share"] == pytest.approx(chance[rejecting].sum(), abs=0.015)
    nearest = np.min(np.array(p)[~rejecting])
    step = chance[np.isclose(p, nearest)].sum()
    assert row["facts"]["step"] == pytest.approx(step, abs=0.03)


def test_permutation_test_holds_its_level_and_is_never_zero():
    p = permutation_alarms.permute_studies(
        COLUMNS["amount"], np.array([40, 20]), n_tested=40, n_reference=59, random_state=2
    )
    assert p.shape == (4000,)
    assert p.min() >= 1 / 60
    assert np.allclose(p * 60, np.round(p * 60))
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)  # 3 of 60 possible values


def test_permutation_p_counts_ties():
    """Two values and four rows: differences −1, 0 (4 of 6) and 1; p of a 0 is 1."""
    p = permutation_alarms.permute_studies(
        np.array([0.0, 0.0, 1.0, 1.0]),
        np.array([2, 2]),
        n_tested=10,
        n_reference=99,
        random_state=0,
    )
    at_zero = np.isclose(p, 1.0)
    assert at_zero.mean() == pytest.approx(4 / 6, abs=0.07)
    assert p[~at_zero].mean() == pytest.approx((99 * 2 / 6 + 1) / 100, abs=0.03)


def test_verdict_follows_the_whole_interval():
    assert false_alarms.judge({"low": 0.03, "high": 0.049}, 0.05) == "conservative"
    assert false_alarms.judge({"low": 0.03, "high": 0.06}, 0.05) == "exact"
    assert false_alarms.judge({"low": 0.051, "high": 0.06}, 0.05) == "liberal"


def test_studies_without_a_p_value_do_not_count():
    found = false_alarms.rate(np.array([np.nan, 0.01, 0.5, np.nan, 0.2]), 0.05)
    assert (found["n_rejected"], found["n_applicable"]) == (1, 3)
    assert found["share"] == pytest.approx(1 / 3)
    assert false_alarms.measure_step(np.array([np.nan, 0.01, 0.2, 0.2]), 0.05) == 2 / 3
    assert false_alarms.measure_step(np.array([0.01, 0.02]), 0.05) == 0
    with pytest.raises(NotApplicableError, match="applies to no study"):
        false_alarms.rate(np.array([np.nan, np.nan]), 0.05)
    lonely = COLUMNS | {"group": np.where(np.arange(600) < 1, "rare", "rest")}
    case = [false_alarms.Case("amount", "group", ("anova",))]
    with pytest.raises(NotApplicableError, match="anova of amount by group in studies of 600"):
        false_alarms.measure(case, lonely, **SETTINGS | {"sizes": []})


def test_what_cannot_be_measured_is_said():
    constant = COLUMNS | {"amount": np.ones(600)}
    with pytest.raises(NotApplicableError, match="amount: all 600 values are equal"):
        false_alarms.measure(CASES[:1], constant, **SETTINGS)
    with pytest.raises(NotApplicableError, match="outcome: all 600 values are equal"):
        false_alarms.measure(CASES[:1], COLUMNS | {"outcome": np.zeros(600)}, **SETTINGS)
    missing = COLUMNS | {"group": np.array([None, *COLUMNS["group"][1:]], dtype=object)}
    with pytest.raises(UserError, match="group: 1 of 600 labels are missing"):
        false_alarms.measure(CASES[1:2], missing, **SETTINGS)
    gap = COLUMNS | {"amount": np.array([np.nan, *COLUMNS["amount"][1:]])}
    with pytest.raises(UserError, match="amount: 1 of 600"):
        false_alarms.measure(CASES[:1], gap, **SETTINGS)
    with pytest.raises(UserError, match="below the table's 600 rows"):
        false_alarms.measure(CASES, COLUMNS, **SETTINGS | {"sizes": [600]})
    with pytest.raises(UserError, match="multiple of 100"):
        false_alarms.measure(CASES, COLUMNS, **SETTINGS | {"n_shuffles": 150})
