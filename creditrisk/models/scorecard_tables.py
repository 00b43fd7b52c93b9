"""A fitted scorecard as plain values: its table of points and clients worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.models import binning
from creditrisk.models.scorecard import SPECIAL, Card, Scorecard

Array = np.ndarray

EXAMPLES = {"middle": 0.5, "risky": 0.05}
"""Name of a worked client → the share of training rows with fewer points."""


def document(card: Scorecard, X: Array) -> dict[str, Any]:
    """Return what is stored of a scorecard.

    Parameters
    ----------
    card : Scorecard
        Fitted.
    X : ndarray of float, shape (n, k)
        Training rows, of which the worked clients are taken.

    Returns
    -------
    dict
        ``scale``: what turns points into odds; ``cards``: of each segment its clients,
        ``start_points``, ``columns``: the table of points, strongest column first, and
        ``dropped``: columns that are not used, and why; ``examples``: see
        :func:`worked_example`.
    """
    factor, offset = card.scale()
    points = card.points(X)
    order = np.argsort(points, kind="stable")
    rows = {name: int(order[int(share * (len(order) - 1))]) for name, share in EXAMPLES.items()}
    return {
        "scale": {
            "pdo": card.pdo,
            "anchor_points": card.anchor_points,
            "anchor_odds": card.anchor_odds,
            "factor": factor,
            "offset": offset,
        },
        "cards": [_card(card, i) for i in range(len(card.cards_))],
        "examples": [{"name": name, **worked_example(card, X[row])} for name, row in rows.items()],
    }


def segment_label(card: Scorecard, i: int) -> str:
    """Return a segment in words, as ``PAY_0 −1 to 0``; its column holds whole numbers."""
    edges = [-np.inf, *card.segments["edges"], np.inf]
    words = binning.whole_label(edges[i], edges[i + 1]).replace("-", "\N{MINUS SIGN}")
    return f"{card.segments['column']} {words}"


def _names(feature: str) -> dict[float, str]:
    """Return what the special codes of a column mean."""
    return {code: schema.STATUS_CODES[int(code)] for code in SPECIAL.get(feature, ())}


def _card(card: Scorecard, i: int) -> dict[str, Any]:
    """Return one segment with its table of points."""
    own = card.cards_[i]
    return {
        "segment": segment_label(card, i),
        "n": own.n,
        "default_rate": own.n_default / own.n,
        "start_points": own.start_points,
        "columns": [_column(card, own, k) for k in range(len(own.columns))],
        "dropped": [{"feature": card.features[j], "reason": reason} for j, reason in own.dropped],
    }


def _column(card: Scorecard, own: Card, k: int) -> dict[str, Any]:
    """Return the bins of one kept column with their points."""
    bins, feature = own.bins[k], card.features[own.columns[k]]
    rows = zip(
        binning.labels(bins, _names(feature)),
        bins.n.tolist(),
        bins.n_default.tolist(),
        bins.woe.tolist(),
        own.points[k].tolist(),
        strict=True,
    )
    return {
        "feature": feature,
        "direction": card.direction(feature),
        "found": binning.found_direction(bins),
        "information_value": bins.information_value,
        "weight": float(own.weights[k]),
        "bins": [
            {
                "bin": label,
                "n": n,
                "default_rate": n_default / n if n else None,
                "woe": woe,
                "points": points,
            }
            for label, n, n_default, woe, points in rows
        ],
    }


def worked_example(card: Scorecard, x: Array) -> dict[str, Any]:
    """Work one client by hand: from its values through points and odds to a probability.

    Parameters
    ----------
    card : Scorecard
    x : ndarray of float, shape (k,)

    Returns
    -------
    dict
        ``segment``, whose card it is, with its ``start_points``; ``steps``: value, bin and
        points by column; ``points``: their sum with the start points; ``odds`` of paying, good : bad; ``probability`` of default, 1 / (1 + odds).
    """
    segment = int(card.segment(x[np.newaxis])[0])
    own = card.cards_[segment]
    steps: list[dict[str, Any]] = []
    for j, bins, points in zip(own.columns, own.bins, own.points, strict=True):
        index = int(bins.index(x[j : j + 1])[0])
        feature = card.features[j]
        steps.append(
            {
                "feature": feature,
                "value": float(x[j]),
                "bin": binning.labels(bins, _names(feature))[index],
                "points": float(points[index]),
            }
        )
    total = own.start_points + sum(step["points"] for step in steps)
    odds = float(card.odds(total))
    return {
        "segment": segment_label(card, segment),
        "start_points": own.start_points,
        "steps": steps,
        "points": total,
        "odds": odds,
        "probability": 1.0 / (1.0 + odds),
    }
