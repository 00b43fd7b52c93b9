"""The section on imbalance: which treatments may be promoted, and what SMOTE does."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

MARKERS = ("o", "s", "D")
"""Of the corrections, in their order."""


def build(document: Row) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    document : dict
        What the study ``imbalance`` computed.

    Returns
    -------
    dict
    """
    design, rows = document["design"], document["rows"]
    gate = rows[0]["gate"]
    return {
        "design": design,
        "gate": gate,
        "n_cells": len(rows),
        "n_promotable": sum(row["gate"]["promotable"] for row in rows),
        "n_worse": sum(row["gate"]["promotable"] and _is_worse(row) for row in rows),
        "models": [model_words(name, design, rows) for name in design["models"]],
        "figure": draw(design, rows),
        "rows": [table_row(row, design) for row in rows],
    }


def model_words(model: str, design: Row, rows: list[Row]) -> Row:
    """Return what a model's sentences need.

    Returns
    -------
    dict
        ``label``; ``plain`` (the untreated raw cell); ``promotable``, pairs of a
        correction and the treatments that pass the gate with it; ``ranking`` and
        ``losses``, verdict → treatments or cells that differ so from ``plain``;
        ``smote``, its cells by correction, None where the study has none.
    """
    own = [row for row in rows if row["model"] == model]
    cells = {(row["treatment"], row["correction"]): row for row in own}
    smote = {row["correction"]: row for row in own if row["treatment"] == "smote"}
    return {
        "label": design["models"][model]["label"],
        "parameters": design["models"][model]["parameters"],
        "plain": cells["none", "raw"],
        "promotable": [
            ("uncorrected" if correction == "raw" else label, passing)
            for correction, label in design["corrections"].items()
            if (passing := _passing(own, correction, design))
        ],
        "ranking": _by_verdict(
            [row for row in own if row["correction"] == "raw"], "roc_auc", design
        ),
        "losses": _by_verdict(own, "log_loss", design),
        "smote": smote or None,
    }


def _is_worse(row: Row) -> bool:
    """Say whether a cell loses to the untreated, uncorrected model in rank or log loss."""
    return any(judged and judged["verdict"] == "worse" for judged in row["difference"].values())


def _in_words(treatment: str, design: Row) -> str:
    """Return a treatment's name as it stands inside a sentence."""
    name = design["treatments"][treatment]
    if treatment == "none":
        return "no treatment"
    return name if name.isupper() else name[0].lower() + name[1:]


def _passing(rows: list[Row], correction: str, design: Row) -> list[str]:
    """Return the treatments that pass the gate with a correction, in words."""
    own = [row for row in rows if row["correction"] == correction]
    passing = [row["treatment"] for row in own if row["gate"]["promotable"]]
    if len(passing) == len(own) > 1:
        return ["any treatment or none" if "none" in passing else "any treatment"]
    return [_in_words(treatment, design) for treatment in passing]


def _by_verdict(rows: list[Row], metric: str, design: Row) -> dict[str, list[str]]:
    """Return the cells by the verdict on their difference, named in words."""
    found: dict[str, list[str]] = {"better": [], "worse": [], "within noise": []}
    for row in rows:
        if judged := row["difference"][metric]:
            name = _in_words(row["treatment"], design)
            if row["correction"] != "raw":
                name += f", {design['corrections'][row['correction']]}"
            found[judged["verdict"]].append(name)
    return found


def table_row(row: Row, design: Row) -> list[Any]:
    """Return the figures of one cell."""
    gate = row["gate"]
    return [
        design["models"][row["model"]]["label"],
        design["treatments"][row["treatment"]],
        design["corrections"][row["correction"]],
        _judged(row, "roc_auc"),
        fmt.decimal(row["pr_auc"], 4),
        _judged(row, "log_loss"),
        fmt.decimal(row["brier"], 4),
        _with_interval(gate, "mean_gap", "percent:2"),
        _with_interval(gate, "slope", "decimal:2"),
        _with_interval(gate, "intercept", "decimal:2"),
        Markup("<strong>yes</strong>") if gate["promotable"] else "no",
    ]


def _judged(row: Row, metric: str) -> Markup:
    """Return a figure over the verdict on its difference, where there is one."""
    judged = row["difference"][metric]
    value = fmt.decimal(row[metric], 4)
    return Markup("{}<br><small>{}</small>").format(
        value, judged["verdict"] if judged else fmt.NONE
    )


def _with_interval(gate: Row, name: str, form: str) -> Markup:
    """Return a figure of the gate over its interval; a dash where there was none to fit."""
    value, low, high = (gate.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    return Markup("{}<br><small>{}</small>").format(
        fmt.apply(value, form), fmt.interval(low, high, form)
    )


def draw(design: Row, rows: list[Row]) -> Figure:
    """Draw mean gap and slope of every cell with their intervals, over the gate's bounds."""
    places = list(dict.fromkeys((row["model"], row["treatment"]) for row in rows))
    models = list(design["models"])
    level = {place: i + 0.9 * models.index(place[0]) for i, place in enumerate(places)}
    fig, axes = figures.new(720, 90 + 34 * len(places), ncols=2, sharey=True)
    gate = rows[0]["gate"]
    margin = gate["mean_margin"]
    bounds = {"mean_gap": (-margin, margin), "slope": gate["slope_bounds"]}
    for ax, (name, (low, high)) in zip(axes, bounds.items(), strict=True):
        ax.axvspan(low, high, color=theme.color("positive"), alpha=0.16, linewidth=0)
        ax.axvline((low + high) / 2, color=theme.color("muted"), linewidth=1, linestyle=":")
        for i, (correction, label) in enumerate(design["corrections"].items()):
            shown = [r for r in rows if r["correction"] == correction and name in r["gate"]]
            y = [level[r["model"], r["treatment"]] + 0.24 * (i - 1) for r in shown]
            ends = [[r["gate"][f"{name}_{end}"] for r in shown] for end in ("low", "high")]
            ax.hlines(y, *ends, color=theme.series(i), linewidth=1.6)
            x = [r["gate"][name] for r in shown]
            ax.plot(x, y, MARKERS[i], color=theme.series(i), markersize=5, label=label)
        ax.grid(visible=False, axis="y")
    _label_axes(axes, level, design)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figures.svg(fig, alt=_alt(rows, design))


def _label_axes(axes: Any, level: dict[tuple[str, str], float], design: Row) -> None:
    """Name the treatments on the left, and each model above its own."""
    left, right = axes
    left.set_yticks(list(level.values()), [design["treatments"][t] for _, t in level])
    left.tick_params(axis="y", labelcolor=theme.color("ink"))
    for model, described in design["models"].items():
        top = min(y for (name, _), y in level.items() if name == model) - 0.75
        place: Row = {"xycoords": ("axes fraction", "data"), "va": "center", "ha": "right"}
        left.annotate(described["label"], (-0.025, top), fontweight="bold", **place)
    left.set_ylim(max(level.values()) + 0.6, -1.2)
    left.xaxis.set_major_formatter(ticks("percent:0"))
    right.xaxis.set_major_formatter(ticks("decimal:2"))
    left.set_xlabel("mean probability − base rate")
    right.set_xlabel("calibration slope")


def _alt(rows: list[Row], design: Row) -> str:
    """Return the mean gaps of the raw cells in words."""
    gaps = [
        f"{design['models'][r['model']]['label']} {design['treatments'][r['treatment']]} "
        f"{100 * r['gate']['mean_gap']:+.1f}"
        for r in rows
        if r["correction"] == "raw"
    ]
    return (
        "Mean probability less base rate, and calibration slope, by treatment and correction, "
        f"over the bounds of promotion. Raw gaps in percentage points: {'; '.join(gaps)}."
    )
