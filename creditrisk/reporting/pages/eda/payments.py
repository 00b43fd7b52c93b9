"""What payments settle and what the account identity says was spent: tables and words."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import semantics_figures as draw
from creditrisk.reporting.pages.eda.semantics_figures import state_name

Row = dict[str, Any]

READINGS = {
    "taken": "PAY_AMT i settles bill i + 1 (taken)",
    "older": "PAY_AMT i settles bill i, of its own suffix",
    "newer": "PAY_AMT i settles bill i + 2",
    "unpaid": "No payments at all",
    "stranger": "The payments of the client with the next ID",
}
SCOPES = {"paid_in_full": "Status −1 that month", "all": "All with a bill"}


def alignment_section(rows: list[Row]) -> Row:
    """Return figure and table of payments that equal a bill, and the words' numbers."""
    by_scope = {scope: [row for row in rows if row["scope"] == scope] for scope in SCOPES}
    ends = {
        scope: {side: extremes(some, side) for side in ("previous", "same")}
        for scope, some in by_scope.items()
    }
    unequal = [row["unequal"] for row in by_scope["all"]]
    total = {key: sum(entry[key] for entry in unequal) for key in ("n", "previous", "same")}
    return {
        "figure": draw.alignment(by_scope, SCOPES),
        "ends": ends,
        "unequal": total,
        "taken": total["previous"] > total["same"],
        "rows": [alignment_row(row) for row in rows],
    }


def extremes(rows: list[Row], side: str) -> tuple[float | None, float | None]:
    """Return the smallest and largest share of matches over the months."""
    shares = [row[side]["share"] for row in rows if row[side]["share"] is not None]
    return (min(shares), max(shares)) if shares else (None, None)


def alignment_row(row: Row) -> list[Any]:
    """Return one month's matches under both readings."""
    shown: list[Any] = [SCOPES[row["scope"]], f"{row['paid']} {row['month'][:3]}"]
    for side in ("previous", "same"):
        match = row[side]
        interval = fmt.interval(match["low"], match["high"], "percent")
        shown += [match["bill"], fmt.integer(match["n"]), fmt.percent(match["share"]), interval]
    return [*shown, *(fmt.integer(row["unequal"][key]) for key in ("n", "previous", "same"))]


def identity_section(identity: Row) -> Row:
    """Return figures and tables of implied spend, and of clients who do not use the card."""
    readings = {row["reading"]: row for row in identity["readings"]}
    shares = {name: share(row, "negative") for name, row in readings.items()}
    rivals = {name: shares[name] for name in shares if name != "taken"}
    return {
        "histograms": draw.spend_histograms(identity["labels"], identity["histograms"]),
        "quantiles": draw.spend_by_state(identity["states"]),
        "readings": [[READINGS[name], *break_cells(row)] for name, row in readings.items()],
        "months": [[row["month"], *break_cells(row)] for row in identity["months"]],
        "states": [state_row(row) for row in identity["states"]],
        "taken": readings["taken"],
        "share": shares,
        "fewest_rival": min(rivals.values(), key=lambda x: 1.0 if x is None else x),
        "inactive": inactive_section(identity["inactive"]),
    }


def share(row: Row, key: str) -> float | None:
    """Return a count of a row as a share of its client-months."""
    return row[key] / row["n"] if row["n"] else None


def break_cells(row: Row) -> list[Any]:
    """Return client-months, and how many imply a negative spend."""
    return [
        fmt.integer(row["n"]),
        fmt.integer(row["negative"]),
        *(fmt.percent(share(row, key), 2) for key in ("negative", "clearly_negative", "zero")),
    ]


def state_row(row: Row) -> list[Any]:
    """Return the quantiles of implied spend of one status."""
    keys = ("p05", "p25", "median", "p75", "p95")
    return [
        state_name(row["state"]),
        fmt.integer(row["n"]),
        fmt.percent(share(row, "zero")),
        fmt.percent(share(row, "negative"), 2),
        *(fmt.decimal(row[key], 0) for key in keys),
    ]


def inactive_section(inactive: Row) -> Row:
    """Return the table of clients without bill or payment, beside the others of their code."""
    groups = [("any", inactive["all"], inactive["others"])]
    groups += [(fmt.integer(c["code"]), c["inactive"], c["others"]) for c in inactive["codes"]]
    return {
        "all": inactive["all"],
        "others": inactive["others"],
        "codes": inactive["codes"],
        "rows": [
            [
                code,
                who,
                fmt.integer(e["n"]),
                fmt.integer(e["defaults"]),
                fmt.percent(e["rate"]),
                fmt.interval(e["low"], e["high"], "percent"),
            ]
            for code, *pair in groups
            for who, e in zip(("no bill, no payment", "the others"), pair, strict=True)
        ],
    }
