"""Corrections of many families at once against statsmodels, and errors that theory gives."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from creditrisk.errors import UserError
from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import family_errors
from tests.unit.test_false_alarms import public

RNG = np.random.default_rng(11)
N = 800
OUTCOME = (RNG.random(N) < 0.25).astype(int)
COLUMNS = {
    "ID": np.arange(N),
    "strong": np.round(RNG.normal(0, 1, N) + 1.2 * OUTCOME, 2),
    "noise": RNG.normal(size=N).round(3),
    "code": RNG.choice([0, 1, 2], N),
    "outcome": OUTCOME,
    "group": RNG.choice(["a", "b", "c"], N),
}
QUESTIONS = [
    {"id": "strong", "kind": "welch_t", "value": "strong", "group": "outcome"},
    {"id": "noise", "kind": "mann_whitney", "value": "noise", "group": "outcome"},
    {"id": "code", "kind": "chi_square", "value": "code", "group": "outcome"},
    {"id": "groups", "kind": "anova", "value": "strong", "group": "group"},
    {"id": "row", "kind": "z_test", "value": "ID", "group": "outcome"},
]
SETTINGS = {"alpha": 0.05, "n": 150, "n_families": 600, "share_real": 0.4, "random_state": 0}


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_corrections_equal_statsmodels(method):
    """Ties, zeros and ones among them."""
    p = np.random.default_rng(1).random((40, 9)) ** 3
    p[:, 4], p[3, 2], p[5, 1] = p[:, 3], 0.0, 1.0
    expected = [multipletests(row, method={"holm": "holm", "bh": "fdr_bh"}[method])[1] for row in p]
    assert family_errors.adjust_many(p, method) == pytest.approx(np.array(expected), abs=1e-12)


def test_unknown_correction_is_refused():
    with pytest.raises(UserError, match="raw, holm, bh"):
        family_errors.adjust_many(np.ones((1, 2)), "sidak")
    assert family_errors.adjust_many(np.full((1, 2), 0.3), "raw").tolist() == [[0.3, 0.3]]


def test_errors_by_hand():
    """Families: one false of two found; nothing found; two real of two found."""
    rejected = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1]], dtype=bool)
    real = np.array([[0, 1, 1], [1, 1, 0], [1, 0, 1]], dtype=bool)
    found = family_errors.count_errors(rejected, real)
    assert found["family_wise"]["share"] == pytest.approx(1 / 3)
    assert found["false_discovery"]["share"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert found["power"]["share"] == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert found["false_alarms"]["share"] == pytest.approx(1 / 3)
    nothing_real = family_errors.count_errors(rejected, np.zeros_like(real))
    assert nothing_real["power"] is None
    # where nothing is real every discovery is false: the two rates are one
    assert nothing_real["false_discovery"]["share"] == nothing_real["family_wise"]["share"]


def test_studies_are_answered_as_on_the_page():
    """The true labels of a study: the same rows by the public functions."""
    found = family_errors.answer_studies(QUESTIONS, COLUMNS, N, 3, random_state=5)
    assert found.shape == (3, 2, 5)
    for i, question in enumerate(QUESTIONS):  # with n = N a study is the table itself
        values, labels = COLUMNS[question["value"]], COLUMNS[question["group"]]
        samples = [values[labels == level] for level in np.unique(labels)]
        counts = np.array(
            [[(s == level).sum() for level in np.unique(values)] for s in samples], dtype=float
        )
        assert found[:, 0, i] == pytest.approx(public(question["kind"], samples, counts), abs=1e-9)
    assert np.ptp(found[:, 1, 0]) > 0  # shuffled anew in every study


def test_holm_holds_the_family_and_raw_does_not():
    found = family_errors.measure(QUESTIONS, COLUMNS, **SETTINGS)
    null, mixed = found["all_null"], found["mixed"]
    assert found["independent"] == pytest.approx(1 - 0.95**5)
    assert null["raw"]["family_wise"]["share"] == pytest.approx(found["independent"], abs=0.06)
    assert null["holm"]["family_wise"]["low"] <= 0.05
    assert null["holm"]["family_wise"]["high"] < null["raw"]["family_wise"]["low"]
    assert mixed["holm"]["family_wise"]["low"] <= 0.05
    assert mixed["bh"]["false_discovery"]["low"] <= 0.05
    powers = [mixed[method]["power"]["share"] for method in ("raw", "bh", "holm")]
    assert powers == sorted(powers, reverse=True)
    assert found["n_real"] == 2
    by_id = {row["id"]: row["power"] for row in found["questions"]}
    assert by_id["strong"] > 0.95
    assert by_id["noise"] < 0.2


def test_the_control_never_counts_as_real():
    real = family_errors._choose_real([0, 1, 3], 2, (300, 5), 1)
    assert (real.sum(axis=1) == 2).all()
    assert not real[:, [2, 4]].any()
    assert real[:, [0, 1, 3]].mean(axis=0) == pytest.approx([2 / 3] * 3, abs=0.1)
    with pytest.raises(UserError, match="from 1 to 4 questions"):
        family_errors.measure(QUESTIONS, COLUMNS, **SETTINGS | {"share_real": 0.99})


def test_threads_change_nothing():
    one, three = (
        family_errors.measure(QUESTIONS, COLUMNS, n_jobs=n_jobs, **SETTINGS) for n_jobs in (1, 3)
    )
    assert one == three


def test_kinds_that_are_not_simulated_are_named_and_left_out():
    extra = {"id": "both", "kind": "two_way", "value": "strong", "group": "group", "and": "code"}
    kept, others = family_errors.select_questions([*QUESTIONS, extra])
    assert kept == QUESTIONS
    assert others == [extra]


def test_the_mark_covers_questions_of_every_kind():
    both = {"id": "both", "kind": "two_way", "value": "strong", "group": "group", "and": "code"}
    strata = {"id": "s", "kind": "stratified", "value": "code", "group": "outcome", "within": ["b"]}
    marked = family_errors.recipe([*QUESTIONS, both, strata], 0.05)
    assert marked["questions"][-2:] == [both, strata]
    assert marked == family_errors.recipe([*QUESTIONS, both | {"h0": "words"}, strata], 0.05)
    for other in (both | {"and": "outcome"}, strata | {"within": ["b", "c"]}):
        assert family_errors.recipe([other], 0.05) != family_errors.recipe(
            [both if other["kind"] == "two_way" else strata], 0.05
        )
    assert family_errors.recipe(QUESTIONS, 0.05) != family_errors.recipe(QUESTIONS, 0.1)


def test_the_tail_is_counted_at_the_first_step_of_holm():
    found = family_errors.measure(QUESTIONS, COLUMNS, **SETTINGS)
    assert found["tail_level"] == pytest.approx(0.01)
    p = family_errors.answer_studies(QUESTIONS, COLUMNS, 150, 600, random_state=0)
    for i, row in enumerate(found["questions"]):
        assert row["tail"]["n_rejected"] == (p[:, 1, i] <= 0.01).sum()
        assert row["tail"]["low"] <= row["tail"]["share"] <= row["tail"]["high"]
        assert row["facts"]["smallest_group"] <= 75
    # Holm rejects anything at all where, and only where, one p reaches its first step
    holm = found["all_null"]["holm"]["family_wise"]["n_rejected"]
    assert holm == (p[:, 1] <= 0.01).any(axis=1).sum()


def test_a_test_that_cannot_be_applied_counts_as_not_rejected():
    rare = COLUMNS | {"group": np.where(np.arange(N) < 2, "rare", "rest")}
    found = family_errors.measure(QUESTIONS, rare, **SETTINGS)
    assert found["not_applicable"] > 0
    by_id = {row["id"]: row["power"] for row in found["questions"]}
    assert by_id["groups"] < 0.2


def test_what_cannot_be_measured_is_said():
    with pytest.raises(NotApplicableError, match="noise: all 800 values are equal"):
        family_errors.measure(QUESTIONS, COLUMNS | {"noise": np.ones(N)}, **SETTINGS)
    with pytest.raises(UserError, match="got 1 questions"):
        family_errors.measure(QUESTIONS[:1], COLUMNS, **SETTINGS)
    with pytest.raises(UserError, match="800 rows"):
        family_errors.measure(QUESTIONS, COLUMNS, **SETTINGS | {"n": 801})
    holes = COLUMNS | {"noise": np.array([np.nan, *COLUMNS["noise"][1:]])}
    with pytest.raises(UserError, match="noise: 1 of 800"):
        family_errors.measure(QUESTIONS, holes, **SETTINGS)
