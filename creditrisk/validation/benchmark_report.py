"""The benchmark's headline figures, and its short form for Markdown documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

OURS = {
    "Blend, nested": ("all", "blend"),
    "Boosted trees, nested": ("all", "trees"),
    "Blend, nested, without the four attributes": ("served", "blend"),
}
"""Name of each nested arm in the Markdown table → its configuration and model."""


def headline(document: Document) -> dict[str, Any]:
    """Return the numbers that go to the metrics: nested choice throughout.

    Parameters
    ----------
    document : mapping
        What the study ``benchmark`` computed.

    Returns
    -------
    dict
        ``mode``; of the blend with all 23 columns ``r0f0_roc_auc``, ``r0_mean_roc_auc`` and
        ``r0_mean_log_loss``; the two means of the champion's family with the same columns
        (``champion_``) and of the blend without the four attributes (``served_``); and
        ``blend_over_champion_roc_auc``, the paired difference of the means.

    Raises
    ------
    ValueError
        When the document has no fold 0, or more than one.
    """
    nested = document["nested"]
    best, champion = nested["all"]["blend"], nested["all"]["trees"]
    served = nested["served"]["blend"]
    return {
        "mode": "nested",
        "r0f0_roc_auc": first_fold(best)["roc_auc"],
        "r0_mean_roc_auc": best["mean"]["roc_auc"],
        "r0_mean_log_loss": best["mean"]["log_loss"],
        "champion_r0_mean_roc_auc": champion["mean"]["roc_auc"],
        "champion_r0_mean_log_loss": champion["mean"]["log_loss"],
        "served_r0_mean_roc_auc": served["mean"]["roc_auc"],
        "served_r0_mean_log_loss": served["mean"]["log_loss"],
        "blend_over_champion_roc_auc": document["pairs"]["blend_over_trees"]["roc_auc"][
            "difference"
        ],
    }


def first_fold(result: Document) -> Mapping[str, Any]:
    """Return the figures of fold 0, which is the published split ``r0f0``.

    Raises
    ------
    ValueError
        When there is none, or more than one.
    """
    (row,) = (fold for fold in result["folds"] if fold["fold"] == 0)
    return row


def markdown(document: Document) -> str:
    """Return published figures and ours as two Markdown tables, best ROC AUC first.

    Parameters
    ----------
    document : mapping
        What the study ``benchmark`` computed.

    Returns
    -------
    str
        Ours in bold, with one standard error. It ends with a line feed.
    """
    nested = document["nested"]
    mean, first = [], []
    for name, (configuration, model) in OURS.items():
        result = nested[configuration][model]
        mean.append((name, result["mean"]))
        first.append((name, first_fold(result)))
    return "\n".join(
        [
            *_table("Mean of three folds", mean, document, "r0 mean of 3"),
            "",
            *_table("Fold 0", first, document, "r0f0"),
            "",
        ]
    )


def _table(
    title: str, ours: Sequence[tuple[str, Mapping[str, Any]]], document: Document, split: str
) -> list[str]:
    """Return one split's table as lines."""
    lines = [
        (
            own["roc_auc"],
            f"| **{name}** | **{own['roc_auc']:.4f} ± {own['roc_auc_se']:.4f}** "
            f"| **{own['log_loss']:.4f}** |",
        )
        for name, own in ours
    ]
    for row in document["published"]:
        if row["split"] == split:
            loss = "–" if row["log_loss"] is None else f"{row['log_loss']:.4f}"
            lines.append((row["roc_auc"], f"| {row['method']} | {row['roc_auc']:.4f} | {loss} |"))
    ordered = sorted(lines, key=lambda line: -line[0])  # ours first where figures are equal
    return [
        f"| {title} | ROC AUC | log loss |",
        "| --- | --- | --- |",
        *(text for _, text in ordered),
    ]
