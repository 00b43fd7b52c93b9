"""The findings register: what the table says of itself that cannot be taken as read."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

VERDICTS = {"default more often": 1, "default less often": 2, "no clear difference": 0}
"""What the interval says, with the number of its colour."""

DOWNLOAD = (
    *("code", "title", "rule", "kind", "n", "share", "rate", "rate_rest", "difference"),
    *("low", "high", "verdict", "n_train", "rate_train", "treatment", "applied_at", "owner"),
    "feeds",
)
"""The columns of the CSV."""


def build(rows: list[Row], *, level: float) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    rows : list of dict
        What :func:`creditrisk.data.findings.description.describe_findings` returned.
    level : float
        Joint confidence level of the differences.

    Returns
    -------
    dict
    """
    compared = sorted(
        (row for row in rows if row["difference"] is not None),
        key=lambda row: (-row["difference"], row["code"]),
    )
    clear = [row for row in compared if row["verdict"] != "no clear difference"]
    return {
        "n": len(rows),
        "kinds": Counter(row["kind"] for row in rows),
        "none_found": [link(row) for row in rows if row["verdict"] == "none found"],
        "not_compared": [link(row) for row in rows if row["verdict"] == "not compared"],
        "n_compared": len(compared),
        "by_verdict": Counter(row["verdict"] for row in compared),
        "most": next((_named(row) for row in clear if row["difference"] > 0), None),
        "least": next((_named(row) for row in reversed(clear) if row["difference"] < 0), None),
        "level": level,
        "figure": dots(compared) if compared else None,
        "register": [register_row(row) for row in rows],
        "details": [detail_row(row) for row in rows],
        "csv": [list(DOWNLOAD), *([plain(row[key]) for key in DOWNLOAD] for row in rows)],
    }


def plain(value: Any) -> Any:
    """Return a value of the download: lists joined, numbers kept exact."""
    if isinstance(value, list):
        return " ".join(value)
    return fmt.Number(str(value), value) if isinstance(value, int | float) else value


def link(row: Row) -> Markup:
    """Return a finding's code as a link to its row."""
    return Markup('<a href="#{}">{}</a>').format(row["code"].lower(), row["code"])


def _named(row: Row) -> Row:
    """Return a finding with its link and its title ready for a sentence."""
    return row | {"link": link(row), "name": f"“{row['title']}”"}


def points(row: Row) -> tuple[str, str]:
    """Return the difference and its interval, in percentage points."""
    if row["difference"] is None:
        return fmt.NONE, ""
    value, low, high = (100 * row[key] for key in ("difference", "low", "high"))
    sign = "+" if value > 0 else ""
    return f"{sign}{fmt.decimal(value, 1)}", fmt.interval(low, high, "decimal:1")


def register_row(row: Row) -> list[Any]:
    """Return one line of the register, its code an anchor."""
    return [
        Markup('<span id="{}">{}</span>').format(row["code"].lower(), row["code"]),
        _two_lines(row["title"], row["treatment"]),
        _two_lines(fmt.integer(row["n"]), fmt.percent(row["share"])),
        _two_lines(fmt.percent(row["rate"]), fmt.percent(row["rate_rest"])),
        _two_lines(*points(row)),
    ]


def detail_row(row: Row) -> list[Any]:
    """Return the rule and the whereabouts of one finding."""
    breakable = Markup("/<wbr>").join(row["applied_at"].split("/"))
    training = _two_lines(fmt.integer(row["n_train"]), fmt.percent(row["rate_train"]))
    return [
        link(row),
        _two_lines(row["rule"], f"{row['kind']}; {row['owner']}"),
        _two_lines(", ".join(shorten(row["feeds"])) or fmt.NONE, breakable),
        training if row["feeds"] else fmt.NONE,
    ]


def _two_lines(first: str, second: str) -> Markup:
    """Return a cell whose second line is smaller."""
    return Markup("{}<br><small>{}</small>").format(first, second)


def shorten(names: list[str]) -> list[str]:
    """Join runs of numbered features: ``pay_ratio_1, pay_ratio_2`` → ``pay_ratio_1..2``."""
    runs: list[list[str]] = []
    for name in names:
        stem, number = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
        if number and runs and runs[-1][0] == stem and int(number) == int(runs[-1][2]) + 1:
            runs[-1][2] = number
        else:
            runs.append([stem, number, number])
    return [stem + first + (f"..{last}" if last != first else "") for stem, first, last in runs]


def dots(rows: list[Row]) -> Figure:
    """Draw the differences with their intervals, the largest on top."""
    fig, ax = figures.new(760, 80 + 23 * len(rows))
    for verdict, number in VERDICTS.items():
        chosen = [(i, row) for i, row in enumerate(rows) if row["verdict"] == verdict]
        if chosen:
            at = [i for i, _ in chosen]
            color = theme.series(number) if number else theme.color("muted")
            ends = [[row[end] for _, row in chosen] for end in ("low", "high")]
            ax.hlines(at, *ends, color=color, linewidth=1.5)
            ax.plot(
                [row["difference"] for _, row in chosen],
                at,
                "o",
                color=color,
                ms=5.5,
                label=verdict,
            )
    ax.axvline(0, color=theme.color("ink"), linewidth=1)
    labels = [f"{row['code']} {row['title']} ({fmt.integer(row['n'])})" for row in rows]
    ax.set_yticks(range(len(rows)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"), labelsize=11)
    ax.set(
        ylim=(len(rows) - 0.4, -0.6),
        xlabel="default rate of the rows less that of the rest, points",
    )
    ax.xaxis.set_major_formatter(ticks(lambda value: fmt.decimal(100 * value, 0)))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=3)
    extremes = "; ".join(f"{row['title']} {' '.join(points(row))}" for row in (rows[0], rows[-1]))
    return figures.svg(
        fig,
        alt=f"Difference in default rate of {len(rows)} findings to the rest of the table, in "
        f"percentage points with intervals, sorted; from {extremes}.",
    )
