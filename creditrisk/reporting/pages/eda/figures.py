"""The drawings of ``eda.html`` that no other page has, and their captions' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import floats, ticks

MONTHS = dict(
    zip(
        (*schema.STATUS_COLUMNS, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS),
        3 * [*schema.MONTH_NAMES],
        strict=True,
    )
)


def balance(sample: dict[str, Any]) -> figures.Figure:
    """Draw the two classes of the target as one divided bar with counts."""
    fig, ax = figures.new(720, 130)
    left = 0
    parts = (
        ("no default", sample["non_defaults"], theme.series(0)),
        ("default", sample["defaults"], theme.series(1)),
    )
    for name, n, color in parts:
        ax.barh(0, n, left=left, height=0.55, color=color)
        share = fmt.percent(n / sample["n"])
        ax.annotate(
            f"{name}: {fmt.integer(n)} ({share})",
            (left, 0.36),
            xytext=(2, 0),
            textcoords="offset points",
            va="bottom",
            fontsize=12,
            color=theme.color("ink"),
        )
        left += n
    ax.set(xlim=(0, left), ylim=(-0.32, 0.8), xlabel="clients")
    ax.set_yticks([])
    ax.xaxis.set_major_formatter(ticks("integer"))
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
    alt = (
        f"{fmt.integer(sample['defaults'])} of {fmt.integer(sample['n'])} clients, "
        f"{fmt.percent(sample['rate'])}, missed the next payment."
    )
    return figures.svg(fig, alt=alt)


def amount_panels(
    labels: Sequence[str], columns: dict[str, dict[str, Any]], *, base_rate: float, alt: str
) -> figures.Figure:
    """Draw six months of an amount: default rate above, counts below, one panel a month.

    Parameters
    ----------
    labels : sequence of str, length k
        Names of the bins; empty bins at either end are not drawn.
    columns : dict of six distributions
        Newest month first; the lists are those of
        :func:`creditrisk.data.describe.amount_distribution`.
    base_rate : float
        Dotted line.
    alt : str
    """
    fig, axes = figures.new(
        760, 640, nrows=4, ncols=3, sharex=True, gridspec_kw={"height_ratios": [1.5, 1, 1.5, 1]}
    )
    used = [i for i in range(len(labels)) if any(c["counts"][i] for c in columns.values())]
    drawn = slice(used[0], used[-1] + 1)
    columns = {
        name: {key: column[key][drawn] for key in ("counts", "rates", "lows", "highs")}
        for name, column in columns.items()
    }
    labels = labels[drawn]
    top_rate = max(v for c in columns.values() for v in (*c["rates"], 0.0) if v is not None)
    top_count = max(n for c in columns.values() for n in c["counts"])
    places = range(len(labels))
    for i, (name, column) in enumerate(columns.items()):
        rate_ax, count_ax = axes[2 * (i // 3), i % 3], axes[2 * (i // 3) + 1, i % 3]
        color = theme.series(1)
        rate_ax.vlines(
            places, floats(column["lows"]), floats(column["highs"]), color=color, linewidth=1.3
        )
        rate_ax.plot(
            places, floats(column["rates"]), color=color, marker="o", markersize=3.5, lw=1.4
        )
        rate_ax.axhline(base_rate, color=theme.color("muted"), linewidth=1, linestyle=":")
        rate_ax.set_title(f"{name} · {MONTHS[name]}", fontsize=11.5)
        rate_ax.set_ylim(0, 1.12 * top_rate)
        rate_ax.yaxis.set_major_formatter(ticks("percent:0"))
        count_ax.bar(places, column["counts"], width=0.86, color=theme.series(0))
        count_ax.set_ylim(0, 1.08 * top_count)
        count_ax.yaxis.set_major_formatter(ticks(lambda v: f"{v / 1000:g}k" if v else "0"))
        count_ax.yaxis.get_major_locator().set_params(nbins=3)
        for ax in (rate_ax, count_ax):
            ax.grid(visible=False, axis="x")
            ax.tick_params(labelleft=i % 3 == 0)
    for ax in axes[3]:
        ax.set_xticks(places, labels, rotation=90, fontsize=10.5)
    for row in (0, 2):
        axes[row, 0].set_ylabel("default rate")
        axes[row + 1, 0].set_ylabel("clients")
    fig.align_ylabels()
    return figures.svg(fig, alt=alt)


def dropped_and_kept(entries: Sequence[tuple[str, dict[str, Any]]], *, alt: str) -> figures.Figure:
    """Draw the default rates of the clients that rules remove beside those they keep.

    Parameters
    ----------
    entries : sequence of (label, entry)
        Entries of :func:`creditrisk.data.outliers.removal_table` with the intervals
        that exploration adds.
    alt : str
    """
    fig, ax = figures.new(720, 60 + 58 * len(entries))
    for i, (_, entry) in enumerate(entries):
        for when, name, color, offset in (
            ("removed", "dropped", theme.series(1), -0.17),
            ("after", "kept", theme.series(0), 0.17),
        ):
            rate = entry[f"default_rate_{when}"]
            if rate is None:
                continue
            ax.hlines(i + offset, entry[f"low_{when}"], entry[f"high_{when}"], color=color, lw=2)
            ax.plot(rate, i + offset, "o", color=color, ms=7, label=name if i == 0 else None)
            ax.annotate(
                f"{fmt.percent(rate)} of {fmt.integer(entry[f'n_{when}'])}",
                (entry[f"high_{when}"], i + offset),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=11,
            )
    ax.set_yticks(range(len(entries)), [label for label, _ in entries])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(entries) - 0.5, -0.5)
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.margins(x=0.16)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("default rate")
    fig.legend(loc="outside upper right", ncols=2)
    return figures.svg(fig, alt=alt)
