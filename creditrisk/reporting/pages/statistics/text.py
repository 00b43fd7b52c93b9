"""The words of the statistics page that hold numbers: verdict sentences and table rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from creditrisk import schema
from creditrisk.reporting import format as fmt

SYMBOLS = {
    "g": "g",
    "rank_biserial": "r",
    "v": "V",
    "omega2": "ω²",
    "partial_omega2": "partial ω²",
    "epsilon2": "ε²",
    "log_odds": "OR",
}
SHARES = ("omega2", "partial_omega2", "epsilon2")
"""Effects that are shares of a variance: their root is on the scale of the other effects."""
TESTS = {
    "z_test": "z-test",
    "welch_t": "Welch t-test",
    "pooled_t": "pooled t-test",
    "permutation": "permutation test",
    "mann_whitney": "Mann-Whitney test",
    "chi_square": "chi-square test",
    "g_test": "G-test",
    "anova": "one-way ANOVA",
    "welch_anova": "Welch ANOVA",
    "kruskal": "Kruskal-Wallis test",
    "two_way": "two-way ANOVA, interaction",
    "stratified": "stratified test",
}
STATISTICS = {"z": "z", "t": "t", "U": "U", "chi2": "χ²", "G": "G", "F": "F", "H": "H"}
STATISTICS |= {"CMH": "CMH χ²"}
VERDICTS = {
    "matters": "Significant, and it matters",
    "unclear": "Significant; whether it matters stays open",
    "negligible": "Significant and negligible",
    "absent": "Not significant, and an effect that matters is unlikely",
    "inconclusive": "Not significant; the test could have missed an effect that matters",
    "not_applicable": "Not applicable",
}
TWO_LINES = Markup('<span class="whole">{}</span> <br><small>{}</small>')
AMOUNTS = (schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)


NAMES = {
    "education_group": "education",
    "marriage_group": "marriage",
    "sex_group": "sex",
    "is_inactive": "inactivity",
    "is_over_limit": "bill over limit",
    "limit_quarter": "limit",
    "status_band": "status",
}
"""Columns that cleaning or the parameters add, as a reader would call them."""


def name_column(column: str) -> str:
    """Return what a column is called on the page; those of the raw table keep their name."""
    return NAMES.get(column, column.replace("_", " ") if column.islower() else column)


def name_level(label: Any) -> str:
    """Return a group's label in words."""
    return str(label).replace("other_unknown", "other or unknown").replace("_", " ")


def name_test(kind: str) -> str:
    """Return a test's name short enough for the axis of a figure."""
    name = TESTS[kind].removesuffix(" test").removeprefix("one-way ")
    return name.removesuffix(", interaction").removesuffix("-test")


def name_subject(row: dict[str, Any]) -> str:
    """Return the columns that a question compares."""
    value, group = name_column(row["value"]), name_column(row["group"])
    if row.get("and"):
        return f"{value} by {group} × {name_column(row['and'])}"
    if row.get("within"):
        return f"{group} by {value} within {' × '.join(map(name_column, row['within']))}"
    return f"{value} by {group}"


def in_unit(column: str, value: float | None) -> str:
    """Format a value, or a difference of values, in its column's unit."""
    if column in AMOUNTS:
        return fmt.money(value)
    if column == schema.TARGET:
        return fmt.percent(value)
    if column == "AGE":
        return f"{fmt.decimal(value, 2)} years"
    if column == schema.KEY:
        return fmt.integer(value)
    return fmt.decimal(value, 2)


def signed(x: float | None, digits: int = 2) -> fmt.Number:
    """Format an effect; small ones keep two digits that say something."""
    if x is not None and 0 < abs(x) < 0.095:
        digits = max(digits, 3 if abs(x) >= 0.0095 else 4)
    return fmt.decimal(x, digits)


def format_estimate(row: dict[str, Any]) -> str:
    """Format what a question estimates, in its column's unit."""
    if row["kind"] in ("chi_square", "g_test"):
        return fmt.percent(row["estimate"])
    return in_unit(row["group"] if row["kind"] == "stratified" else row["value"], row["estimate"])


def format_effect(name: str, value: float | None) -> fmt.Number:
    """Format an effect; the logarithm of an odds ratio is shown as the odds ratio."""
    if name == "log_odds" and value is not None:
        return fmt.decimal(math.exp(value), 2)
    return signed(value)


def effect_cell(row: dict[str, Any]) -> Markup:
    """Return an effect with its interval below."""
    name = row["effect_name"]
    ends = (format_effect(name, row[key]) for key in ("effect_low", "effect_high"))
    return TWO_LINES.format(
        f"{SYMBOLS[name]} = {format_effect(name, row['effect'])}",
        fmt.whole(" to ".join(ends)),
    )


def statistic_text(row: dict[str, Any]) -> str:
    """Return a statistic with its degrees of freedom."""
    if row["statistic_name"] == "difference":
        return f"b = {fmt.integer(row['details']['permutation']['n_extreme'])}"
    name, df = STATISTICS[row["statistic_name"]], row["df"]
    text = f"{name} = {large(row['statistic'])}"
    if df is None:
        return text
    error = row["details"].get("df_error")
    if row["kind"] == "welch_anova":
        error = row["details"]["welch"]["df_error"]
    second = f"; {fmt.integer(error)}" if name == "F" else ""
    return f"{text}, df = {fmt.integer(df)}{second}"


def answer_row(row: dict[str, Any]) -> list[Any]:
    """Return one row of the table of answers."""
    subject = Markup('<a href="#q-{}">{}</a>').format(row["id"], name_subject(row))
    test = Markup("{}, {}").format(TESTS[row["kind"]], fmt.whole(statistic_text(row)))
    verdict = VERDICTS[row["verdict"]]
    return [
        Markup("{} <br><small>{}</small>").format(subject, test),
        Markup("<strong>{}</strong>").format(verdict) if row["verdict"] == "matters" else verdict,
        format_estimate(row),
        effect_cell(row),
        fmt.decimal(row["size"]),
        fmt.p_value(row["p_value"]),
        fmt.p_value(row["p_holm"]),
        fmt.p_value(row["p_bh"]),
        fmt.percent(row["power"], 0),
        format_effect(row["effect_name"], row["detectable"]),
    ]


def declared_row(row: dict[str, Any]) -> list[Any]:
    """Return one row of the table of declared questions."""
    return [
        Markup('<span id="q-{}">{}</span>').format(row["id"], row["question"]),
        row["h0"],
        row["h1"],
        f"{TESTS[row['kind']]}: {name_subject(row)}",
        " ".join(row["assumptions"]),
        f"{SYMBOLS[row['effect_name']]} = "
        f"{format_effect(row['effect_name'], row['smallest_effect'])}",
    ]


def join_words(words: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def large(x: float) -> str:
    """Format a statistic, of which six digits are kept."""
    return f"{fmt.decimal(x / 1e6, 2)}{fmt.NBSP}million" if abs(x) >= 1e6 else fmt.decimal(x, 1)
