"""The page about the data: source, quality, distributions, meaning, outliers, leaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from creditrisk import schema
from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import (
    associations,
    changes,
    dictionary,
    findings,
    leakage,
    outlier_effect,
    semantics,
    tables,
    twins,
)
from creditrisk.reporting.pages.eda import figures as draw
from creditrisk.reporting.pages.eda.tables import percent_interval

SECTIONS = [
    ("provenance", "Source"),
    ("dictionary", "Data dictionary"),
    ("missing", "Missing values"),
    ("changes", "Before and after cleaning"),
    ("findings", "Findings register"),
    ("imbalance", "The target"),
    ("twins", "Hidden twins"),
    ("limit_bal", "Credit limit"),
    ("age", "Age"),
    ("amounts", "Bills and payments"),
    ("categories", "Sex, education, marriage"),
    ("pay_codes", "Payment status by month"),
    ("roll_rates", "Roll rates"),
    ("alignment", "Which bill a payment settles"),
    ("identity", "The account identity"),
    ("outliers", "Outlier removal"),
    ("outlier_effect", "What removal does to a model"),
    ("associations", "Associations"),
    ("leakage", "Leaks and proxies"),
    ("limits", "Limits"),
]
SAMPLES = {"all": "All clients", schema.TRAIN: "Training", schema.HOLDOUT: "Hold-out"}
TYPICAL_SHARE = 0.01
"""Captions compare bins with at least this share of the clients."""


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/eda.json``.
    """
    base_rate = results["imbalance"][0]["rate"]
    return {
        "sections": SECTIONS,
        "r": results,
        "m": marker(results["headline"]),
        "level": fmt.percent(results["params"]["confidence_level"], 0),
        "source": results["source"],
        "provenance": results["provenance"],
        "n_columns": sum(c["raw_dtype"] is not None for c in results["overview"]),
        "policies": [[k, v] for k, v in results["cleaning"]["missing"]["policies"].items()],
        "balance": balance_section(results["imbalance"]),
        "limit": distribution_section(
            results["limit_bal"], base_rate, "LIMIT_BAL, NT$", "Credit limit"
        ),
        "age": distribution_section(results["age"], base_rate, "AGE, years", "Age"),
        "amounts": amounts_section(results["amounts"], base_rate),
        "categories": tables.categories(results["categories"]),
        "outliers": tables.outliers(results["outliers"]),
        "dictionary": dictionary.build(results["dictionary"]),
        "changes": changes.build(results["changes"], results["waterfall"]),
        "findings": findings.build(
            results["findings"], level=results["params"]["confidence_level"]
        ),
        "twins": twins.build(results["cleaning"]["twins"]),
        "semantics": semantics.build(results),
        "outlier_effect": outlier_effect.build(results["studies"]["outliers"]),
        "associations": associations.build(results["associations"], results["dependence"]),
        "leakage": leakage.build(results["leakage"]),
    }


def marker(headline: dict[str, Any]) -> Callable[..., Markup]:
    """Return a function that formats and marks a headline number by its key."""

    def mark(key: str, form: str = "integer") -> Markup:
        return fmt.metric(headline[key], f"eda:{key}", form)

    return mark


def balance_section(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figure and table of the target's balance."""
    every = samples[0]
    return {
        "figure": draw.balance(every),
        "non_default_share": 1 - every["rate"],
        "ratio": every["non_defaults"] / every["defaults"] if every["defaults"] else None,
        "rows": [
            [
                SAMPLES[s["sample"]],
                fmt.integer(s["n"]),
                fmt.integer(s["non_defaults"]),
                fmt.integer(s["defaults"]),
                fmt.percent(s["rate"], 2),
                percent_interval(s),
            ]
            for s in samples
        ],
    }


def bin_name(low: float, high: float) -> str:
    """Name a bin of whole numbers that is closed on the left: 30 up to 35 is ``30–34``."""
    if low == round(low) and high == round(high):
        return f"{fmt.integer(low)}{fmt.DASH}{fmt.integer(high - 1)}"
    return f"{low:g} to under {high:g}"


def distribution_section(
    column: dict[str, Any], base_rate: float, label: str, name: str
) -> dict[str, Any]:
    """Return figure, table and the caption's numbers of a histogram with default rates."""
    edges = column["edges"]
    names = [bin_name(*edges[i : i + 2]) for i in range(len(edges) - 1)]
    total = sum(column["counts"])
    typical = [
        (names[i], rate)
        for i, rate in enumerate(column["rates"])
        if rate is not None and column["counts"][i] >= TYPICAL_SHARE * total
    ] or [("–", None)]
    first, last = typical[0], typical[-1]
    figure = figures.rate_histogram(
        edges,
        column["counts"],
        column["rates"],
        column["lows"],
        column["highs"],
        xlabel=label,
        base_rate=base_rate,
        xformat="integer",
        alt=f"{name}: default rate {fmt.percent(first[1])} at {first[0]}, "
        f"{fmt.percent(last[1])} at {last[0]}.",
    )
    return {
        "figure": figure,
        "first": first,
        "last": last,
        "lowest": min(typical, key=lambda each: 1.0 if each[1] is None else each[1]),
        "highest": max(typical, key=lambda each: 0.0 if each[1] is None else each[1]),
        "verb": "falls" if (last[1] or 0) < (first[1] or 0) else "rises",
        "summary": column["summary"],
        "rows": rate_rows(names, column),
    }


def rate_rows(names: list[str], column: dict[str, Any]) -> list[list[Any]]:
    """Return one table row a bin: clients, defaults, rate, interval."""
    return [
        [
            name,
            fmt.integer(column["counts"][i]),
            fmt.integer(column["defaults"][i]),
            fmt.percent(column["rates"][i]),
            fmt.interval(column["lows"][i], column["highs"][i], "percent"),
        ]
        for i, name in enumerate(names)
    ]


def amounts_section(amounts: dict[str, Any], base_rate: float) -> dict[str, Any]:
    """Return panels of the twelve monthly amounts, their summary and all bins."""
    labels, columns = amounts["labels"], amounts["columns"]
    bills = {c: columns[c] for c in schema.BILL_COLUMNS}
    paid = {c: columns[c] for c in schema.PAID_COLUMNS}
    first_paid = paid[schema.PAID_COLUMNS[0]]
    negative = [c["summary"]["n_negative"] for c in bills.values()]
    return {
        "bills": draw.amount_panels(
            labels, bills, base_rate=base_rate, alt="Default rate and clients by bill, six months."
        ),
        "paid": draw.amount_panels(
            labels,
            paid,
            base_rate=base_rate,
            alt="Default rate and clients by payment, six months.",
        ),
        "summary_rows": [summary_row(name, c["summary"]) for name, c in columns.items()],
        "bins": [
            [name, *row] for name, column in columns.items() for row in rate_rows(labels, column)
        ],
        "unpaid_rate": first_paid["rates"][labels.index("0")],
        "top_paid_rate": next((r for r in reversed(first_paid["rates"]) if r is not None), None),
        "largest_skewness": max(c["summary"]["skewness"] for c in columns.values()),
        "n_negative": (min(negative), max(negative)),
    }


def summary_row(name: str, summary: dict[str, float]) -> list[Any]:
    """Return the row of a monthly amount: location, spread, shape, zeros, negatives."""
    return [
        f"{name} {draw.MONTHS[name][:3]}",
        *(fmt.integer(summary[key]) for key in ("mean", "sd", "median", "p95", "max")),
        fmt.decimal(summary["skewness"], 1),
        fmt.percent(summary["n_zero"] / summary["n"]),
        fmt.percent(summary["n_negative"] / summary["n"]),
    ]
