"""The section on two groups: every test of each comparison, and what the tests assume."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]

SKEWED = 1.0
"""Skewness beyond which a distribution is called highly skewed (Bulmer 1979)."""


def build(asked: list[Row], sample: Row) -> Row:
    """Return what the template shows of each pair of columns that a question compares."""
    panels: dict[tuple[str, str], Row] = {}
    for row in asked:
        key = row["value"], row["group"]
        if "panel" in row["details"] and key not in panels:
            panels[key] = describe(row, sample["alpha"])
    shown = list(panels.values())
    return {
        "panels": shown,
        "overview": [panel["summary"] for panel in shown],
        "n_agree": sum(panel["n_reject"] in (0, len(panel["rows"])) for panel in shown),
        "alpha": fmt.percent(sample["alpha"], 0),
        "confidence": fmt.percent(sample["confidence"], 0),
    }


def describe(row: Row, alpha: float) -> Row:
    """Return the five tests of one comparison, its assumptions and what hangs on them."""
    details, column = row["details"], row["value"]
    tests = {**details["panel"], "mann_whitney": details["ranks"]}
    tests["permutation"] = details["permutation"]
    rejecting = [name for name, test in tests.items() if test["p_value"] < alpha]
    keeping = [name for name in tests if name not in rejecting]
    width = {k: test["high"] - test["low"] for k, test in details["panel"].items()}
    pair = details["first"], details["second"]
    spread = details["spread"]
    pooled = width["pooled_t"] / width["welch_t"] - 1
    skewed = any(abs(group["skewness"] or 0) > SKEWED for group in pair)
    subject = f"{text.name_column(column)} by {text.name_column(row['group'])}"
    return {
        "value": column,
        "subject": subject,
        "in_view": column == schema.LIMIT,
        "id": f"{column}_by_{row['group']}".lower(),
        "summary": [
            subject,
            fmt.decimal(spread["variance_ratio"], 2),
            fmt.p_value(spread["p_value"]),
            *(fmt.decimal(group["skewness"], 1) for group in pair),
            *(fmt.p_value(test["p_value"]) for test in tests.values()),
            fmt.percent(pooled, 1),
        ],
        "groups": [group_row(column, row["group"], group) for group in pair],
        "rows": [test_row(column, name, test) for name, test in tests.items()],
        "n_reject": len(rejecting),
        "rejecting": text.join_words([f"the {text.TESTS[name]}" for name in rejecting]),
        "keeping": text.join_words([f"the {text.TESTS[name]}" for name in keeping]),
        "pooled_wider": pooled,
        "z_wider": width["z_test"] / width["welch_t"] - 1,
        "unequal": spread["p_value"] < alpha,
        "spread_p": fmt.p_value(spread["p_value"]),
        "variance_ratio": spread["variance_ratio"],
        "skewed": skewed,
        "smallest": min(group["n"] for group in pair),
        "figure": quantile_figure(row) if skewed or column == schema.LIMIT else None,
    }


def group_row(column: str, group: str, found: Row) -> list[Any]:
    """Return one group's size, mean, median, spread and skewness."""
    return [
        f"{text.name_column(group)} = {text.name_level(found['label'])}",
        fmt.integer(found["n"]),
        *(text.in_unit(column, found[key]) for key in ("mean", "median", "sd")),
        fmt.decimal(found["skewness"], 2),
    ]


def test_row(column: str, name: str, test: Row) -> list[Any]:
    """Return one test of a comparison; a permutation has shuffles for a statistic."""
    if name == "permutation":
        statistic = f"b = {fmt.integer(test['n_extreme'])} of {fmt.integer(test['n_permutations'])}"
        return [text.TESTS[name], statistic, fmt.NONE, fmt.p_value(test["p_value"]), fmt.NONE]
    if name == "mann_whitney":
        ends = f"{text.signed(test['low'])} to {text.signed(test['high'])}"
        size = f"rank-biserial r = {text.signed(test['rank_biserial'])} ({ends})"
    else:
        low, high = (text.in_unit(column, test[end]) for end in ("low", "high"))
        size = f"{text.in_unit(column, test['difference'])} ({low} to {high})"
    return [
        text.TESTS[name],
        text.large(test["statistic"]),
        fmt.decimal(test.get("df"), 0),
        fmt.p_value(test["p_value"]),
        size,
    ]


def quantile_figure(row: Row) -> Any:
    """Draw the quantiles of both groups against those of the normal distribution."""
    details, group = row["details"], text.name_column(row["group"])
    series = {
        f"{group} = {text.name_level(details[side]['label'])}": details["quantiles"][side]
        for side in ("first", "second")
        if details["quantiles"][side] is not None
    }
    skewness = [details[side]["skewness"] for side in ("first", "second")]
    return draw.normal_quantiles(
        series,
        alt=f"Normal QQ plot of {row['value']} by {group}; the skewness of the groups is "
        f"{' and '.join(fmt.decimal(x, 2) for x in skewness)}.",
    )
