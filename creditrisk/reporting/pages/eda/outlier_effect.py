"""The section on what outlier rules do to a model, judged on clients that were never filtered."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import outlier_effect_figures as draw
from creditrisk.reporting.pages.eda.outlier_effect_figures import points, signed

Row = dict[str, Any]

COLUMNS = {"asked": "AGE and LIMIT_BAL", "amounts": "all amounts and AGE"}
RULES = {"zscore": "z\N{NON-BREAKING HYPHEN}score", "iqr": "IQR", "both": "either rule"}
TREATMENTS = {"remove": "dropped", "winsorise": "clipped", "thin": "as many at random"}
METRICS = {"roc_auc": "ROC AUC", "log_loss": "log loss"}
BASE = "none"


def build(study: Row) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    study : dict
        ``document`` of the study ``outliers`` and ``stale``, what in it is not today's.

    Returns
    -------
    dict
    """
    document = study["document"]
    design, rows = document["design"], document["rows"]
    arms = [row for row in rows if row["arm"] != BASE]
    shown = [{**row, "name": arm_name(row)} for row in arms]
    return {
        "stale": study["stale"],
        "design": design,
        "columns": {key: ", ".join(names) for key, names in design["columns"].items()},
        "models": [model_words(name, design, rows) for name in design["models"]],
        "widest": widest(document["rules"]),
        "same": same_rules(document["rules"]),
        "difference_figure": draw.differences(design, shown, METRICS),
        "gap_figure": draw.gaps(design, shown),
        "rule_rows": [row for rule in document["rules"] for row in rule_rows(rule)],
        "rows": [score_row(row, design) for row in rows],
        "flagged_rows": [flagged_row(row, design) for row in arms if "rate" in row["flagged"]],
    }


def rule_name(row: Row) -> str:
    """Name a rule with its columns."""
    return f"{RULES[row['rule']]} on {COLUMNS[row['columns']]}"


def arm_name(row: Row) -> str:
    """Name an arm: rule, columns and treatment."""
    if row["arm"] == BASE:
        return "No treatment"
    return f"{rule_name(row)}: {TREATMENTS[row['treatment']]}"


def widest(rules: list[Row]) -> Row | None:
    """Return the rule that flags most clients, with the word for whom it flags."""
    known = [rule for rule in rules if rule["difference"] is not None]
    if not known:
        return None
    rule = max(known, key=lambda each: each["share"])
    apart = rule["low"] > 0 or rule["high"] < 0
    word = "less" if rule["difference"] < 0 else "more"
    return {**rule, "name": rule_name(rule), "word": word if apart else None}


def same_rules(rules: list[Row]) -> list[str]:
    """Name the columns on which the tighter of both rules flags whom one rule flags."""
    counts = {(rule["columns"], rule["rule"]): rule["n"] for rule in rules}
    return [
        f"on {COLUMNS[columns]} either rule flags whom {RULES[rule]} flags"
        for columns in COLUMNS
        for rule in ("zscore", "iqr")
        if counts.get((columns, "both")) == counts.get((columns, rule), -1)
    ]


def model_words(model: str, design: Row, rows: list[Row]) -> Row:
    """Return what a model's sentences need.

    Returns
    -------
    dict
        ``label``; ``base``; ``worse`` and ``better``, arms by name with the differences
        that have that verdict; ``controls``, rules with the log loss of dropping their rows
        and as many at random; ``noise``, the number of arms with neither; ``harmed``, the
        arms whose scores of the clients that the rule flags moved beyond noise.
    """
    own = [row for row in rows if row["model"] == model and row["arm"] != BASE]
    base = next(row for row in rows if row["model"] == model and row["arm"] == BASE)
    found: Row = {"worse": [], "better": []}
    for row in own:
        for verdict, names in found.items():
            if told := changes(row, verdict):
                names.append(f"{arm_name(row)} ({told})")
    moved = [row for row in own if excludes_zero(row["flagged"]["difference"]["gap"])]
    return {
        "label": design["models"][model]["label"],
        "base": base,
        **found,
        "controls": controls(own),
        "n": len(own),
        "noise": sum(all(d["verdict"] == "within noise" for d in r["difference"].values()) for r in own),
        "harmed": [moved_words(row) for row in moved],
    }  # fmt: skip


def controls(own: list[Row]) -> list[Row]:
    """Return each rule that has a control, with what both add to the log loss."""
    by_arm = {(row["columns"], row["rule"], row["treatment"]): row for row in own}

    def added(row: Row) -> str:
        cell = row["difference"]["log_loss"]
        return f"{signed(cell['difference'], 4)} ({cell['verdict']})"

    return [
        {"name": rule_name(row), "removed": added(row), "thinned": added(control)}
        for (columns, rule, treatment), row in by_arm.items()
        if treatment == "remove" and (control := by_arm.get((columns, rule, "thin")))
    ]


def changes(row: Row, verdict: str) -> str:
    """Return the metrics of an arm that have a verdict, with their differences."""
    return ", ".join(
        f"{METRICS[metric]} {signed(d['difference'], 4)}"
        for metric, d in row["difference"].items()
        if d["verdict"] == verdict
    )


def excludes_zero(cell: Row | None) -> bool:
    """Say whether an adjusted interval excludes zero."""
    return cell is not None and (cell["low"] > 0 or cell["high"] < 0)


def moved_words(row: Row) -> Row:
    """Return how an arm scores the clients that its rule flags."""
    flagged = row["flagged"]
    return {
        "name": arm_name(row),
        "rate": fmt.percent(flagged["rate"]),
        "untreated": points(flagged["untreated"]["gap"]),
        "treated": points(flagged["treated"]["gap"]),
        "share": fmt.percent(row["treated_share"]),
    }


def rule_rows(rule: Row) -> list[list[Any]]:
    """Return a row on the clients that a rule flags and one on the others."""
    return [
        [
            rule_name(rule),
            word,
            fmt.integer(side["n"]),
            fmt.percent(rule["share"] if word == "flagged" else 1 - rule["share"]),
            fmt.percent(side["default_rate"]),
            rate_difference(rule) if word == "flagged" else "",
            fmt.integer(side["limit_median"]),
            fmt.integer(side["age_median"]),
            fmt.percent(side["women_share"], 0),
            fmt.percent(side["university_share"], 0),
            fmt.percent(side["late_share"], 0),
        ]
        for word in ("flagged", "kept")
        if (side := rule[word]) is not None
    ]


def rate_difference(rule: Row) -> str:
    """Write the default rate of the flagged less that of the others, in points."""
    if rule["difference"] is None:
        return fmt.NONE
    return f"{points(rule['difference'])} ({points(rule['low'])} to {points(rule['high'])})"


def score_row(row: Row, design: Row) -> list[Any]:
    """Return the figures of one model under one arm on all test rows."""
    calibration = row["calibration"]
    return [
        design["models"][row["model"]]["label"],
        arm_name(row),
        fmt.percent(row["treated_share"]),
        judged(row, "roc_auc"),
        judged(row, "log_loss"),
        over(points(calibration["mean_gap"]), calibration, "mean_gap", points),
        over(fmt.decimal(calibration.get("slope"), 2), calibration, "slope", "decimal:2"),
    ]


def judged(row: Row, metric: str) -> Markup:
    """Return a figure over its difference and verdict, where there is one."""
    value = fmt.decimal(row[metric], 4)
    if row["difference"] is None:
        return Markup("{}<br><small>{}</small>").format(value, fmt.NONE)
    cell = row["difference"][metric]
    told = f"{signed(cell['difference'], 4)}, {cell['verdict']}"
    return Markup("{}<br><small>{}</small>").format(value, told)


def over(value: Any, table: Row, name: str, form: Any) -> Markup:
    """Return a figure over its interval; a dash where there was none to fit."""
    low, high = table.get(f"{name}_low"), table.get(f"{name}_high")
    between = fmt.NONE if low is None else f"{fmt.apply(low, form)} to {fmt.apply(high, form)}"
    return Markup("{}<br><small>{}</small>").format(value, between)


def flagged_row(row: Row, design: Row) -> list[Any]:
    """Return how one arm scores the test rows that its rule flags."""
    flagged = row["flagged"]
    treated, untreated = flagged["treated"], flagged["untreated"]
    gap, loss = flagged["difference"]["gap"], flagged["difference"]["log_loss"]

    def interval(side: Row) -> Markup:
        told = f"{points(side['low'])} to {points(side['high'])}"
        return Markup("{}<br><small>{}</small>").format(points(side["gap"]), told)

    return [
        design["models"][row["model"]]["label"],
        arm_name(row),
        fmt.integer(flagged["n"]),
        fmt.percent(flagged["rate"]),
        interval(untreated),
        interval(treated),
        fmt.NONE if gap is None else f"{points(gap['low'])} to {points(gap['high'])}",
        fmt.NONE if loss is None else f"{signed(loss['difference'], 4)}, {loss['verdict']}",
        fmt.decimal(untreated["roc_auc"], 3),
        fmt.decimal(treated["roc_auc"], 3),
    ]
