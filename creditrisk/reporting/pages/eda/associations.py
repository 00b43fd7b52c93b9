"""The section on associations: rank correlations, Cramér's V, variance inflation."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

MARKS = (5, 10)
"""Customary limits of variance inflation; neither follows from theory."""
SENSITIVE = ("SEX", "EDUCATION", "MARRIAGE")


def build(associations: Row, dependence: Row) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    associations : dict
        ``columns`` and ``spearman`` of ``eda.json``.
    dependence : dict
        From :func:`creditrisk.stats.dependence.describe_dependence`.

    Returns
    -------
    dict
    """
    return {
        **ranks(associations),
        "v": codes(dependence["cramers_v"]),
        "vif": inflation(dependence["vif"]),
        "n": dependence["n"],
        "n_train": dependence["n_train"],
        "level": fmt.percent(dependence["level"], 0),
    }


def ranks(table: Row) -> Row:
    """Return the heat map of rank correlations and the numbers of its caption."""
    columns, values = table["columns"], table["spearman"]
    place = {c: i for i, c in enumerate(columns)}

    def pair(a: str, b: str) -> float | None:
        return values[place[a]][place[b]]

    bills, paid = schema.BILL_COLUMNS, schema.PAID_COLUMNS
    return {
        "figure": lower_triangle(
            values,
            columns,
            diverging=True,
            limits=(-1.0, 1.0),
            alt="Spearman rank correlations of limit, bills and payments.",
        ),
        "neighbours": (pair(bills[0], bills[1]), pair(bills[0], bills[5])),
        "limit_bill": pair(schema.LIMIT, bills[0]),
        "limit_paid": pair(schema.LIMIT, paid[0]),
        "settles": pair(paid[0], bills[1]),
        "same_suffix": pair(paid[0], bills[0]),
    }


def lower_triangle(values: list[list[float | None]], names: list[str], **settings: Any) -> Figure:
    """Draw each pair of a symmetric table once, without the diagonal."""
    below = [[v if j < i else None for j, v in enumerate(row[:-1])] for i, row in enumerate(values)]
    return figures.heatmap(
        below[1:], names[1:], names[:-1], format="decimal:2", width=760, **settings
    )


def codes(table: Row) -> Row:
    """Return the heat map of Cramér's V, all pairs as a table, and the strongest ones."""
    names = table["columns"]
    pairs = [
        {
            "first": names[j],
            "second": names[i],
            "v": table["values"][i][j],
            "low": table["lows"][i][j],
            "high": table["highs"][i][j],
        }
        for i in range(len(names))
        for j in range(i)
        if table["values"][i][j] is not None
    ]
    pairs.sort(key=lambda pair: -pair["v"])
    with_target = [pair for pair in pairs if pair["second"] == schema.TARGET]
    strongest = pairs[0] if pairs else None
    alt = "Cramér's V between code columns and default" + (
        f"; strongest {strongest['first']} with {strongest['second']}, "
        f"{fmt.decimal(strongest['v'], 2)}."
        if strongest
        else "."
    )
    return {
        "figure": lower_triangle(table["values"], names, limits=(0.0, 1.0), alt=alt),
        "strongest": next((pair for pair in pairs if pair["second"] != schema.TARGET), None),
        "target": with_target[0] if with_target else None,
        "sensitive": next((p for p in with_target if p["first"] in SENSITIVE), None),
        "undefined": [name for i, name in enumerate(names) if table["values"][i][i] is None],
        "rows": [
            [
                pair["first"],
                pair["second"],
                fmt.decimal(pair["v"], 3),
                fmt.interval(pair["low"], pair["high"], "decimal:3"),
            ]
            for pair in pairs
        ],
    }


def inflation(rows: list[Row]) -> Row:
    """Return bars and table of variance inflation, and the columns above the marks."""
    known = [row for row in rows if row["vif"] is not None]
    high = [row["column"] for row in known if row["vif"] >= MARKS[1]]
    return {
        "figure": bars(known) if known else None,
        "largest": max(known, key=lambda row: row["vif"], default=None),
        "high": high,
        "high_are_bills": bool(high) and set(high) <= set(schema.BILL_COLUMNS),
        "n": len(rows),
        "missing": [row for row in rows if row["vif"] is None],
        "marks": MARKS,
        "rows": [
            [
                row["column"],
                fmt.decimal(row["vif"], 1),
                fmt.percent(row["r2"]),
                "" if row["vif"] is None else fmt.decimal(row["vif"] ** 0.5, 1),
                row.get("reason", ""),
            ]
            for row in rows
        ],
    }


def bars(rows: list[Row]) -> Figure:
    """Draw variance inflation by column over the customary marks."""
    fig, ax = figures.new(720, 66 + 22 * len(rows))
    for i, row in enumerate(rows):
        strong = row["vif"] >= MARKS[1]
        ax.barh(i, row["vif"], height=0.66, color=theme.series(0), alpha=1.0 if strong else 0.5)
        ax.annotate(
            str(fmt.decimal(row["vif"], 1)),
            (row["vif"], i),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=11.5,
        )
    for mark in MARKS:
        ax.axvline(mark, color=theme.color("muted"), linewidth=1, linestyle="--", zorder=0)
    ax.set_yticks(range(len(rows)), [row["column"] for row in rows])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.08 * max(*MARKS, *(r["vif"] for r in rows))))
    ax.set_xlabel("variance inflation; dashed: the customary marks 5 and 10")
    ax.grid(visible=False, axis="y")
    told = ", ".join(f"{row['column']} {fmt.decimal(row['vif'], 1)}" for row in rows)
    return figures.svg(fig, alt=f"Variance inflation factors: {told}.")
