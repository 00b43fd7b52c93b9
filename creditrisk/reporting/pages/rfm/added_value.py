"""The sections on what segments add to the delinquency features, and on the clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

METRICS = {"roc_auc": "ROC AUC", "log_loss": "log loss"}
COLORS = {"better": "positive", "worse": "negative", "within noise": "muted"}
DIGITS = 4


def build(document: Row, stale: Sequence[str]) -> Row:
    """Return what the sections show.

    Parameters
    ----------
    document : dict
        What the study ``segments`` computed.
    stale : sequence of str
        In words, what it was computed from that is not today's.

    Returns
    -------
    dict
    """
    design, tests = document["design"], document["tests"]
    return {
        "design": design,
        "stale": list(stale),
        "surviving": [t["label"] for t in tests if t["p_adjusted"] < design["alpha"]],
        "failing": [t["label"] for t in tests if t["p_adjusted"] >= design["alpha"]],
        "test_rows": [_test_row(t) for t in tests],
        "models": [
            {key: m[key] for key in ("label", "n_features", "roc_auc")} | {"words": tell_model(m)}
            for m in document["models"]
        ],
        "figure": draw(document["models"]),
        "rows": [_arm_row(model, arm) for model in document["models"] for arm in model["arms"]],
        "clusters": cross(document["clusters"]),
    }


def _test_row(test: Row) -> list[Any]:
    """Return a row of the table of likelihood ratios."""
    return [
        test["label"],
        fmt.integer(test["n"]),
        fmt.decimal(test["statistic"], 1),
        fmt.integer(test["df"]),
        fmt.p_value(test["p_value"]),
        fmt.p_value(test["p_adjusted"]),
        fmt.decimal(test["gain"], DIGITS),
    ]


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"{'+' if value > 0 else ''}{fmt.decimal(value, DIGITS)}"


def tell_rank(arm: Row) -> str:
    """Put an arm's difference of ROC AUC, its interval and its verdict into words."""
    d = arm["roc_auc"]
    ends = f"{signed(d['low'])} to {signed(d['high'])}"
    return f"{signed(d['difference'])} ({ends}, {d['verdict']})"


def tell_model(model: Row) -> str:
    """Say what each addition does to a model's ROC AUC, and where log loss disagrees."""
    groups = []
    for verdict in COLORS:
        found = [
            f"{arm['label']} ({signed(arm['roc_auc']['difference'])})"
            for arm in model["arms"]
            if arm["roc_auc"]["verdict"] == verdict
        ]
        if found:
            groups.append(f"{verdict} with {', '.join(found)}")
    other = [
        f"{arm['label']} ({arm['log_loss']['verdict']})"
        for arm in model["arms"]
        if arm["log_loss"]["verdict"] != arm["roc_auc"]["verdict"]
    ]
    loss = f"differs for {', '.join(other)}" if other else "says the same"
    return f"ROC AUC is {'; '.join(groups)}. Log loss {loss}."


def _arm_row(model: Row, arm: Row) -> list[Any]:
    """Return a row of the table of differences."""
    cells: list[Any] = [model["label"], arm["label"], fmt.integer(arm["n_features"])]
    for metric in METRICS:
        d = arm[metric]
        ends = f"{signed(d['low'])} to {signed(d['high'])}"
        cells += [signed(d["difference"]), ends, fmt.p_value(d["p_adjusted"]), d["verdict"]]
    return cells


def draw(models: Sequence[Row]) -> Figure:
    """Draw the change of ROC AUC with its interval, one block a model."""
    arms = [(model, arm) for model in models for arm in model["arms"]]
    fig, ax = figures.new(720, 70 + 26 * len(arms) + 22 * len(models))
    labels, places, place = [], [], 0.0
    for i, (model, arm) in enumerate(arms):
        if i and model is not arms[i - 1][0]:
            place += 0.8
        d = arm["roc_auc"]
        color = theme.color(COLORS[d["verdict"]])
        ax.hlines(place, d["low"], d["high"], color=color, linewidth=2)
        ax.plot([d["difference"]], [place], marker="o", markersize=5.5, color=color)
        labels.append(f"{model['id']}: {arm['label']}")
        places.append(place)
        place += 1
    ax.axvline(0, color=theme.color("muted"), linewidth=1, linestyle=":")
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(ticks(signed))
    ax.set_xlabel("change of ROC AUC out of fold")
    best = max(arms, key=lambda pair: pair[1]["roc_auc"]["difference"])
    return figures.svg(
        fig,
        alt="Change of ROC AUC by model and addition, with adjusted intervals; the greatest is "
        f"{signed(best[1]['roc_auc']['difference'])} ({best[0]['id']}, {best[1]['label']}).",
    )


def cross(crossed: Mapping[str, Any]) -> Row:
    """Return the table of segments by clusters and what it says."""
    counts = crossed["counts"]
    rows = []
    for name, row in zip(crossed["rows"], counts, strict=True):
        total = sum(row)
        rows.append([str(name), fmt.integer(total), *(fmt.percent(n / total, 0) for n in row)])
    largest = [max(row) / sum(row) for row in counts]
    most = max(range(len(rows)), key=lambda i: largest[i])
    return {
        "adjusted_rand": crossed["adjusted_rand"],
        "columns": ["Segment", "Clients", *(f"Cluster {c}" for c in crossed["columns"])],
        "rows": rows,
        "purest": {"name": rows[most][0], "share": fmt.percent(largest[most], 0)},
    }
