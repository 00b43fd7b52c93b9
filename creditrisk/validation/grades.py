"""Eight grades of probability, and whether each of them defaults as often as it says.

A grade is a range of probability with fixed bounds, so that a client's grade depends on
nobody else. A is the lowest risk, H the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from creditrisk.data.rates import wilson
from creditrisk.errors import UserError
from creditrisk.stats.multiplicity import adjust

Array = np.ndarray

NAMES = tuple("ABCDEFGH")


def grade_names(bounds: Sequence[float]) -> tuple[str, ...]:
    """Return the grades that seven bounds make, lowest risk first.

    Raises
    ------
    UserError
        Unless there are seven bounds that rise strictly between 0 and 1.
    """
    edges = [0.0, *bounds, 1.0]
    if len(bounds) != len(NAMES) - 1 or not (np.diff(edges) > 0).all():
        raise UserError(
            f"policy.grades: give {len(NAMES) - 1} probabilities that rise strictly between "
            f"0 and 1, got {list(bounds)}"
        )
    return NAMES


def assign_grades(p: Array, bounds: Sequence[float]) -> Array:
    """Return each probability's grade as a number, 0 for A to 7 for H.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
    bounds : sequence of float, length 7
        Ascending; a probability on a bound belongs to the riskier grade.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    return np.searchsorted(bounds, p, side="right")


def grade_table(y: Array, p: Array, bounds: Sequence[float]) -> list[dict[str, Any]]:
    """Return what each grade predicts and what was observed in it.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
    bounds : sequence of float, length 7

    Returns
    -------
    list of dict
        Per grade ``grade``, its range ``from`` and ``to``, ``n``, ``defaults`` and, None
        where the grade is empty, ``mean_probability``, ``observed`` with its 95 % Wilson
        interval ``low``/``high``, ``jeffreys_p`` and ``binomial_p``, each also
        ``*_adjusted`` by Holm over the grades.

    Notes
    -----
    Both p-values are one-sided, against a probability that is too low, and take the
    grade's clients as independent draws at its mean probability. Jeffreys: the
    distribution function at that mean of Beta(D + ½, n − D + ½) (ECB, Instructions for
    reporting the validation results of internal models, 2019). Binomial: P(X ≥ D).
    """
    grade = assign_grades(p, bounds)
    edges = [0.0, *bounds, 1.0]
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(grade_names(bounds)):
        own = grade == i
        reach = {"grade": name, "from": edges[i], "to": edges[i + 1]}
        rows.append(reach | _back_test(y[own], p[own]))
    for test in ("jeffreys_p", "binomial_p"):
        adjusted = adjust([row[test] for row in rows], "holm")
        for row, value in zip(rows, adjusted, strict=True):
            row[f"{test}_adjusted"] = value
    return rows


def _back_test(y: Array, p: Array) -> dict[str, Any]:
    """Return the counts, rates and p-values of one grade."""
    from scipy.stats import beta, binom

    n, defaults = len(y), int(y.sum())
    if not n:
        empty = ("mean_probability", "observed", "low", "high", "jeffreys_p", "binomial_p")
        return {"n": 0, "defaults": 0, **dict.fromkeys(empty)}
    mean = float(p.mean())
    low, high = wilson(defaults, n)
    return {
        "n": n,
        "defaults": defaults,
        "mean_probability": mean,
        "observed": defaults / n,
        "low": float(low),
        "high": float(high),
        "jeffreys_p": float(beta.cdf(mean, defaults + 0.5, n - defaults + 0.5)),
        "binomial_p": float(binom.sf(defaults - 1, n, mean)),
    }


def check_grades(
    table: Sequence[dict[str, Any]], *, min_clients: int = 500, min_defaults: int = 30
) -> None:
    """Refuse grades that are too small to be tested or that do not rank.

    Parameters
    ----------
    table : sequence of dict
        :func:`grade_table` on out-of-fold probabilities of training rows.
    min_clients, min_defaults : int
        Each grade's least counts; fewer say little of its rate.

    Raises
    ------
    UserError
        Naming the grade, its count or rates, and the remedy.
    """
    remedy = "move the bounds in policy.grades"
    for row in table:
        for count, least in (("n", min_clients), ("defaults", min_defaults)):
            if row[count] < least:
                what = "clients" if count == "n" else count
                raise UserError(
                    f"grade {row['grade']} has {row[count]} {what} in training, fewer than "
                    f"{least}: {remedy}"
                )
    for better, worse in pairwise(row for row in table if row["n"]):
        if better["observed"] >= worse["observed"]:
            raise UserError(
                f"grade {worse['grade']} defaults no more often than grade {better['grade']} "
                f"({worse['observed']:.2%} against {better['observed']:.2%}): {remedy}"
            )
