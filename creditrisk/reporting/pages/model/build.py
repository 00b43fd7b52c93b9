"""The model page: who is served, how good it is, what it misses and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.model import (
    ablation,
    benchmark,
    calibration,
    imbalance,
    ladder,
    learning,
    refits,
    scorecard,
    segments,
)
from creditrisk.reporting.pages.model import figures as draw

Row = dict[str, Any]

SECTIONS = [
    ("design", "Design"),
    ("ladder", "The ladder"),
    ("benchmark", "The benchmark"),
    ("scorecard", "The scorecard"),
    ("discrimination", "Discrimination"),
    ("confusion", "Confusion matrix"),
    ("calibration", "Calibration"),
    ("grades", "Grades"),
    ("refits", "How firm is a probability?"),
    ("imbalance", "Imbalance and SMOTE"),
    ("regularisation", "L1, L2, bias and variance"),
    ("ablation", "Which features pay"),
    ("importance", "Features"),
    ("segments", "Segments and clusters"),
    ("limits", "Limits"),
]
STUDIES = {
    "ablation": ablation,
    "benchmark": benchmark,
    "imbalance": imbalance,
    "learning": learning,
    "refits": refits,
}
"""Study → the module that turns its document into a section."""

THRESHOLDS = {
    "cost_ratio": "cost ratio",
    "flag_share": "share of clients",
    "one_half": "one half",
    "nobody": "flag nobody",
}

BASES = {
    "cost_ratio": "the ratio of the two costs",
    "flag_share": "the share of clients to be flagged",
    "one_half": "one half",
}


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        What stage ``evaluate`` computed.

    Returns
    -------
    dict
        ``stale``: for each study, in words what it was computed from that is not today's.
    """
    champion, baseline = results["champion"]["family"], results["baseline"]
    rows = {row["family"]: row for row in results["ladder"]}
    labels = {family: row["label"] for family, row in rows.items()}
    curves, studies = results["curves"], results["studies"]
    present = [name for name, _ in SECTIONS if name != "scorecard" or results["scorecard"]]
    return {
        "sections": [entry for entry in SECTIONS if entry[0] in present],
        "headline": results["headline"],
        "m": marker(results["headline"]),
        "design": results["design"],
        "label": labels[champion],
        "baseline_label": labels[baseline],
        "against": comparison_words(rows[baseline], "cv_difference", "roc_auc"),
        "delong": results["delong"],
        "decision": results["decision"],
        "basis": results["policy"]["threshold"]["basis"],
        "ladder": ladder.build(results),
        "calibration": calibration.build(results["calibration"], results["policy"]["problem"]),
        "scorecard": results["scorecard"] and scorecard.build(results["scorecard"]),
        **{name: module.build(studies[name]["document"]) for name, module in STUDIES.items()},
        "stale": {name: stored["stale"] for name, stored in studies.items()},
        "segments": segments.build(results["segments"]),
        "threshold_rows": [
            threshold_row(row, results["decision"]) for row in results["decision"]["table"]
        ],
        "roc_figure": roc(curves, labels),
        "pr_figure": pr(curves, labels, results["design"]["holdout"]["default_rate"]),
        "confusion_figure": draw.confusion(results["decision"]["served"]),
        "importance_figures": importance(results["weights"], labels),
    }


def marker(headline: Row) -> Callable[..., Markup]:
    """Return a function that formats and marks a headline number by its dotted key."""

    def mark(key: str, form: str = "decimal:4") -> Markup:
        section, _, name = key.partition(".")
        return fmt.metric(headline[section][name], f"evaluate:{key}", form)

    return mark


def comparison_words(row: Row, source: str, metric: str) -> Row | None:
    """Return a difference to the champion in words; None for the champion itself."""
    if source not in row:
        return None
    d = row[source][metric]
    return {
        "verdict": d["verdict"],
        "size": fmt.decimal(abs(d["difference"]), 4),
        "interval": fmt.interval(d["low"], d["high"], "decimal:4"),
    }


def threshold_row(row: Row, decision: Row) -> list[Any]:
    """Return the outcomes at one threshold."""
    name = THRESHOLDS[row["name"]]
    if row["name"] == "cost_ratio":
        costs = (decision["cost_false_alarm"], decision["cost_missed_detection"])
        name += " " + f"{fmt.NBSP}:{fmt.NBSP}".join(f"{cost:g}" for cost in costs)
    if row["name"] == "flag_share":
        name += f" {fmt.percent(decision['flag_share'], 0)}"
    label: Any = name
    if row["name"] == decision["name"]:
        label = Markup("<strong>{}, served</strong>").format(name)
    return [
        label,
        fmt.decimal(row["threshold"], 3),
        fmt.percent(row["flagged_share"]),
        fmt.integer(row["caught_defaults"]),
        fmt.integer(row["missed_detections"]),
        fmt.integer(row["false_alarms"]),
        fmt.integer(row["correctly_clear"]),
        fmt.percent(row["recall"]),
        fmt.percent(row["precision"]),
        fmt.percent(row["false_alarm_rate"]),
        fmt.decimal(row["cost_per_client"], 3),
    ]


def roc(curves: Row, labels: Row) -> Any:
    """Draw the ROC curves."""
    return figures.lines(
        next(iter(curves.values()))["fpr"],
        {labels[f]: c["tpr"] for f, c in curves.items()},
        xlabel="false alarms, share of clients who pay",
        ylabel="defaults caught, share",
        diagonal=True,
        xformat="percent:0",
        yformat="percent:0",
        height=440,
        alt="ROC curves on the hold-out: share of defaults caught against share of false alarms.",
    )


def pr(curves: Row, labels: Row, rate: float) -> Any:
    """Draw the precision–recall curves with the default rate as chance."""
    recall = next(iter(curves.values()))["recall"]
    series = {labels[f]: c["precision"] for f, c in curves.items()}
    return figures.lines(
        recall,
        series | {"chance: the default rate": [rate] * len(recall)},
        xlabel="defaults caught, share (recall)",
        ylabel="defaults among flagged (precision)",
        xformat="percent:0",
        yformat="percent:0",
        width=475,
        height=440,
        alt="Precision against recall on the hold-out, with the default rate as chance.",
    )


def importance(weights: Row, labels: Row) -> list[tuple[str, Any]]:
    """Return a title and a figure for each family that says something of its features."""
    shown = []
    for family, rows in weights.items():
        if not rows:
            continue
        if "coefficient" in rows[0]:
            shown.append((f"{labels[family]}: coefficients", draw.coefficients(rows)))
            continue
        figure = figures.bars(
            [row["feature"] for row in rows],
            [row["gain_share"] for row in rows],
            xlabel="share of the total gain of splits",
            format="percent:1",
            width=490,
            alt="Gain by feature: "
            + "; ".join(f"{row['feature']} {row['gain_share']:.1%}" for row in rows[:5])
            + "; and smaller ones.",
        )
        shown.append((f"{labels[family]}: gain", figure))
    return shown
