"""The section on the ladder: every family, each rung against the one below, the choice."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.model import figures as draw

Row = dict[str, Any]

CHANCE = 0.5
METRICS = {"log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC"}


def build(results: Row) -> Row:
    """Return what the template shows of the ladder and of the champion's rule."""
    rows, champion = results["ladder"], results["champion"]
    labels = {row["family"]: row["label"] for row in rows}
    speeds = {row["family"]: row for row in results["speeds"]["rows"]}
    return {
        "labels": labels,
        "champion": labels[champion["family"]],
        "best_allowed": labels[champion["best_allowed"]],
        "best": labels[champion["best"]],
        "cheapest": labels[champion["cheapest"]],
        "metric": METRICS[champion["metric"]],
        "among": [labels[family] for family in champion["among"]],
        "best_over_champion": best_over_champion(rows, champion),
        "buys": buys(results["buys"], labels),
        "rows": [family_row(row, champion["family"]) for row in rows],
        "difference_rows": [difference_row(row) for row in rows if "cv_difference" in row],
        "step_rows": [step_row(row, labels) for row in rows if "step" in row],
        "cost_rows": [
            cost_row(row, speeds[row["family"]], speeds[champion["family"]])
            for row in rows
            if row["family"] in speeds and champion["family"] in speeds
        ],
        "speeds": results["speeds"]["design"],
        "figure": draw.ladder(rows, floor=CHANCE),
    }


def best_over_champion(rows: list[Row], champion: Row) -> Row | None:
    """Return how the best rung stands to the champion out of fold; None if it is the champion."""
    row = next(row for row in rows if row["family"] == champion["best"])
    if "cv_difference" not in row:
        return None
    difference = row["cv_difference"]
    return {
        metric: {
            "difference": fmt.decimal(difference[metric]["difference"], 4),
            "verdict": difference[metric]["verdict"],
            "interval": fmt.interval(
                difference[metric]["low"], difference[metric]["high"], "decimal:4"
            ),
        }
        for metric in ("roc_auc", "log_loss")
    }


def buys(stored: Row, labels: Row) -> Row:
    """Return what the best rung would buy in defaults caught."""
    gained = stored["caught_best"] - stored["caught_champion"]
    return {
        "best": labels[stored["best"]],
        "n_flagged": fmt.integer(stored["n_flagged"]),
        "share": fmt.percent(stored["share"], 0),
        "caught": fmt.integer(stored["caught_champion"]),
        "gained": gained,
    }


def family_row(row: Row, champion: str) -> list[Any]:
    """Return one family's figures, out of fold and on the hold-out."""
    cv, held = row["cv"], row["holdout"]
    label: Any = row["label"]
    if row["family"] == champion:
        label = Markup("<strong>{}</strong>").format(label)
    return [
        label,
        fmt.integer(row["n_features"]),
        fmt.integer(row["n_parameters"]),
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
    cells = [
        difference_cell(row[source][metric])
        for source in ("cv_difference", "holdout_difference")
        for metric in ("roc_auc", "log_loss")
    ]
    return [row["label"], *cells]


def step_row(row: Row, labels: Row) -> list[Any]:
    """Return one rung's paired differences to the rung below it."""
    cells = [difference_cell(row["step"][metric]) for metric in ("roc_auc", "log_loss", "brier")]
    return [row["label"], labels[row["below"]], *cells]


def difference_cell(difference: Row) -> Markup:
    """Return a difference, its verdict and its interval."""
    return Markup("{} {}<br><small>{}</small>").format(
        fmt.decimal(difference["difference"], 4),
        difference["verdict"],
        fmt.interval(difference["low"], difference["high"], "decimal:4"),
    )


def cost_row(row: Row, speed: Row, champion: Row) -> list[Any]:
    """Return what a family costs to fit and to ask, and that as a multiple of the champion."""
    cells: list[Any] = [row["label"], fmt.integer(row["n_parameters"])]
    for name, digits in (("fit_s", 2), ("us_per_row", 1), ("us_single", 0)):
        cells += [
            fmt.decimal(speed[name], digits),
            Markup("{} ×").format(fmt.decimal(speed[name] / champion[name], 2)),
        ]
    return cells
