"""The slice on errors of tests: its words follow the numbers, both ways."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.statistics import errors, errors_costs, errors_text
from creditrisk.stats import context

Row = dict[str, Any]
SIZES = (200, 30_000)
COSTS = {
    "test_false_alarm": 1e6,
    "test_missed_detection": 5e5,
    "prior_real": 0.5,
    "test_clients": 1000,
    "test_difference": 25_000,
    "alphas": [0.01, 0.05, 0.2],
    "client_false_alarm": 2000,
    "client_missed_detection": 6000,
}
BESIDE = {
    "threshold": {
        "value": 0.25,
        "false_alarms": 815,
        "missed_detections": 508,
        "caught_defaults": 819,
        "correctly_clear": 3853,
    }
}


def rate(share: float, half: float = 0.004) -> Row:
    return {"n_rejected": 0, "share": share, "low": max(share - half, 0), "high": share + half}


def alarm(value: str, group: str, test: str, n: int, share: float, **facts: float) -> Row:
    row = rate(share)
    verdict = "conservative" if row["high"] < 0.05 else "liberal" if row["low"] > 0.05 else "exact"
    smallest = {"smallest_group": n // 20, "step": 0.0001}
    named = {"value": value, "group": group, "test": test, "n": n}
    return named | row | {"n_applicable": 1000, "verdict": verdict, "facts": smallest | facts}


def alarms(*, welch: float = 0.05, sparse: float = 0.05, limit: float = 0.05) -> Row:
    """False alarms of three cases; the arguments are the rates of the tests that vary."""
    rows = []
    for n in SIZES:
        rows += [
            alarm("LIMIT_BAL", "default", "welch_t", n, limit, skewness=1.0, tied=0.04),
            alarm("PAY_AMT1", "default", "welch_t", n, welch, skewness=14.7, tied=0.04),
            alarm("PAY_AMT1", "default", "pooled_t", n, 0.05, skewness=14.7, tied=0.04),
            alarm("PAY_0", "default", "chi_square", n, 0.05, smallest_expected=0.2, absent_codes=2),
            alarm("PAY_0", "default", "g_test", n, sparse, smallest_expected=0.2, absent_codes=2),
        ]
    gate = [row for row in rows if row["n"] == SIZES[-1] and row["high"] >= 0.06]
    return {
        "alpha": 0.05,
        "ceiling": 0.06,
        "n_shuffles": 1000,
        "n_reference": 999,
        "sizes": list(SIZES),
        "rows": rows,
        "gate": gate,
    }


def declared(*, ranks: float = 0.05, strata: float = 0.05, without: list[Row] | None = None) -> Row:
    """False alarms of three declared questions; two rates vary."""
    rows = [
        alarm("LIMIT_BAL", "default", "welch_t", 30_000, 0.05, skewness=1.0, tied=0.04),
        alarm("PAY_AMT1", "default", "mann_whitney", 30_000, ranks, skewness=14.7, tied=0.04),
        alarm("SEX", "default", "stratified", 30_000, strata, smallest_expected=45.5, n_strata=12)
        | {"within": ["limit_quarter", "status_band"]},
    ]
    for name, row in zip(("limit", "ranks", "strata"), rows, strict=True):
        row |= {"id": name, "kind": row.pop("test")}
    return {
        "alpha": 0.05,
        "ceiling": 0.06,
        "n": 30_000,
        "n_shuffles": 1000,
        "n_reference": 999,
        "rows": rows,
        "gate": [row["id"] for row in rows if row["high"] >= 0.06],
        "not_applicable": without or [],
    }


def panel(kind: str, value: str, off: dict[float, float], **facts: Any) -> Row:
    """Return power of one panel: the closed form is .05, .3, .8; off: effect → simulated."""
    points = []
    for effect, closed in ((0.0, 0.05), (0.1, 0.3), (0.2, 0.8)):
        share = off.get(effect, closed)
        points.append(
            {"effect": effect, "closed": closed, "off": effect in off} | rate(share, 0.01)
        )
    studies = [{"n": 500, "sizes": [400, 100], "points": points}]
    named = {"kind": kind, "value": value, "group": "default", "smallest_effect": 0.1}
    return named | {"facts": facts, "studies": studies}


def power(**off: dict[float, float]) -> Row:
    panels = [
        panel("welch_t", "LIMIT_BAL", off.get("limit", {}), skewness=1.0, tied=0.04),
        panel("welch_t", "PAY_AMT1", off.get("paid", {}), skewness=14.7, tied=0.04),
        panel(
            "chi_square",
            "PAY_0",
            off.get("codes", {}),
            smallest_expected=[0.03],
            absent_codes=[3.4],
        ),
    ]
    return {
        "alpha": 0.05,
        "n_simulations": 5000,
        "n_compared": 9,
        "confidence": 0.95,
        "panels": panels,
    }


def counted(family_wise: float, fdr: float, found: float | None) -> Row:
    return {
        "family_wise": rate(family_wise),
        "false_discovery": rate(fdr),
        "power": None if found is None else rate(found),
        "false_alarms": rate(family_wise),
    }


def family(
    *, holm: float = 0.048, raw: float = 0.40, tails: tuple[float, float] = (0.004, 0.004)
) -> Row:
    facts = {"smallest_group": 2, "step": 0.0, "skewness": 0.7, "tied": 0.03}
    asked = [("a", "welch_anova", "AGE", 0.06), ("b", "chi_square", "SEX", 0.25)]
    return {
        "alpha": 0.05,
        "n": 1000,
        "n_families": 10_000,
        "n_questions": 12,
        "n_real": 6,
        "independent": 0.46,
        "not_applicable": 0,
        "tail_level": 0.004,
        "questions": [
            {"id": name, "kind": kind, "value": value, "group": "default", "power": found}
            | {"tail": rate(tail, 0.001), "facts": facts}
            for (name, kind, value, found), tail in zip(asked, tails, strict=True)
        ],
        "all_null": {
            "raw": counted(raw, raw, None),
            "holm": counted(holm, holm, None),
            "bh": counted(0.05, 0.05, None),
        },
        "mixed": {
            "raw": counted(0.25, 0.07, 0.50),
            "holm": counted(0.03, 0.01, 0.40),
            "bh": counted(0.09, 0.025, 0.45),
        },
    }


def study(**parts: Row) -> Row:
    document = {
        "rows": 30_000,
        "not_simulated": [{"id": "shuffled", "kind": "permutation"}],
        "declared": declared(),
        "false_alarms": alarms(),
        "power": power(),
        "family": family(),
    }
    return {"document": document | parts, "stale": []}


@pytest.fixture(scope="module")
def tests() -> Row:
    values = [10_000.0 * (1 + i % 40) for i in range(400)]
    settings = {
        "sample_sizes": [200],
        "largest_difference": 40_000,
        "n_steps": 8,
        "targets": [0.8],
        "n_simulations": 100,
        "check_differences": [0, 20_000],
    }
    return context.describe_test_errors(
        values, 0.22, alpha=0.05, n_questions=12, settings=settings, random_state=0, name="LIMIT"
    )


def rendered(tests: Row, stored: Row, beside: Row = BESIDE) -> str:
    classifier = context.describe_classifier_errors(
        [-2, 0, 1, 2, 3] * 20, [0, 0, 1, 0, 1] * 20, column="PAY_0", at_least=[1, 2], costs=COSTS
    )
    found = {
        "tests": tests,
        "price": context.price_tests(tests["sd"], 0.22, COSTS),
        "classifier": classifier,
    }
    template = render.environment().get_template("statistics/errors.html.j2")
    return template.render(errors=errors.build(found, stored, beside))


def words(html: str) -> str:
    """Return the text of the section without its figures, on one line."""
    text = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", text).replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_words_when_everything_holds(tests):
    html = rendered(tests, study())
    text = words(html)
    assert html.count("<section") == html.count("</section>") == 1
    assert '<section id="context">' in html
    assert "<h2>Hypothesis testing context</h2>" in html
    assert (
        "On the whole table of 30,000 clients all 3 declared tests hold the 5 % level: every "
        "interval of the false-alarm rate lies below 6 %." in text
    )
    assert "Rates with their whole interval above 5 %: 0 of 3; below: 0. About 0.2 would" in text
    assert "not so" not in text
    assert "Harder cases 5 further pairs of test and column" in text
    assert "On the whole table 5 of them stay below 6 %." in text
    assert "All stay below it on the whole table." in text
    assert "Rates with their whole interval above 5 %: 0 of 10; below: 0; by chance" in text
    assert "On the whole table no test raises too many." in text
    assert "Tests whose interval does not hold the level" not in text
    assert "right within chance at 9 of 9 simulated points" in text
    assert "No point is off." in text
    assert "Where the closed form is off" not in text
    assert "Holm's correction keeps the chance of any false alarm" in text
    assert len(html) < 80_000


def test_words_when_declared_tests_fail(tests):
    measured = declared(
        ranks=0.07,
        strata=0.04,
        without=[{"id": "flat", "kind": "anova", "reason": "X: all 9 values are equal"}],
    )
    text = words(rendered(tests, study(declared=measured)))
    assert (
        "2 of 3 declared tests hold the 5 % level, the interval of their false-alarm rate below "
        "6 %; not so Mann-Whitney, PAY_AMT1 by default (7.0 %)." in text
    )
    assert "all 3 declared tests hold" not in text
    assert "above 5 %: 1 of 3; below: 1. About" in text
    assert "Mann-Whitney, PAY_AMT1 by default7.00 %6.60–7.40 %liberal" in text
    assert "stratified test, default by SEX within limit × status4.00 %3.60–4.40 %conserv" in text
    # reasons are contrasts, taken from the probing cases as well
    assert (
        "Mann-Whitney, PAY_AMT1 by default (liberal). Skewness 14.7, smallest group 1,500. The "
        "level holds on the same studies: Welch t-test, pooled t-test." in text
    )
    assert (
        "status (conservative). Smallest expected count 45.5, smallest group 1,500. Nothing" in text
    )
    assert "Not applicable: flat: X: all 9 values are equal." in text
    assert "Not applicable" not in words(rendered(tests, study()))


def test_words_when_tests_fail_their_level(tests):
    text = words(rendered(tests, study(false_alarms=alarms(welch=0.08, sparse=0.07, limit=0.04))))
    assert "Where tests fail 5 further pairs" in text
    assert "On the whole table 3 of them stay below 6 %; not so Welch t-test, PAY_AMT1 by" in text
    assert "not so Welch t-test, PAY_AMT1 by default (8.0 %); G-test, PAY_0 by default (7.0" in text
    assert "above 5 %: 4 of 10; below: 2; by chance about 0.5 in all" in text
    assert "all 3 declared tests hold" in text
    assert "Conservative there: Welch t-test, LIMIT_BAL by default (4.0 %)." in text
    assert "2 of 5 do not stay wholly below it on the whole table." in text
    # the reasons are contrasts that were measured
    assert "Smallest expected count 0.20, 2.0 codes absent on average, smallest group" in text
    assert "The level holds on the same studies: chi-square." in text
    assert "The level holds on the same studies: pooled t-test." in text


def test_a_reason_is_a_contrast_that_was_measured_or_none():
    rows = alarms(welch=0.08)["rows"]
    small = next(r for r in rows if r["test"] == "welch_t" and r["share"] == 0.08)
    assert errors_text.explain(small, rows, 0.05) == (
        "Skewness 14.7, smallest group 10. The level holds on LIMIT_BAL (skewness 1.0); on the "
        "same studies: pooled t-test."
    )
    for row in rows[len(rows) // 2 :]:  # the same test holds in larger studies
        row.update(rate(0.05) | {"verdict": "exact"})
    assert "from 30,000 clients (smallest group 1,500)" in errors_text.explain(small, rows, 0.05)
    assert errors_text.explain(small, [small], 0.05).endswith("Nothing tried holds the level.")


def test_few_possible_values_are_a_reason_only_where_the_next_one_fills_the_gap():
    row = alarm("SEX", "default", "chi_square", 200, 0.03, smallest_expected=9, absent_codes=0)
    row["facts"]["step"] = 0.025
    assert "the next one above the level alone holds 2.5" in errors_text.explain(row, [], 0.05)
    row["facts"]["step"] = 0.01
    assert "possible p-values" not in errors_text.explain(row, [], 0.05)


def test_words_where_the_closed_form_is_off(tests):
    simulated = power(paid={0.1: 0.45, 0.2: 0.7}, codes={0.1: 0.4})
    text = words(rendered(tests, study(power=simulated)))
    assert "right within chance at 6 of 9 simulated points" in text
    assert (
        "Welch t-test, PAY_AMT1 by default: the closed form is too low at effects of 0.100 and "
        "too high at effects of 0.200, depending on the size of the study; most at 0.100 in 500 "
        "clients, where it states 30.0 % and 45.0 % of the studies reject. PAY_AMT1 has skewness "
        "14.7; on LIMIT_BAL (skewness 1.0) the same formula is right." in text
    )
    assert "It is off on every column tried (smallest expected count 0.03" in text
    assert "It is right throughout for Welch t-test, LIMIT_BAL by default." in text
    both = power(limit={0.1: 0.2}, paid={0.1: 0.45})
    text = words(rendered(tests, study(power=both)))
    assert text.count("It is off on every column tried") == 2
    assert "too high at effects of 0.100; most at 0.100" in text


def test_words_of_the_family_follow_the_rates(tests):
    text = words(rendered(tests, study()))
    assert "the measured rate is less, since questions that share columns" in text
    assert "It finds 40.0 % of the real effects instead of 50.0 %: 20.0 % of what" in text
    assert "and loses 10.0 %; it makes no promise about any false alarm at all" in text
    assert "shuffled (permutation)" in text
    failing = words(rendered(tests, study(family=family(holm=0.09, raw=0.46))))
    assert "Holm's correction does not keep the chance of any false alarm below 5 %" in failing
    assert "the measured rate is the same, within chance." in failing
    assert "the measured rate is more." in words(rendered(tests, study(family=family(raw=0.60))))


def test_the_tail_is_the_reason_where_it_is(tests):
    text = words(rendered(tests, study()))
    assert "first step asks for p ≤ α/m = 0.40 %. With nothing real, no test reaches" in text
    assert "Together the tests reach it at a rate of 0.8 %, where 5 % is meant." in text
    assert "why Holm's correction fails" not in text
    heavy = family(holm=0.09, tails=(0.03, 0.001))
    text = words(rendered(tests, study(family=heavy)))
    assert (
        "1 of 12 tests reaches it too often, with the whole interval: Welch ANOVA, AGE by default "
        "(3.00 %; skewness 0.7, smallest group 2); 1 reaches it too seldom" in text
    )
    assert "That is why Holm's correction fails in studies of this size." in text
    assert "Welch ANOVA, AGE by default6.0 %3.00 %2.90–3.10 %" in text
    text = words(rendered(tests, study(family=family(holm=0.09))))
    assert "No single test explains why Holm's correction fails here." in text
    text = words(rendered(tests, study(family=family(tails=(0.03, 0.004)))))
    assert "1 of 12 tests reaches it too often" in text
    assert "why Holm's correction fails" not in text


def test_a_test_of_spread_is_no_contrast_to_one_of_means():
    rows = alarms(welch=0.08)["rows"]
    small = next(r for r in rows if r["test"] == "welch_t" and r["share"] == 0.08)
    spread = alarm("PAY_AMT1", "default", "brown_forsythe", small["n"], 0.05, skewness=14.7, tied=0)
    assert "Brown" not in errors_text.explain(small, [*rows, spread], 0.05)
    off = spread | rate(0.08) | {"verdict": "liberal"}
    assert errors_text.explain(off, rows, 0.05).endswith("Nothing tried holds the level.")


def test_the_served_model_is_counted_and_priced_like_the_rules(tests):
    text = words(rendered(tests, study()))
    assert "served model, flag at 0.25 or morehold-out, 5,995819815508" in text
    # (815 · 2,000 + 508 · 6,000) / 5,995; the cheapest rule errs in a fifth of clients: 400
    assert "the served model costs NT$ 780, which is not less." in text
    better = copy.deepcopy(BESIDE)
    better["threshold"] |= {"false_alarms": 10, "missed_detections": 10}
    assert "which is less." in words(rendered(tests, study(), better))


def test_a_model_that_flags_nobody_has_no_wrong_flags():
    classifier = {"cost_false_alarm": 1.0, "cost_missed_detection": 4.0}
    nobody = {
        "caught_defaults": 0,
        "false_alarms": 0,
        "missed_detections": 2,
        "correctly_clear": 6,
    }
    model = errors_costs.price_model(classifier, nobody)
    assert model["wrong_flag_share"] is None
    assert model["cost_per_client"] == pytest.approx(1.0)
    assert model["missed_rate"] == 1


def test_a_stale_study_is_marked_without_a_champion(tests):
    stored = study() | {"stale": ["other questions, or another level"]}
    text = words(rendered(tests, stored))
    assert "are of other questions, or another level than the rest" in text
    assert "champion" not in text
    assert "Caution. The measured rates" not in words(rendered(tests, study()))


def test_figures_say_what_they_show(tests):
    html = rendered(tests, study(false_alarms=alarms(welch=0.08)))
    assert html.count('role="img"') == 4
    assert "the highest is 8.0" in html
    assert "0 of 9 dots lie apart" in html
    assert "A family of 12 questions" in html
