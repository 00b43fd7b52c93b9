"""Section "The benchmark": our models on other people's folds, beside what they published.

Nobody publishes row-wise predictions, so a difference to a published figure has the
standard error of ours alone. Differences between our own models are paired; their words
come with the document.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]
Arm = tuple[str, str, str]

CLAIM: Arm = ("nested", "all", "blend")
"""The figure that claims rest on: mode, configuration, model."""
BESIDE: tuple[Arm, ...] = (
    CLAIM,
    ("nested", "all", "trees"),
    ("nested", "served", "blend"),
    ("fixed", "all", "blend"),
    ("fixed", "all", "scorecard"),
)
"""Our models that stand among the published ones."""
MODELS = {
    "blend": "Blend",
    "trees": "Boosted trees",
    "xgboost": "Boosted trees",
    "scorecard": "Scorecard",
}
SPLITS = {"r0 mean of 3": "mean of the three folds", "r0f0": "fold 0"}
LEVEL = 2
"""Standard errors of our figure within which a published one counts as level with it."""
UNUSUAL = 2
"""Standard deviations over partitions from which on a partition is called unusual."""
NAMED = 4
"""So many methods are named one by one; more are counted."""
METRICS = ("roc_auc", "log_loss")


def build(document: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    document : dict
        What study ``benchmark`` computed.

    Returns
    -------
    dict
    """
    pairs = document["pairs"]
    nested, fixed = figures_of(document, CLAIM), figures_of(document, ("fixed", *CLAIM[1:]))
    return {
        "design": document["design"],
        "claim": {m: fmt.decimal(nested[m], 4) for m in ("roc_auc", "roc_auc_se", "log_loss")},
        "fixed": fmt.decimal(fixed["roc_auc"], 4),
        "fixed_apart": fmt.decimal(abs(fixed["roc_auc"] - nested["roc_auc"]), 4),
        "fixed_side": "above" if fixed["roc_auc"] > nested["roc_auc"] else "below",
        "splits": [split_shown(document, split) for split in SPLITS],
        "price": {m: change(pairs[f"all_over_served_{m}"]) for m in ("blend", "trees")},
        "gain": change(pairs["blend_over_trees"]),
        "pair_rows": [pair_row(pair) for pair in pairs.values()],
        "fold_rows": fold_rows(document),
        "chosen_rows": chosen_rows(document),
        "partitions": partitions(document),
        "public_split": {k: fmt.decimal(v, 4) for k, v in document["public_split"].items()},
    }


def figures_of(document: Row, arm: Arm, split: str = "r0 mean of 3") -> Row:
    """Return one of our models' figures on a split."""
    mode, configuration, model = arm
    result = document[mode][configuration][model]
    if split == "r0 mean of 3":
        return dict(result["mean"])
    return next(dict(row) for row in result["folds"] if row["fold"] == 0)


def arm_name(arm: Arm) -> str:
    """Return the name of one of our models, as tables and figures have it."""
    mode, configuration, model = arm
    without = "" if configuration == "all" else ", without the four"
    return f"{MODELS[model]}, {mode}{without}"


def relation(ours: float, se: float, theirs: float) -> str:
    """Say where our figure stands: level within :data:`LEVEL` of its standard errors."""
    difference = ours - theirs
    if abs(difference) < LEVEL * se:
        return "level"
    word = "above" if difference > 0 else "below"
    return f"{word} by {fmt.decimal(abs(difference), 4)} (SE {fmt.decimal(se, 4)})"


def split_shown(document: Row, split: str) -> Row:
    """Return sentences, figure and table of one published split."""
    claim = figures_of(document, CLAIM, split)
    ours, se = claim["roc_auc"], claim["roc_auc_se"]
    published = [row for row in document["published"] if row["split"] == split]
    published.sort(key=lambda row: -row["roc_auc"])
    words = [(row, relation(ours, se, row["roc_auc"])) for row in published]
    entries = [
        {"name": row["method"], "arm": None, "roc_auc": row["roc_auc"], "cells": _cells(row, word)}
        for row, word in words
    ]
    for arm in BESIDE:
        own = figures_of(document, arm, split)
        entries.append(
            {"name": arm_name(arm), "arm": arm, "roc_auc": own["roc_auc"]}
            | {"se": own["roc_auc_se"], "cells": _own_cells(arm, own)}
        )
    entries.sort(key=lambda entry: -entry["roc_auc"])
    return {
        "title": SPLITS[split],
        "name": split.replace(" ", "-"),
        "roc_auc": fmt.decimal(ours, 4),
        "se": fmt.decimal(se, 4),
        "n_published": len(published),
        "level": _level(words),
        "above": _apart(words, "above"),
        "below": _apart(words, "below"),
        "figure": dots(entries, (ours - LEVEL * se, ours + LEVEL * se), SPLITS[split]),
        "rows": [entry["cells"] for entry in entries],
    }


def _cells(row: Row, word: str) -> list[Any]:
    """Return the table row of a published figure."""
    loss = fmt.decimal(row["log_loss"], 4)
    return [row["method"], fmt.decimal(row["roc_auc"], 4), fmt.NONE, loss, word, row["source"]]


def _own_cells(arm: Arm, own: Row) -> list[Any]:
    """Return the table row of one of our figures, the name in bold."""
    shown = [fmt.decimal(own[m], 4) for m in ("roc_auc", "roc_auc_se", "log_loss")]
    name = Markup("<strong>{}</strong>").format(arm_name(arm))
    return [name, *shown, "the claim" if arm == CLAIM else fmt.NONE, "this project"]


def _level(words: list[tuple[Row, str]]) -> str:
    """Name the methods that ours is level with; count them where they are many."""
    names = [
        f"{r['method']} at {fmt.decimal(r['roc_auc'], 4)}" for r, word in words if word == "level"
    ]
    if len(names) <= NAMED:
        return _listed(names)
    return f"{len(names)} of {len(words)} published methods, from {names[0]} to {names[-1]}"


def _apart(words: list[tuple[Row, str]], side: str) -> str:
    """Name the methods that ours is above or below, each with the distance."""
    found = [f"{r['method']}{word[5:]}" for r, word in words if word.startswith(side)]
    return _listed(found)


def _listed(names: list[str]) -> str:
    """Return names as an English list."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def change(pair: Row) -> Row:
    """Return a pair's differences as words: size, direction, adjusted interval, verdict."""
    return {
        metric: {
            "value": fmt.decimal(pair[metric]["difference"], 4),
            "size": fmt.decimal(abs(pair[metric]["difference"]), 4),
            "direction": "higher" if pair[metric]["difference"] > 0 else "lower",
            "interval": _interval(pair[metric]),
            "verdict": pair[metric]["verdict"],
        }
        for metric in METRICS
    }


def _interval(row: Row) -> str:
    """Return the adjusted interval of a paired difference."""
    return fmt.interval(row["low"], row["high"], "decimal:4")


def pair_row(pair: Row) -> list[Any]:
    """Return the table row of one paired comparison."""
    cells: list[Any] = [pair["label"]]
    for metric in METRICS:
        row = pair[metric]
        cells += [fmt.decimal(row["difference"], 4), _interval(row), row["verdict"]]
    return cells


def fold_rows(document: Row) -> list[list[Any]]:
    """Return every figure of every model, fold by fold and averaged."""
    rows = []
    for mode in ("nested", "fixed"):
        for configuration, results in document[mode].items():
            for model in (name for name in results if name in MODELS):
                name = arm_name((mode, configuration, model))
                shown = [(str(r["fold"]), r) for r in results[model]["folds"]]
                for fold, row in [*shown, ("mean", results[model]["mean"])]:
                    metrics = ("roc_auc", "roc_auc_se", "pr_auc", "log_loss", "brier")
                    rows.append([name, fold, *(fmt.decimal(row[m], 4) for m in metrics)])
    return rows


def chosen_rows(document: Row) -> list[list[Any]]:
    """Return the finalists that each fold's training rows led to, best first."""
    columns = {"all": "all 23", "served": "without the four"}
    return [
        [
            columns[configuration],
            str(row["fold"]),
            recipes(row["trees"]),
            recipes(row["networks"]),
            fmt.decimal(row["weight"], 2),
        ]
        for configuration, results in document["nested"].items()
        for row in results["chosen"]
    ]


def recipes(finalists: list[Row]) -> Markup:
    """Return finalists as text, a line each."""
    return Markup("<br>").join(recipe(candidate) for candidate in finalists)


def recipe(candidate: Row) -> str:
    """Return a candidate as text: ``features wide, max depth 3``."""
    parts = []
    for key, value in candidate.items():
        text = " × ".join(map(str, value)) if isinstance(value, list) else f"{value}"
        parts.append(f"{key.replace('_', ' ')} {text.replace('_', ' ')}")
    return ", ".join(parts)


def partitions(document: Row) -> Row:
    """Return the cross-check on other partitions: table, means, and where the folds stand."""
    rows, summary = document["partitions"], document["partition_summary"]
    metrics = [(model, m) for model in ("xgboost", "blend") for m in METRICS]
    table = [
        [str(r["seed"]), "yes" if r["grouped"] else "no"]
        + [fmt.decimal(r[model][m], 4) for model, m in metrics]
        for r in rows
    ]
    shown: Row = {"rows": table, "n": len({row["seed"] for row in rows})}
    for model, kinds in summary.items():
        usual, grouped = kinds["ungrouped"], kinds["grouped"]
        here = figures_of(document, ("fixed", "all", model))["roc_auc"]
        distance = here - usual["roc_auc_mean"]
        usual_draw = abs(distance) < UNUSUAL * usual["roc_auc_sd"]
        shown[model] = {
            **{f"{k}_{m}": fmt.decimal(v, 4) for k, s in kinds.items() for m, v in s.items()},
            "grouped_less": fmt.decimal(grouped["roc_auc_mean"] - usual["roc_auc_mean"], 4),
            "here": fmt.decimal(here, 4),
            "place": "near" if usual_draw else "above" if distance > 0 else "below",
        }
    return shown


def dots(entries: list[Row], band: tuple[float, float], title: str) -> Figure:
    """Draw published and own ROC AUC, highest on top; the band is level with the claim."""
    fig, ax = figures.new(720, 110 + 23 * len(entries))
    ax.axvspan(*band, color=theme.series(1), alpha=0.12, linewidth=0, label="level with the claim")
    looks = {
        "published": ("muted", [i for i, e in enumerate(entries) if e["arm"] is None]),
        "ours": ("series_1", [i for i, e in enumerate(entries) if e["arm"] not in (None, CLAIM)]),
        "ours, the claim": ("series_2", [i for i, e in enumerate(entries) if e["arm"] == CLAIM]),
    }
    for label, (role, places) in looks.items():
        x, color = [entries[i]["roc_auc"] for i in places], theme.color(role)
        errors = [entries[i].get("se", 0.0) for i in places]
        low, high = ([v + side * e for v, e in zip(x, errors, strict=True)] for side in (-1, 1))
        ax.hlines(places, low, high, color=color, linewidth=1.8)
        size = 6 if label == "published" else 8
        ax.plot(x, places, "o", color=color, markersize=size, label=label)
    ax.set_yticks(range(len(entries)), [e["name"] for e in entries])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    for text, entry in zip(ax.get_yticklabels(), entries, strict=True):
        text.set_fontweight("normal" if entry["arm"] is None else "bold")
    ax.set(ylim=(len(entries) - 0.4, -0.6), xlabel=f"ROC AUC, {title}")
    ax.xaxis.set_major_formatter(ticks("decimal:3"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=4)
    values = "; ".join(f"{e['name']} {e['roc_auc']:.4f}" for e in entries)
    return figures.svg(fig, alt=f"ROC AUC, {title}, highest first: {values}.")
