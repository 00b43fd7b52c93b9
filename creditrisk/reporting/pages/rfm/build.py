"""The RFM page: results of ``rfm`` as text, tables and figures."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting.pages.rfm import (
    added_value,
    heatmaps,
    segments,
    specified,
    spend,
    stability,
)
from creditrisk.reporting.pages.rfm.verdict import write_verdict

SECTIONS = [
    ("as_specified", "RFM as specified"),
    ("spend", "RFM on spend"),
    ("repayment", "Repayment and delinquency"),
    ("segments", "Segments"),
    ("stability", "Stability"),
    ("heatmaps", "Recency by frequency"),
    ("added_value", "Added value"),
    ("clusters", "Segments and clusters"),
    ("limits", "Limits"),
]


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the page reads.

    Parameters
    ----------
    results : dict
        ``data/results/rfm.json``, and under ``beside`` the headline of the stage
        ``evaluate``, whose ``segments.rfm`` holds predictions; without it the page has none.

    Returns
    -------
    dict
    """
    bands, studied = results["bands"], results["studies"]["added_value"]
    return {
        "sections": SECTIONS,
        "results": results,
        "verdict": write_verdict(results),
        "tau": spend.threshold(bands),
        "specified": specified.build(results["as_specified"], bands["as_specified"]),
        "spend": spend.build(results),
        "segments": segments.build(
            results["segments"], bands["segments"], results["actions"], find_predictions(results)
        ),
        "stability": stability.build(results["stability"], bands["spend_threshold"]),
        "heatmaps": heatmaps.build(results["heatmaps"]),
        "added_value": added_value.build(studied["document"], studied["stale"]),
    }


def find_predictions(results: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of predictions that the evaluation handed in, None where it has not."""
    rows: list[dict[str, Any]] | None = results.get("beside", {}).get("segments", {}).get("rfm")
    return rows
