"""The questions on other selections of rows: who is left out, and what that changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from creditrisk.errors import UserError
from creditrisk.stats.declared import questions, sensitivity

SETTINGS = questions.Settings(alpha=0.05, confidence=0.95, n_permutations=199, random_state=1)
RNG = np.random.default_rng(3)
N = 400
DEFAULT = np.tile([0, 1], N // 2)
NOISE = RNG.normal(size=N // 2).repeat(2)
"""Pairs of one value in both groups: without outliers the means are equal."""
OUTLIER = np.arange(N) >= N - 20
CLIENTS = pd.DataFrame(
    {
        "default": DEFAULT,
        "moved": NOISE + 60 * (OUTLIER & (DEFAULT == 1)),
        "steady": NOISE + DEFAULT,
        "is_outlier": OUTLIER,
        "is_other": np.arange(N) < 10,
        "group_id": np.r_[np.zeros(5), np.arange(5, N)].astype(int),
    }
)
QUESTIONS = [
    {"id": value, "kind": kind, "value": value, "group": "default", "smallest_effect": 0.2}
    for kind, value in (("welch_t", "moved"), ("permutation", "steady"))
]
OUT = {"id": "no_outliers", "label": "Without outliers", "exclude": ["is_outlier"]}
ONCE = {"id": "once", "label": "One row a client", "one_row_per": "group_id"}


def test_any_flag_leaves_a_row_out():
    both = {"id": "v", "exclude": ["is_outlier", "is_other"]}
    kept = sensitivity.select(CLIENTS, both)
    assert len(kept) == N - 30
    assert not kept[["is_outlier", "is_other"]].any(axis=None)


def test_one_row_a_group_keeps_the_first():
    kept = sensitivity.select(CLIENTS, ONCE)
    assert kept.index.tolist() == [0, *range(5, N)]


def test_an_answer_that_rests_on_outliers_changes_and_a_steady_one_does_not():
    answers = questions.answer_all(QUESTIONS, CLIENTS, SETTINGS)
    found = sensitivity.answer_variants(QUESTIONS, CLIENTS, [OUT, ONCE], SETTINGS)
    without, once = found
    assert (without["n"], without["n_excluded"], once["n_excluded"]) == (380, 20, 4)
    assert without["answers"]["moved"]["effect"] == pytest.approx(0, abs=1e-12)
    changes = sensitivity.list_changes(answers, found)
    assert [(c["question"], c["variant"]) for c in changes] == [("moved", "no_outliers")]
    assert changes[0]["verdict"] != changes[0]["becomes"]
    assert without["answers"]["steady"]["verdict"] == "matters"


def test_a_variant_is_the_questions_asked_of_its_rows():
    (found,) = sensitivity.answer_variants(QUESTIONS, CLIENTS, [OUT], SETTINGS)
    direct = questions.answer_all(QUESTIONS, CLIENTS[~OUTLIER], SETTINGS)
    for row in direct:
        kept = found["answers"][row["id"]]
        assert set(kept) <= set(sensitivity.KEPT)
        for key in kept:
            assert kept[key] == row[key], key
    assert list(found["answers"]) == [question["id"] for question in QUESTIONS]


def test_a_question_that_a_selection_empties_is_not_applicable_there():
    only_zero = CLIENTS.assign(is_one=CLIENTS["default"] == 1)
    gone = {"id": "v", "label": "no ones", "exclude": ["is_one"]}
    (found,) = sensitivity.answer_variants(QUESTIONS, only_zero, [gone], SETTINGS)
    for answer in found["answers"].values():
        assert answer["verdict"] == "not_applicable"
        assert "default: 1 group" in answer["reason"]
    answers = questions.answer_all(QUESTIONS, only_zero, SETTINGS)
    changes = sensitivity.list_changes(answers, [found])
    assert {change["becomes"] for change in changes} == {"not_applicable"}


def test_no_variant_no_change():
    answers = questions.answer_all(QUESTIONS, CLIENTS, SETTINGS)
    assert sensitivity.answer_variants(QUESTIONS, CLIENTS, [], SETTINGS) == []
    assert sensitivity.list_changes(answers, []) == []


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ({"id": "v"}, "variant v: give either 'exclude', a list of flags, or 'one_row_per'"),
        ({"id": "v", "exclude": ["is_outlier"], "one_row_per": "group_id"}, "give either"),
        ({"id": "v", "exclude": ["is_lost"]}, "no column is_lost"),
        ({"id": "v", "one_row_per": "client"}, "no column client"),
        ({"id": "v", "exclude": ["everyone"]}, "everyone mark every row"),
    ],
)
def test_a_selection_that_cannot_be_made_is_named(variant, words):
    with pytest.raises(UserError, match=words):
        sensitivity.select(CLIENTS.assign(everyone=True), variant)


def test_the_frame_is_left_as_it_was():
    before = CLIENTS.copy()
    sensitivity.answer_variants(QUESTIONS, CLIENTS, [OUT, ONCE], SETTINGS)
    pd.testing.assert_frame_equal(CLIENTS, before)
