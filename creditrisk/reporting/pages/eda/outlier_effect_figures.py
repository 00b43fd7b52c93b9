"""The drawings of the section on outlier rules, and its signed numbers."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

COLORS = {"better": "positive", "worse": "negative", "within noise": "muted"}
MARKERS = ("o", "s")


def signed(x: float, digits: int) -> str:
    """Write a difference with its sign."""
    text = str(fmt.decimal(x, digits))
    return f"+{text}" if x > 0 and text.strip("0.") else text


def points(x: float) -> str:
    """Write a difference of probabilities in percentage points."""
    return signed(100 * x, 1)


def differences(design: Row, arms: list[Row], metrics: dict[str, str]) -> Figure:
    """Draw each arm's paired differences with adjusted intervals, coloured by verdict."""
    names = {row["arm"]: row["name"] for row in arms}
    height = {arm: i for i, arm in enumerate(names)}
    fig, axes = figures.new(740, 110 + 38 * len(names), ncols=2, sharey=True)
    for ax, (metric, label) in zip(axes, metrics.items(), strict=True):
        ax.axvline(0, color=theme.color("ink"), linewidth=1)
        for i, model in enumerate(design["models"]):
            for row in (r for r in arms if r["model"] == model):
                cell, y = row["difference"][metric], height[row["arm"]] + 0.26 * (i - 0.5)
                color = theme.color(COLORS[cell["verdict"]])
                ax.hlines(y, cell["low"], cell["high"], color=color, linewidth=1.8)
                ax.plot(cell["difference"], y, MARKERS[i], color=color, markersize=5.5)
        better = "right" if metric == "roc_auc" else "left"
        ax.set_xlabel(f"change of {label}; {better} is better")
        ax.xaxis.set_major_formatter(ticks("decimal:3"))
        ax.xaxis.get_major_locator().set_params(nbins=4)
    _finish(fig, axes, design, names)
    told = "; ".join(
        f"{design['models'][r['model']]['label']}, {names[r['arm']]} "
        f"{signed(r['difference']['log_loss']['difference'], 4)}"
        for r in arms
    )
    return figures.svg(fig, alt=f"Change of ROC AUC and log loss by arm. Log loss: {told}.")


def gaps(design: Row, arms: list[Row]) -> Figure:
    """Draw mean probability less default rate of the flagged test rows, treated and not."""
    names = {row["arm"]: row["name"] for row in arms}
    height = {arm: i for i, arm in enumerate(names)}
    shape: Row = {"ncols": len(design["models"]), "sharex": True, "sharey": True}
    fig, (axes,) = figures.new(740, 110 + 38 * len(names), squeeze=False, **shape)
    for ax, (model, described) in zip(axes, design["models"].items(), strict=True):
        ax.axvline(0, color=theme.color("ink"), linewidth=1)
        own = [r for r in arms if r["model"] == model and "rate" in r["flagged"]]
        for i, side in enumerate(("untreated", "treated")):
            y = [height[r["arm"]] + 0.26 * (i - 0.5) for r in own]
            cells, color = [r["flagged"][side] for r in own], theme.series(i)
            ax.hlines(y, [c["low"] for c in cells], [c["high"] for c in cells], color=color, lw=1.8)
            label = "fitted on all rows" if side == "untreated" else "fitted after the rule"
            x = [c["gap"] for c in cells]
            ax.plot(x, y, MARKERS[i], color=color, markersize=5.5, label=label)
        ax.set_title(described["label"], fontsize=12)
        ax.set_xlabel("mean − rate, points")
        ax.xaxis.set_major_formatter(ticks(lambda v: f"{100 * v:g}".replace("-", fmt.MINUS)))
        ax.xaxis.get_major_locator().set_params(nbins=6)
    _name_arms(axes, names)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    told = "; ".join(
        f"{design['models'][r['model']]['label']}, {names[r['arm']]} "
        f"{points(r['flagged']['untreated']['gap'])} to {points(r['flagged']['treated']['gap'])}"
        for r in arms
        if "rate" in r["flagged"]
    )
    alt = "Mean probability less default rate of the clients that each rule flags, in points, "
    return figures.svg(fig, alt=f"{alt}without and with the rule: {told}.")


def _finish(fig: Any, axes: Any, design: Row, names: dict[str, str]) -> None:
    """Name the arms, and say which mark is which model."""
    _name_arms(axes, names)
    for i, described in enumerate(design["models"].values()):
        axes[0].plot([], [], MARKERS[i], color=theme.color("ink"), label=described["label"])
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)


def _name_arms(axes: Any, names: dict[str, str]) -> None:
    """Write the arms on the left, the first on top."""
    axes[0].set_yticks(range(len(names)), list(names.values()))
    axes[0].tick_params(axis="y", labelcolor=theme.color("ink"))
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for ax in axes:
        ax.grid(visible=False, axis="y")
