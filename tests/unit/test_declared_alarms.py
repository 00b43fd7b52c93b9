"""False alarms of declared questions: own null hypotheses against the page's tests, and rates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import factorial, stratified
from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import declared_alarms, false_alarms, null_deals

RNG = np.random.default_rng(8)
N = 600
COLUMNS = {
    "amount": np.round(RNG.lognormal(8, 1.5, N)),
    "code": RNG.choice([0, 1, 2], N, p=[0.6, 0.3, 0.1]),
    "side": RNG.choice(["left", "right"], N, p=[0.6, 0.4]),
    "outcome": (RNG.random(N) < 0.22).astype(int),
    "group": RNG.choice(["a", "b", "c", "d"], N, p=[0.5, 0.3, 0.15, 0.05]),
    "band": RNG.choice(["low", "high"], N),
}


def question(name: str, kind: str, value: str, group: str, **more: object) -> dict[str, object]:
    return {"id": name, "kind": kind, "value": value, "group": group, **more}


QUESTIONS = [
    question("mean", "welch_t", "amount", "outcome"),
    question("shuffled", "permutation", "amount", "outcome"),
    question("ranks", "mann_whitney", "amount", "outcome"),
    question("table", "g_test", "code", "outcome"),
    question("gap", "two_way", "amount", "group", **{"and": "side"}),
    question("strata", "stratified", "side", "outcome", within=["code", "band"]),
]
SETTINGS = {"alpha": 0.05, "n_shuffles": 400, "n_reference": 99, "random_state": 1}


@pytest.mark.parametrize("seed", range(4))
def test_dealt_strata_are_tested_as_on_the_page(seed):
    """A real shuffle within strata of unequal size: CMH of its counts, both ways."""
    rng = np.random.default_rng(seed)
    strata = rng.choice(5, 200, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    side, outcome = rng.integers(0, 2, 200), (rng.random(200) < 0.3).astype(int)
    for label in range(5):
        outcome[strata == label] = rng.permutation(outcome[strata == label])
    counts = np.array(
        [
            [[((side == s) & (outcome == o) & (strata == k)).sum() for o in (1, 0)] for s in (1, 0)]
            for k in range(5)
        ]
    )
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    whole = (rows > 0).all(axis=1) & (columns > 0).all(axis=1)
    found = null_deals.strata_p_values(
        counts[None, whole, 0, 0], rows[whole].astype(float), columns[whole].astype(float)
    )
    expected = stratified.compare_strata(side, outcome, strata, confidence=0.9)["p_value"]
    assert found == pytest.approx([expected], abs=1e-9)


def test_rate_within_strata_is_that_of_the_hypergeometric():
    """Two strata of 20: every pair of tables counted out gives the exact rate."""
    strata = np.repeat([0, 1], 20)
    side = np.tile(np.repeat([0, 1], 10), 2)
    outcome = np.concatenate([np.arange(20) % 3 == 0, np.arange(20) % 4 == 0]).astype(int)
    p, facts = null_deals.deal_within_strata(side, outcome, strata, n_shuffles=6000, random_state=0)
    rows = np.full((2, 2), 10.0)
    columns = np.array([[7.0, 13.0], [5.0, 15.0]])
    tables = np.array(list(product(range(8), range(6))))
    exact = null_deals.strata_p_values(tables, rows, columns)
    chance = stats.hypergeom(20, 7, 10).pmf(tables[:, 0])
    chance = chance * stats.hypergeom(20, 5, 10).pmf(tables[:, 1])
    assert np.nanmean(p <= 0.05) == pytest.approx(chance[exact <= 0.05].sum(), abs=0.01)
    assert facts == {"smallest_group": 20, "smallest_expected": 2.5, "n_strata": 2}


def test_a_deal_without_an_odds_ratio_has_no_p_value():
    """All five events exposed: the odds ratio is infinite, which the page refuses."""
    rows, columns = np.array([[10.0, 10.0]]), np.array([[5.0, 15.0]])
    found = null_deals.strata_p_values(np.array([[5], [0], [2]]), rows, columns)
    assert np.isnan(found).tolist() == [True, True, False]
    side, outcome = np.repeat([1, 0], 10), (np.arange(20) < 5).astype(int)
    with pytest.raises(NotApplicableError, match="0 or infinite"):
        stratified.compare_strata(side, outcome, np.zeros(20), confidence=0.9)


@pytest.mark.parametrize("seed", range(4))
def test_dealt_cells_are_tested_as_on_the_page(seed):
    """Unequal cells, where type II sums of squares differ from sequential ones."""
    rng = np.random.default_rng(seed)
    first, second = rng.choice(4, N, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(3, N, p=[0.5, 0.3, 0.2])
    dealt = rng.permutation(COLUMNS["amount"])
    cell = first * 3 + second
    centred = dealt - dealt.mean()
    found = null_deals.interaction_p_values(
        np.bincount(cell, centred)[None], np.bincount(cell).reshape(4, 3), centred @ centred
    )
    terms = factorial.two_way(dealt, first, second, confidence=0.9)["terms"]
    assert found == pytest.approx([terms[2]["p_value"]], abs=1e-9)


def test_interaction_of_normal_values_holds_its_level():
    values = np.random.default_rng(0).normal(size=N)
    p, facts = null_deals.deal_over_cells(
        values, COLUMNS["group"], COLUMNS["side"], n_shuffles=3000, random_state=2
    )
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert facts["skewness"] == pytest.approx(stats.skew(values))
    assert facts["tied"] == pytest.approx(1 / N)


def test_every_question_is_measured_on_the_whole_table():
    found = declared_alarms.measure(QUESTIONS, COLUMNS, **SETTINGS)
    assert [row["id"] for row in found["rows"]] == [q["id"] for q in QUESTIONS]
    assert (found["n"], found["not_applicable"]) == (N, [])
    for row in found["rows"]:
        assert row["low"] <= row["share"] <= row["high"]
        assert row["share"] == pytest.approx(0.05, abs=0.06)
        assert row["verdict"] == false_alarms.judge(row, 0.05)
        assert 0 <= row["facts"]["step"] <= 1
    assert found["gate"] == [row["id"] for row in found["rows"] if row["high"] >= 0.06]
    assert found["rows"][4]["and"] == "side"
    assert found["rows"][5]["within"] == ["code", "band"]
    assert found["rows"][5]["facts"]["n_strata"] == 6


def test_rates_are_those_of_the_probing_cases():
    """One set of shuffles of the whole table, so that two places of the page never disagree."""
    found = declared_alarms.measure(QUESTIONS[:4], COLUMNS, **SETTINGS)
    probed = false_alarms.measure(
        [false_alarms.Case(q["value"], q["group"], (q["kind"],)) for q in QUESTIONS[:4]],
        COLUMNS,
        sizes=[],
        **SETTINGS,
    )
    for ours, theirs in zip(found["rows"], probed["rows"], strict=True):
        assert (ours["share"], ours["facts"]) == (theirs["share"], theirs["facts"])


def test_threads_change_nothing():
    one, three = (
        declared_alarms.measure(QUESTIONS, COLUMNS, n_jobs=n_jobs, **SETTINGS) for n_jobs in (1, 3)
    )
    assert one == three


def test_questions_that_cannot_be_asked_are_told_with_the_reason():
    columns = COLUMNS | {
        "flat": np.ones(N),
        "one": np.where(np.arange(N) < 1, "rare", COLUMNS["side"]),
        "lonely": np.where(np.arange(N) < 1, "rare", "rest"),
    }
    asked = [
        question("constant", "welch_t", "flat", "outcome"),
        question("constant_too", "chi_square", "flat", "outcome"),
        question("three", "welch_t", "amount", "group"),
        question("three_sides", "stratified", "group", "outcome", within=["code"]),
        question("thin", "two_way", "amount", "one", **{"and": "band"}),
        question("single", "anova", "amount", "lonely"),
        question("fine", "z_test", "amount", "outcome"),
    ]
    found = declared_alarms.measure(asked, columns, **SETTINGS)
    reasons = {row["id"]: row["reason"] for row in found["not_applicable"]}
    assert reasons["constant"] == reasons["constant_too"] == "flat: all 600 values are equal"
    assert reasons["three"] == "group: 4 groups, welch_t compares two"
    assert reasons["three_sides"] == "group: 4 groups, but stratified compares two"
    assert "at least 2 needed in every combination" in reasons["thin"]
    assert reasons["single"] == "the test applies to no study"
    assert [row["id"] for row in found["rows"]] == ["fine"]


def test_what_cannot_be_measured_is_said():
    with pytest.raises(UserError, match="multiples of 100"):
        declared_alarms.measure(QUESTIONS, COLUMNS, **SETTINGS | {"n_shuffles": 150})
    with pytest.raises(UserError, match="got 0"):
        declared_alarms.measure([], COLUMNS, **SETTINGS)
    with pytest.raises(UserError, match="question odd: kind 'sign_test' is none of"):
        declared_alarms.measure(
            [question("odd", "sign_test", "amount", "outcome")], COLUMNS, **SETTINGS
        )
    for name, value in (("amount", np.nan), ("amount", np.inf)):
        holed = COLUMNS | {name: np.array([value, *COLUMNS[name][1:]])}
        with pytest.raises(UserError, match=r"amount: 1 of 600"):
            declared_alarms.measure(QUESTIONS[4:5], holed, **SETTINGS)
    holed = COLUMNS | {"band": np.array([None, *COLUMNS["band"][1:]], dtype=object)}
    with pytest.raises(UserError, match="band: 1 of 600 labels are missing"):
        declared_alarms.measure(QUESTIONS[5:], holed, **SETTINGS)


def test_columns_of_a_question():
    assert declared_alarms.list_columns(QUESTIONS[0]) == ["amount", "outcome"]
    assert declared_alarms.list_columns(QUESTIONS[4]) == ["amount", "group", "side"]
    assert declared_alarms.list_columns(QUESTIONS[5]) == ["side", "outcome", "code", "band"]
