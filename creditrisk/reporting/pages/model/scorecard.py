"""Slice of the model page: the cards' points, their directions, clients worked by hand."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.figures import Figure
from creditrisk.reporting.heatmap import heatmap

Row = dict[str, Any]

DIRECTIONS = {
    "ascending": "must rise",
    "descending": "must fall",
    "either": "must not turn",
    "free": "none: codes in no order",
}
"""Direction imposed on the default rate from the lowest bin to the highest, in words."""


def build(document: Row) -> Row:
    """Return what the partial shows.

    Parameters
    ----------
    document : dict
        What training stored of the family: ``scorecard``, ``cv`` and ``n_fit_rows``.

    Returns
    -------
    dict
    """
    scorecard = document["scorecard"]
    cards = scorecard["cards"]
    tables = [(card["segment"], column) for card in cards for column in card["columns"]]
    imposed = {c["feature"]: c["direction"] in ("ascending", "descending") for _, c in tables}
    return {
        "scale": scorecard["scale"],
        "roc_auc": document["cv"]["roc_auc"],
        "n_fit_rows": document["n_fit_rows"],
        "n_cards": len(cards),
        "n_bins": sum(len(c["bins"]) for _, c in tables),
        "n_columns": len(imposed),
        "n_imposed": sum(imposed.values()),
        "turned": [
            f"{c['feature']} on the card of {segment}"
            for segment, c in tables
            if c["direction"] != "free" and "and" in c["found"]
        ],
        "card_rows": [card_row(card) for card in cards],
        "figure": stakes(cards),
        "direction_rows": [direction_row(segment, c) for segment, c in tables],
        "point_tables": [
            {
                "segment": card["segment"],
                "start_points": card["start_points"],
                "rows": [point_row(c, b) for c in card["columns"] for b in c["bins"] if b["n"]],
            }
            for card in cards
        ],
        "dropped_rows": [
            [card["segment"], row["feature"], row["reason"]]
            for card in cards
            for row in card["dropped"]
        ],
        "examples": [example(row) for row in scorecard["examples"]],
    }


def card_row(card: Row) -> list[Any]:
    """Return one segment: its clients, where they start and what moves them most."""
    return [
        card["segment"],
        fmt.integer(card["n"]),
        fmt.percent(card["default_rate"]),
        fmt.integer(card["start_points"]),
        fmt.integer(len(card["columns"])),
        max(card["columns"], key=points_range)["feature"] if card["columns"] else fmt.NONE,
    ]


def stakes(cards: list[Row]) -> Figure:
    """Draw points at stake, column by card; the column with most at stake is on top."""
    points: dict[str, dict[int, float]] = {}
    for i, card in enumerate(cards):
        for column in card["columns"]:
            points.setdefault(column["feature"], {})[i] = points_range(column)
    names = sorted(points, key=lambda name: -max(points[name].values()))
    return heatmap(
        [[points[name].get(i) for i in range(len(cards))] for name in names],
        names,
        [card["segment"] for card in cards],
        format="integer",
        width=720,
        alt="Points at stake by column and card. Most on each card: "
        + "; ".join(f"{c['segment']}: {card_row(c)[-1]}" for c in cards)
        + ".",
    )


def points_range(column: Row) -> float:
    """Return the points between the worst and the best bin that held a client."""
    points = [b["points"] for b in column["bins"] if b["n"]]
    return max(points) - min(points)


def direction_row(segment: str, column: Row) -> list[Any]:
    """Return what is imposed on one column, what was found and how much it weighs."""
    return [
        segment,
        column["feature"],
        DIRECTIONS[column["direction"]],
        column["found"],
        fmt.decimal(column["information_value"], 3),
        fmt.decimal(column["weight"], 2),
    ]


def point_row(column: Row, row: Row) -> list[Any]:
    """Return one bin with its points."""
    return [
        column["feature"],
        row["bin"],
        fmt.integer(row["n"]),
        fmt.percent(row["default_rate"]),
        fmt.decimal(row["woe"], 2),
        fmt.integer(row["points"]),
    ]


def example(row: Row) -> Row:
    """Return one client's sum as a table, and what it comes to."""
    steps = [
        [step["feature"], value(step["value"]), step["bin"], fmt.integer(step["points"])]
        for step in row["steps"]
    ]
    return {
        "name": row["name"],
        "segment": row["segment"],
        "points": row["points"],
        "odds": row["odds"],
        "probability": row["probability"],
        "rows": [
            ["start", fmt.NONE, row["segment"], fmt.integer(row["start_points"])],
            *steps,
            ["sum", fmt.NONE, "", fmt.integer(row["points"])],
        ],
    }


def value(x: float) -> fmt.Number:
    """Format a client's value: whole numbers without decimals, ratios with three."""
    return fmt.integer(x) if x == round(x) else fmt.decimal(x, 3)
