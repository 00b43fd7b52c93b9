"""Declared questions: kinds, verdicts, corrections, and what cannot be asked."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import association
from creditrisk.stats.declared import kinds, questions

SETTINGS = questions.Settings(
    alpha=0.05, confidence=0.95, n_permutations=199, random_state=1, n_jobs=1
)
BRIEF = dataclasses.replace(SETTINGS, in_full=False)
RNG = np.random.default_rng(6)
N = 3000
DEFAULT = RNG.integers(0, 2, N)
CLIENTS = pd.DataFrame(
    {
        "default": DEFAULT,
        "strong": RNG.normal(size=N) + 0.8 * DEFAULT,
        "weak": RNG.normal(size=N) + 0.15 * DEFAULT,
        "noise": RNG.normal(size=N),
        "code": np.where(RNG.random(N) < 0.5, DEFAULT, RNG.integers(0, 2, N)),
        "third": RNG.choice(["a", "b", "c"], N),
        "second": RNG.integers(0, 2, N),
        "constant": np.ones(N),
        "lonely": np.r_[1, np.zeros(N - 1, dtype=int)],
    }
)


def ask(kind="welch_t", value="strong", group="default", smallest_effect=0.3, **more):
    question = {"id": f"{kind}_{value}", "question": "?", "h0": "equal", "h1": "not equal"}
    return question | {
        "kind": kind,
        "value": value,
        "group": group,
        "smallest_effect": smallest_effect,
        **FURTHER.get(kind, {}),
        **more,
    }


FURTHER = {"two_way": {"and": "second"}, "stratified": {"within": ["third"]}}
COUNTS = ("chi_square", "g_test", "stratified")


def answer(*asked):
    return questions.answer_all(asked, CLIENTS, SETTINGS)


def answer_briefly(*asked):
    return questions.answer_all(asked, CLIENTS, BRIEF)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_answers_with_the_same_keys(kind):
    (row,) = answer(ask(kind, "code" if kind in COUNTS else "strong", smallest_effect=0.01))
    assert row["applicable"]
    assert row["verdict"] == ("absent" if kind == "two_way" else "matters")
    for key in ("effect", "effect_low", "effect_high", "size", "statistic", "p_value", "power"):
        assert np.isfinite(row[key]), key
    assert row["effect_low"] <= row["effect"] <= row["effect_high"]
    assert row["p_value"] == row["p_holm"] == row["p_bh"]
    assert 0 <= row["size"] <= 1
    assert row["effect_name"] in kinds.LARGEST
    assert "power_of" not in row


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_detectable_effect_is_found_with_eighty_percent_power(kind):
    """Asking for exactly that effect gives back a power of 0.8; a larger one gives more."""
    value = "code" if kind in COUNTS else "noise"
    (row,) = answer_briefly(ask(kind, value))
    (again,) = answer_briefly(ask(kind, value, smallest_effect=row["detectable"]))
    assert again["power"] == pytest.approx(questions.ENOUGH_POWER, abs=1e-6)
    (more,) = answer_briefly(ask(kind, value, smallest_effect=1.5 * row["detectable"]))
    assert more["power"] > 0.9


def test_difference_is_higher_label_minus_lower():
    (row,) = answer(ask())
    groups = CLIENTS.groupby("default")["strong"].mean()
    assert row["estimate"] == pytest.approx(groups[1] - groups[0])
    assert row["p_value"] == pytest.approx(
        stats.ttest_ind(
            *(CLIENTS.loc[CLIENTS["default"] == k, "strong"] for k in (1, 0)), equal_var=False
        ).pvalue
    )


def test_sizes_of_all_kinds_are_on_one_scale():
    """A 0/1 column by a 0/1 group: V, ω, ε and both correlations are nearly the same number."""
    same = ("welch_t", "mann_whitney", "chi_square", "g_test", "anova", "welch_anova", "kruskal")
    rows = answer_briefly(*(ask(kind, "code") for kind in same))
    sizes = [row["size"] for row in rows]
    assert max(sizes) - min(sizes) < 0.002
    assert sizes == sorted(sizes, reverse=True)
    # an odds ratio reaches that scale by an approximation that takes a logistic variable
    (stratified,) = answer(ask("stratified", "code"))
    assert stratified["size"] == pytest.approx(sizes[0], rel=0.15)


def test_small_p_and_small_effect_is_its_own_verdict():
    strong, weak, noise = answer(ask(), ask(value="weak"), ask(value="noise", smallest_effect=0.2))
    assert (strong["verdict"], weak["verdict"], noise["verdict"]) == (
        "matters",
        "negligible",
        "absent",
    )


def row(low, high, p=0.001, power=1.0, smallest=0.2):
    return {
        "effect_low": low,
        "effect_high": high,
        "p_holm": p,
        "power": power,
        "smallest_effect": smallest,
    }


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (row(0.21, 0.4), "matters"),
        (row(-0.4, -0.21), "matters"),
        (row(0.1, 0.3), "unclear"),
        (row(-0.3, -0.1), "unclear"),
        (row(0.01, 0.1), "negligible"),
        (row(-0.1, 0.15), "negligible"),
        (row(-0.3, 0.25), "unclear"),  # an interval over 0 starts at 0, not at its nearer end
        (row(-0.1, 0.1, p=0.4), "absent"),
        (row(-0.5, 0.5, p=0.4, power=0.3), "inconclusive"),
    ],
)
def test_verdicts(case, verdict):
    assert questions.judge(case, alpha=0.05) == verdict
    assert verdict in questions.VERDICTS


def test_corrections_count_the_questions_that_could_be_asked():
    rows = answer(ask(value="noise"), ask("z_test", "weak"), ask("chi_square", "constant"))
    asked, skipped = rows[:2], rows[2]
    assert not skipped["applicable"]
    assert skipped["verdict"] == "not_applicable"
    assert "constant" in skipped["reason"]
    smallest = min(asked, key=lambda r: r["p_value"])
    assert smallest["p_holm"] == pytest.approx(2 * smallest["p_value"])


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (ask(value="constant"), "no spread"),
        (ask(group="third"), "3 groups, but welch_t compares two"),
        (ask(group="lonely"), "1 value, at least 2"),
        (ask("anova", group="constant"), "1 group"),
        (ask("anova", "constant", "third"), "no spread"),
        (ask("welch_anova", "lonely", "default"), "a group has no spread"),
        (ask("kruskal", "constant", "third"), "no spread"),
        (ask("two_way", group="constant"), "one level"),
        (ask("stratified", "constant"), "constant: 1 groups, but stratified compares two"),
        (ask("stratified", "third"), "third: 3 groups"),
    ],
)
def test_questions_that_make_no_sense_say_why(question, words):
    (found,) = answer(question)
    assert words in found["reason"]


def test_a_question_moves_no_other_ones_shuffles():
    alone = answer(ask("permutation", "noise"))[0]
    among = answer(ask(), ask("permutation", "noise"), ask("permutation", "weak"))
    again = next(r for r in among if r["id"] == "permutation_noise")
    assert alone["details"]["permutation"] == again["details"]["permutation"]
    assert sum(alone["details"]["permutation"]["counts"]) == 199


def test_answers_in_brief_have_the_same_numbers_without_what_explains_them():
    for kind in ("welch_t", "permutation", "anova"):
        (full,) = answer(ask(kind))
        (short,) = answer_briefly(ask(kind))
        left_out = {"welch_t": {"permutation", "quantiles"}, "permutation": {"quantiles"}}
        gone = left_out.get(kind, {"posthoc"})
        assert set(full["details"]) - set(short["details"]) == gone
        for key in ("effect", "p_value", "power", "verdict", "detectable"):
            assert full[key] == short[key]


def test_anova_on_a_0_1_column_shows_its_chi_square_twin():
    (found,) = answer(ask("anova", "default", "third"))
    counts = association.count_table(CLIENTS["third"], DEFAULT, name="third")["counts"]
    twin = association.chi_square(counts, confidence=0.95)
    assert found["details"]["binary"]["chi_square"] == twin
    assert found["details"]["eta2"] * N == pytest.approx(twin["statistic"], rel=1e-9)
    (other,) = answer(ask("anova", "strong", "third"))
    assert "binary" not in other["details"]


def test_power_is_taken_at_the_level_that_the_correction_leaves():
    alone = answer(ask(smallest_effect=0.1))[0]["power"]
    among = answer(*(ask(smallest_effect=0.1, id=f"q{i}") for i in range(10)))[0]["power"]
    assert among < alone < 1


def test_unknown_kind_and_column_are_named():
    with pytest.raises(UserError, match="kind 'sign' is none of z_test"):
        answer(ask("sign"))
    with pytest.raises(UserError, match="no column LIMIT"):
        answer(ask(value="LIMIT"))
    with pytest.raises(UserError, match="no column SEX"):
        answer(ask("two_way", **{"and": "SEX"}))
    with pytest.raises(UserError, match="no column SEX"):
        answer(ask("stratified", "code", within=["third", "SEX"]))


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (ask("two_way", **{"and": None}), "kind two_way needs the field 'and', a second factor"),
        (ask("stratified", "code", within=[]), "kind stratified needs the field 'within'"),
        (ask("anova", within=["third"]), "kind anova has no use for the field 'within'"),
        (ask("stratified", "code", **{"and": "third"}), "no use for the field 'and'"),
    ],
)
def test_a_field_that_is_missing_or_of_no_use_is_named(question, words):
    with pytest.raises(UserError, match=words):
        answer(question)


@pytest.mark.parametrize("kind", [kind for kind in kinds.KINDS if kind not in COUNTS])
def test_values_that_are_not_finite_stop_every_kind(kind):
    for bad in (np.nan, np.inf):
        broken = CLIENTS.assign(strong=CLIENTS["strong"].where(CLIENTS.index != 7, bad))
        with pytest.raises(UserError, match="1 of 3000 values"):
            questions.answer_all([ask(kind)], broken, SETTINGS)


@pytest.mark.parametrize("kind", COUNTS)
def test_a_missing_label_stops_every_kind_of_count(kind):
    broken = CLIENTS.assign(code=CLIENTS["code"].astype(object).where(CLIENTS.index != 7))
    with pytest.raises(UserError, match="1 of 3000 labels are missing"):
        questions.answer_all([ask(kind, "code")], broken, SETTINGS)


def test_the_frame_is_left_as_it_was():
    before = CLIENTS.copy()
    answer(ask(), ask("chi_square", "code"), ask("anova", "strong", "third"))
    pd.testing.assert_frame_equal(CLIENTS, before)
