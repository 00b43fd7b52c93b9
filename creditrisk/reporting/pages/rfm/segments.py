"""The section on segments: rules, sizes, default rates, predictions and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.rfm import rates

Row = dict[str, Any]

COLUMNS = (
    "Segment",
    "Clients",
    "Share",
    "R",
    "F",
    "M, NT$",
    "Limit, NT$",
    "Utilization",
    "Default rate",
    "95 % interval",
)
PREDICTED = ("Mean predicted", "Exposure at default, NT$")
PREDICTION_COLUMNS = ("Segment", "Clients", "Observed", "95 % interval", *PREDICTED)


def build(
    segments: Sequence[Row],
    rules: Sequence[Row],
    actions: Mapping[str, str],
    beside: Sequence[Row] | None,
) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    segments : sequence of dict
        ``segments`` of ``data/results/rfm.json``.
    rules : sequence of dict
        ``name`` and ``conditions``, in order.
    actions : mapping of str
        What to do with each segment, by name.
    beside : sequence of dict, optional
        From the stage ``evaluate``: ``name``, ``n``, ``rate``, ``low``, ``high``,
        ``predicted``, ``exposure``.

    Returns
    -------
    dict
    """
    known = [s for s in segments if s["n"]]
    ordered = sorted(known, key=lambda s: -s["default_rate"])
    labels = [f"{s['group']} (n = {fmt.integer(s['n'])})" for s in ordered]
    return {
        "rules": [[_whole(r["name"]), _say(r["conditions"])] for r in rules],
        "columns": COLUMNS,
        "rows": [_row(s) for s in known],
        "figure": rates.draw_rates(ordered, labels, "Default rate by segment"),
        "prediction_columns": PREDICTION_COLUMNS,
        "predictions": [_prediction(row) for row in beside or () if row["n"]],
        "exposed": _most_exposed(beside),
        "outside": _outside(beside),
        "actions": [[_whole(s["group"]), actions[s["group"]]] for s in known],
    }


def _whole(name: str) -> Markup:
    """Keep a segment's name on one line."""
    return Markup('<span style="white-space:nowrap">{}</span>').format(name)


def _say(conditions: Mapping[str, Sequence[float | None]]) -> str:
    """Put a segment's rule into words."""
    if not conditions:
        return "everyone left"
    parts = []
    for quantity, (low, high) in conditions.items():
        name = quantity.replace("_", " ")
        if low is not None and low == high:
            parts.append(f"{name} = {low:g}")
        elif low is not None and high is not None:
            parts.append(f"{low:g} ≤ {name} ≤ {high:g}")
        elif low is not None:
            parts.append(f"{name} ≥ {low:g}")
        elif high is not None:
            parts.append(f"{name} ≤ {high:g}")
    return " and ".join(parts)


def _row(segment: Row) -> list[Any]:
    """Return a segment's row: size, medians, default rate with its interval."""
    medians = segment["medians"]
    return [
        _whole(segment["group"]),
        fmt.integer(segment["n"]),
        fmt.percent(segment["share"]),
        fmt.integer(medians["recency"]),
        fmt.integer(medians["frequency"]),
        fmt.integer(medians["monetary"]),
        fmt.integer(medians["limit"]),
        fmt.percent(medians["utilization"], 0),
        fmt.percent(segment["default_rate"]),
        fmt.interval(segment["low"], segment["high"], "percent"),
    ]


def _prediction(row: Row) -> list[Any]:
    """Return a segment's row of predictions beside what was observed."""
    return [
        _whole(row["name"]),
        fmt.integer(row["n"]),
        fmt.percent(row["rate"]),
        fmt.interval(row["low"], row["high"], "percent"),
        fmt.percent(row["predicted"]),
        fmt.integer(row["exposure"]),
    ]


def _most_exposed(beside: Sequence[Row] | None) -> Row | None:
    """Return the segment with the greatest exposure and its share of the total."""
    known = [row for row in beside or () if row["n"] and row["exposure"] is not None]
    total = sum(row["exposure"] for row in known)
    if not known or total <= 0:
        return None
    most = max(known, key=lambda row: row["exposure"])
    return {
        "name": most["name"],
        "exposure": fmt.money(most["exposure"]),
        "share": fmt.percent(most["exposure"] / total),
    }


def _outside(beside: Sequence[Row] | None) -> list[str]:
    """Return the segments whose mean prediction lies outside of the rate's interval."""
    return [
        row["name"]
        for row in beside or ()
        if row["n"] and not row["low"] <= row["predicted"] <= row["high"]
    ]
