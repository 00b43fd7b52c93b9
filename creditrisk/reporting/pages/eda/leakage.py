"""The section on leaks: row number, single columns, stand-ins of sensitive attributes, twins."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

SUSPECT = 0.95
"""Single-column AUC from which a leak would be looked for; a convention of this page."""
FEATURES = {
    "served": "features that models may use",
    "with_others": "and the other three attributes",
}
LEARNERS = {"trees": "boosted trees", "logistic": "logistic regression"}


def build(leakage: Row) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    leakage : dict
        From :func:`creditrisk.validation.proxies.check_leakage`.

    Returns
    -------
    dict
    """
    return {
        "level": fmt.percent(leakage["level"], 0),
        "n_train": leakage["n_train"],
        "order": order(leakage["identifier"], leakage["level"]),
        "columns": columns(leakage["columns"]),
        "proxies": proxies(leakage["proxies"]),
        "twins": twins(leakage["twins"]),
    }


def with_interval(row: Row) -> str:
    """Write an AUC with its interval."""
    return f"{fmt.decimal(row['auc'], 3)} ({fmt.interval(row['low'], row['high'], 'decimal:3')})"


def order(identifier: Row, level: float) -> Row:
    """Return what the row number tells: as a score, by tenths of the table, and when learnt."""
    blocks = identifier["blocks"]
    lowest, highest = (pick(blocks, key=lambda b: b["rate"]) for pick in (min, max))
    excludes = identifier["high"] < 0.5 or identifier["low"] > 0.5
    uneven = identifier["p_value"] < 1 - level
    learned = identifier["learned"]
    return {
        "auc": with_interval(identifier),
        "excludes": excludes,
        "learned": with_interval(learned),
        "is_learned": learned["low"] > 0.5,
        "has_signal": excludes or uneven or learned["low"] > 0.5,
        "uneven": uneven,
        "p_value": fmt.p_value(identifier["p_value"]),
        "lowest": lowest,
        "highest": highest,
        "figure": draw_blocks(blocks),
        "rows": [
            [
                f"{fmt.integer(b['first'])}{fmt.DASH}{fmt.integer(b['last'])}",
                fmt.integer(b["n"]),
                fmt.percent(b["rate"]),
                fmt.interval(b["low"], b["high"], "percent"),
            ]
            for b in blocks
        ],
    }


def draw_blocks(blocks: list[Row]) -> Figure:
    """Draw the default rate of each tenth of the table with its interval."""
    fig, ax = figures.new(720, 270)
    x, color = range(len(blocks)), theme.series(1)
    total = sum(b["n"] for b in blocks)
    mean = sum(b["n"] * b["rate"] for b in blocks) / total
    ax.axhline(mean, color=theme.color("ink"), linewidth=1.2, linestyle=":")
    ax.vlines(x, [b["low"] for b in blocks], [b["high"] for b in blocks], color=color, lw=1.6)
    ax.plot(x, [b["rate"] for b in blocks], "o", color=color, markersize=6)
    ax.set_xticks(x, [str(fmt.integer(b["first"])) for b in blocks])
    ax.yaxis.set_major_formatter(ticks("percent:0"))
    ax.set(xlabel="first ID of each tenth of the table", ylabel="default rate")
    ax.grid(visible=False, axis="x")
    told = ", ".join(str(fmt.percent(b["rate"])) for b in blocks)
    return figures.svg(fig, alt=f"Default rate of each tenth of the table in row order: {told}.")


def columns(table: Row) -> Row:
    """Return the strongest single columns, and whether one is strong enough to be a leak."""
    top = table["top"]
    return {
        "n": table["n_columns"],
        "first": top[0],
        "suspect": [row["column"] for row in top if row["auc"] >= SUSPECT],
        "limit": SUSPECT,
        "rows": [
            [
                row["column"],
                f"{row['worse']} values",
                fmt.decimal(row["auc"], 3),
                fmt.interval(row["low"], row["high"], "decimal:3"),
            ]
            for row in top
        ],
    }


def proxies(table: Row) -> Row:
    """Return how well each attribute is predicted, drawn and as a table."""
    rows = [row for row in table["rows"] if row["applicable"]]
    served = [row for row in rows if row["features"] == "served"]
    ranked = sorted(served, key=lambda row: -row["auc"])
    return {
        "n_folds": table["n_folds"],
        "n_features": table["n_features"],
        "best": ranked[0] if ranked else None,
        "beaten": sorted({r["attribute"] for r in served if r["low"] > 0.5}),
        "refused": [row for row in table["rows"] if not row["applicable"]],
        "figure": draw_proxies(rows) if rows else None,
        "rows": [
            [
                row["attribute"],
                row["question"],
                FEATURES[row["features"]],
                LEARNERS[row["learner"]],
                fmt.integer(row["n"]),
                fmt.percent(row["share"]),
                fmt.decimal(row["auc"], 3),
                fmt.interval(row["low"], row["high"], "decimal:3"),
            ]
            for row in rows
        ],
    }


def draw_proxies(rows: list[Row]) -> Figure:
    """Draw the better learner's AUC for each attribute and set of features."""
    shown = best_learners(rows)
    names = list(dict.fromkeys(row["attribute"] for row in shown))
    fig, ax = figures.new(720, 96 + 44 * len(names))
    ax.axvline(0.5, color=theme.color("ink"), linewidth=1.2, linestyle=":")
    for i, (kind, label) in enumerate(FEATURES.items()):
        own = [row for row in shown if row["features"] == kind]
        y = [names.index(row["attribute"]) + 0.26 * (i - 0.5) for row in own]
        color = theme.series(i)
        ax.hlines(y, [r["low"] for r in own], [r["high"] for r in own], color=color, lw=2)
        ax.plot([r["auc"] for r in own], y, "os"[i], color=color, markersize=6.5, label=label)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(names) - 0.5, -0.5), xlabel="out-of-fold ROC AUC; dotted: a coin")
    ax.xaxis.set_major_formatter(ticks("decimal:2"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=2)
    told = "; ".join(
        f"{r['attribute']} from {FEATURES[r['features']]} {fmt.decimal(r['auc'], 2)}" for r in shown
    )
    return figures.svg(fig, alt=f"Out-of-fold ROC AUC of sensitive attributes: {told}.")


def best_learners(rows: list[Row]) -> list[Row]:
    """Return for each attribute and set of features the row of the better learner."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row["attribute"], row["features"]
        if key not in best or row["auc"] > best[key]["auc"]:
            best[key] = row
    return list(best.values())


def twins(table: Row) -> Row:
    """Return how many clients a split by row divides, and ours."""
    names = {
        "twins": "Twins: one client a month apart",
        "groups": "All groups: twins, looser matches, duplicates",
    }
    return {
        **table,
        "share": table["n_test"] / table["n"],
        "rows": [
            [
                name,
                fmt.integer(table[key]["n"]),
                fmt.decimal(table[key]["mean"], 1),
                f"{fmt.integer(table[key]['min'])} to {fmt.integer(table[key]['max'])}",
                fmt.decimal(table[key]["expected"], 1),
                fmt.integer(table[key]["ours"]),
            ]
            for key, name in names.items()
        ],
    }
