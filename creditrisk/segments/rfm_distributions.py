"""How recency, frequency and monetary value are distributed, and spend month by month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.features.record import ClientRecord
from creditrisk.segments import profiles, rfm

Array = np.ndarray

N_SPEND_MONTHS = schema.N_MONTHS - 1
SCORE_RANGE = (1, 2, 3, 4, 5)
MONEY_EDGES = (0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5)
"""NT$: lower ends of the bars of a monetary value, the last one open."""
Z = 1.959963984540054
"""Normal quantile of a 95 % interval."""


def describe(
    record: ClientRecord,
    specified: Mapping[str, Array],
    spend: Mapping[str, Array],
    outcome: Array,
    is_train: Array,
) -> dict[str, Any]:
    """Describe both versions, the repayment view, delinquency and spend month by month.

    Parameters
    ----------
    record : ClientRecord, n clients
    specified, spend : mapping of ndarray, shape (n,)
        From :func:`creditrisk.segments.rfm.score_as_specified` and
        :func:`creditrisk.segments.rfm.score`.
    outcome : ndarray of int, shape (n,)
    is_train : ndarray of bool, shape (n,)

    Returns
    -------
    dict
        ``as_specified`` and ``spend``: :func:`describe_scores` and clients by value
        of each measure; ``repayment`` and ``delinquency``, clients by months;
        ``spend_by_month``, see :func:`spend_by_month`.
    """
    timely = np.rint(specified["frequency"] * schema.N_MONTHS).astype(int)
    return {
        "as_specified": {
            **describe_scores(specified, outcome, is_train),
            "recency_values": by_months(specified["recency"], schema.N_MONTHS, outcome),
            "frequency_values": by_months(timely, schema.N_MONTHS, outcome),
            "monetary_values": by_amount(specified["monetary"], outcome),
        },
        "spend": {
            **describe_scores(spend, outcome, is_train),
            "recency_values": by_months(spend["recency"], N_SPEND_MONTHS, outcome),
            "frequency_values": by_months(spend["frequency"], N_SPEND_MONTHS, outcome),
            "monetary_values": by_amount(spend["monetary"], outcome),
        },
        "repayment": by_months(rfm.months_since_payment(record), schema.N_MONTHS, outcome),
        "delinquency": by_months(rfm.months_late(record), schema.N_MONTHS, outcome),
        "spend_by_month": spend_by_month(record, outcome),
    }


def describe_scores(scored: Mapping[str, Array], outcome: Array, is_train: Array) -> dict[str, Any]:
    """Describe the three scores: who has each, and where the training quintiles lie.

    Parameters
    ----------
    scored : mapping of ndarray, shape (n,)
        From :func:`creditrisk.segments.rfm.add_scores`.
    outcome : ndarray of int, shape (n,)
    is_train : ndarray of bool, shape (n,)

    Returns
    -------
    dict
        A measure each: ``scores`` (n, share, default rate of 5 … 1),
        ``train_quintiles``, and on ties ``n_values`` (how many different values occur),
        ``mode`` (the most frequent one) and ``mode_share``, the clients that have it.
    """
    described: dict[str, Any] = {}
    for measure, score_name in zip(rfm.MEASURES, rfm.SCORES, strict=True):
        values = scored[measure]
        levels, counts = np.unique(values, return_counts=True)
        described[measure] = {
            "scores": profiles.describe_groups(scored[score_name], SCORE_RANGE[::-1], outcome),
            "train_quintiles": np.quantile(values[is_train], [0.2, 0.4, 0.6, 0.8]).tolist(),
            "n_values": len(levels),
            "mode": float(levels[counts.argmax()]),
            "mode_share": float(counts.max() / len(values)),
        }
    described["n_codes"] = len(np.unique(scored["code"]))
    return described


def by_months(months: Array, most: int, outcome: Array) -> list[dict[str, Any]]:
    """Describe the clients with 0 to ``most`` months of something, see :mod:`.profiles`."""
    return profiles.describe_groups(months, range(most + 1), outcome)


def by_amount(amount: Array, outcome: Array) -> list[dict[str, Any]]:
    """Describe the clients by an amount that is not negative; ``group`` is a bar's lower end.

    The bar from 0 holds amounts below 1,000 that are not 0; those of exactly 0 have a
    bar of their own, whose ``group`` is −1.
    """
    lower = np.array(MONEY_EDGES)[np.searchsorted(MONEY_EDGES, amount, side="right") - 1]
    groups = np.where(amount == 0, -1.0, lower)
    return profiles.describe_groups(groups, [-1.0, *MONEY_EDGES], outcome)


def spend_by_month(record: ClientRecord, outcome: Array) -> list[dict[str, Any]]:
    """Describe positive spend from May to September for those who paid and who defaulted.

    Parameters
    ----------
    record : ClientRecord, n clients
    outcome : ndarray of int, shape (n,)

    Returns
    -------
    list of dict
        For each outcome that occurs: ``default`` (0 or 1), ``n``, and five numbers each,
        the oldest month first: ``mean`` with ``low`` and ``high`` (95 %, normal; None for
        a single client) and ``median``, NT$.
    """
    spent = np.maximum(record.spend[:, ::-1], 0.0)
    rows = []
    for value in np.unique(outcome).tolist():
        mine = spent[outcome == value]
        mean = mine.mean(axis=0)
        row = {"default": value, "n": len(mine), "mean": mean.tolist()}
        half = Z * mine.std(axis=0, ddof=1) / np.sqrt(len(mine)) if len(mine) > 1 else None
        row["low"] = None if half is None else (mean - half).tolist()
        row["high"] = None if half is None else (mean + half).tolist()
        rows.append({**row, "median": np.median(mine, axis=0).tolist()})
    return rows
