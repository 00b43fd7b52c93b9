"""The section with the heat maps of recency by frequency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]
Form = str | Callable[[Any], str]

FORMS: dict[str, str] = {
    "n": "integer",
    "default_rate": "percent",
    "mean_spend": "money",
    "mean_utilization": "percent:0",
}


def build(tables: Row) -> Row:
    """Return the four maps, their lowest and highest cells, and a table with intervals.

    Parameters
    ----------
    tables : dict
        ``heatmaps`` of ``data/results/rfm.json``.

    Returns
    -------
    dict
    """
    return {
        "n": _draw(tables, "n", "integer", "Clients"),
        "default_rate": _draw(tables, "default_rate", "percent", "Default rate"),
        "mean_spend": _draw(tables, "mean_spend", _thousands, "Mean spend in NT$"),
        "mean_utilization": _draw(tables, "mean_utilization", "percent:0", "Mean utilization"),
        "ends": {key: _ends(tables, key, form) for key, form in FORMS.items()},
        "rows": _rows(tables),
    }


def _thousands(value: float) -> str:
    return f"{fmt.decimal(value / 1000, 1)} k"


def _cells(tables: Row) -> Iterator[tuple[int, int]]:
    """Yield row and column of every cell with clients."""
    for i, row in enumerate(tables["n"]):
        for j, n in enumerate(row):
            if n:
                yield i, j


def _recency(tables: Row, i: int) -> str:
    """Name a row of the maps."""
    return "none" if i == len(tables["recency"]) - 1 else str(tables["recency"][i])


def _ends(tables: Row, key: str, form: str) -> str:
    """Say where a map's lowest and highest cell lie."""
    values = [(tables[key][i][j], i, j) for i, j in _cells(tables) if tables[key][i][j] is not None]
    if not values:
        return ""
    ends = []
    for word, (value, i, j) in (("Lowest", min(values)), ("highest", max(values))):
        where = f"recency {_recency(tables, i)}, {tables['frequency'][j]} of 5"
        ends.append(f"{word}: {fmt.apply(value, form)} ({where})")
    return "; ".join(ends) + "."


def _draw(tables: Row, key: str, form: Form, what: str) -> Figure:
    """Draw one map; a cell without clients stays empty."""
    known = set(_cells(tables))
    size = range(len(tables["frequency"]))
    values = [
        [tables[key][i][j] if (i, j) in known else None for j in size]
        for i in range(len(tables["recency"]))
    ]
    shown = [v for row in values for v in row if v is not None]
    ends = f", from {fmt.apply(min(shown), form)} to {fmt.apply(max(shown), form)}" if shown else ""
    return figures.heatmap(
        values,
        [_recency(tables, i) for i in range(len(tables["recency"]))],
        [str(f) for f in tables["frequency"]],
        format=form,
        xlabel="frequency: months of five with spend",
        ylabel="recency: months since spend",
        alt=f"{what} by recency and frequency of spend{ends}.",
        width=430,
    )


def _rows(tables: Row) -> list[list[Any]]:
    """Return a row for each cell with clients."""
    return [
        [
            _recency(tables, i),
            fmt.integer(tables["frequency"][j]),
            fmt.integer(tables["n"][i][j]),
            fmt.percent(tables["default_rate"][i][j]),
            fmt.interval(tables["low"][i][j], tables["high"][i][j], "percent"),
            fmt.integer(tables["mean_spend"][i][j]),
            fmt.percent(tables["mean_utilization"][i][j], 0),
        ]
        for i, j in _cells(tables)
    ]
