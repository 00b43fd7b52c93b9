"""The few numbers of the statistics that are versioned and compared between experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creditrisk import schema

SIGNIFICANT = ("matters", "unclear", "negligible")


def collect_headline(found: Mapping[str, Any], mean_column: str) -> dict[str, Any]:
    """Return the headline numbers of everything that the stage found.

    Parameters
    ----------
    found : mapping
        With ``sample, estimation, questions, chi_square, sensitivity`` and ``context``.
    mean_column : str
        The column whose comparison by default status is told first.

    Returns
    -------
    dict
        A number that could not be computed is left out.
    """
    mean = found["estimation"]
    interval = next(i for i in mean["intervals"] if i["method"] == "t")
    study = found["context"]["tests"]["studies"][-1]
    false_alarms = next(row for row in study["simulated"] if row["difference"] == 0)
    headline: dict[str, Any] = {
        "rows": found["sample"]["rows"],
        "mean": {"estimate": mean["mean"], "low": interval["low"], "high": interval["high"]},
        "questions": count_verdicts([row["verdict"] for row in found["questions"]]),
        "sensitivity": {
            "variants": len(found["sensitivity"]["variants"]),
            "changed": len(
                {
                    row["question"]
                    for row in found["sensitivity"]["changes"]
                    if row["becomes"] != "not_applicable"
                }
            ),
        },
        "false_alarm_rate": false_alarms["share"],
    }
    if study["detectable"][0]["difference"] is not None:
        headline["detectable_difference"] = study["detectable"][0]["difference"]
    if found["chi_square"] and "cramers_v" in found["chi_square"][0]:
        headline["top_cramers_v"] = found["chi_square"][0]["cramers_v"]
    for row in found["questions"]:
        compares_limit = (row["value"], row["group"]) == (mean_column, schema.TARGET)
        if row["applicable"] and compares_limit and row["effect_name"] == "g":
            headline["difference"] = {
                "estimate": row["estimate"],
                "low": row["estimate_low"],
                "high": row["estimate_high"],
                "hedges_g": row["effect"],
            }
            break
    return headline


def count_verdicts(verdicts: Sequence[str]) -> dict[str, int]:
    """Return how many questions were asked, and how their answers came out."""
    return {
        "asked": sum(verdict != "not_applicable" for verdict in verdicts),
        "significant": sum(verdict in SIGNIFICANT for verdict in verdicts),
        "matters": verdicts.count("matters"),
        "negligible": verdicts.count("negligible"),
    }
