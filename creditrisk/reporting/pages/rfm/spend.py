"""The sections on spend: recency, frequency and monetary value, repayment and delinquency."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.rfm import rates
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

COLUMNS = {
    "recency": ("recency", 5, "integer"),
    "frequency": ("frequency", 5, "integer"),
    "monetary": ("monetary", None, "money"),
}
MONTHS = ("May", "Jun", "Jul", "Aug", "Sep")
OUTCOMES = {0: "paid", 1: "defaulted"}


def build(results: Row) -> Row:
    """Return what the sections show.

    Parameters
    ----------
    results : dict
        ``data/results/rfm.json``.

    Returns
    -------
    dict
    """
    described, bands = results["spend"], results["bands"]
    recency, frequency = described["recency_values"], described["frequency_values"]
    amounts = described["monetary_values"]
    return {
        "tau": threshold(bands),
        "n_codes": described["n_codes"],
        "quintiles": [fmt.money(q) for q in described["monetary"]["train_quintiles"]],
        "score_columns": rates.SCORE_COLUMNS,
        "rows": rates.score_rows(described, bands["spend"], COLUMNS),
        "ties_columns": rates.TIES_COLUMNS,
        "ties": rates.ties_rows(described, COLUMNS),
        "recency": rates.draw_rates(
            recency,
            rates.name_months(recency, "no spend"),
            "Default rate by months since the last spend above τ",
        ),
        "recency_change": rates.tell_change(recency),
        "frequency": rates.draw_rates(
            frequency,
            [f"{g['group']} of 5 (n = {fmt.integer(g['n'])})" for g in frequency],
            "Default rate by months with spend above τ",
        ),
        "frequency_change": rates.tell_change(frequency),
        "monetary": rates.draw_rates(
            amounts,
            [f"{name} (n = {fmt.integer(g['n'])})" for name, g in _named(amounts)],
            "Default rate by spend in five months, thousands of NT$",
        ),
        "monetary_change": rates.tell_change(amounts),
        "curves": {
            kind: draw_curve(results["spend_by_month"], kind) for kind in ("mean", "median")
        },
        "curve_words": tell_curve(results["spend_by_month"]),
        "skewed": all(row["mean"][-1] > 2 * row["median"][-1] for row in results["spend_by_month"]),
        "curve_rows": curve_rows(results["spend_by_month"]),
        **repayment(results["repayment"], results["delinquency"]),
    }


def threshold(bands: Row) -> str:
    """Return the spend threshold τ as an amount."""
    return fmt.money(bands["spend_threshold"])


def _named(amounts: list[Row]) -> list[tuple[str, Row]]:
    return list(zip(rates.name_amounts(amounts), amounts, strict=True))


def repayment(paid: list[Row], late: list[Row]) -> Row:
    """Return the two views that are shown and never scored."""
    return {
        "repayment": rates.draw_rates(
            paid,
            rates.name_months(paid, "no payment"),
            "Default rate by months since the last payment",
        ),
        "repayment_change": rates.tell_change(paid),
        "repayment_rises": rates.never_falls(paid),
        "late": rates.draw_rates(
            late, rates.name_months(late), "Default rate by months with a status of 2 or more"
        ),
        "late_change": rates.tell_change(late),
        "never_late": late[0]["share"],
    }


def draw_curve(months: list[Row], statistic: str) -> Figure:
    """Draw mean or median spend, May to September, by outcome."""
    names = [f"{OUTCOMES[row['default']]} (n = {fmt.integer(row['n'])})" for row in months]
    with_band = statistic == "mean"
    return figures.lines(
        range(len(MONTHS)),
        {name: row[statistic] for name, row in zip(names, months, strict=True)},
        bands={
            name: (row["low"], row["high"])
            for name, row in zip(names, months, strict=True)
            if with_band and row["low"] is not None
        },
        xlabel="month of 2005",
        ylabel=f"{statistic} spend, NT$",
        markers=True,
        xformat=lambda v: MONTHS[round(v)] if v in range(len(MONTHS)) else "",
        yformat="integer",
        width=430,
        height=330,
        alt=f"{statistic.title()} spend by month from May to September. {tell_curve(months)}",
    )


def tell_curve(months: list[Row]) -> str:
    """Say what those who paid and those who defaulted spent in the newest month."""
    said = [
        f"clients who {OUTCOMES[row['default']]} spent {fmt.money(row['mean'][-1])} on average "
        f"(median {fmt.money(row['median'][-1])})"
        for row in months
    ]
    return f"In September {' and '.join(said)}."


def curve_rows(months: list[Row]) -> list[list[Any]]:
    """Return a row for each outcome and month."""
    rows = []
    for row in months:
        for i, month in enumerate(MONTHS):
            low, high = (row["low"][i], row["high"][i]) if row["low"] else (None, None)
            rows.append(
                [
                    OUTCOMES[row["default"]],
                    month,
                    fmt.integer(row["n"]),
                    fmt.integer(row["mean"][i]),
                    fmt.interval(low, high, "integer"),
                    fmt.integer(row["median"][i]),
                ]
            )
    return rows
