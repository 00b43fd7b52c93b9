"""Hidden twins: how sure they are, and what they say about the target."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

TIERS = {
    "strict": "strict",
    "other_limit": "loose, another limit",
    "few_distinct": "loose, few distinct amounts",
}
MOST = 3
"""The last status of the table, which stands for all above it."""
CODES = {-2: "no consumption", -1: "paid in full", 0: "revolving"}


def build(twins: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    twins : dict
        What :func:`creditrisk.data.audit.describe_twins` returned.

    Returns
    -------
    dict
    """
    tiers = {tier["name"]: tier for tier in twins["tiers"]}
    attributes = {
        name: {row["earlier"]: row for row in tier["columns"]} for name, tier in tiers.items()
    }
    shown = [tier for tier in twins["tiers"] if tier["n_pairs"]]
    return {
        **{
            key: twins[key]
            for key in ("n_pairs", "n_strict_pairs", "n_strict_rows", "min_distinct")
        },
        "n_by_tier": {name: tier["n_pairs"] for name, tier in tiers.items()},
        "strict": attributes["strict"],
        "few": attributes["few_distinct"],
        "few_above_chance": above_chance(tiers["few_distinct"]["columns"]),
        "meaning": twins["target_meaning"],
        "figure": agreement_figure(shown) if twins["n_strict_pairs"] else None,
        "rows": [agreement_row(tier, row) for tier in shown for row in tier["columns"]],
        "next_rows": [next_row(row) for row in twins["target_meaning"]["by_next_status"]],
    }


def above_chance(columns: list[Row]) -> bool:
    """Tell whether every column agrees more often than chance would have it."""
    return all(row["low"] is not None and row["low"] > row["by_chance"] for row in columns)


def label(row: Row) -> str:
    """Return the compared columns: one name, or the later row's and the earlier row's."""
    return row["later"] if row["earlier"] == row["later"] else f"{row['later']} = {row['earlier']}"


def agreement_row(tier: Row, row: Row) -> list[Any]:
    """Return one line of the table of agreements."""
    return [
        TIERS[tier["name"]],
        fmt.integer(tier["n_pairs"]),
        label(row),
        fmt.percent(row["rate"]),
        fmt.interval(row["low"], row["high"], "percent"),
        fmt.percent(row["by_chance"]),
    ]


def next_row(row: Row) -> list[Any]:
    """Return how often the earlier rows default by the later rows' status."""
    many = " or more" if row["code"] == MOST else ""
    months = f"{row['code']}{many} month{'s' if row['code'] > 1 else ''} past due"
    return [
        f"{fmt.integer(row['code'])}{many}",
        CODES.get(row["code"], months),
        fmt.integer(row["n"]),
        fmt.integer(row["defaults"]),
        fmt.percent(row["rate"]),
        fmt.interval(row["low"], row["high"], "percent"),
    ]


def agreement_figure(tiers: list[Row]) -> Figure:
    """Draw agreement with its interval by tier, and the agreement by chance as a bar.

    Pairs with two limits stand in the table alone: there are next to none.
    """
    drawn = [tier for tier in tiers if tier["name"] != "other_limit"]
    chance = {label(row): row["by_chance"] for tier in drawn[::-1] for row in tier["columns"]}
    names = list(chance)
    fig, ax = figures.new(720, 90 + 34 * len(names))
    ax.barh(
        range(len(names)), [chance[name] for name in names], height=0.6,
        color=theme.color("muted"), alpha=0.35, label="by chance, same sex",
    )  # fmt: skip
    for i, tier in enumerate(drawn):
        at = [names.index(label(row)) + 0.16 * (2 * i - 1) for row in tier["columns"]]
        ends = [[row[end] for row in tier["columns"]] for end in ("low", "high")]
        color = theme.series(i)
        ax.hlines(at, *ends, color=color, linewidth=1.5)
        text = f"{TIERS[tier['name']]} ({fmt.integer(tier['n_pairs'])} pairs)"
        ax.plot([row["rate"] for row in tier["columns"]], at, "o", color=color, ms=5.5, label=text)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(xlim=(0, 1.02), ylim=(len(names) - 0.4, -0.6), xlabel="share of pairs whose rows agree")
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=3)
    read = "; ".join(
        f"{label(row)} {fmt.percent(row['rate'])} against {fmt.percent(row['by_chance'])} by chance"
        for row in drawn[0]["columns"]
    )
    return figures.svg(
        fig,
        alt=f"Agreement of twins in columns their rule does not use, {TIERS[drawn[0]['name']]}: {read}.",
    )
