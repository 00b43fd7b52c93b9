"""The slices on several groups and on strata: numbers come through, words follow them."""

from __future__ import annotations

import copy
import html
import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.statistics import anova, stratified
from creditrisk.stats import association, factorial, posthoc, testing
from creditrisk.stats.stratified import compare_strata

Row = dict[str, Any]


def words(name: str, document: Row) -> str:
    page = render.environment().get_template(f"statistics/{name}.html.j2").render({name: document})
    page = re.sub(r"<svg.*?</svg>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def question(kind: str, value: str, group: str, **more: Any) -> Row:
    return {
        "id": f"{kind}_{value}".lower(),
        "question": f"Does {value} differ?",
        "kind": kind,
        "value": value,
        "group": group,
        "n": 90,
        "p_holm": 0.2,
        "smallest_effect": 0.05,
        "effect_name": "omega2",
        "effect_low": 0.011,
        "effect_high": 0.222,
        **more,
    }


SPREAD = np.linspace(-1.7, 1.7, 30)
SAMPLES: dict[str, dict[str, Any]] = {
    "apart": {"low": 20 + SPREAD, "middle": 30 + SPREAD, "high": 50 + SPREAD},
    "alike": {"low": 20 + SPREAD, "middle": 20.1 + SPREAD, "high": 19.9 + SPREAD},
    "unequal": {"low": 20 + SPREAD, "middle": 22 + 9 * SPREAD, "high": 21 + 3 * SPREAD},
    "constant": {"low": np.full(30, 20.0), "middle": 22 + 9 * SPREAD, "high": 21 + SPREAD},
    "five": {f"g{k}": k + SPREAD for k in range(5)},
    "rates": {"a": np.repeat([0.0, 1.0], [20, 10]), "b": np.repeat([0.0, 1.0], [10, 20])},
}
APART = association.compare_groups(list(SAMPLES["apart"].values()), confidence=0.95)


@cache  # the pairs take a quantile of the studentised range each
def analyse(name: str) -> Row:
    groups = SAMPLES[name]
    test = association.compare_groups(list(groups.values()), confidence=0.95)
    details = {
        "groups": [
            {
                "label": label,
                "n": sample.size,
                "mean": float(sample.mean()),
                "median": float(np.median(sample)),
                "sd": float(sample.std(ddof=1)),
            }
            for label, sample in groups.items()
        ],
        "spread": testing.compare_spread(*groups.values()),
        "posthoc": posthoc.compare_pairs(groups, confidence=0.95),
        "f": {key: test[key] for key in ("statistic", "df", "p_value")},
        **{key: test[key] for key in ("eta2", "omega2", "welch", "kruskal", "df_error")},
    }
    if name == "rates":
        labels = np.repeat(list(groups), [sample.size for sample in groups.values()])
        outcome = np.concatenate(list(groups.values()))
        details["binary"] = association.compare_binary(outcome, labels, confidence=0.95)
    return {"statistic": test["statistic"], "p_value": test["p_value"], "details": details}


def one_way(name: str, value: str = "AGE", kind: str = "anova", **more: Any) -> Row:
    return question(kind, value, "education_group", **copy.deepcopy(analyse(name)), **more)


def two_way(lift: float, noise: float = 1.0, smallest: float = 0.05) -> Row:
    """Two lines; the second is 2 above the first, and ``lift`` more at the last level."""
    first = np.repeat(["a", "b", "c"], 60)
    second = np.tile(np.repeat(["f", "m"], 30), 3)
    values = 2.0 * (second == "m") + lift * ((second == "m") & (first == "c"))
    values = values + noise * np.tile(SPREAD, 6)
    found = factorial.two_way(values, first, second, confidence=0.95)
    return question(
        "two_way",
        "AGE",
        "education_group",
        **{"and": "sex_group"},
        smallest_effect=smallest,
        details={"two_way": found},
        p_holm=found["terms"][2]["p_value"],
    )


def strata(tables: dict[str, Any], factor: int = 1, label: Any = True) -> Row:
    cells = [
        (1 - i, 1 - j, name)
        for name, table in tables.items()
        for i in (0, 1)
        for j in (0, 1)
        for _ in range(table[i][j] * factor)
    ]
    exposed, outcome, marks = (np.array(side) for side in zip(*cells, strict=True))
    found = compare_strata(exposed, outcome, marks, confidence=0.95)
    return question(
        "stratified",
        "is_inactive",
        "default",
        within=["education_group"],
        details={
            "stratified": found,
            "exposed": {"label": label, "other": not label if label is True else "rest"},
        },
    )


STONES = {"small": [[81, 6], [234, 36]], "large": [[192, 71], [55, 25]]}
KEPT = {"a": [[60, 40], [30, 70]], "b": [[80, 120], [40, 160]]}
GONE = {"a": [[80, 20], [8, 2]], "b": [[2, 8], [20, 80]]}
HIDDEN = {"a": [[60, 140], [5, 45]], "b": [[35, 15], [100, 100]]}
NOTHING = {"a": [[30, 70], [29, 71]], "b": [[50, 50], [51, 49]]}


@pytest.mark.parametrize(("name", "module"), [("anova", anova), ("stratified", stratified)])
def test_no_question_of_the_kind_is_said(name, module):
    for rows in ([], [question("welch_t", "AGE", "default", details={})]):
        assert "No question of this kind is declared." in words(name, module.build(rows))


def test_one_section_each_with_figures_that_have_words():
    page = render.environment()
    for name, module, rows, n_figures in (
        ("anova", anova, [one_way("apart"), two_way(0.0)], 2),
        ("stratified", stratified, [strata(KEPT)], 1),
    ):
        shown = page.get_template(f"statistics/{name}.html.j2").render({name: module.build(rows)})
        assert re.findall(r'<section id="([^"]+)"', shown) == [name]
        alts = re.findall(r'<svg[^>]*aria-label="([^"]+)"', shown)
        assert len(alts) == shown.count("<figure") == n_figures
        assert "No question" not in shown


def test_numbers_of_the_tests_come_through():
    text = words("anova", anova.build([one_way("apart")]))
    assert f"{APART['statistic']:,.1f}" in text
    assert f"{APART['kruskal']['statistic']:.1f}" in text
    assert f"ω² = {APART['omega2']:.3f} (0.011 to 0.222)" in text
    assert "Group means run from 20.00 years (low) to 50.00 years (high)" in text
    assert "3 of 3 pairs differ by Tukey, Games–Howell and Dunn alike" in text


def test_pairs_are_sorted_by_size_and_stand_larger_first():
    (panel,) = anova.build([one_way("apart")])["panels"]
    assert [row[0] for row in panel["pair_rows"]] == [
        "high − low",
        "high − middle",
        "middle − low",
    ]
    assert [row[1] for row in panel["pair_rows"]] == ["30.00 years", "20.00 years", "10.00 years"]
    low, high = (float(x) for x in re.findall(r"[\d.]+", panel["pair_rows"][0][2]))
    assert low < 30 < high
    assert not panel["many_pairs"]


def test_more_than_six_pairs_are_folded():
    text = words("anova", anova.build([one_way("five")]))
    assert "The 10 pairs" in text


def test_words_on_what_to_rely_follow_the_spread():
    equal = words("anova", anova.build([one_way("alike")]))
    assert "no sign of unequal variances" in equal
    assert "No test rejects equal groups." in equal
    assert "0 of 3 pairs differ" in equal
    unequal = words("anova", anova.build([one_way("unequal")]))
    assert "Variances differ (Brown-Forsythe, p < 0.001; the largest is 81.00 times" in unequal
    assert "Welch's row is the one to rely on" in unequal
    assert "no sign of unequal" not in unequal


def test_words_on_a_group_without_spread():
    text = words("anova", anova.build([one_way("constant")]))
    assert "which leaves the ranks" in text
    assert "Games–Howell is left out" in text
    assert "Welch's row" not in text


def test_tests_that_part_are_told():
    row = one_way("alike")
    row["details"]["kruskal"]["p_value"] = 0.001
    text = words("anova", anova.build([row]))
    assert "The tests part at the 5 % level" in text.replace("\u202f", " ")
    assert "In 0 of 1 comparisons the tests agree" in text


def test_disputed_pairs_are_named():
    row = one_way("alike")
    row["details"]["posthoc"]["dunn"][0]["p_value"] = 0.01
    text = words("anova", anova.build([row]))
    assert "1 by some of them only: middle − low" in text
    assert "2 by none" in text


def test_questions_on_the_same_columns_share_a_panel():
    rows = [one_way("apart"), one_way("apart", kind="kruskal", effect_name="epsilon2")]
    document = anova.build(rows)
    assert len(document["panels"]) == 1
    assert len(document["panels"][0]["questions"]) == 2


def test_strongest_grouping_leads():
    rows = [one_way("alike", value="LIMIT_BAL"), one_way("apart")]
    text = words("anova", anova.build(rows))
    assert "most in AGE by education" in text
    assert "least in LIMIT_BAL by education" in text
    rows[0]["details"]["omega2"] = 0.9999
    assert "most in LIMIT_BAL by education" in words("anova", anova.build(rows))


def test_twins_of_a_rate_and_their_identity():
    """Rates 1/3 and 2/3 of 30: χ² = 60 · (1/3)² = 6.67, which n · η² equals."""
    row = one_way("rates", value="default")
    text = words("anova", anova.build([row]))
    assert "ANOVA is shown as asked; its proper twins are χ²" in text
    assert "n · η² = 60 · 0.111111 = 6.67, and χ² = 6.67" in text
    assert "Likelihood ratio, logistic regression" in text
    assert "Kruskal-Wallis (H" not in text
    row["details"]["binary"]["n_eta2"] *= 1.01
    assert "should equal χ² = 6.67 and does not" in words("anova", anova.build([row]))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (two_way(0.0, smallest=0.5), "By the share of variance the lines are parallel enough"),
        (two_way(5.0, smallest=0.05), "The lines are not parallel"),
        (two_way(0.5, smallest=0.05), "Whether the lines are parallel enough stays open"),
    ],
    ids=["enough", "not", "open"],
)
def test_words_on_parallel_lines_follow_the_interval(row, says):
    text = words("anova", anova.build([row]))
    sayings = ("parallel enough : the", "lines are not parallel", "parallel enough stays open")
    assert says in text
    assert sum(saying in text for saying in sayings) == 1


def test_words_on_the_gap_follow_its_sign():
    text = words("anova", anova.build([two_way(5.0)]))
    assert "The gap m − f runs from 2.00 years (a) to 7.00 years (c)" in text
    assert "changes its sign" not in text
    text = words("anova", anova.build([two_way(-5.0)]))
    assert "runs from −3.00 years (c) to 2.00 years (a): it changes its sign" in text


def test_terms_are_named_after_their_columns():
    (item,) = anova.build([two_way(1.0)])["factorials"]
    assert [row[0] for row in item["term_rows"]] == ["education", "sex", "education × sex"]
    assert len(item["cell_rows"]) == 6


@pytest.mark.parametrize(
    ("row", "fate", "says"),
    [
        (strata(STONES, 30), "reversed", "The strata turn the difference round"),
        (strata(KEPT), "kept", "The difference keeps its side and becomes"),
        (strata(GONE), "gone", "can no longer be told from 0"),
        (strata(HIDDEN), "appears", "shows only with strata held fixed"),
        (strata(NOTHING), "none", "Neither difference can be told from 0"),
    ],
    ids=["reversed", "kept", "gone", "appears", "none"],
)
def test_words_on_the_strata_follow_both_intervals(row, fate, says):
    document = stratified.build([row])
    text = words("stratified", document)
    assert document["items"][0]["fate"] == fate
    assert document["n_by_fate"] == dict.fromkeys(stratified.FATES, 0) | {fate: 1}
    assert says in text


def test_change_of_a_difference_follows_its_direction():
    row = strata(KEPT)
    row["details"]["stratified"]["marginal"]["difference"] = 0.2
    row["details"]["stratified"]["adjusted"]["difference"] = 0.3
    assert "becomes 50 % larger" in words("stratified", stratified.build([row])).replace(
        "\u202f", " "
    )
    row["details"]["stratified"]["adjusted"]["difference"] = 0.1
    assert "becomes 50 % smaller" in words("stratified", stratified.build([row])).replace(
        "\u202f", " "
    )


def test_numbers_of_the_strata_come_through():
    row = strata(KEPT)
    found = row["details"]["stratified"]
    text = words("stratified", stratified.build([row]))
    assert f"The common odds ratio is {found['odds_ratio']:.2f}" in text
    assert f"{100 * found['adjusted']['difference']:.1f} points" in text
    assert "where inactivity = yes and" in text
    assert "the interval lies above 0 in 2 and below 0 in 0 of 2 strata" in text
    assert "Left out" not in text


def test_words_on_homogeneity_follow_its_p_value():
    assert "no sign that odds ratios differ" in words(
        "stratified", stratified.build([strata(KEPT)])
    )
    mixed = {"a": [[60, 40], [30, 70]], "b": [[40, 160], [80, 120]]}
    text = words("stratified", stratified.build([strata(mixed)]))
    assert "Odds ratios differ between strata" in text
    assert "Strata lie clear of 0 on both sides" in text
    one = words("stratified", stratified.build([strata({"a": KEPT["a"]})]))
    assert "There is one stratum" in one


def test_strata_left_out_are_counted_and_named():
    row = strata(KEPT | {"nobody_exposed": [[0, 0], [3, 4]]})
    text = words("stratified", stratified.build([row]))
    assert "7 clients in 1 stratum where one side" in text
    assert "(nobody exposed)" in text


def test_build_changes_nothing_that_it_is_given():
    rows = [one_way("apart"), two_way(1.0), strata(KEPT)]
    before = copy.deepcopy(rows)
    anova.build(rows)
    stratified.build(rows)
    assert rows == before
