"""The sections of ``eda.html`` on categories and on outlier removal."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import figures as draw

RULES = {"zscore": "z\N{NON-BREAKING HYPHEN}score", "iqr": "IQR"}


def percent_interval(entry: dict[str, Any], low: str = "low", high: str = "high") -> str:
    """Format an entry's interval as percentages."""
    return fmt.interval(entry[low], entry[high], "percent")


def categories(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return figure and table of SEX, EDUCATION and MARRIAGE by raw code."""
    entries = [(column, entry) for column, rows in tables.items() for entry in rows]

    def name(column: str, entry: dict[str, Any]) -> str:
        mark = "" if entry["documented"] else " *"
        return f"{column} {entry['code']} {category_name(entry['meaning'])}{mark}"

    figure = figures.bars(
        [name(*each) for each in entries],
        [entry["rate"] for _, entry in entries],
        low=[entry["low"] for _, entry in entries],
        high=[entry["high"] for _, entry in entries],
        highlight=[i for i, (_, entry) in enumerate(entries) if entry["documented"]],
        xlabel="default rate",
        format="percent",
        alt="Default rate with interval for each code of SEX, EDUCATION and MARRIAGE.",
    )
    return {
        "figure": figure,
        "n_undocumented": sum(e["n"] for _, e in entries if not e["documented"]),
        "by_code": {column: {e["code"]: e for e in rows} for column, rows in tables.items()},
        "columns": [
            "Column",
            "Code",
            "Meaning",
            "In the code book",
            "Clients",
            "Share",
            "Default rate",
            "Interval",
        ],
        "rows": [
            [
                column,
                fmt.integer(entry["code"]),
                category_name(entry["meaning"]),
                "yes" if entry["documented"] else "no",
                fmt.integer(entry["n"]),
                fmt.percent(entry["share"], 2),
                fmt.percent(entry["rate"]),
                percent_interval(entry),
            ]
            for column, entry in entries
        ],
    }


def category_name(meaning: str) -> str:
    """Return a group's name as words."""
    return {"other_unknown": "other or unknown"}.get(meaning, meaning.replace("_", " "))


def outliers(removal: dict[str, Any]) -> dict[str, Any]:
    """Return the before/after tables of outlier removal and their figure."""
    asked, amounts = removal["asked"], removal["amounts"]
    entries = [(f"{RULES[e['rule']]}: AGE, LIMIT_BAL", e) for e in asked]
    entries += [(f"{RULES[e['rule']]}: all amounts, AGE", e) for e in amounts]
    spread = [
        [
            RULES[e["rule"]],
            column,
            f"{fmt.decimal(d['low'], digits)} to {fmt.decimal(d['high'], digits)}",
            fmt.integer(d["n_outside"]),
            *(before_after(d, key, digits) for key in ("mean", "sd")),
        ]
        for e in asked
        for column, d in e["columns"].items()
        for digits in (1 if column == "AGE" else 0,)
    ]
    return {
        "asked": removal_rows(asked),
        "amounts": removal_rows(amounts),
        "spread": spread,
        "by_rule": {e["rule"]: e for e in asked},
        "amounts_by_rule": {e["rule"]: e for e in amounts},
        "figure": draw.dropped_and_kept(
            entries, alt="Default rates of the clients that each rule drops and keeps."
        ),
    }


def before_after(described: dict[str, Any], key: str, digits: int) -> str:
    """Write a statistic before and after removal; a dash where no row is left."""
    before, after = (fmt.decimal(described.get(f"{key}_{w}"), digits) for w in ("before", "after"))
    return f"{before} → {after}"


def removal_rows(entries: list[dict[str, Any]]) -> list[list[Any]]:
    """Return one row a rule: clients before, dropped and kept, and their default rates."""
    return [
        [
            RULES[e["rule"]],
            fmt.integer(e["n_before"]),
            fmt.integer(e["n_removed"]),
            fmt.percent(e["removed_share"]),
            fmt.integer(e["n_after"]),
            fmt.percent(e["default_rate_removed"]),
            percent_interval(e, "low_removed", "high_removed"),
            fmt.percent(e["default_rate_after"]),
            fmt.percent(e["default_rate_before"]),
        ]
        for e in entries
    ]
