"""The section on refits: the band around a probability, and who changes side."""

from __future__ import annotations

import math
from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

WANTED = (0.87, 0.93)
"""Share of checking refits that the 90 % band should hold."""


def build(document: Row) -> Row:
    """Return what the template shows of the study ``refits``."""
    band, design = document["band"], document["design"]
    widest, low, high = max(probabilities(band), key=lambda knot: knot[2] - knot[1])
    return {
        "widest": {"at": fmt.percent(widest, 0), "width": fmt.percent(high - low)},
        "level": band["level"],
        "coverage": document["coverage"],
        "holds": WANTED[0] <= document["coverage"] <= WANTED[1],
        "wanted": WANTED,
        "design": design,
        "stability": document["stability"],
        "figure": width(band),
        "rows": [
            [fmt.percent(p), fmt.interval(low, high, "percent"), fmt.percent(high - low)]
            for p, low, high in probabilities(band)
        ],
    }


def probabilities(band: Row) -> list[tuple[float, float, float]]:
    """Return probability and both ends of its interval at every knot of the band."""
    knots = zip(band["log_odds"], band["low"], band["high"], strict=True)
    return [(expit(s), expit(s + low), expit(s + high)) for s, low, high in knots]


def expit(log_odds: float) -> float:
    """Return the probability of some log-odds."""
    return 1 / (1 + math.exp(-log_odds))


def width(band: Row) -> Figure:
    """Draw both ends of the interval, less the probability, against the probability."""
    points = probabilities(band)
    return figures.lines(
        [p for p, _, _ in points],
        {
            "upper end": [high - p for p, _, high in points],
            "lower end": [low - p for p, low, _ in points],
        },
        xlabel="probability of default",
        ylabel="end of the interval less the probability",
        markers=True,
        xformat="percent:0",
        yformat="percent:0",
        height=340,
        alt="Ends of the refit interval less the probability, against the probability: the "
        f"interval is {points[0][2] - points[0][1]:.1%} wide at the lowest scores and at most "
        f"{max(high - low for _, low, high in points):.1%}.",
    )
