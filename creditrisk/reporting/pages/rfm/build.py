"""The RFM page: results of ``rfm`` as text, tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.rfm.verdict import write_verdict

SECTIONS = [
    ("as_specified", "RFM as specified"),
    ("spend", "RFM on spend"),
    ("segments", "Segments"),
    ("heatmaps", "Recency by frequency"),
    ("limits", "Limits"),
]

SPECIFIED = {
    # measure: (name, largest value where there is one, format)
    "recency": ("recency: last bill", 6, "integer"),
    "frequency": ("frequency: timely status", None, "decimal:2"),
    "monetary": ("monetary: total paid", None, "money"),
}
SPEND = {
    "recency": ("recency", 5, "integer"),
    "frequency": ("frequency", 5, "integer"),
    "monetary": ("monetary", None, "money"),
}
MEASURES = ("recency", "frequency", "monetary")


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the page reads.

    Parameters
    ----------
    results : dict
        ``data/results/rfm.json``.

    Returns
    -------
    dict
    """
    bands = results["bands"]
    return {
        "sections": SECTIONS,
        "results": results,
        "verdict": write_verdict(results),
        "tau": fmt.money(bands["spend_threshold"]),
        "specified": _score_rows(results["as_specified"], bands["as_specified"], SPECIFIED),
        "specified_recency": _rate_bars(
            results["as_specified"]["recency_values"],
            _month_labels(results["as_specified"]["recency_values"], "no bill"),
            "Default rate by months since the last bill above 0",
        ),
        "spend": _score_rows(results["spend"], bands["spend"], SPEND),
        "spend_recency": _rate_bars(
            results["spend"]["recency_values"],
            _month_labels(results["spend"]["recency_values"], "no spend"),
            "Default rate by months since the last spend above τ",
        ),
        "spend_change": _change(results["spend"]["recency_values"]),
        "repayment": _rate_bars(
            results["repayment"],
            _month_labels(results["repayment"], "no payment"),
            "Default rate by months since the last payment",
        ),
        "repayment_change": _change(results["repayment"]),
        "repayment_rises": _never_falls(results["repayment"]),
        "threshold_shares": _shares(results["spend"]["thresholds"]),
        "thresholds": [_threshold_row(row, bands) for row in results["spend"]["thresholds"]],
        "rules": [[s["name"], _conditions(s["conditions"])] for s in bands["segments"]],
        "segment_rows": [_segment_row(s) for s in results["segments"] if s["n"]],
        "segment_rates": _segment_rates(results["segments"]),
        "maps": _maps(results["heatmaps"]),
        "ends": _ends(results["heatmaps"]),
    }


def _never_falls(groups: Sequence[dict[str, Any]]) -> bool:
    """Tell whether the default rate never falls from one group to the next."""
    rates = [g["default_rate"] for g in groups if g["n"]]
    return all(a <= b for a, b in pairwise(rates))


def _change(groups: Sequence[dict[str, Any]]) -> str:
    """Put the course of the default rate over a recency into a sentence."""
    known = [g for g in groups if g["n"]]
    first, last = known[0]["default_rate"], known[-1]["default_rate"]
    verb = "rises" if last > first else "falls"
    steps = "at every step" if _never_falls(groups) else "though not at every step"
    return f"It {verb} from {fmt.percent(first)} to {fmt.percent(last)}, {steps}."


def _score_rows(
    described: dict[str, Any],
    edges: dict[str, list[float]],
    columns: dict[str, tuple[str, int | None, str]],
) -> list[list[Any]]:
    """Return a row for each measure and score: band, n, share, default rate."""
    rows = []
    for measure in MEASURES:
        name, largest, form = columns[measure]
        for entry in described[measure]["scores"]:
            rows.append(
                [
                    name,
                    fmt.integer(entry["group"]),
                    _band(edges[measure], _position(entry["group"], measure), largest, form),
                    fmt.integer(entry["n"]),
                    fmt.percent(entry["share"]),
                    fmt.percent(entry["default_rate"]),
                    fmt.interval(entry["low"], entry["high"], "percent"),
                ]
            )
    return rows


def _position(score: int, measure: str) -> int:
    """Return the band of a score, counted from the lowest values."""
    return 5 - score if measure == "recency" else score - 1


def _band(edges: list[float], i: int, largest: int | None, form: str) -> str:
    """Say which values lie in the i-th of the bands between ascending edges."""
    if form != "integer":
        low = fmt.apply(edges[i - 1], form) if i else ""
        if i == len(edges):
            return f"{low} and more"
        high = fmt.apply(edges[i], form)
        return f"{low} to below {high}" if i else f"below {high}"
    first = int(edges[i - 1]) if i else 0
    last = int(edges[i]) - 1 if i < len(edges) else largest
    if last is None:
        return f"{first} and more"
    return str(first) if first == last else f"{first} to {last}"


def _month_labels(groups: Sequence[dict[str, Any]], never: str) -> list[str]:
    """Name the groups of a recency, with their sizes."""
    last = groups[-1]["group"]
    labels = []
    for entry in groups:
        months = entry["group"]
        text = never if months == last else f"{months} month{'' if months == 1 else 's'}"
        labels.append(f"{text} (n = {fmt.integer(entry['n'])})")
    return labels


def _rate_bars(
    groups: Sequence[dict[str, Any]], labels: Sequence[str], title: str
) -> figures.Figure:
    """Draw default rates with intervals, an empty group as no bar."""
    known = [g for g in groups if g["n"]]
    ends = (
        f"from {fmt.percent(known[0]['default_rate'])} ({labels[groups.index(known[0])]}) "
        f"to {fmt.percent(known[-1]['default_rate'])} ({labels[groups.index(known[-1])]})"
    )
    return figures.bars(
        labels,
        [g["default_rate"] for g in groups],
        low=[g["low"] for g in groups],
        high=[g["high"] for g in groups],
        xlabel="default rate with 95 % interval",
        format="percent",
        alt=f"{title}: {ends}.",
    )


def _threshold_row(row: dict[str, Any], bands: dict[str, Any]) -> list[Any]:
    """Return a row of the table of spend thresholds."""
    chosen = row["threshold"] == bands["spend_threshold"]
    amount = fmt.money(row["threshold"])
    return [
        Markup("<strong>{} (used)</strong>").format(amount) if chosen else amount,
        fmt.integer(row["n_recent"]),
        fmt.integer(row["n_none"]),
        fmt.percent(row["default_rate_none"]),
        fmt.percent(row["changed_share"]),
    ]


def _shares(rows: Sequence[dict[str, Any]]) -> str:
    """Say which shares of the clients change segment with another τ."""
    return " or ".join(
        f"{fmt.percent(row['changed_share'])} (τ = {fmt.money(row['threshold'])})"
        for row in rows
        if row["changed_share"] > 0
    )


def _conditions(conditions: dict[str, list[float | None]]) -> str:
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


def _segment_row(segment: dict[str, Any]) -> list[Any]:
    """Return a segment's row: size, medians, default rate with its interval."""
    medians = segment["medians"]
    return [
        Markup('<span style="white-space:nowrap">{}</span>').format(segment["group"]),
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


def _segment_rates(segments: Sequence[dict[str, Any]]) -> figures.Figure:
    """Draw the segments' default rates, the highest on top."""
    ordered = sorted((s for s in segments if s["n"]), key=lambda s: -s["default_rate"])
    labels = [f"{s['group']} (n = {fmt.integer(s['n'])})" for s in ordered]
    return _rate_bars(ordered, labels, "Default rate by segment")


def _ends(tables: dict[str, Any]) -> dict[str, str]:
    """Say for each heat map where its lowest and its highest cell lie."""
    forms: dict[str, str] = {
        "n": "integer",
        "default_rate": "percent",
        "mean_spend": "money",
        "mean_utilization": "percent:0",
    }
    last = len(tables["recency"]) - 1

    def say(key: str, form: str) -> str:
        cells = [
            (value, i, tables["frequency"][j])
            for i, row in enumerate(tables[key])
            for j, value in enumerate(row)
            if value
        ]
        if not cells:
            return ""
        ends = []
        for word, (value, i, months) in (("Lowest", min(cells)), ("highest", max(cells))):
            where = "no spend" if i == last else f"recency {tables['recency'][i]}, {months} of 5"
            ends.append(f"{word}: {fmt.apply(value, form)} ({where})")
        return "; ".join(ends) + "."

    return {key: say(key, form) for key, form in forms.items()}


def _maps(tables: dict[str, Any]) -> dict[str, figures.Figure]:
    """Draw the four heat maps of recency by frequency."""
    rows = [*map(str, tables["recency"][:-1]), "none"]
    columns = [str(f) for f in tables["frequency"]]

    def draw(key: str, form: str | Callable[[Any], str], what: str) -> figures.Figure:
        values = [[v if v else None for v in row] for row in tables[key]]
        known = [v for row in values for v in row if v is not None]
        ends = (
            f" from {fmt.apply(min(known), form)} to {fmt.apply(max(known), form)}" if known else ""
        )
        return figures.heatmap(
            values,
            rows,
            columns,
            format=form,
            xlabel="frequency: months of five with spend",
            ylabel="recency: months since spend",
            alt=f"{what} by recency and frequency of spend,{ends}.",
            width=430,
        )

    return {
        "n": draw("n", "integer", "Clients"),
        "default_rate": draw("default_rate", "percent", "Default rate"),
        "mean_spend": draw(
            "mean_spend", lambda v: f"{fmt.decimal(v / 1000, 1)} k", "Mean spend in NT$"
        ),
        "mean_utilization": draw("mean_utilization", "percent:0", "Mean utilization"),
    }
