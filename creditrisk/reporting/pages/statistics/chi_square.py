"""The section on categorical columns: chi-square and G against default, ranked by V."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt

Row = dict[str, Any]


def build(ranked: list[Row], confidence: float) -> Row:
    """Return what the template shows of the ranking.

    Parameters
    ----------
    ranked : list of dict
        Rows of :func:`creditrisk.stats.contingency.rank_columns`.
    confidence : float
    """
    strong = [row for row in ranked if "cramers_v" in row]
    return {
        "confidence": fmt.percent(confidence, 0),
        "rows": [rank_row(i, row) for i, row in enumerate(strong, 1)],
        "cells": [cell_row(row["column"], cell) for row in strong for cell in row["cells"]],
        "lead": tell_lead(strong),
        "likelihood": tell_likelihood(strong),
        "not_ranked": [row for row in ranked if "cramers_v" not in row],
        "figure": draw_ranking(strong),
    }


def rank_row(place: int, row: Row) -> list[Any]:
    """Return one column's association with default, by both tests."""
    return [
        place,
        row["column"],
        fmt.decimal(row["cramers_v"]),
        fmt.interval(row["low"], row["high"]),
        fmt.decimal(row["statistic"], 1),
        fmt.decimal(row["g_test"]["statistic"], 1),
        fmt.integer(row["df"]),
        fmt.p_value(row["p_value"]),
        fmt.p_value(row["g_test"]["p_value"]),
        fmt.decimal(row["min_expected"], 1),
        fmt.percent(row["small_expected_share"], 0),
        fmt.decimal(row["pooled_v"]),
    ]


def cell_row(column: str, cell: Row) -> list[Any]:
    """Return one level: clients, defaults counted and expected, and their distance."""
    return [
        column,
        cell["level"],
        fmt.integer(cell["n"]),
        fmt.integer(cell["observed"]),
        fmt.decimal(cell["expected"], 1),
        fmt.percent(cell["observed"] / cell["n"]),
        fmt.decimal(cell["residual"], 1),
        fmt.p_value(cell["p_value"]),
    ]


def draw_ranking(strong: list[Row]) -> figures.Figure | None:
    """Draw Cramér's V of each column with its interval."""
    if not strong:
        return None
    return figures.bars(
        [row["column"] for row in strong],
        [row["cramers_v"] for row in strong],
        low=[row["low"] for row in strong],
        high=[row["high"] for row in strong],
        xlabel="bias-corrected Cramér's V with default",
        format="decimal:2",
        alt=f"Cramér's V of {len(strong)} categorical columns with default; "
        f"{strong[0]['column']} leads with {fmt.decimal(strong[0]['cramers_v'])}.",
    )


def tell_lead(ranked: list[Row]) -> str:
    """Say which column leads, and whether its interval is clear of the next one's."""
    if len(ranked) < 2:
        return ""
    first, second = ranked[:2]
    apart = "lies above" if first["low"] > second["high"] else "overlaps"
    return (
        f" {first['column']} leads with V = {fmt.decimal(first['cramers_v'])}; its interval "
        f"{apart} that of {second['column']}, the next."
    )


def tell_likelihood(strong: list[Row]) -> str:
    """Say how far the likelihood ratio parts from Pearson's statistic, and whether it matters."""
    apart = {
        row["column"]: row["g_test"]["statistic"] / row["statistic"] - 1
        for row in strong
        if row["statistic"] > 0
    }
    if not apart:
        return ""
    column = max(apart, key=lambda name: abs(apart[name]))
    by_g = sorted(strong, key=lambda row: -row["g_test"]["statistic"])
    by_chi = sorted(strong, key=lambda row: -row["statistic"])
    same = [row["column"] for row in by_g] == [row["column"] for row in by_chi]
    return (
        f"G, the likelihood ratio, parts from χ² by {fmt.percent(abs(apart[column]))} at most "
        f"({column}) and {'gives the same' if same else 'changes the'} order of the statistics."
    )
