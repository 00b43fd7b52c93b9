"""Slice ``errors``: whether each declared question's own test holds its level, and its tail."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import errors_text as words

Row = dict[str, Any]


def build_declared(measured: Row, probed: Row) -> Row:
    """Return table and words of the false alarms of the declared questions.

    Parameters
    ----------
    measured, probed : dict
        Keys ``declared`` and ``false_alarms`` of the study; the second only for contrasts,
        such as another test on the same column.
    """
    alpha = measured["alpha"]
    rows = [row | {"test": row["kind"], "n": measured["n"]} for row in measured["rows"]]
    apart = [row for row in rows if row["verdict"] != "exact"]
    verdicts = [row["verdict"] for row in rows]
    return {
        "n": measured["n"],
        "n_shuffles": measured["n_shuffles"],
        "level": fmt.percent(alpha, 0),
        "ceiling": fmt.percent(measured["ceiling"], 0),
        "n_rows": len(rows),
        "n_held": sum(row["id"] not in measured["gate"] for row in rows),
        "failed": words.list_rates([row for row in rows if row["id"] in measured["gate"]]),
        "n_liberal": verdicts.count("liberal"),
        "n_conservative": verdicts.count("conservative"),
        "by_chance": fmt.decimal(0.05 * len(rows), 1),
        "rows": [
            [
                words.subject(row),
                fmt.percent(row["share"], 2),
                fmt.interval(row["low"], row["high"], "percent:2"),
                row["verdict"],
            ]
            for row in sorted(rows, key=lambda row: -row["share"])
        ],
        "reasons": [
            f"{words.subject(row)} ({row['verdict']}). "
            + words.explain(row, [*rows, *probed["rows"]], alpha)
            for row in apart
        ],
        "not_applicable": [f"{row['id']}: {row['reason']}" for row in measured["not_applicable"]],
    }


def build_tail(family: Row) -> Row:
    """Return the words on p-values at the first step of Holm's correction."""
    level = family["tail_level"]
    above = [row for row in family["questions"] if row["tail"]["low"] > level]
    below = [row for row in family["questions"] if row["tail"]["high"] < level]
    return {
        "level": fmt.percent(level, 2),
        "total": fmt.percent(sum(row["tail"]["share"] for row in family["questions"])),
        "by_chance": fmt.decimal(0.025 * len(family["questions"]), 1),
        "n_above": len(above),
        "n_below": len(below),
        "above": "; ".join(
            [
                f"{words.subject(row)} ({fmt.percent(row['tail']['share'], 2)}; "
                f"{words.shape(row['facts'])}, smallest group "
                f"{fmt.integer(row['facts']['smallest_group'])})"
                for row in sorted(above, key=lambda row: -row["tail"]["share"])
            ]
        ),
    }
