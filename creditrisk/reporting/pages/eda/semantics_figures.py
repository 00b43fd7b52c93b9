"""The drawings of the sections on status codes and payments."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import floats, ticks

Row = dict[str, Any]

LAST_STATE = 3
LINEAR = 1000.0
"""NT$ up to which the axis of spends is linear around zero; beyond, logarithmic."""


def state_name(state: int) -> str:
    """Name a state; 3 stands for 3 months and more."""
    return f"{fmt.integer(state)}{'+' if state == LAST_STATE else ''}"


def month_of(column: str) -> str:
    """Return the month of a status column."""
    return schema.MONTH_NAMES[schema.STATUS_COLUMNS.index(column)]


def roll_rates(month: Row, states: list[int]) -> figures.Figure:
    """Draw a roll-rate matrix: state of the earlier month by state of the later one."""
    names = [state_name(state) for state in states]
    sizes = [sum(counts) for counts in month["state_counts"]]
    earlier, later = month_of(month["earlier"]), month_of(month["later"])
    kept = month["state_shares"][states.index(2)]
    words = f"of clients at code 2 in {earlier}, {fmt.percent(kept[states.index(0)])} are at 0"
    return figures.heatmap(
        month["state_shares"],
        [f"{name}  (n {fmt.integer(n)})" for name, n in zip(names, sizes, strict=True)],
        names,
        format="percent",
        limits=(0.0, 1.0),
        width=480,
        xlabel=later,
        ylabel=earlier,
        alt=f"Roll rates {earlier} to {later}: {words} in {later}, "
        f"{fmt.percent(kept[states.index(1)])} at 1.",
    )


def departures(rows: list[Row], names: list[str]) -> figures.Figure:
    """Draw how far each pair of months is from the others, by state; the last one stressed."""
    shown = [row for row in rows if any(v is not None for v in row["cramers_v"])]
    fig, ax = figures.new(640, 80 + 30 * max(len(shown), 2))
    for t, name in enumerate(names):
        last = t == len(names) - 1
        ax.plot(
            floats([row["cramers_v"][t] for row in shown]),
            range(len(shown)),
            "D" if last else "o",
            color=theme.series(1 if last else 0),
            markersize=8 if last else 5.5,
            alpha=1.0 if last else 0.7,
            label=name if last else "a pair of months before" if t == 0 else None,
        )
    ax.set_yticks(range(len(shown)), [state_name(row["state"]) for row in shown])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(xlabel="Cramér's V against the other months", ylabel="status before")
    ax.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=2)
    words = "; ".join(
        f"{state_name(row['state'])}: {fmt.decimal(row['cramers_v'][-1], 2)}" for row in shown
    )
    return figures.svg(fig, alt=f"Cramér's V of {names[-1]} against the other months, {words}.")


def alignment(by_scope: dict[str, list[Row]], titles: dict[str, str]) -> figures.Figure:
    """Draw the shares of payments that equal a bill, under both readings, with intervals."""
    sides = {"previous": "equals the bill before", "same": "equals the bill of its suffix"}
    fig, axes = figures.new(720, 250, ncols=len(by_scope), sharey=True)
    for ax, (scope, rows) in zip(axes, by_scope.items(), strict=True):
        for k, (side, label) in enumerate(sides.items()):
            shares, lows, highs = (
                floats([row[side][key] for row in rows]) for key in ("share", "low", "high")
            )
            color = theme.series(k)
            ax.hlines(range(len(rows)), lows, highs, color=color, linewidth=1.6)
            first = scope == next(iter(by_scope))
            ax.plot(shares, range(len(rows)), "os"[k], color=color, label=label if first else None)
        ax.set_title(titles[scope], fontsize=12)
        ax.set_yticks(range(len(rows)), [row["month"] for row in rows])
        ax.tick_params(axis="y", labelcolor=theme.color("ink"))
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlim(left=0)
        ax.xaxis.set_major_formatter(ticks("percent:0"))
        ax.xaxis.get_major_locator().set_params(nbins=6, steps=[1, 2, 5, 10])
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("share of payments")
    fig.legend(loc="outside lower center", ncols=2)
    first_row = by_scope[next(iter(by_scope))][0]
    return figures.svg(
        fig,
        alt=f"Payments of {first_row['month']} that equal the bill before: "
        f"{fmt.percent(first_row['previous']['share'])}; the bill of their own suffix: "
        f"{fmt.percent(first_row['same']['share'])} (status −1).",
    )


def spend_histograms(labels: list[str], counts: dict[str, list[int]]) -> figures.Figure:
    """Draw implied spend under the reading taken and under the rival of the same suffix."""
    titles = {"taken": "payment settles the bill before", "older": "payment settles its own bill"}
    fig, axes = figures.new(720, 430, nrows=2, sharex=True, sharey=True)
    below = labels.index("0")
    colors = [theme.series(1 if i < below else 0) for i in range(len(labels))]
    shares = {name: [n / max(sum(counts[name]), 1) for n in counts[name]] for name in titles}
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        ax.bar(range(len(labels)), shares[name], width=0.9, color=colors)
        negative = fmt.percent(sum(shares[name][:below]), 1)
        n = fmt.integer(sum(counts[name]))
        ax.set_title(f"{title}: {negative} below 0 (n {n})", fontsize=12)
        ax.yaxis.set_major_formatter(ticks("percent:0"))
        ax.set_ylabel("client-months")
        ax.grid(visible=False, axis="x")
    axes[-1].set_xticks(range(len(labels)), labels, rotation=90, fontsize=10.5)
    axes[-1].set_xlabel("implied spend, NT$")
    fig.align_ylabels()
    taken, rival = (fmt.percent(sum(shares[name][:below])) for name in titles)
    return figures.svg(
        fig, alt=f"Implied spend is negative in {taken} of client-months as read, {rival} else."
    )


def spend_by_state(rows: list[Row]) -> figures.Figure:
    """Draw quantiles of implied spend by status, on an axis that is linear around zero."""
    shown = [row for row in rows if row["n"]]
    fig, ax = figures.new(720, 90 + 30 * max(len(shown), 2))
    color = theme.series(0)
    for i, row in enumerate(shown):
        ax.hlines(i, row["p05"], row["p95"], color=color, linewidth=1.6)
        ax.barh(i, row["p75"] - row["p25"], left=row["p25"], height=0.42, color=color, alpha=0.55)
        ax.plot(row["median"], i, "D", color=theme.color("ink"), markersize=5.5)
    ax.set_xscale("symlog", linthresh=LINEAR)
    reach = [10_000.0, 100_000.0, 1_000_000.0]
    ax.set_xticks([*(-x for x in reversed(reach)), -LINEAR, 0.0, LINEAR, *reach])
    ax.xaxis.set_major_formatter(ticks("integer"))
    ax.set_xlim(
        min([-LINEAR, *(1.5 * row["p05"] for row in shown)]),
        max([2 * LINEAR, *(1.5 * row["p95"] for row in shown)]),
    )
    ax.set_yticks(
        range(len(shown)),
        [f"{state_name(row['state'])}  (n {fmt.integer(row['n'])})" for row in shown],
    )
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set(xlabel="implied spend of the month, NT$", ylabel="status")
    ax.grid(visible=False, axis="y")
    words = "; ".join(f"{state_name(row['state'])}: {fmt.integer(row['median'])}" for row in shown)
    return figures.svg(fig, alt=f"Median implied spend by status, NT$: {words}.")
