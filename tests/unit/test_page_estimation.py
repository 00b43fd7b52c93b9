"""The sections on estimation: numbers appear, and words follow them both ways."""

from __future__ import annotations

import re
from typing import Any

from creditrisk.reporting import render
from creditrisk.reporting.pages.statistics import estimation

Row = dict[str, Any]
METHODS = ("normal", "t", "percentile", "basic", "bca", "studentised")


def mean(**changes: Any) -> Row:
    ends = {method: (166_016 + i, 168_953 + i) for i, method in enumerate(METHODS)}
    ends["grouped"] = (165_957, 169_012)
    return {
        "column": "LIMIT_BAL",
        "n": 30_000,
        "mean": 167_484.3,
        "median": 140_000,
        "sd": 129_748,
        "skewness": 0.993,
        "standard_error": 749.1,
        "bootstrap_standard_error": 743.7,
        "confidence": 0.95,
        "n_bootstrap": 10_000,
        "intervals": [{"method": m, "low": low, "high": high} for m, (low, high) in ends.items()],
    } | changes


def smooth(**changes: Any) -> Row:
    return {
        "id": "gap",
        "statistic": "mean",
        "value": "LIMIT_BAL",
        "group": "default",
        "first": 1,
        "second": 0,
        "applicable": True,
        "n": [6636, 23_364],
        "estimate": -47_990,
        "bias": -33.7,
        "standard_error": 1672.0,
        "formula_error": 1658.0,
        "intervals": [
            {"method": "percentile", "low": -51_269, "high": -44_709},
            {"method": "bca", "low": -51_179, "high": -44_592},
        ],
        "n_bootstrap": 10_000,
        "n_distinct": 10_000,
        "at_estimate": 0.0,
        "edges": [-52_000, -48_000, -44_000],
        "counts": [5000, 5000],
    } | changes


def lumpy(**changes: Any) -> Row:
    alone = {"id": "median", "statistic": "median", "group": None, "first": None, "second": None}
    row = smooth(
        **alone,
        n=[30_000],
        estimate=140_000,
        bias=3.0,
        standard_error=173.0,
        formula_error=None,
        n_distinct=2,
        at_estimate=0.9997,
        values=[140_000, 150_000],
        counts=[9997, 3],
        intervals=[
            {"method": "percentile", "low": 140_000, "high": 140_000},
            {"method": "bca", "low": None, "high": None, "reason": "BCa interval: nothing moves"},
            {"method": "order", "low": 140_000, "high": 140_000},
        ],
    )
    del row["edges"]
    return row | changes


def rate() -> Row:
    return smooth(
        id="rate",
        statistic="rate",
        value="default",
        group="sex_group",
        first="male",
        second="female",
        n=[11_888, 18_112],
        estimate=0.0339,
        bias=0.0,
        standard_error=0.0049,
        formula_error=0.005,
        intervals=[
            {"method": "percentile", "low": -0.0012, "high": 0.0434},
            {"method": "bca", "low": -0.0011, "high": 0.0435},
        ],
        edges=[-0.01, 0.03, 0.07],
    )


def covered(coverages: dict[str, float], n: int, *, below: float, above: float) -> list[Row]:
    return [
        {
            "n": n,
            "method": method,
            "coverage": share,
            "low": share - 0.007,
            "high": share + 0.007,
            "below": below if method != "studentised" else 0.02,
            "above": above if method != "studentised" else 0.0201,
            "width": 100.0 * (1.1 if method == "studentised" else 1.0),
        }
        for method, share in coverages.items()
    ]


def study(small: dict[str, float], large: dict[str, float], **changes: Any) -> Row:
    rows = covered(small, 30, below=0.046, above=0.017)
    rows += covered(large, 2000, below=0.025, above=0.025)
    gate = [
        {"method": r["method"], "holds": r["low"] <= 0.95 <= r["high"]}
        for r in rows
        if r["n"] == 2000
    ]
    rates = [
        {"n": 30, "method": m, "coverage": 0.903, "below": 0.0761, "above": 0.0209, "width": 0.289}
        for m in ("normal", "wilson", "percentile")
    ]
    return {
        "design": {
            "sizes": [30, 2000],
            "n_samples": 10_000,
            "n_bootstrap": 1999,
            "confidence": 0.95,
            "gate_size": 2000,
            "gate_level": 0.999,
        },
        "population": {"column": "LIMIT_BAL", "n": 30_000, "mean": 167_484.3, "skewness": 0.993},
        "rows": rows,
        "gate": {"n": 2000, "methods": gate, "passes": all(g["holds"] for g in gate)},
        "rates": {"column": "default", "rate": 0.2212, "rows": rates},
    } | changes


GOOD = dict.fromkeys(METHODS, 0.949)
SHORT = dict(zip(METHODS, (0.937, 0.9454, 0.935, 0.925, 0.94, 0.96), strict=True))


def rendered(
    stored: Row | None = None,
    rows: list[Row] | None = None,
    document: Row | None = None,
    stale: list[str] | None = None,
) -> str:
    built = estimation.build(
        stored or mean(),
        [smooth(), lumpy(), rate()] if rows is None else rows,
        {"document": document or study(SHORT, GOOD), "stale": stale or []},
    )
    template = render.environment().get_template("statistics/estimation.html.j2")
    return template.render(estimation=built)


def words(html: str) -> str:
    """Return the text without figures, on one line, with plain spaces."""
    text = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    text = re.sub(r"<br>|</t[dh]>", " ", text)
    text = re.sub(r"<[^>]+>", "", text).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


def test_sections_figures_and_size() -> None:
    html = rendered()
    assert re.findall(r'<section id="(\w+)"', html) == ["estimation", "bootstrap", "coverage"]
    assert html.count("<section") == html.count("</section>")
    assert html.count('role="img"') == 3
    assert len(html) < 70_000


def test_the_choice_of_the_method_matters_or_not_by_the_numbers() -> None:
    text = words(rendered())
    assert "The mean of LIMIT_BAL is NT$ 167,484, and its 95 % interval by Student's t" in text
    assert "from NT$ 166,017 to NT$ 168,954" in text
    assert (
        "move its ends by NT$ 5 at most, 0.2 % of the width: the choice of the method hardly"
        in text
    )
    assert "Keeping the rows of one client together makes it 1.04 times as wide" in text
    assert "Bootstrap, studentised NT$ 166,021 NT$ 168,958 NT$ 2,937" in text
    wide = mean()
    wide["intervals"][5]["high"] += 2000
    text = words(rendered(wide))
    assert (
        "lie up to NT$ 2,005 apart, 68.3 % of the width: the choice of the method matters" in text
    )


def test_bootstrap_words_follow_the_intervals() -> None:
    text = words(rendered())
    assert "Each of 3 figures is taken again in 10,000 samples" in text
    assert "Clear of zero by the percentile interval: mean of LIMIT_BAL, default 1 minus 0." in text
    assert "Not clear of zero: default rate, sex male minus female." in text
    assert "within 2.0 % of the textbook's standard error, so the formula would have done." in text
    assert "1 of 3 sit on few values and follow no normal curve." in text
    assert "Mean of LIMIT_BAL, default 1 minus 0 6,636 + 23,364 clients" in text
    assert "−NT$ 47,990 bias −0.020 NT$ 1,672 (NT$ 1,658) −51,269 to −44,709" in text
    assert "−0.12 % to 4.34 %" in text
    far = words(rendered(rows=[smooth(formula_error=1000.0)]))
    assert "within 67.2 % of the textbook's standard error." in far
    assert "would have done" not in far
    assert "Not clear of zero" not in far
    assert "All are smooth." in far


def test_a_lumpy_median_is_explained_as_a_point_or_as_an_interval() -> None:
    text = words(rendered())
    assert "The median of LIMIT_BAL takes only 2 different values" in text
    assert "99.97 % of the samples give exactly NT$ 140,000" in text
    assert "a single point: NT$ 140,000; the interval from order statistics" in text
    assert "No BCa interval for the median of LIMIT_BAL: nothing moves." in text
    wide = lumpy()
    wide["intervals"] = [
        {"method": "percentile", "low": 140_000, "high": 150_000},
        {"method": "bca", "low": 140_000, "high": 150_000},
        {"method": "order", "low": 130_000, "high": 150_000},
    ]
    text = words(rendered(rows=[wide]))
    assert "is what it is, NT$ 140,000 to NT$ 150,000; the interval from order" in text
    assert "single point" not in text
    assert "No BCa interval" not in text


def test_a_rate_of_few_clients_is_drawn_value_by_value_but_is_no_lumpy_median() -> None:
    few = rate() | {"group": None, "values": [0.1, 0.2, 0.3], "counts": [100, 9800, 100]}
    del few["edges"]
    text = words(rendered(rows=[few]))
    assert "Default rate 11,888" in text
    assert "different values" not in text
    assert "All are smooth." in text


def test_what_cannot_be_shown_is_named() -> None:
    gone = {"id": "x", "applicable": False, "reason": "AGE: all 5 values are equal"}
    text = words(rendered(rows=[gone]))
    assert "Not shown: AGE: all 5 values are equal." in text
    assert "samples drawn with replacement" not in text


def test_coverage_that_passes_and_is_short_at_few_clients() -> None:
    text = words(rendered())
    assert "10,000 samples of each size are drawn from it, and 6 intervals built in each" in text
    assert "At 2,000 clients all 6 methods hold 95 %" in text
    assert "At 30 clients 4 of 6 cover too seldom." in text
    assert "Nearest is the Student t interval with 94.5 %" in text
    assert "overlaps those of BCa, normal (z), percentile)" in text
    assert "furthest is the basic interval with 92.5 %" in text
    assert "Misses are lopsided" in text
    assert "wholly below the truth in 4.6 % of the samples and wholly above in 1.7 %" in text
    assert "Most even is the studentised interval: 2.0 % below and 2.0 % above." in text
    assert "Bootstrap, basic 92.5 % 91.8–93.2 % 94.9 % 94.2–95.6 %" in text
    assert "Caution" not in text


def test_coverage_that_fails_says_which() -> None:
    text = words(rendered(document=study(SHORT, GOOD | {"basic": 0.93, "bca": 0.94})))
    assert "At 2,000 clients not all methods hold 95 %" in text
    assert "the coverage of basic, BCa does not contain it" in text


def test_the_best_may_be_short_itself_or_cover_too_often() -> None:
    low = dict.fromkeys(METHODS, 0.80) | {"studentised": 0.92}
    text = words(rendered(document=study(low, GOOD)))
    assert "At 30 clients 6 of 6 cover too seldom." in text
    assert "studentised interval with 92.0 %, still short of 95 %, at 1.10 times the width" in text
    high = dict.fromkeys(METHODS, 0.80) | {"studentised": 0.97}
    text = words(rendered(document=study(high, GOOD)))
    assert "with 97.0 %, more often than it claims, at" in text


def test_even_misses_are_not_called_lopsided() -> None:
    even = study(GOOD, GOOD)
    for row in even["rows"]:
        row |= {"below": 0.025, "above": 0.026}
    text = words(rendered(document=even))
    assert "Misses are about as frequent on both sides" in text
    assert "0 of 6 cover too seldom" in text


def test_rates_are_listed_and_a_stale_study_is_marked() -> None:
    text = words(rendered(stale=["other clients, labels or splits"]))
    assert "Caution. This section speaks of other clients, labels or splits than the rest" in text
    assert "For the default rate of 22.12 % nothing needs to be drawn" in text
    assert "30 Wilson score 90.30 % 7.61 % 2.09 % 28.90 %" in text
