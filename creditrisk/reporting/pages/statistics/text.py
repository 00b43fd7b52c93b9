"""The words of the statistics page that hold numbers: verdict sentences and table rows."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk import schema
from creditrisk.reporting import format as fmt

SYMBOLS = {"g": "g", "v": "V", "omega2": "ω²"}
TESTS = {
    "z_test": "z-test",
    "welch_t": "Welch t-test",
    "pooled_t": "pooled t-test",
    "permutation": "permutation test",
    "chi_square": "chi-square test",
    "anova": "one-way ANOVA",
}
STATISTICS = {"z": "z", "t": "t", "difference": "difference", "chi2": "χ²", "F": "F"}
VERDICTS = {
    "matters": "Significant, and it matters",
    "unclear": "Significant; whether it matters stays open",
    "negligible": "Significant and negligible",
    "absent": "Not significant, and an effect that matters is unlikely",
    "inconclusive": "Not significant; the test could have missed an effect that matters",
    "not_applicable": "Not applicable",
}
AMOUNTS = (schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)


NAMES = {"education_group": "education", "marriage_group": "marriage"}
"""Columns that cleaning adds, as a reader would call them."""


def name_column(column: str) -> str:
    """Return what a column is called on the page; those of the table keep their name."""
    return NAMES.get(column, column)


def name_level(label: Any) -> str:
    """Return a group's label in words."""
    return str(label).replace("other_unknown", "other or unknown").replace("_", " ")


def name_test(kind: str) -> str:
    """Return a test's name short enough for the axis of a figure."""
    return TESTS[kind].removesuffix(" test").removeprefix("one-way ")


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


def signed(x: float | None, digits: int = 2) -> str:
    """Format an effect; small ones keep two digits that say something."""
    if x is not None and 0 < abs(x) < 0.095:
        digits = max(digits, 3)
    return fmt.decimal(x, digits)


def format_estimate(row: dict[str, Any]) -> str:
    """Format what a question estimates, in its column's unit."""
    if row["estimate"] is None:
        return fmt.NONE
    if row["kind"] == "chi_square":
        return fmt.percent(row["estimate"])
    return in_unit(row["value"], row["estimate"])


def answer_row(row: dict[str, Any]) -> list[Any]:
    """Return one row of the table of answers."""
    two_lines = Markup('<span style="white-space:nowrap">{}</span> <br><small>{}</small>')
    verdict = VERDICTS[row["verdict"]]
    if row["statistic_name"] == "difference":
        statistic = f"b = {fmt.integer(row['details']['permutation']['n_extreme'])}"
    else:
        name = STATISTICS[row["statistic_name"]]
        statistic = f"{name} = {fmt.decimal(row['statistic'], 1)}"
    subject = Markup('<a href="#q-{}">{} by {}</a>').format(
        row["id"], name_column(row["value"]), name_column(row["group"])
    )
    statistic = Markup('{}, <span style="white-space:nowrap">{}</span>').format(
        TESTS[row["kind"]], statistic
    )
    return [
        two_lines.format(subject, statistic),
        Markup("<strong>{}</strong>").format(verdict) if row["verdict"] == "matters" else verdict,
        format_estimate(row),
        two_lines.format(
            f"{SYMBOLS[row['effect_name']]} = {signed(row['effect'])}",
            Markup('<span style="white-space:nowrap">{} to {}</span>').format(
                signed(row["effect_low"]), signed(row["effect_high"])
            ),
        ),
        fmt.decimal(row["size"]),
        fmt.p_value(row["p_value"]),
        fmt.p_value(row["p_holm"]),
        fmt.p_value(row["p_bh"]),
        fmt.percent(row["power"], 0),
    ]


def declared_row(row: dict[str, Any]) -> list[Any]:
    """Return one row of the table of declared questions."""
    return [
        Markup('<span id="q-{}">{}</span>').format(row["id"], row["question"]),
        row["h0"],
        row["h1"],
        f"{TESTS[row['kind']]} of {name_column(row['value'])} by {name_column(row['group'])}",
        f"{SYMBOLS[row['effect_name']]} = {row['smallest_effect']:g}",
    ]


def _large(x: float) -> str:
    """Format a sum of ranks, of which six digits are kept."""
    return f"{fmt.decimal(x / 1e6, 2)}{fmt.NBSP}million" if abs(x) >= 1e6 else fmt.integer(x)


def list_panels(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the four tests of each pair of columns that a question compares."""
    panels: dict[tuple[str, str], dict[str, Any]] = {}
    for row in asked:
        key = row["value"], row["group"]
        if row["effect_name"] != "g" or key in panels:
            continue
        details, column = row["details"], row["value"]
        rows: list[list[Any]] = []
        for method, test in details["panel"].items():
            ends = [in_unit(column, test[end]) for end in ("low", "high")]
            df = fmt.NONE if test["df"] is None else fmt.decimal(test["df"], 0)
            rows.append(
                [
                    TESTS[method],
                    fmt.decimal(test["statistic"], 2),
                    df,
                    fmt.p_value(test["p_value"]),
                    f"{in_unit(column, test['difference'])} ({ends[0]} to {ends[1]})",
                ]
            )
        ranks = details["ranks"]
        rows.append(
            [
                "Mann-Whitney U",
                _large(ranks["statistic"]),
                fmt.NONE,
                fmt.p_value(ranks["p_value"]),
                f"rank-biserial r = {signed(ranks['rank_biserial'])}",
            ]
        )
        panels[key] = {
            "value": column,
            "group": row["group"],
            "first": details["first"],
            "second": details["second"],
            "first_mean": in_unit(column, details["first"]["mean"]),
            "second_mean": in_unit(column, details["second"]["mean"]),
            "spread": details["spread"],
            "rows": rows,
        }
    return list(panels.values())


def describe_anova(row: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of one analysis of variance: its tests and its groups."""
    details, column = row["details"], row["value"]
    welch, kruskal, twin = details["welch"], details["kruskal"], details.get("chi_square")
    rows = [
        [
            "ANOVA (F), as asked",
            fmt.decimal(row["statistic"], 2),
            f"{row['df']}; {fmt.integer(details['df_error'])}",
            fmt.p_value(row["p_value"]),
            f"ω² = {signed(row['effect'], 3)}, η² = {signed(details['eta2'], 3)}",
        ]
    ]
    if welch is not None:
        df = f"{welch['df']:.0f}; {fmt.decimal(welch['df_error'], 0)}"
        form = fmt.decimal(welch["statistic"], 2)
        rows.append(
            ["Welch ANOVA (unequal variances)", form, df, fmt.p_value(welch["p_value"]), ""]
        )
    rows.append(
        [
            "Kruskal-Wallis H (ranks)",
            fmt.decimal(kruskal["statistic"], 2),
            fmt.integer(kruskal["df"]),
            fmt.p_value(kruskal["p_value"]),
            f"ε² = {signed(kruskal['epsilon2'], 3)}",
        ]
    )
    if twin is not None:
        effect = f"V = {signed(twin['cramers_v'], 3)}"
        form = fmt.decimal(twin["statistic"], 2)
        rows.append(
            ["Chi-square", form, fmt.integer(twin["df"]), fmt.p_value(twin["p_value"]), effect]
        )
    groups = [
        [
            name_level(group["label"]),
            fmt.integer(group["n"]),
            in_unit(column, group["mean"]),
            in_unit(column, group["sd"]) if twin is None else fmt.NONE,
        ]
        for group in sorted(details["groups"], key=lambda g: -g["mean"])
    ]
    if twin is not None:
        groups = [group[:3] for group in groups]
    return {
        "row": row,
        "rows": rows,
        "groups": groups,
        "details": details,
        "binary": twin is not None,
    }


def name_rule(rule: dict[str, Any], column: str) -> str:
    """Return a one-line classifier in words."""
    if rule["at_least"] is None:
        return "flag nobody"
    if rule["missed"] == 0 and rule["cleared"] == 0:
        return "flag everybody"
    return f"{column} ≥ {rule['at_least']:g}"


def rule_row(rule: dict[str, Any], column: str) -> list[Any]:
    """Return one row of the table of one-line classifiers."""
    return [
        name_rule(rule, column),
        *(fmt.integer(rule[key]) for key in ("caught", "false_alarms", "missed", "cleared")),
        fmt.percent(rule["false_alarm_rate"]),
        fmt.percent(rule["missed_rate"]),
        fmt.percent(rule["wrong_flag_share"]),
        fmt.money(rule["cost_per_client"]),
    ]
