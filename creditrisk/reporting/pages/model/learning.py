"""Slice ``learning`` of the model page: the penalty, more clients, bias and variance."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.model import learning_figures as draw

Row = dict[str, Any]

NOISE = "within noise"


def build(document: Row) -> Row:
    """Return what the partial shows.

    Parameters
    ----------
    document : dict
        What the study ``learning`` computed.

    Returns
    -------
    dict
        ``design``, the verdicts in front, and rows and figures of every part.
    """
    labels = document["design"]["labels"]
    followed = document["coefficients"]
    chosen = {family: own["chosen"] for family, own in followed.items()}
    refitted = document["decomposition"]
    return {
        "design": document["design"],
        "choices": [choice(labels[f], by_rule) for f, by_rule in document["nested"].items()],
        "steps": [step(labels[f], curve) for f, curve in document["curves"].items()],
        "paths": [path(labels[f], own, chosen[f]) for f, own in document["paths"].items()],
        "path_figure": draw.paths(document["paths"], chosen, labels),
        "nested_rows": nested_rows(document["nested"], labels),
        "coefficients": [coefficients(labels[f], own) for f, own in followed.items()],
        "curves_figure": draw.curves(document["curves"], labels),
        "step_rows": step_rows(document["curves"], labels),
        "decomposition_figure": draw.decomposition(refitted[:-1]),
        "left_out": refitted[-1]["name"],
        "decomposition_rows": decomposition_rows(refitted),
        "stiffest": share(max(refitted, key=lambda row: row["brier"]["central"])),
        "best": share(min(refitted, key=lambda row: row["brier"]["expected"])),
        "wobbliest": share(max(refitted, key=lambda row: row["brier"]["variance"])),
    }


def signed(x: float, digits: int = 4) -> str:
    """Return a difference with its sign."""
    return ("+" if x > 0 else "") + fmt.decimal(x, digits)


def difference(row: Row) -> Markup:
    """Return a paired difference, its verdict and its interval."""
    return Markup("{} {}<br><small>{}</small>").format(
        signed(row["difference"], 5),
        row["verdict"],
        fmt.interval(row["low"], row["high"], "decimal:5"),
    )


def choice(label: str, by_rule: Row) -> Row:
    """Return what choosing C by the family's own rule, the first, did to its figure."""
    row = next(iter(by_rule.values()))
    found = row["log_loss"]["optimism"]
    return {
        "label": label,
        "difference": signed(found["difference"]),
        "verdict": found["verdict"],
        "n_same": row["chosen"].count(row["C"]),
        "n_folds": len(row["chosen"]),
    }


def step(label: str, curve: Row) -> Row:
    """Return what the last step of a learning curve bought, in words."""
    (before, last), found = curve["points"][-2:], curve["last_step"]["log_loss"]
    return {
        "label": label,
        "from": fmt.integer(before["n_rows"]),
        "to": fmt.integer(last["n_rows"]),
        "difference": signed(found["difference"]),
        "verdict": found["verdict"],
    }


def share(row: Row) -> Row:
    """Return a model's variance as a share of its expected Brier score."""
    return {
        "name": row["name"],
        "share": fmt.percent(row["brier"]["variance"] / row["brier"]["expected"]),
    }


def path(label: str, stored: Row, chosen: float) -> Row:
    """Return a path's table, its ends and its gap between validation and training."""
    points = stored["points"]
    loosest, best = points[-1], min(points, key=lambda p: p["validation_log_loss"])
    return {
        "label": label,
        "rule": stored["rule"].replace("_", " "),
        "chosen": next(p for p in points if p["C"] == chosen),
        "best": best,
        "tightest": points[0],
        "loosest": loosest,
        "gap": loosest["validation_log_loss"] - loosest["train_log_loss"],
        "rows": [
            [
                f"{p['C']:g}",
                fmt.decimal(p["n_weights"], 1),
                fmt.decimal(p["train_log_loss"], 4),
                fmt.decimal(p["validation_log_loss"], 4),
                fmt.decimal(p["validation_log_loss"] - p["train_log_loss"], 4),
                fmt.decimal(p["validation_se"], 4),
                fmt.decimal(p["validation_roc_auc"], 4),
            ]
            for p in points
        ],
    }


def nested_rows(nested: Row, labels: Row) -> list[list[Any]]:
    """Return plain and nested estimates by family and rule."""
    return [
        [
            labels[family],
            rule.replace("_", " "),
            f"{row['C']:g}",
            ", ".join(f"{C:g}" for C in row["chosen"]),
            fmt.decimal(row["log_loss"]["plain"], 4),
            fmt.decimal(row["log_loss"]["nested"], 4),
            difference(row["log_loss"]["optimism"]),
            difference(row["roc_auc"]["optimism"]),
        ]
        for family, by_rule in nested.items()
        for rule, row in by_rule.items()
    ]


def coefficients(label: str, followed: Row) -> Row:
    """Return the figure of the coefficients along C and what it says in numbers."""
    rows, at = followed["features"], followed["C"].index(followed["chosen"])
    signs = [{value > 0 for value in row["values"] if value} for row in rows]
    return {
        "label": label,
        "figure": draw.coefficients(followed, label),
        "n_followed": len(rows),
        "n_features": followed["n_features"],
        "n_chosen": followed["n_nonzero"][at],
        "n_loosest": followed["n_nonzero"][-1],
        "n_turned": sum(len(seen) == 2 for seen in signs),
        "kept_in": [row["kept_in"] for row in rows],
    }


def step_rows(curves: Row, labels: Row) -> list[list[Any]]:
    """Return the validation figures at every size, and the last step's differences."""
    rows = []
    for family, curve in curves.items():
        for point in curve["points"]:
            last = point is curve["points"][-1]
            rows.append(
                [
                    labels[family],
                    fmt.percent(point["share"], 0),
                    fmt.integer(point["n_rows"]),
                    fmt.decimal(point["train_log_loss"], 4),
                    fmt.decimal(point["log_loss"], 4),
                    fmt.decimal(point["roc_auc"], 4),
                    difference(curve["last_step"]["log_loss"]) if last else "",
                    difference(curve["last_step"]["roc_auc"]) if last else "",
                ]
            )
    return rows


def decomposition_rows(rows: list[Row]) -> list[list[Any]]:
    """Return both decompositions, one model a row."""
    return [
        [
            row["name"],
            *(
                cell
                for loss in ("brier", "log_loss")
                for cell in (
                    fmt.decimal(row[loss]["expected"], 4),
                    fmt.decimal(row[loss]["central"], 4),
                    fmt.decimal(row[loss]["variance"], 5),
                )
            ),
            fmt.decimal(row["brier"]["excess"], 4),
            fmt.decimal(row["brier"]["excess_se"], 4),
        ]
        for row in rows
    ]
