"""The words of the slice ``errors`` that hang on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics.text import name_subject

Row = dict[str, Any]

TESTS = {
    "z_test": "z-test",
    "welch_t": "Welch t-test",
    "pooled_t": "pooled t-test",
    "mann_whitney": "Mann-Whitney",
    "permutation": "permutation test",
    "brown_forsythe": "Brown-Forsythe",
    "anova": "ANOVA",
    "welch_anova": "Welch ANOVA",
    "kruskal": "Kruskal-Wallis",
    "chi_square": "chi-square",
    "g_test": "G-test",
    "two_way": "two-way ANOVA",
    "stratified": "stratified test",
}
SPREAD = "brown_forsythe"
"""The one test of spread: no stand-in for a test of means or ranks, nor they for it."""
UNITS = {
    "welch_t": "true difference, standard deviations",
    "mann_whitney": "true rank-biserial correlation",
    "anova": "true share of variance between groups",
    "chi_square": "true Cramér's V",
}


def subject(row: Row) -> str:
    """Return a test and the columns that it compares in words."""
    return f"{TESTS[row.get('test') or row['kind']]}, {name_subject(row)}"


def list_rates(rows: Sequence[Row]) -> str:
    """List tests with their rates, for a sentence."""
    return "; ".join(f"{subject(row)} ({fmt.percent(row['share'])})" for row in rows)


def one_a_test(rows: Sequence[Row], alpha: float) -> list[Row]:
    """Keep the size of study at which each test misses the level most; highest rate first."""
    worst: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: abs(row["share"] - alpha), reverse=True):
        worst.setdefault(subject(row), row)
    return sorted(worst.values(), key=lambda row: -row["share"])


def with_interval(cell: Row) -> Markup:
    """Format a share with its interval below."""
    interval = fmt.interval(cell["low"], cell["high"], "percent")
    return Markup("{}<br><small>{}</small>").format(fmt.percent(cell["share"]), interval)


def shape(facts: Row) -> str:
    """Return what was measured of a column, or of its table."""
    if "smallest_expected" not in facts:
        return f"skewness {fmt.decimal(facts['skewness'], 1)}"
    expected = facts["smallest_expected"]
    digits = 1 if expected >= 1 else 2
    absent = facts.get("absent_codes", 0.0)
    missing = f", {fmt.decimal(absent, 1)} codes absent on average" if absent >= 0.05 else ""
    return f"smallest expected count {fmt.decimal(expected, digits)}{missing}"


def explain(row: Row, rows: Sequence[Row], alpha: float) -> str:
    """Say what was measured beside a test that misses its level, and where the level holds.

    Contrasts are the same test on another column, the same test in larger studies, and
    another test on the same studies; where none of them holds the level, that is said.
    """
    facts = row["facts"]
    measured = f"{shape(facts)}, smallest group {fmt.integer(facts['smallest_group'])}"
    if row["verdict"] == "conservative" and row["share"] + facts["step"] >= alpha:
        measured += (
            f", few possible p-values: the next one above the level alone holds "
            f"{fmt.percent(facts['step'])} of the studies"
        )
    holds = [other for other in rows if other["verdict"] == "exact"]

    def like(*keys: str) -> list[Row]:
        return [other for other in holds if all(other[key] == row[key] for key in keys)]

    parts = [
        f"on {o['value'] if o['value'] != row['value'] else name_subject(o)} ({shape(o['facts'])})"
        for o in like("test", "group", "n")[:1]
    ]
    larger = [other for other in like("test", "group", "value") if other["n"] > row["n"]]
    parts += [
        f"from {fmt.integer(o['n'])} clients (smallest group "
        f"{fmt.integer(o['facts']['smallest_group'])})"
        for o in larger[:1]
    ]
    others = dict.fromkeys(
        other["test"]
        for other in like("value", "group", "n")
        if other["test"] != row["test"] and SPREAD not in (other["test"], row["test"])
    )
    if others:
        parts.append(f"on the same studies: {', '.join(TESTS[test] for test in others)}")
    where = f"The level holds {'; '.join(parts)}" if parts else "Nothing tried holds the level"
    return f"{measured[0].upper()}{measured[1:]}. {where}."


def is_off(panel: Row) -> bool:
    """Tell whether the closed form misses the simulation anywhere in a panel."""
    return any(point["off"] for study in panel["studies"] for point in study["points"])


def explain_power(panel: Row, panels: Sequence[Row]) -> str:
    """Say where the closed form is off, which way, and what the panel differs in."""
    off = [(s, p) for s in panel["studies"] for p in s["points"] if p["off"]]
    study, point = max(off, key=lambda found: abs(found[1]["share"] - found[1]["closed"]))
    parts = []
    for word, sign in (("too low", 1), ("too high", -1)):
        effects = [p["effect"] for _, p in off if sign * (p["share"] - p["closed"]) > 0]
        if effects:
            span = sorted({f"{e:.3f}" for e in effects})
            ends = span[0] if len(span) == 1 else f"{span[0]} to {span[-1]}"
            parts.append(f"{word} at effects of {ends}")
    hangs = ", depending on the size of the study" if len(parts) == 2 else ""
    sentence = (
        f"{subject(panel)}: the closed form is {' and '.join(parts)}{hangs}; most at "
        f"{point['effect']:.3f} in {fmt.integer(study['n'])} clients, where it states "
        f"{fmt.percent(point['closed'])} and {fmt.percent(point['share'])} of the studies reject."
    )
    agreeing = [p for p in panels if p["kind"] == panel["kind"] and not is_off(p)]
    own = power_shape(panel)
    if not agreeing:
        return f"{sentence} It is off on every column tried ({own} here)."
    other = agreeing[0]
    return (
        f"{sentence} {panel['value']} has {own}; on {other['value']} ({power_shape(other)}) "
        "the same formula is right."
    )


def power_shape(panel: Row) -> str:
    """Return what the closed form leaves out of a panel's column, at the smallest study."""
    facts = panel["facts"]
    smallest = {k: v[0] if isinstance(v, list) else v for k, v in facts.items()}
    return shape(smallest)


def compare_independence(measured: Row, independent: float) -> str:
    """Say how the measured chance of any false alarm stands to that of independent questions."""
    if measured["high"] < independent:
        return "less, since questions that share columns tend to fail together"
    return "more" if measured["low"] > independent else "the same, within chance"
