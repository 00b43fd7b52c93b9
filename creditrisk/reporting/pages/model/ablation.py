"""Section "Which features pay": families and ideas, each changed alone on the same folds."""

from __future__ import annotations

from statistics import median
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

KINDS = {"trees": "boosted trees", "logistic": "logistic regression"}
METRICS = ("roc_auc", "log_loss")
WORDS = {
    ("removed", "worse"): "pays",
    ("removed", "within noise"): "not missed",
    ("removed", "keep"): "harms",
    ("added", "keep"): "pays",
    ("added", "within noise"): "within noise",
    ("added", "worse"): "harms",
}
"""What a family's change and the outcome of the change say of the family."""
COLORS = {"better": "positive", "worse": "negative", "within noise": "muted"}
DECIDED = ("better", "worse")
DRAWN = 15
"""Ideas with the greatest gain that are drawn; what is better or worse always is."""
DIGITS = 5
CONTROL = "another_seed"
AUDIT = "audit"


def build(document: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    document : dict
        What study ``ablation`` computed.

    Returns
    -------
    dict
    """
    return {"design": document["design"], "kinds": [kind_shown(document, k) for k in KINDS]}


def kind_shown(document: Row, kind: str) -> Row:
    """Return the tables, figures and findings of one kind of model."""
    families, ideas = document["families"][kind], by_log_loss(document["ideas"][kind])
    base, label = document["base"][kind], KINDS[kind]
    tested = [row for row in ideas if row["id"] != CONTROL]
    words = {row["id"]: WORDS[row["change"], row["outcome"]] for row in families}
    own = [row for row in families if row["id"] != AUDIT]
    drawn = [
        row for i, row in enumerate(ideas) if i < DRAWN or row["log_loss"]["verdict"] in DECIDED
    ]
    half_widths = [(row["log_loss"]["high"] - row["log_loss"]["low"]) / 2 for row in ideas]
    return {
        "kind": kind,
        "label": label,
        "base": {m: fmt.decimal(base[m], 4) for m in METRICS},
        "n_features": base["n_features"],
        "base_families": [name.replace("_", " ") for name in base["families"]],
        "paying": [row["label"] for row in own if words[row["id"]] == "pays"],
        "not_missed": [row["label"] for row in own if words[row["id"]] == "not missed"],
        "audit": next((finding(row) for row in families if row["id"] == AUDIT), None),
        "n_ideas": len(tested),
        "kept": [finding(row) for row in tested if row["outcome"] == "keep"],
        "worse": [finding(row) for row in tested if row["outcome"] == "worse"],
        "closest": finding(tested[0]) if tested else None,
        "control": next((finding(row) for row in ideas if row["id"] == CONTROL), None),
        "half_width": fmt.decimal(median(half_widths), 4) if half_widths else None,
        "family_rows": [
            [row["label"], row["change"], *cells(row), words[row["id"]]] for row in families
        ],
        "idea_rows": [
            [name(row), row["question"], *cells(row)[1:], row["outcome"]] for row in ideas
        ],
        "family_figure": intervals(
            [f"{row['label']}, {row['change']}" for row in families],
            families,
            alt=f"Change of log loss by feature family, {label}",
        ),
        "n_drawn": len(drawn),
        "idea_figure": intervals(
            [name(row) for row in drawn], drawn, alt=f"Change of log loss by idea, {label}"
        ),
    }


def by_log_loss(rows: list[Row]) -> list[Row]:
    """Return rows with the greatest gain of log loss first."""
    return sorted(rows, key=lambda row: row["log_loss"]["difference"])


def name(row: Row) -> str:
    """Return an idea's name in words."""
    return str(row["id"]).replace("_", " ")


def finding(row: Row) -> Row:
    """Return one row as words and numbers for a sentence."""
    return {
        "name": name(row),
        "outcome": row["outcome"],
        **{m: fmt.decimal(row[m]["difference"], DIGITS) for m in METRICS},
        **{f"{m}_verdict": row[m]["verdict"] for m in METRICS},
        **{f"{m}_p": fmt.p_value(row[m]["p_adjusted"]) for m in METRICS},
    }


def cells(row: Row) -> list[Any]:
    """Return features, and each metric's difference with its adjusted interval."""
    shown: list[Any] = [fmt.integer(row["n_features"])]
    for metric in METRICS:
        d = row[metric]
        shown += [
            fmt.decimal(d["difference"], DIGITS),
            fmt.interval(d["low"], d["high"], f"decimal:{DIGITS}"),
        ]
    return shown


def intervals(labels: list[str], rows: list[Row], *, alt: str) -> Figure:
    """Draw each change of log loss with its adjusted interval; left of zero is a gain."""
    fig, ax = figures.new(720, 70 + 21 * len(rows))
    ax.axvline(0, color=theme.color("ink"), linewidth=1)
    for verdict, role in COLORS.items():
        chosen = [i for i, row in enumerate(rows) if row["log_loss"]["verdict"] == verdict]
        cells_of = [rows[i]["log_loss"] for i in chosen]
        low, high = [d["low"] for d in cells_of], [d["high"] for d in cells_of]
        color = theme.color(role)
        ax.hlines(chosen, low, high, color=color, linewidth=1.8)
        ax.plot([d["difference"] for d in cells_of], chosen, "o", color=color, markersize=5.5)
    ax.set_yticks(range(len(rows)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="change of log loss; left is better")
    ax.xaxis.set_major_formatter(ticks("decimal:4"))
    ax.grid(visible=False, axis="y")
    ends = "; ".join(
        f"{label} {rows[i]['log_loss']['difference']:+.5f}"
        for i, label in list(enumerate(labels))[:5]
    )
    return figures.svg(fig, alt=f"{alt}: {ends}{'; and others' if len(rows) > 5 else ''}.")
