"""What several sections of the RFM page share: default rates as bars, scores as rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

MEASURES = ("recency", "frequency", "monetary")
SCORE_COLUMNS = (
    "Measure",
    "Score",
    "Values",
    "Clients",
    "Share",
    "Default rate",
    "95 % interval",
)
TIES_COLUMNS = ("Measure", "Different values", "Most frequent value", "Clients that share it")


def draw_rates(groups: Sequence[Row], labels: Sequence[str], title: str) -> Figure:
    """Draw default rates with intervals, an empty group as no bar."""
    known = [(g, label) for g, label in zip(groups, labels, strict=True) if g["n"]]
    (first, name), (last, other) = known[0], known[-1]
    return figures.bars(
        labels,
        [g["default_rate"] for g in groups],
        low=[g["low"] for g in groups],
        high=[g["high"] for g in groups],
        xlabel="default rate with 95 % interval",
        format="percent",
        alt=f"{title}: from {fmt.percent(first['default_rate'])} ({name}) to "
        f"{fmt.percent(last['default_rate'])} ({other}).",
    )


def draw_sizes(groups: Sequence[Row], labels: Sequence[str], title: str) -> Figure:
    """Draw how many clients each group has."""
    most = max(range(len(groups)), key=lambda i: groups[i]["n"])
    share = fmt.percent(groups[most]["share"])
    return figures.bars(
        labels,
        [g["n"] for g in groups],
        xlabel="clients",
        format="integer",
        alt=f"{title}: the longest bar, {labels[most]}, holds {share} of the clients.",
    )


def name_months(groups: Sequence[Row], never: str = "", sizes: bool = True) -> list[str]:
    """Name groups by their months, the last one ``never`` where that is given."""
    last = groups[-1]["group"]
    labels = []
    for entry in groups:
        months = entry["group"]
        text = f"{months} month{'' if months == 1 else 's'}"
        if never and months == last:
            text = never
        labels.append(f"{text} (n = {fmt.integer(entry['n'])})" if sizes else text)
    return labels


def name_amounts(groups: Sequence[Row]) -> list[str]:
    """Name the bars of a monetary value: exactly 0, then from … to below …, the last open."""
    starts = [g["group"] for g in groups[1:]]
    names = ["exactly 0"]
    for low, high in pairwise(starts):
        names.append(f"{_thousands(low)} to below {_thousands(high)}" if low else "below 1 k")
    return [*names, f"{_thousands(starts[-1])} and more"]


def _thousands(amount: float) -> str:
    return f"{fmt.integer(amount / 1000)} k"


def never_falls(groups: Sequence[Row]) -> bool:
    """Tell whether the default rate never falls from one group to the next."""
    rates = [g["default_rate"] for g in groups if g["n"]]
    return all(a <= b for a, b in pairwise(rates))


def tell_change(groups: Sequence[Row]) -> str:
    """Put the course of the default rate over the groups into a sentence."""
    known = [g["default_rate"] for g in groups if g["n"]]
    first, last = known[0], known[-1]
    if last == first:
        return f"It is {fmt.percent(first)} at both ends."
    rising = last > first
    steady = all((a <= b) if rising else (a >= b) for a, b in pairwise(known))
    steps = "at every step" if steady else "though not at every step"
    verb = "rises" if rising else "falls"
    return f"It {verb} from {fmt.percent(first)} to {fmt.percent(last)}, {steps}."


def score_rows(
    described: Row, edges: dict[str, list[float]], columns: dict[str, tuple[str, int | None, str]]
) -> list[list[Any]]:
    """Return a row for each measure and score: band, n, share, default rate.

    ``columns`` gives each measure's name, its largest value where there is one, and its format.
    """
    rows = []
    for measure in MEASURES:
        name, largest, form = columns[measure]
        for entry in described[measure]["scores"]:
            band = 5 - entry["group"] if measure == "recency" else entry["group"] - 1
            rows.append(
                [
                    name,
                    fmt.integer(entry["group"]),
                    _band(edges[measure], band, largest, form),
                    fmt.integer(entry["n"]),
                    fmt.percent(entry["share"]),
                    fmt.percent(entry["default_rate"]),
                    fmt.interval(entry["low"], entry["high"], "percent"),
                ]
            )
    return rows


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


def ties_rows(described: Row, columns: dict[str, tuple[str, int | None, str]]) -> list[list[Any]]:
    """Return how many values each measure takes and how many clients share the commonest."""
    return [
        [
            columns[measure][0],
            fmt.integer(described[measure]["n_values"]),
            fmt.apply(described[measure]["mode"], columns[measure][2]),
            fmt.percent(described[measure]["mode_share"]),
        ]
        for measure in MEASURES
    ]
