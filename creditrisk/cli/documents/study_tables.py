"""Studies of the data and of the statistics as Markdown tables, for the log of experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = {"asked": "AGE, LIMIT_BAL", "amounts": "all amounts, AGE"}
TREATMENTS = {"remove": "dropped", "winsorise": "clipped", "thin": "as many at random"}


def outliers(document: Mapping[str, Any]) -> str:
    """Return what each rule for outliers does to each model, judged on rows never filtered."""
    models = document["design"]["models"]
    return _table(
        ["Model", "Rule, treatment", "Rows", "ROC AUC", "Log loss", "Mean − rate where flagged"],
        (
            [
                models[row["model"]]["label"],
                _arm(row),
                f"{row['treated_share']:.1%}",
                _judged(row, "roc_auc"),
                _judged(row, "log_loss"),
                _moved(row),
            ]
            for row in document["rows"]
        ),
    )


def coverage(document: Mapping[str, Any]) -> str:
    """Return how often each interval of a mean holds the truth, one line a method."""
    sizes = document["design"]["sizes"]
    found = {(row["method"], row["n"]): row["coverage"] for row in document["rows"]}
    methods = dict.fromkeys(method for method, _ in found)
    return _table(
        ["Interval", *(f"n = {n:,}" for n in sizes)],
        ([method, *(f"{found[method, n]:.1%}" for n in sizes)] for method in methods),
    )


def errors(document: Mapping[str, Any]) -> str:
    """Return the tests whose false alarms do not hold the level, by size of the study."""
    measured = document["false_alarms"]
    found = {(r["test"], r["value"], r["group"], r["n"]): r for r in measured["rows"]}
    tests = dict.fromkeys(key[:3] for key, row in found.items() if row["verdict"] == "liberal")
    return _table(
        ["Test", "Column", "Groups", *(f"n = {n:,}" for n in measured["sizes"])],
        (
            [*test, *(f"{found[*test, n]['share']:.1%}" for n in measured["sizes"])]
            for test in tests
        ),
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _arm(row: Mapping[str, Any]) -> str:
    if row["arm"] == "none":
        return "none"
    return f"{row['rule']} on {COLUMNS[row['columns']]}: {TREATMENTS[row['treatment']]}"


def _judged(row: Mapping[str, Any], metric: str) -> str:
    """Return a figure with the verdict on its difference, where there is one."""
    judged = row["difference"] or {}
    return f"{row[metric]:.4f}" + (f", {judged[metric]['verdict']}" if judged else "")


def _moved(row: Mapping[str, Any]) -> str:
    """Return how a model misjudges the clients that the rule flags, without and with the rule."""
    flagged = row["flagged"] or {}
    sides = [flagged[side] for side in ("untreated", "treated") if flagged.get(side)]
    return " → ".join(f"{100 * side['gap']:+.1f}" for side in sides) or "–"
