"""The sections of ``eda.html`` on codes, outliers, rows and associations."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import figures as draw

RULES = {"zscore": "z\N{NON-BREAKING HYPHEN}score", "iqr": "IQR"}
STEPS = {
    "raw": "Raw table",
    "cleaned": "Cleaned: contract met",
    "holdout": "Hold-out: nothing is fitted on it",
    "training": "Training rows",
    "fit": "Training rows that models are fitted on",
}
FLAGS = {
    "has_credit_balance": "Any bill below 0 (credit balance)",
    "has_label_conflict": "Same features as another row, other outcome",
    "is_duplicate": "Repeats an earlier row in every column but ID",
    "is_inactive": "All bills and payments 0",
    "is_outlier_iqr": "Outside Tukey's fences (bounds from training rows)",
    "is_outlier_zscore": "Outside the z-score bounds (from training rows)",
    "is_over_limit": "September bill above the limit",
    "is_twin": "Hidden twin: the same client a month apart",
}


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


def code_name(code: int) -> str:
    """Name a payment-status code; those above 0 begin with their number anyway."""
    meaning = schema.STATUS_CODES[code]
    return meaning if code > 0 else f"{fmt.integer(code)} {meaning}"


def category_name(meaning: str) -> str:
    """Return a group's name as words."""
    return {"other_unknown": "other or unknown"}.get(meaning, meaning.replace("_", " "))


def status(results: dict[str, Any]) -> dict[str, Any]:
    """Return heat map and tables of the payment status by month, and their evidence."""
    table = results["pay_codes"]
    month_labels = [f"{c} {draw.MONTHS[c][:3]}" for c in table["columns"]]
    names = [
        f"{code_name(code)}{'' if documented else ' *'}"
        for code, documented in zip(table["codes"], table["documented"], strict=True)
    ]
    seen = [i for i, counts in enumerate(table["counts"]) if sum(counts)]
    figure = figures.heatmap(
        [table["rates"][i] for i in seen],
        [names[i] for i in seen],
        month_labels,
        format="percent",
        alt="Default rate by payment-status code and month.",
    )
    row = {code: i for i, code in enumerate(table["codes"])}

    def rate(code: int) -> float | None:
        return table["rates"][row[code]][0]

    return {
        "figure": figure,
        "columns": ["Code", *month_labels],
        "counts": [[names[i], *map(fmt.integer, table["counts"][i])] for i in range(len(names))],
        "code1": [fmt.integer(n) for n in table["counts"][row[1]]],
        "unseen": [names[i] for i in range(len(names)) if i not in seen],
        "rate": {code: rate(code) for code in (-2, -1, 0, 1, 2, 3)},
        "recovery": [
            [
                f"{e['earlier']} → {e['later']}",
                *(fmt.integer(e[k]) for k in ("n", "to_0", "to_1", "to_2_or_more")),
            ]
            for e in results["pay_recovery"]
        ],
        "newest": results["pay_recovery"][0],
        "before": results["pay_recovery"][1],
        "evidence": [
            [
                code_name(e["code"]),
                fmt.integer(e["n_months"]),
                fmt.percent(e["no_bill"]),
                fmt.percent(e["no_spend"]),
                fmt.integer(e["n_billed"]),
                fmt.decimal(e["median_paid_share"], 2),
                fmt.percent(e["paid_exactly"]),
                fmt.percent(e["paid_same_suffix"]),
            ]
            for e in results["pay_evidence"]
        ],
        "by_code": {e["code"]: e for e in results["pay_evidence"]},
    }


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


def rows(results: dict[str, Any]) -> dict[str, Any]:
    """Return the table of rows kept by each step and the table of flagged groups."""
    return {
        "steps": [
            [STEPS[s["step"]], fmt.integer(s["n"]), fmt.percent(s["default_rate"], 2)]
            for s in results["waterfall"]
        ],
        "by_step": {s["step"]: s["n"] for s in results["waterfall"]},
        "flags": [
            [
                FLAGS.get(f["flag"], f["flag"]),
                fmt.integer(f["n"]),
                fmt.percent(f["share"], 2),
                fmt.percent(f["rate"]),
                percent_interval(f),
            ]
            for f in results["flags"]
        ],
        "by_flag": {f["flag"]: f for f in results["flags"]},
    }


def associations(table: dict[str, Any]) -> dict[str, Any]:
    """Return the heat map of rank correlations and the numbers of its caption."""
    columns, values = table["columns"], table["spearman"]
    place = {c: i for i, c in enumerate(columns)}

    def pair(a: str, b: str) -> float | None:
        return values[place[a]][place[b]]

    bills = schema.BILL_COLUMNS
    return {
        "figure": figures.heatmap(
            values,
            columns,
            columns,
            format="decimal:2",
            diverging=True,
            limits=(-1.0, 1.0),
            width=760,
            alt="Spearman rank correlations of limit, bills and payments.",
        ),
        "neighbours": (pair(bills[0], bills[1]), pair(bills[0], bills[5])),
        "limit_bill": pair(schema.LIMIT, bills[0]),
        "limit_paid": pair(schema.LIMIT, schema.PAID_COLUMNS[0]),
        "settles": pair(schema.PAID_COLUMNS[0], bills[1]),
        "same_suffix": pair(schema.PAID_COLUMNS[0], bills[0]),
    }
