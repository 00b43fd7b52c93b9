"""Before and after cleaning: columns side by side, and the rows each step keeps."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

STEPS = {
    "raw": "Raw table",
    "cleaned": "Cleaned: contract met",
    "holdout": "Hold-out: nothing is fitted on it",
    "training": "Training rows",
    "fit": "Training rows that models are fitted on",
}


def build(changes: Row, waterfall: list[Row]) -> Row:
    """Return figure and tables of what cleaning did to columns and rows.

    Parameters
    ----------
    changes : dict
        ``eda.json``'s ``changes``.
    waterfall : list of dict
        ``eda.json``'s ``waterfall``: ``step``, ``n``, ``default_rate``.
    """
    steps = {step["step"]: step for step in waterfall}
    columns = changes["columns"]
    return {
        **{key: changes[key] for key in ("n_raw", "n_clients", "n_dropped", "n_cells")},
        "n_changed": changes["n_changed"],
        "n_columns": len(columns),
        "n_retyped": sum(column["raw_type"] != column["type"] for column in columns),
        "changed": [column["name"] for column in columns if column["changed"]],
        "steps": steps,
        "figure": draw_waterfall({name: step["n"] for name, step in steps.items()}),
        "step_rows": [
            [STEPS[s["step"]], fmt.integer(s["n"]), fmt.percent(s["default_rate"], 2)]
            for s in waterfall
        ],
        "columns": [column_row(column) for column in columns],
        "added": [added_row(column) for column in changes["added"]],
    }


def column_row(column: Row) -> list[Any]:
    """Return one column before → after."""
    renamed = column["name"] != column["cleaned"]
    same_type = column["raw_type"] == column["type"]
    return [
        f"{column['name']} → {column['cleaned']}" if renamed else column["name"],
        column["type"] if same_type else f"{column['raw_type']} → {column['type']}",
        fmt.integer(column["missing_before"]),
        fmt.integer(column["missing_after"]),
        fmt.integer(column["changed"]),
        *(
            arrow(column[f"{name}_before"], column[f"{name}_after"], digits)
            for name, digits in (("mean", 2), ("min", 0), ("max", 0))
        ),
    ]


def arrow(before: float | None, after: float | None, digits: int) -> str:
    """Write a number before → after, once where both read alike."""
    texts = [fmt.decimal(value, digits) for value in (before, after)]
    return texts[1] if texts[0] == texts[1] else f"{texts[0]} → {texts[1]}"


def added_row(column: Row) -> list[Any]:
    """Return one column that cleaning added."""
    return [
        column["name"],
        column["type"],
        fmt.integer(column["n_distinct"]),
        fmt.integer(column["n_true"]),
    ]


def draw_waterfall(n: dict[str, int]) -> Figure:
    """Draw how many rows each step of preparation keeps and takes away."""
    bars = [
        ("raw table", 0, n["raw"], True),
        ("left out by the missing-value policy", n["cleaned"], n["raw"], False),
        ("cleaned, contract met", 0, n["cleaned"], True),
        ("held out", n["training"], n["cleaned"], False),
        ("training rows", 0, n["training"], True),
        ("left out of fits as outliers", n["fit"], n["training"], False),
        ("in fits", 0, n["fit"], True),
    ]
    fig, ax = figures.new(720, 60 + 26 * len(bars))
    for i, (_, low, high, is_level) in enumerate(bars):
        color = theme.series(0 if is_level else 1)
        ax.barh(i, high - low, left=low, height=0.66, color=color)
        text = fmt.integer(high - low)
        ax.annotate(
            f"−{text}" if low and high > low and not is_level else text,
            (high, i),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=11.5,
        )
    ax.set_yticks(range(len(bars)), [name for name, *_ in bars])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlim(0, 1.12 * max(n["raw"], 1))
    ax.set_xlabel("rows")
    ax.xaxis.set_major_formatter(ticks("integer"))
    ax.grid(visible=False, axis="y")
    alt = (
        f"{fmt.integer(n['raw'])} raw rows, {fmt.integer(n['cleaned'])} cleaned, "
        f"{fmt.integer(n['training'])} for training, {fmt.integer(n['fit'])} in fits."
    )
    return figures.svg(fig, alt=alt)
