"""Kinds of question against other libraries, small cases by hand, and simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import contingency, power
from creditrisk.stats.declared import derived, kinds, questions
from creditrisk.stats.samples import NotApplicableError

SETTINGS = questions.Settings(
    alpha=0.05, confidence=0.95, n_permutations=99, random_state=1, in_full=False
)
RNG = np.random.default_rng(11)
N = 1200
GROUP = RNG.integers(0, 3, N)
CLIENTS = pd.DataFrame(
    {
        "default": RNG.integers(0, 2, N),
        "group": np.array(["low", "middle", "high"])[GROUP],
        "other": RNG.integers(0, 2, N),
        "amount": RNG.lognormal(10 + 0.2 * GROUP, 1, N).round(-2),
        "code": RNG.integers(-2, 4, N),
    }
)


def ask(kind, value, group="default", **more):
    asked = {"id": "q", "kind": kind, "value": value, "group": group, "smallest_effect": 0.1}
    (row,) = questions.answer_all([asked | more], CLIENTS, SETTINGS)
    return row


def split(value, group):
    return [CLIENTS.loc[CLIENTS[group] == label, value] for label in np.unique(CLIENTS[group])]


def test_mann_whitney_is_that_of_scipy_and_its_size_the_correlation_of_ranks():
    row = ask("mann_whitney", "amount")
    second, first = split("amount", "default")
    oracle = stats.mannwhitneyu(first, second, method="asymptotic")
    assert row["p_value"] == pytest.approx(oracle.pvalue, rel=1e-12)
    assert row["effect"] == pytest.approx(2 * oracle.statistic / first.size / second.size - 1)
    assert row["estimate"] == first.median() - second.median()
    assert row["size"] == pytest.approx(
        abs(stats.spearmanr(CLIENTS["amount"], CLIENTS["default"]).statistic), rel=1e-9
    )


def test_rank_kinds_of_two_groups_have_one_size():
    """H = (n − 1)·r² of the ranks, so ε² is the square of the correlation."""
    ranks, kruskal = ask("mann_whitney", "amount"), ask("kruskal", "amount")
    assert kruskal["size"] == pytest.approx(ranks["size"], rel=1e-9)


def test_kruskal_interval_puts_the_statistic_at_its_tails():
    row = ask("kruskal", "amount", "group")
    oracle = stats.kruskal(*split("amount", "group"))
    assert row["statistic"] == pytest.approx(oracle.statistic, rel=1e-12)
    for end, tail in (("effect_low", 0.975), ("effect_high", 0.025)):
        chance = stats.ncx2.cdf(row["statistic"], 2, row[end] * (N - 1))
        assert chance == pytest.approx(tail, abs=1e-9), end


def test_welch_anova_has_the_effect_of_the_classic_one_and_its_own_p():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pingouin warns while it is imported
        import pingouin
    welch, classic = (ask(kind, "amount", "group") for kind in ("welch_anova", "anova"))
    oracle = pingouin.welch_anova(CLIENTS, dv="amount", between="group").iloc[0]
    assert welch["statistic"] == pytest.approx(oracle["F"], rel=1e-9)
    assert welch["p_value"] == pytest.approx(oracle.filter(regex="p.unc").iloc[0], rel=1e-9)
    assert (welch["effect"], welch["effect_low"]) == (classic["effect"], classic["effect_low"])
    assert welch["p_value"] != classic["p_value"]


def test_g_test_has_the_effect_of_chi_square_and_its_own_p():
    g, chi = ask("g_test", "code"), ask("chi_square", "code")
    counts = pd.crosstab(CLIENTS["code"], CLIENTS["default"])
    oracle = stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood")
    assert g["statistic"] == pytest.approx(oracle.statistic, rel=1e-12)
    assert g["p_value"] == pytest.approx(oracle.pvalue, rel=1e-12)
    assert (g["effect"], g["df"]) == (chi["effect"], chi["df"])


def test_interaction_estimate_is_the_range_of_the_gap():
    """Gaps of 0, 1 and 5 between the two levels of the second factor: they vary by 5."""
    clients = pd.DataFrame(
        {"first": np.repeat(["a", "b", "c"], 8), "second": np.tile([0, 0, 0, 0, 1, 1, 1, 1], 3)}
    )
    gap = clients["first"].map({"a": 0, "b": 1, "c": 5}) * clients["second"]
    clients["y"] = gap + np.tile([-1, 1, -1, 1], 6)
    question = {"id": "q", "kind": "two_way", "value": "y", "group": "first", "and": "second"}
    (row,) = questions.answer_all([question | {"smallest_effect": 0.1}], clients, SETTINGS)
    assert row["estimate"] == pytest.approx(5)
    assert row["verdict"] == "matters"
    turned = question | {"group": "second", "and": "first", "smallest_effect": 0.1}
    (three,) = questions.answer_all([turned], clients, SETTINGS)
    assert three["estimate"] is None
    assert three["p_value"] == pytest.approx(row["p_value"], rel=1e-9)


def strata_question(clients, **more):
    question = {"id": "q", "kind": "stratified", "value": "x", "group": "y", "within": ["s"]}
    (row,) = questions.answer_all([question | {"smallest_effect": 0.18} | more], clients, SETTINGS)
    return row


def two_by_two(cells, stratum):
    """Rows of a stratum from counts of (exposed, outcome)."""
    return pd.DataFrame(
        [(x, y, stratum) for (x, y), n in cells.items() for _ in range(n)], columns=["x", "y", "s"]
    )


def test_stratified_effect_is_the_log_of_the_common_odds_ratio():
    """Both strata have odds ratio 4 by construction, so the pooled one is 4 whatever its weights.

    (40·40)/(20·20) = 4 and (20·40)/(10·20) = 4.
    """
    clients = pd.concat(
        [
            two_by_two({(1, 1): 40, (1, 0): 20, (0, 1): 20, (0, 0): 40}, "a"),
            two_by_two({(1, 1): 20, (1, 0): 10, (0, 1): 20, (0, 0): 40}, "b"),
        ]
    )
    row = strata_question(clients)
    assert row["effect"] == pytest.approx(np.log(4), rel=1e-9)
    assert row["effect_low"] < row["effect"] < row["effect_high"]
    # a: 2/3 − 1/3, b: 2/3 − 1/3: the difference is 1/3 in both
    assert row["estimate"] == pytest.approx(1 / 3, rel=1e-9)
    assert [stratum["label"] for stratum in row["details"]["stratified"]["strata"]] == ["a", "b"]


def test_a_reversal_is_seen():
    """Berkeley admissions in small: each stratum favours the exposed, the total does not."""
    clients = pd.concat(
        [
            two_by_two({(1, 1): 80, (1, 0): 20, (0, 1): 600, (0, 0): 300}, "easy"),
            two_by_two({(1, 1): 200, (1, 0): 700, (0, 1): 12, (0, 0): 88}, "hard"),
        ]
    )
    row = strata_question(clients)
    found = row["details"]["stratified"]
    assert found["marginal"]["difference"] < 0 < found["adjusted"]["difference"]
    assert found["simpson"] == "reversed"
    assert row["effect"] > 0


def test_strata_keep_the_order_of_their_bands():
    """Labels would sort as text: 100 before 20."""
    clients = derived.add_bands(
        pd.DataFrame(
            {
                "x": np.tile([0, 1], 60),
                "y": np.tile([0, 0, 1, 1], 30),
                "amount": np.repeat([1, 30, 150], 40),
            }
        ),
        {"s": {"source": "amount", "edges": [20, 100]}},
    )
    labels = [s["label"] for s in strata_question(clients)["details"]["stratified"]["strata"]]
    assert labels == ["below 20", "20 to below 100", "100 and above"]


def test_outcome_of_strata_must_be_0_or_1():
    clients = two_by_two({(1, 1): 5, (1, 0): 5, (0, 2): 5, (0, 0): 5}, "a")
    with pytest.raises(UserError, match="y: the outcome of a stratified question is 0 or 1"):
        strata_question(clients)


# power


def test_powers_start_at_the_level_and_rise_to_one():
    cases = [
        lambda effect: power.rank_power(effect, 300, 900, 0.01),
        lambda effect: power.kruskal_power(effect, 1200, 4, 0.01),
        lambda effect: power.f_power(effect, 1200, 3, 1192, 0.01),
        lambda effect: power.normal_power(20 * effect, 0.01),
    ]
    for power_of in cases:
        values = [power_of(effect) for effect in (0, 0.005, 0.02, 0.1, 0.5)]
        assert values[0] == pytest.approx(0.01, abs=1e-9)
        assert values == sorted(values)
        assert values[-1] > 0.99


def test_power_of_f_equals_statsmodels():
    from statsmodels.stats.power import FTestAnovaPower

    eta2 = 0.02
    oracle = FTestAnovaPower().power(np.sqrt(eta2 / (1 - eta2)), nobs=400, alpha=0.05, k_groups=4)
    assert power.f_power(eta2, 400, 3, 396, 0.05) == pytest.approx(oracle, rel=1e-7)


def test_power_of_f_is_a_number_for_any_effect():
    """scipy's non-central F gives NaN at some of these, far in the tail."""
    effects = np.linspace(0.03, 0.06, 400)
    powers = [power.f_power(effect, 29_564, 1, 29_560, 0.05 / 22) for effect in effects]
    assert np.min(powers) > 0.99


def test_noether_by_hand():
    """r = 0.2, n = 100 + 100, α = 0.05: shift = 0.2·√(3·50) = 2.449; Φ(2.449 − 1.960) = 0.6878."""
    assert power.rank_power(0.2, 100, 100, 0.05) == pytest.approx(0.6878, abs=1e-3)


def test_power_of_ranks_is_that_of_simulated_studies():
    """Normal groups half a standard deviation apart have r = 2Φ(0.5/√2) − 1 = 0.276."""
    rng = np.random.default_rng(5)
    first, second = rng.normal(0.5, 1, (2000, 60)), rng.normal(0, 1, (2000, 60))
    rejected = stats.mannwhitneyu(first, second, axis=1, method="asymptotic").pvalue < 0.05
    effect = 2 * stats.norm.cdf(0.5 / np.sqrt(2)) - 1
    expected = power.rank_power(effect, 60, 60, 0.05)
    assert rejected.mean() == pytest.approx(expected, abs=0.03)  # 3 standard errors of a share


def test_power_of_kruskal_is_that_of_simulated_studies():
    rng = np.random.default_rng(6)
    shifts = np.array([0, 0.2, 0.4])[:, None]
    large = rng.normal(size=(3, 100_000)) + shifts
    effect = stats.kruskal(*large).statistic / (large.size - 1)
    rejected = [
        stats.kruskal(*(rng.normal(size=(3, 80)) + shifts)).pvalue < 0.05 for _ in range(1500)
    ]
    expected = power.kruskal_power(effect, 240, 3, 0.05)
    assert np.mean(rejected) == pytest.approx(expected, abs=0.035)


# columns from declarations


def test_bands_are_named_and_an_edge_belongs_above():
    assert derived.name_bands([50000, 140000, 1e6]) == [
        "below 50,000",
        "50,000 to below 140,000",
        "140,000 to below 1,000,000",
        "1,000,000 and above",
    ]
    clients = pd.DataFrame({"PAY_0": [-2, 0, 1, 2, 8]})
    with_band = derived.add_bands(clients, {"status": {"source": "PAY_0", "edges": [1, 2]}})
    assert with_band["status"].astype(str).tolist() == [
        "below 1",
        "below 1",
        "1 to below 2",
        "2 and above",
        "2 and above",
    ]
    assert list(clients) == ["PAY_0"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"source": "LIMIT", "edges": [1]}, "columns.band: no column LIMIT"),
        ({"source": "amount", "edges": [2, 1]}, r"columns.band: edges must rise, got \[2, 1\]"),
        ({"source": "amount", "edges": [1, 1]}, "edges must rise"),
        ({"source": "amount", "edges": []}, "edges must rise"),
    ],
)
def test_bands_that_cannot_be_made_are_named(rule, words):
    with pytest.raises(UserError, match=words):
        derived.add_bands(CLIENTS, {"band": rule})


def test_bands_do_not_hide_a_column_or_a_missing_value():
    rule = {"source": "amount", "edges": [1]}
    with pytest.raises(UserError, match="columns.code: the table has this column"):
        derived.add_bands(CLIENTS, {"code": rule})
    broken = CLIENTS.assign(amount=np.nan)
    with pytest.raises(UserError, match="amount: 1200 of 1200 values are missing"):
        derived.add_bands(broken, {"band": rule})


# cells of a table


def test_cells_by_hand():
    """60 of 100 and 40 of 100 against 50 expected: z = 10 / √(50 · ½ · ½) = 2.828."""
    values = np.repeat(["a", "b"], 100)
    target = np.r_[np.ones(60), np.zeros(40), np.ones(40), np.zeros(60)].astype(int)
    first, second = contingency.compare_cells(values, target, name="x")
    assert (first["level"], first["n"], first["observed"], first["expected"]) == ("a", 100, 60, 50)
    assert first["residual"] == pytest.approx(10 / np.sqrt(12.5))
    assert second["residual"] == pytest.approx(-first["residual"])
    assert first["p_value"] == pytest.approx(2 * 2 * stats.norm.sf(10 / np.sqrt(12.5)))


def test_residuals_equal_statsmodels():
    from statsmodels.stats.contingency_tables import Table

    counts = pd.crosstab(CLIENTS["code"], CLIENTS["default"])
    oracle = Table(counts.to_numpy(), shift_zeros=False).standardized_resids
    cells = contingency.compare_cells(CLIENTS["code"], CLIENTS["default"], name="code")
    np.testing.assert_allclose([c["residual"] for c in cells], oracle[:, 1], rtol=1e-9)
    assert [c["level"] for c in cells] == counts.index.tolist()


def test_cells_that_cannot_be_compared():
    with pytest.raises(NotApplicableError, match="x: constant"):
        contingency.compare_cells(np.ones(4), [0, 1, 0, 1], name="x")
    with pytest.raises(UserError, match="expected a target of 0 and 1"):
        contingency.compare_cells([1, 2, 1, 2], [0, 1, 2, 1], name="x")


def test_ranked_columns_carry_their_cells_and_a_constant_one_its_reason():
    columns = {"code": CLIENTS["code"], "one": np.ones(N)}
    ranked = contingency.rank_columns(columns, CLIENTS["default"], confidence=0.95)
    assert [row["column"] for row in ranked] == ["code", "one"]
    assert sum(cell["n"] for cell in ranked[0]["cells"]) == N
    assert "cells" not in ranked[1]


def test_every_kind_names_a_scale_that_has_an_end():
    assert {kind.effect for kind in kinds.KINDS.values()} == set(kinds.LARGEST)
