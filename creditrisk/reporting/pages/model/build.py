"""The model page: who is served, how good it is, what it misses and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.model import figures as draw

Row = dict[str, Any]

SECTIONS = [
    ("design", "Design"),
    ("ladder", "The ladder"),
    ("discrimination", "Discrimination"),
    ("confusion", "Confusion matrix"),
    ("calibration", "Calibration"),
    ("imbalance", "Imbalance and SMOTE"),
    ("regularisation", "L1, L2, bias and variance"),
    ("importance", "Features"),
    ("segments", "Segments and clusters"),
    ("limits", "Limits"),
]
RULES = {
    "lowest_cv_log_loss": "the lowest log loss",
    "lowest_cv_brier": "the lowest Brier score",
    "highest_cv_roc_auc": "the highest ROC AUC",
}
CHANCE = 0.5
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
    """
    champion, baseline = results["champion"]["family"], results["baseline"]
    rows = {row["family"]: row for row in results["ladder"]}
    labels = {family: row["label"] for family, row in rows.items()}
    curves = results["curves"]
    return {
        "sections": SECTIONS,
        "headline": results["headline"],
        "m": marker(results["headline"]),
        "design": results["design"],
        "champion": results["champion"],
        "rule": RULES[results["champion"]["rule"]],
        "label": labels[champion],
        "baseline": baseline,
        "baseline_label": labels[baseline],
        "against": comparison_words(rows[baseline], "cv_difference", "roc_auc"),
        "near": near(results["ladder"]),
        "smote": smote_row(results["imbalance"], labels[champion]),
        "delong": results["delong"],
        "line": results["calibration"][champion],
        "decision": results["decision"],
        "basis": BASES[results["decision"]["basis"]],
        "bins_inside": fmt.integer(
            sum(
                b["low"] <= b["mean_probability"] <= b["high"]
                for b in curves[champion]["reliability"]
            )
        ),
        **tables(results, champion),
        "ladder_figure": draw.ladder(results["ladder"], floor=CHANCE),
        "roc_figure": roc(curves, labels),
        "pr_figure": pr(curves, labels, results["design"]["holdout"]["default_rate"]),
        "confusion_figure": draw.confusion(results["decision"]["served"]),
        "reliability_figure": draw.reliability(curves, labels),
        "paths": paths(results["paths"], labels),
        "importance_figures": importance(results["weights"], labels),
    }


def marker(headline: Row) -> Callable[..., Markup]:
    """Return a function that formats and marks a headline number by its dotted key."""

    def mark(key: str, form: str = "decimal:4") -> Markup:
        section, _, name = key.partition(".")
        return fmt.metric(headline[section][name], f"evaluate:{key}", form)

    return mark


def tables(results: Row, champion: str) -> Row:
    """Return the rows of every table."""
    return {
        "ladder_rows": [ladder_row(row, champion) for row in results["ladder"]],
        "difference_rows": [
            difference_row(row) for row in results["ladder"] if "cv_difference" in row
        ],
        "threshold_rows": [
            threshold_row(row, results["decision"]) for row in results["decision"]["table"]
        ],
        "reliability_rows": [
            [
                fmt.integer(b["bin"]),
                fmt.integer(b["n"]),
                fmt.percent(b["mean_probability"]),
                fmt.percent(b["observed"]),
                fmt.interval(b["low"], b["high"], "percent"),
            ]
            for b in results["curves"][champion]["reliability"]
        ],
        "imbalance_rows": [imbalance_row(row) for row in results["imbalance"]],
        "segment_tables": {
            name: [segment_row(row) for row in rows] for name, rows in results["segments"].items()
        },
        "segments_inside": {
            name: (sum(row["inside"] for row in rows), len(rows))
            for name, rows in results["segments"].items()
        },
    }


def ladder_row(row: Row, champion: str) -> list[Any]:
    """Return one family's figures, out of fold and on the hold-out."""
    cv, held = row["cv"], row["holdout"]
    label: Any = row["label"]
    if row["family"] == champion:
        label = Markup("<strong>{}</strong>").format(label)
    return [
        label,
        fmt.integer(row["n_features"]),
        fmt.decimal(cv["roc_auc"], 4),
        fmt.decimal(cv["log_loss"], 4),
        fmt.decimal(cv["brier"], 4),
        fmt.decimal(cv["ece"], 4),
        fmt.decimal(held["roc_auc"], 4),
        fmt.interval(held["roc_auc_low"], held["roc_auc_high"], "decimal:3"),
        fmt.decimal(held["pr_auc"], 3),
        fmt.decimal(held["log_loss"], 4),
        fmt.decimal(held["brier"], 4),
    ]


def difference_row(row: Row) -> list[Any]:
    """Return one family's paired differences to the champion, with the verdict in words."""
    cells: list[Any] = [row["label"]]
    for source in ("cv_difference", "holdout_difference"):
        for metric in ("roc_auc", "log_loss"):
            d = row[source][metric]
            cells.append(
                Markup("{} {}<br><small>{}</small>").format(
                    fmt.decimal(d["difference"], 4),
                    d["verdict"],
                    fmt.interval(d["low"], d["high"], "decimal:4"),
                )
            )
    return cells


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


def near(rows: list[Row]) -> list[str]:
    """Return the families whose out-of-fold log loss is within noise of the champion's."""
    return [
        row["label"]
        for row in rows
        if "cv_difference" in row and row["cv_difference"]["log_loss"]["verdict"] == "within noise"
    ]


def smote_row(rows: list[Row], label: str) -> Row | None:
    """Return what SMOTE did to the champion's family; None where there is no such arm."""
    own = {row["treatment"]: row for row in rows if row["label"] == label}
    return {"none": own["none"], "smote": own["SMOTE"]} if {"none", "SMOTE"} <= set(own) else None


def threshold_row(row: Row, decision: Row) -> list[Any]:
    """Return the outcomes at one threshold."""
    name = THRESHOLDS[row["name"]]
    if row["name"] == "cost_ratio":
        costs = (decision["cost_false_alarm"], decision["cost_missed_detection"])
        name += " " + f"{fmt.NBSP}:{fmt.NBSP}".join(f"{cost:g}" for cost in costs)
    if row["name"] == "flag_share":
        name += f" {fmt.percent(decision['flag_share'], 0)}"
    label: Any = name
    if row["name"] == decision["basis"]:
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


def imbalance_row(row: Row) -> list[Any]:
    """Return the figures of one treatment of one family."""
    return [
        row["label"],
        row["treatment"],
        fmt.percent(row["mean_probability"]),
        fmt.decimal(row["roc_auc"], 4),
        fmt.decimal(row["pr_auc"], 4),
        fmt.decimal(row["log_loss"], 4),
        fmt.decimal(row["brier"], 4),
        fmt.decimal(row["ece"], 4),
        fmt.decimal(row.get("calibration_slope"), 2),
        fmt.decimal(row.get("calibration_intercept"), 2),
    ]


def segment_row(row: Row) -> list[Any]:
    """Return observed and predicted default rate of one segment."""
    return [
        row["label"],
        fmt.integer(row["n"]),
        fmt.percent(row["observed"]),
        fmt.interval(row["low"], row["high"], "percent"),
        fmt.percent(row["predicted"]),
        "yes" if row["inside"] else "no",
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


def paths(stored: Row, labels: Row) -> list[Row]:
    """Return each path of C: its figure, its table, its gap between validation and training."""
    shown = []
    for family, path in stored.items():
        points = path["points"]
        chosen = next(p for p in points if p["C"] == path["C"])
        shown.append(
            {
                "label": labels[family],
                "figure": draw.path(points, path["C"], labels[family]),
                "rule": path["rule"].replace("_", " "),
                "chosen": chosen,
                "best": min(points, key=lambda p: p["validation_log_loss"]),
                "loosest": points[-1],
                "tightest": points[0],
                "rows": [
                    [
                        f"{p['C']:g}",
                        fmt.decimal(p["n_weights"], 1),
                        fmt.decimal(p["train_log_loss"], 4),
                        fmt.decimal(p["validation_log_loss"], 4),
                        fmt.decimal(p["validation_log_loss"] - p["train_log_loss"], 4),
                        fmt.decimal(p["validation_se"], 4),
                    ]
                    for p in points
                ],
            }
        )
    return shown


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
