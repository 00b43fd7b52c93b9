"""From probability to decision: the threshold, what it costs and what it misses.

A client is flagged (contact, watch) or clear; nobody is approved or declined. A
flag on a client who pays is a false alarm (the classifier's Type I error), a
default among the clear a missed detection (Type II).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.validation.grades import grade_names

Array = np.ndarray

BASES = ("cost_ratio", "flag_share")


def cost_threshold(cost_false_alarm: float, cost_missed_detection: float) -> float:
    """Return the probability above which flagging costs less than not flagging.

    ``t* = C_FP / (C_FP + C_FN)`` (Elkan, IJCAI 2001): right for calibrated
    probabilities and costs that do not differ between clients.
    """
    return cost_false_alarm / (cost_false_alarm + cost_missed_detection)


def share_threshold(p: Array, share: float) -> float:
    """Return the probability at or above which the given share of clients lies."""
    return float(np.quantile(p, 1 - share))


def choose_threshold(
    p: Array,
    *,
    basis: str,
    cost_false_alarm: float,
    cost_missed_detection: float,
    flag_share: float,
) -> float:
    """Return the threshold that a parameter set asks for.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
        Out-of-fold probabilities of training rows; read by ``flag_share`` only.
    basis : {"cost_ratio", "flag_share"}
    cost_false_alarm, cost_missed_detection : float
        In any common unit.
    flag_share : float
        Share of clients that can be looked after.

    Returns
    -------
    float
        A client with this probability or more is flagged.

    Raises
    ------
    UserError
        Naming the allowed bases.
    """
    if basis == "cost_ratio":
        return cost_threshold(cost_false_alarm, cost_missed_detection)
    if basis == "flag_share":
        return share_threshold(p, flag_share)
    raise UserError(f"the threshold's basis must be one of {', '.join(BASES)}, got {basis!r}")


def policy_document(
    bounds: Sequence[float], threshold: Mapping[str, Any], p: Array
) -> dict[str, Any]:
    """Return what turns a probability into a grade and a decision, as it is served.

    Parameters
    ----------
    bounds : sequence of float, length 7
        Where one grade ends and the next begins.
    threshold : mapping
        ``name`` (one of :data:`BASES`), ``cost_false_alarm``, ``cost_missed_detection``,
        ``flag_share``; see :func:`choose_threshold`.
    p : ndarray of float, shape (n,)
        Out-of-fold probabilities of training rows, as they would be served.

    Returns
    -------
    dict
        ``grades`` (the bounds) and ``threshold`` with ``name``, ``value`` and ``basis``, a
        sentence that says where the value comes from.

    Raises
    ------
    UserError
        When the bounds do not make eight grades, or for an unknown name.
    """
    grade_names(bounds)
    settings = {name: value for name, value in threshold.items() if name != "name"}
    value = choose_threshold(p, basis=threshold["name"], **settings)
    basis = threshold_basis(threshold["name"], **settings)
    return {
        "grades": [float(bound) for bound in bounds],
        "threshold": {"name": threshold["name"], "value": value, "basis": basis},
    }


def threshold_basis(
    name: str, *, cost_false_alarm: float, cost_missed_detection: float, flag_share: float
) -> str:
    """Return where the threshold of that name comes from, in words."""
    if name == "flag_share":
        return (
            f"{100 * flag_share:g} % of clients can be looked after: so many training clients "
            "have this probability or more out of fold"
        )
    return (
        f"a missed detection is assumed to cost {cost_missed_detection / cost_false_alarm:g} times "
        f"a false alarm: {cost_false_alarm:g} / ({cost_false_alarm:g} + {cost_missed_detection:g})"
    )


def confusion(y: Array, p: Array, threshold: float) -> dict[str, Any]:
    """Count the four outcomes at a threshold.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    threshold : float

    Returns
    -------
    dict
        ``threshold``; counts ``caught_defaults``, ``missed_detections``,
        ``false_alarms``, ``correctly_clear``; ``flagged_share``; ``precision`` (None
        where nobody is flagged); ``recall``; ``false_alarm_rate`` (of clients who
        pay, Type I) and ``missed_detection_rate`` (of defaulters, Type II).
    """
    flagged, defaulted = p >= threshold, y == 1
    caught, alarms = int((flagged & defaulted).sum()), int((flagged & ~defaulted).sum())
    missed, clear = int((~flagged & defaulted).sum()), int((~flagged & ~defaulted).sum())
    return {
        "threshold": float(threshold),
        "caught_defaults": caught,
        "missed_detections": missed,
        "false_alarms": alarms,
        "correctly_clear": clear,
        "flagged_share": (caught + alarms) / len(y),
        "precision": caught / (caught + alarms) if caught + alarms else None,
        "recall": caught / (caught + missed),
        "false_alarm_rate": alarms / (alarms + clear),
        "missed_detection_rate": missed / (caught + missed),
    }


def threshold_table(
    y: Array,
    p: Array,
    thresholds: Mapping[str, float],
    *,
    cost_false_alarm: float,
    cost_missed_detection: float,
) -> list[dict[str, Any]]:
    """Return the confusion counts of several thresholds with their cost a client.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
    thresholds : mapping of name to float
    cost_false_alarm, cost_missed_detection : float

    Returns
    -------
    list of dict
        :func:`confusion` with ``name`` and ``cost_per_client``; the last row, "nobody",
        is what flagging nobody costs.
    """
    rows = []
    for name, threshold in [*thresholds.items(), ("nobody", np.inf)]:
        row = confusion(y, p, threshold)
        cost = (
            cost_false_alarm * row["false_alarms"]
            + cost_missed_detection * row["missed_detections"]
        )
        if np.isinf(threshold):
            row["threshold"] = None
        rows.append({"name": name, **row, "cost_per_client": cost / len(y)})
    return rows
