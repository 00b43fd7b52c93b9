"""The slices of the statistics page: numbers appear, and the words follow the numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk.reporting.pages.statistics import (
    answers,
    chi_square,
    permutation,
    sensitivity,
    tests,
    text,
    verdict,
)
from creditrisk.reporting.render import environment
from creditrisk.stats import contingency
from creditrisk.stats.declared import questions
from creditrisk.stats.declared import sensitivity as selections

SETTINGS = questions.Settings(alpha=0.05, confidence=0.95, n_permutations=99, random_state=1)
SAMPLE = {"rows": 400, "alpha": 0.05, "confidence": 0.95}
RNG = np.random.default_rng(2)
DEFAULT = np.tile([0, 1], 200)
CLIENTS = pd.DataFrame(
    {
        "ID": np.arange(400),
        "default": DEFAULT,
        "LIMIT_BAL": 100_000 + 20_000 * DEFAULT + RNG.normal(0, 10_000, 400),
        "AGE": RNG.normal(40, 5, 400),
        "SEX": np.where(RNG.random(400) < 0.8, DEFAULT, 1 - DEFAULT),
        "half": np.repeat(["left", "right"], 200),
        "is_odd": np.arange(400) < 40,
    }
)


def ask(kind: str, value: str, group: str = "default", **more: Any) -> dict[str, Any]:
    asked = {"id": f"{kind}_{value}".lower(), "kind": kind, "value": value, "group": group}
    words = {"question": f"{value}?", "h0": "equal", "h1": "not", "assumptions": ["Rows <differ>."]}
    return asked | words | {"smallest_effect": 0.2} | more


ASKED = [
    ask("welch_t", "LIMIT_BAL"),
    ask("permutation", "LIMIT_BAL"),
    ask("mann_whitney", "AGE"),
    ask("chi_square", "SEX"),
    ask("stratified", "SEX", within=["half"]),
    ask("two_way", "LIMIT_BAL", **{"and": "half"}),
]


def answer(*asked: dict[str, Any], clients: pd.DataFrame = CLIENTS) -> list[dict[str, Any]]:
    return questions.answer_all(asked or ASKED, clients, SETTINGS)


def show(name: str, built: dict[str, Any]) -> str:
    html = environment().get_template(f"statistics/{name}.html.j2").render({name: built})
    return re.sub(r"\s+", " ", html)


# answers


def test_every_answer_has_a_row_and_every_question_its_hypotheses():
    rows = answer()
    built = answers.build(rows, SAMPLE)
    assert len(built["rows"]) == len(built["declared"]) == len(ASKED)
    html = show("answers", built)
    for question in ASKED:
        assert f'href="#q-{question["id"]}"' in html
        assert f'id="q-{question["id"]}"' in html
    assert "Rows &lt;differ&gt;." in html
    assert "OR = " in html
    assert "0.05 / 6" in html


def negligible(**changes: Any) -> dict[str, Any]:
    row = answer(ask("welch_t", "LIMIT_BAL", smallest_effect=0.2))[0]
    small = {"effect": 0.05, "effect_low": 0.02, "effect_high": 0.08, "p_holm": 0.0002}
    return row | small | {"verdict": "negligible"} | changes


def test_what_is_significant_and_negligible_is_listed_apart():
    html = show("answers", answers.build([negligible()], SAMPLE))
    assert "1 of 1 answers is significant after Holm's correction, 1 of them with p below" in html
    assert ">40 %<" in html  # 0.08 of 0.2
    assert "1 answer stays open" not in html
    larger = show("answers", answers.build([negligible(p_holm=0.02)], SAMPLE))
    assert "of them with p below" not in larger
    none = show("answers", answers.build(answer(ASKED[0]), SAMPLE))
    assert "Significant and negligible</h3>" not in none


def test_open_answers_are_named():
    html = show("answers", answers.build([negligible(verdict="unclear")], SAMPLE))
    assert "1 of 1 answer stays open" in html
    assert "LIMIT_BAL by default (Welch t)" in html


def test_the_control_is_told_only_where_it_is_significant():
    control = negligible(value="ID", p_holm=0.045)
    assert "The row number (ID) is a control" in show("answers", answers.build([control], SAMPLE))
    quiet = control | {"p_holm": 0.051, "verdict": "absent"}
    assert "The row number (ID)" not in show("answers", answers.build([quiet], SAMPLE))


def test_a_question_that_cannot_be_asked_stands_below_with_its_reason():
    rows = answer(ASKED[0], ask("welch_t", "AGE", "one"), clients=CLIENTS.assign(one=1))
    html = show("answers", answers.build(rows, SAMPLE))
    assert "Not applicable" in html
    assert "one: 1 group, at least two needed" in html
    assert html.count('href="#q-') == 1


@pytest.mark.parametrize(
    ("name", "low", "expected"),
    [("g", -0.1, 0.0), ("g", 0.1, 0.5), ("omega2", 0.05, 0.5)],
)
def test_multiples_of_the_smallest_effect(name, low, expected):
    """An interval over 0 starts at 0; 0.1 is half of 0.2, and √(0.05 / 0.2) is half too."""
    row = {"effect_name": name, "effect_low": low, "effect": 0.2, "effect_high": 0.8}
    found = answers.in_multiples(row | {"smallest_effect": 0.2})
    assert found[:2] == pytest.approx((expected, 1.0))


def test_effects_are_formatted_in_their_unit():
    assert text.format_effect("log_odds", 0.0) == "1.00"
    assert text.format_effect("log_odds", None) == "\N{EN DASH}"
    assert text.format_effect("omega2", 0.00064) == "0.0006"
    assert text.format_effect("g", -0.374) == "\N{MINUS SIGN}0.37"
    assert text.join_words(["a"]) == "a"
    assert text.join_words(["a", "b", "c"]) == "a, b and c"


def test_subjects_name_every_column():
    assert text.name_subject(ASKED[5]) == "LIMIT_BAL by default × half"
    assert text.name_subject(ASKED[4]) == "default by SEX within half"
    within = ask("stratified", "is_over_limit", within=["limit_quarter", "status_band"])
    assert text.name_subject(within) == "default by bill over limit within limit × status"


# permutation


def test_permutation_shows_the_observed_line_and_b():
    rows = answer()
    html = show("permutation", permutation.build(rows))
    found = next(r for r in rows if r["kind"] == "permutation")["details"]["permutation"]
    assert found["n_extreme"] == 0
    assert "Of 99 shuffles 0 go as far" in html
    assert "chance alone does not make such a difference" in html
    assert "p&nbsp;=&nbsp;0.0100" in html  # (0 + 1) / (99 + 1)
    noise = answer(ask("permutation", "AGE"))
    extreme = noise[0]["details"]["permutation"]["n_extreme"]
    assert extreme > 0
    assert f"{extreme} of the shuffles go as far." in show("permutation", permutation.build(noise))
    assert "No question of this kind is declared" in show("permutation", permutation.build([]))


# tests


def test_panels_are_one_a_pair_of_columns_and_their_words_follow_the_p_values():
    rows = answer()
    built = tests.build(rows, SAMPLE)
    assert [panel["subject"] for panel in built["panels"]] == [
        "LIMIT_BAL by default",
        "AGE by default",
    ]
    html = show("tests", built)
    assert "In 2 of 2 comparisons all five tests agree" in html
    assert "All five tests reject at the 5" in html
    assert "No test rejects at the 5" in html
    assert "permutation test" in html


def test_tests_that_part_are_named():
    row = answer(ASKED[0])[0]
    row["details"]["ranks"] |= {"p_value": 0.3}
    html = show("tests", tests.build([row], SAMPLE))
    assert "In 0 of 1 comparisons" in html
    assert (
        "the pooled t-test and the permutation test reject, the Mann-Whitney test does not" in html
    )


def test_unequal_variances_and_skewness_are_said_only_where_they_are():
    calm = show("tests", tests.build(answer(ASKED[0]), SAMPLE))
    assert "equal variances are not rejected" in calm
    assert "far from normal" not in calm
    wild = CLIENTS.assign(LIMIT_BAL=np.exp(RNG.normal(0, 1, 400) * (1 + 2 * DEFAULT)))
    html = show("tests", tests.build(answer(ASKED[0], clients=wild), SAMPLE))
    assert "equal variances are rejected" in html
    assert "far from normal" in html
    assert "No question compares two groups" in show("tests", tests.build([], SAMPLE))


# chi-square


def ranked(**changes: Any) -> list[dict[str, Any]]:
    columns = {"SEX": CLIENTS["SEX"], "half": CLIENTS["half"], "one": np.ones(400)}
    return contingency.rank_columns(columns | changes, CLIENTS["default"], confidence=0.95)


def test_ranking_has_both_tests_and_every_cell():
    rows = ranked()
    html = show("chi_square", chi_square.build(rows, 0.95))
    assert "Categorical feature importance (chi-square)</h2>" in html
    assert f"{rows[0]['statistic']:,.1f}" in html
    assert f"{rows[0]['g_test']['statistic']:,.1f}" in html
    assert "SEX leads with V" in html
    assert "its interval lies above that of half" in html
    assert "gives the same order" in html
    assert "Not ranked: one: constant" in html
    assert html.count("<td>SEX</td>") >= 2


def test_a_lead_within_noise_and_another_order_are_said():
    twins = [row | {"cells": []} for row in ranked()[:1]] * 2
    other = twins[1] | {"column": "twin", "g_test": {"statistic": 1e4, "p_value": 0.0}}
    built = chi_square.build([twins[0], other], 0.95)
    assert "overlaps that of twin" in built["lead"]
    assert "changes the order" in built["likelihood"]


# sensitivity


def variants(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    declared = {"id": "even", "label": "Without odd ones", "exclude": ["is_odd"]}
    found = selections.answer_variants(ASKED, CLIENTS, [declared | {"one_row_per": None}], SETTINGS)
    for question, changed in changes.items():
        found[0]["answers"][question] |= changed
    return {"variants": found, "changes": selections.list_changes(rows, found)}


def test_no_change_is_said_and_a_change_is_listed():
    rows = answer()
    found = variants(rows)
    found["changes"] = []
    html = show("sensitivity", sensitivity.build(found, rows))
    assert "None of 6 verdicts changes." in html
    assert "Verdicts that change" not in html
    assert "not is_odd" in html
    assert "360" in html
    changed = variants(rows, welch_t_limit_bal={"verdict": "negligible"})
    html = show("sensitivity", sensitivity.build(changed, rows))
    assert "of 6 verdicts change" in html
    assert "LIMIT_BAL by default" in html
    assert "begin or stop to matter" not in html  # it did matter
    assert "<strong>negligible</strong>" in html


def test_a_question_that_a_selection_cannot_answer_is_no_changed_verdict():
    rows = answer()
    lost = {"applicable": False, "verdict": "not_applicable", "reason": "none"}
    found = variants(rows, chi_square_sex=lost)
    html = show("sensitivity", sensitivity.build(found, rows))
    assert "cannot be asked of a selection: SEX by default (without odd ones)" in html
    assert "not applicable" in html


def test_without_selections_the_section_says_so():
    html = show("sensitivity", sensitivity.build({"variants": [], "changes": []}, answer()))
    assert "No selection is declared." in html


# verdict


def results(**headline: Any) -> dict[str, Any]:
    rows = answer()
    study = {"n": 400, "detectable": [{"power": 0.8, "difference": 5000.0}]}
    return {
        "headline": {
            "rows": 400,
            "mean": {"estimate": 110_000.0, "low": 109_000.0, "high": 111_000.0},
            "questions": {"asked": 6, "significant": 4, "matters": 3, "negligible": 1},
            "sensitivity": {"variants": 1, "changed": 2},
            "false_alarm_rate": 0.048,
            "detectable_difference": 5000.0,
            "top_cramers_v": 0.6,
            "difference": {"estimate": 20_000.0, "low": 18e3, "high": 22e3, "hedges_g": 2.0},
        }
        | headline,
        "sample": SAMPLE,
        "estimation": {"column": "LIMIT_BAL"},
        "questions": rows,
        "sensitivity": variants(rows),
        "chi_square": ranked(),
        "context": {"tests": {"alpha": 0.05, "studies": [study]}},
    }


def test_verdict_has_six_sentences_with_numbers():
    sentences = verdict.write_verdict(results())
    assert len(sentences) == 6
    assert all(re.search(r"\d", re.sub("<[^>]*>", "", sentence)) for sentence in sentences)
    told = re.sub("<[^>]*>", "", " ".join(sentences))
    assert "higher than among the others" in told
    assert "2 of 6 verdicts change" in told
    assert "none of 1 such comparisons" in told


def test_verdict_turns_with_the_numbers():
    turned = {"estimate": -20_000.0, "low": -22e3, "high": -18e3, "hedges_g": -2.0}
    one = {"variants": 1, "changed": 1}
    told = " ".join(verdict.write_verdict(results(difference=turned, sensitivity=one)))
    told = re.sub("<[^>]*>", "", told)
    assert "lower than among the others" in told
    assert "1 of 6 verdicts changes" in told
    assert "open" not in told
    wide = {"asked": 6, "significant": 5, "matters": 3, "negligible": 1}
    told = re.sub("<[^>]*>", "", " ".join(verdict.write_verdict(results(questions=wide))))
    assert "and 1 open" in told


def test_verdict_leaves_out_what_was_not_computed():
    found = results()
    for key in ("difference", "detectable_difference"):
        del found["headline"][key]
    found |= {"chi_square": [], "questions": [], "sensitivity": {"variants": [], "changes": []}}
    assert len(verdict.write_verdict(found)) == 3
