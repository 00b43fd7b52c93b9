"""Drawings of the model page."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]


def ladder(rows: list[Row], *, floor: float) -> Figure:
    """Draw ROC AUC by family: hold-out with its interval, out of fold beside it.

    Families at or below ``floor`` (chance) are left to the table.
    """
    shown = [row for row in rows if row["holdout"]["roc_auc"] > floor]
    fig, ax = figures.new(720, 70 + 38 * len(shown))
    for i, row in enumerate(shown):
        held = row["holdout"]
        ends = [held["roc_auc_low"], held["roc_auc_high"]]
        ax.plot(ends, [i + 0.13] * 2, color=theme.series(0), linewidth=2.2)
        ax.plot(held["roc_auc"], i + 0.13, "o", color=theme.series(0), markersize=7)
        ax.plot(row["cv"]["roc_auc"], i - 0.17, "D", color=theme.series(1), markersize=6)
    ax.plot([], [], "o-", color=theme.series(0), label="hold-out, 95 % interval")
    ax.plot([], [], "D", linestyle="none", color=theme.series(1), label="out of fold")
    ax.set_yticks(range(len(shown)), [row["label"] for row in shown])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlabel="ROC AUC")
    ax.xaxis.set_major_formatter(ticks("decimal:2"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=2)
    return figures.svg(fig, alt=_alt_ladder(shown))


def _alt_ladder(rows: list[Row]) -> str:
    parts = [f"{row['label']} {row['holdout']['roc_auc']:.3f}" for row in rows]
    return f"ROC AUC on the hold-out by family: {'; '.join(parts)}."


def reliability(curves: dict[str, Row], labels: dict[str, str]) -> Figure:
    """Draw observed default rate against mean probability in ten bins, with intervals."""
    fig, ax = figures.new(560, 430)
    ax.axline((0, 0), slope=1, color=theme.color("muted"), linewidth=1, linestyle=":")
    for i, (family, curve) in enumerate(curves.items()):
        bins = curve["reliability"]
        x = [b["mean_probability"] for b in bins]
        color = theme.series(i)
        ax.vlines(x, [b["low"] for b in bins], [b["high"] for b in bins], color=color, lw=1.3)
        marker = ("o", "D")[i % 2]
        ax.plot(x, [b["observed"] for b in bins], marker, color=color, label=labels[family])
    ax.set(xlabel="mean predicted probability", ylabel="observed default rate")
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.yaxis.set_major_formatter(ticks("percent:0"))
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper left")
    return figures.svg(
        fig,
        alt="Reliability: observed default rate against mean predicted probability in ten bins "
        "of equal size, with Wilson intervals; points on the diagonal are calibrated.",
    )


def confusion(served: Row) -> Figure:
    """Draw the four outcomes as shares of the hold-out's two classes."""
    defaults = served["caught_defaults"] + served["missed_detections"]
    others = served["false_alarms"] + served["correctly_clear"]
    counts = [
        [served["caught_defaults"], served["missed_detections"]],
        [served["false_alarms"], served["correctly_clear"]],
    ]
    names = [["caught", "missed detection"], ["false alarm", "correctly clear"]]
    shares = [
        [n / total for n in row] for row, total in zip(counts, (defaults, others), strict=True)
    ]
    words = [
        [
            f"{name}: {fmt.integer(n)} ({fmt.percent(share, 0)})"
            for share, name, n in zip(*row, strict=True)
        ]
        for row in zip(shares, names, counts, strict=True)
    ]
    return figures.heatmap(
        shares,
        ["default", "no default"],
        ["flagged", "clear"],
        texts=words,
        limits=(0, 1),
        width=560,
        alt=f"Confusion matrix on the hold-out: {'; '.join(words[0] + words[1])}.",
    )


def coefficients(weights: list[Row]) -> Figure:
    """Draw signed coefficients, strongest first."""
    values = [w["coefficient"] for w in weights]
    fig, ax = figures.new(490, 60 + 26 * len(values))
    colors = [theme.color("negative" if v > 0 else "positive") for v in values]
    ax.barh(range(len(values)), values, height=0.66, color=colors)
    ax.axvline(0, color=theme.color("muted"), linewidth=1)
    ax.set_yticks(range(len(values)), [w["feature"] for w in weights])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(values) - 0.4, -0.6), xlabel="log-odds of default per scaled unit")
    ax.grid(visible=False, axis="y")
    ax.xaxis.get_major_locator().set_params(nbins=5)
    return figures.svg(
        fig,
        alt="Coefficients of the logistic baseline: "
        + "; ".join(f"{w['feature']} {w['coefficient']:.2f}" for w in weights[:5])
        + "; and smaller ones.",
    )
