"""The section on permutation tests: the observed difference against shuffled labels."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]


def build(asked: list[Row]) -> Row:
    """Return what the template shows of the questions that shuffle labels."""
    return {"shuffled": [describe(row) for row in asked if row["kind"] == "permutation"]}


def describe(row: Row) -> Row:
    """Return one permutation test with its distribution and the observed line."""
    found, column = row["details"]["permutation"], row["value"]
    figure = draw.distribution(
        found["edges"],
        found["counts"],
        marks={"observed difference": found["observed"], "its mirror image": -found["observed"]},
        xlabel=f"difference of the means of {column} after shuffling the labels",
        ylabel="shuffles",
        xformat="money" if column in text.AMOUNTS else "decimal:2",
        alt=f"Differences of mean {column} under {fmt.integer(found['n_permutations'])} shuffles "
        f"of the labels; the observed one is {text.in_unit(column, found['observed'])}.",
    )
    return {
        "row": row,
        "found": found,
        "figure": figure,
        "observed": text.in_unit(column, found["observed"]),
        "largest": text.in_unit(column, found["largest"]),
        "in_sd": fmt.decimal(abs(found["observed"]) / found["sd"], 1),
    }
