"""The section on the declared questions: one table, largest effect first."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import format as fmt
from creditrisk.reporting.figures import Figure
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]


def build(questions: list[Row], sample: Row) -> Row:
    """Return what the template shows of all questions and their answers.

    Parameters
    ----------
    questions : list of dict
        Rows of :func:`creditrisk.stats.declared.questions.answer_all`.
    sample : dict
        ``rows, alpha, confidence``.
    """
    asked = [row for row in questions if row["applicable"]]
    negligible = [row for row in asked if row["verdict"] == "negligible"]
    return {
        "n": fmt.integer(sample["rows"]),
        "n_asked": len(asked),
        "alpha": fmt.percent(sample["alpha"], 0),
        "level": f"{sample['alpha']:g} / {len(asked)}",
        "confidence": fmt.percent(sample["confidence"], 0),
        "figure": sizes_figure(asked),
        "rows": [text.answer_row(row) for row in asked],
        "negligible": [negligible_row(row) for row in negligible],
        "n_tiny": sum(row["p_holm"] < TINY for row in negligible),
        "open": [
            f"{text.name_subject(row)} ({text.name_test(row['kind'])})"
            for row in asked
            if row["verdict"] in ("unclear", "inconclusive")
        ],
        "control": significant_control(asked, sample["alpha"]),
        "skipped": [row for row in questions if not row["applicable"]],
        "declared": [text.declared_row(row) for row in questions],
    }


TINY = 0.001


def negligible_row(row: Row) -> list[Any]:
    """Return a significant answer whose whole interval falls short of what matters."""
    name = row["effect_name"]
    farthest = max(abs(row["effect_low"]), abs(row["effect_high"]))
    return [
        text.name_subject(row),
        fmt.p_value(row["p_holm"]),
        text.effect_cell(row),
        text.format_effect(name, row["smallest_effect"]),
        fmt.percent(farthest / row["smallest_effect"], 0),
    ]


def significant_control(asked: list[Row], alpha: float) -> dict[str, str] | None:
    """Return the row number's answer where it is significant, though it should tell nothing."""
    for row in asked:
        if row["value"] == schema.KEY and row["p_holm"] < alpha:
            return {
                "p": fmt.p_value(row["p_holm"]),
                "effect": f"{text.SYMBOLS[row['effect_name']]} = {text.signed(row['effect'])}",
            }
    return None


def in_multiples(row: Row) -> tuple[float, float, float]:
    """Return low end, effect and high end in multiples of the smallest that matters.

    The sign is dropped, an interval over 0 starts at 0, and shares of variance enter by
    their root.
    """
    low, high = sorted((abs(row["effect_low"]), abs(row["effect_high"])))
    if row["effect_low"] <= 0 <= row["effect_high"]:
        low = 0.0
    power = 0.5 if row["effect_name"] in text.SHARES else 1.0
    low, middle, high = (
        (x / row["smallest_effect"]) ** power for x in (low, abs(row["effect"]), high)
    )
    return low, middle, high


def sizes_figure(asked: list[Row]) -> Figure | None:
    """Draw every effect against its own smallest effect that matters."""
    if not asked:
        return None
    lows, values, highs = zip(*map(in_multiples, asked), strict=True)
    n_beyond = sum(low >= 1 for low in lows)
    return draw.relative_sizes(
        [f"{text.name_subject(row)} ({text.name_test(row['kind'])})" for row in asked],
        values,
        lows,
        highs,
        alt=f"Effects of {len(asked)} questions in multiples of the smallest effect that matters; "
        f"{n_beyond} lie wholly beyond it.",
    )
