"""The statistics page: results of ``stats_report`` as a sequence of slices."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import (
    anova,
    answers,
    chi_square,
    errors,
    estimation,
    permutation,
    sensitivity,
    stratified,
    tests,
)
from creditrisk.reporting.pages.statistics.verdict import write_verdict

SECTIONS = [
    ("questions", "Declared questions and answers"),
    ("estimation", "The mean credit limit"),
    ("bootstrap", "Bootstrap distributions"),
    ("coverage", "Do the intervals hold what they promise?"),
    ("permutation", "Permutation tests"),
    ("tests", "z-test and t-tests, side by side"),
    ("chi_square", "Categorical feature importance (chi-square)"),
    ("anova", "Analysis of variance"),
    ("stratified", "The same question within strata"),
    ("context", "Hypothesis testing context"),
    ("sensitivity", "Sensitivity"),
    ("limits", "Limits"),
]


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the page reads.

    Parameters
    ----------
    results : dict
        ``data/results/stats_report.json``, and ``beside``: the headline of the model.

    Returns
    -------
    dict
        One key a slice, and what the frame of the page shows.
    """
    sample, studies = results["sample"], results["studies"]
    asked = [row for row in results["questions"] if row["applicable"]]
    return {
        "sections": SECTIONS,
        "verdict": write_verdict(results),
        "n": fmt.integer(sample["rows"]),
        "answers": answers.build(results["questions"], sample),
        "estimation": estimation.build(
            results["estimation"], results["distributions"], studies["coverage"]
        ),
        "permutation": permutation.build(asked),
        "tests": tests.build(asked, sample),
        "chi_square": chi_square.build(results["chi_square"], sample["confidence"]),
        "anova": anova.build(asked, alpha=sample["alpha"], confidence=sample["confidence"]),
        "stratified": stratified.build(
            asked, alpha=sample["alpha"], confidence=sample["confidence"]
        ),
        "errors": errors.build(results["context"], studies["errors"], results["beside"]),
        "sensitivity": sensitivity.build(results["sensitivity"], results["questions"]),
    }
