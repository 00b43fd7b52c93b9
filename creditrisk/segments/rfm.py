"""Recency, frequency and monetary value of a card without dates: as specified, and on spend.

The table has no transactions, so both versions are derived from six monthly
statements. The version *as specified* reads bills, timely months and payments; the
improved one reads the spend that the statements imply,
``BILL_i − BILL_{i+1} + PAY_AMT_i``. Bands and segment rules are fixed numbers, so a
client's scores depend on that client alone. numpy only: the service runs this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.features.record import ClientRecord

MEASURES = ("recency", "frequency", "monetary")
SCORES = ("recency_score", "frequency_score", "monetary_score")
QUANTITIES = (*MEASURES, *SCORES, "activity")
"""What a segment rule may speak of; ``activity`` is NT$ billed or paid, signs ignored."""


def months_since(happened: np.ndarray) -> np.ndarray:
    """Return months since something last happened; the number of months when it never did.

    Parameters
    ----------
    happened : ndarray of bool, shape (n, m)
        Newest month first.

    Returns
    -------
    ndarray of int, shape (n,)
        0 (in the newest month) to m (in none of them).
    """
    return np.where(happened.any(axis=1), happened.argmax(axis=1), happened.shape[1])


def score_bands(
    values: np.ndarray, edges: Sequence[float], *, higher_is_better: bool
) -> np.ndarray:
    """Score values 1 to ``len(edges) + 1`` by fixed, ascending band edges.

    A value on an edge belongs to the band above it, so equal values always share
    a score however many of them there are.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    edges : sequence of float, length b, ascending
    higher_is_better : bool
        False reverses the scores: the lowest band gets ``b + 1``.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    band = np.searchsorted(np.asarray(edges, dtype=float), values, side="right")
    return 1 + band if higher_is_better else 1 + len(edges) - band


def measure_as_specified(record: ClientRecord) -> dict[str, np.ndarray]:
    """Compute the three quantities as the request words them.

    Parameters
    ----------
    record : ClientRecord, n clients

    Returns
    -------
    dict of ndarray, shape (n,)
        ``recency`` months since the last bill above 0 (0–5, 6 = none in six
        months), ``frequency`` mean over six months of "status ≤ 0" (0–1),
        ``monetary`` total of the six payments, NT$.
    """
    return {
        "recency": months_since(record.bill > 0),
        "frequency": (record.status <= 0).mean(axis=1),
        "monetary": record.paid.sum(axis=1),
    }


def measure_spend(record: ClientRecord, spend_threshold: float) -> dict[str, np.ndarray]:
    """Compute recency, frequency and monetary value of the implied spend.

    Parameters
    ----------
    record : ClientRecord, n clients
    spend_threshold : float
        τ in NT$: smaller amounts are taken for interest and fees.

    Returns
    -------
    dict of ndarray, shape (n,)
        ``recency`` months since the last spend above τ (0–4, 5 = none in five
        months), ``frequency`` months of five with spend above τ, ``monetary``
        sum of positive spend, NT$.
    """
    active = record.spend > spend_threshold
    return {
        "recency": months_since(active),
        "frequency": active.sum(axis=1),
        "monetary": np.maximum(record.spend, 0.0).sum(axis=1),
    }


def months_since_payment(record: ClientRecord) -> np.ndarray:
    """Return months since the last payment above 0 (0–5, 6 = none), the repayment view."""
    return months_since(record.paid > 0)


def months_late(record: ClientRecord) -> np.ndarray:
    """Return how many of the six months have a status of 2 or more (0–6), the optional D."""
    return record.late.sum(axis=1).astype(int)


def add_scores(
    measures: Mapping[str, np.ndarray], edges: Mapping[str, Sequence[float]]
) -> dict[str, np.ndarray]:
    """Add 1–5 scores and the combined code to three measures.

    Parameters
    ----------
    measures : mapping of ndarray, shape (n,)
        ``recency``, ``frequency``, ``monetary``.
    edges : mapping of sequence of float, length 4
        Band edges of each measure; a low recency is good, the others are good
        when high.

    Returns
    -------
    dict of ndarray, shape (n,)
        The measures, ``recency_score``, ``frequency_score``, ``monetary_score``
        (1 worst, 5 best) and ``code``, the three digits as one number (555 best).
    """
    scored = dict(measures)
    for name, score_name in zip(MEASURES, SCORES, strict=True):
        scored[score_name] = score_bands(
            measures[name], edges[name], higher_is_better=name != "recency"
        )
    recency, frequency, monetary = (scored[name] for name in SCORES)
    scored["code"] = 100 * recency + 10 * frequency + monetary
    return scored


def first_rule(
    quantities: Mapping[str, np.ndarray], rules: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Return the position of the first rule whose every condition holds, for each client.

    Parameters
    ----------
    quantities : mapping of ndarray, shape (n,)
    rules : sequence of mapping
        ``name`` and ``conditions``: quantity → [low, high], both inclusive, None
        for open. The last rule has no conditions and takes whoever is left.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    n = len(next(iter(quantities.values())))
    matches = np.ones((len(rules), n), dtype=bool)
    for i, rule in enumerate(rules):
        for quantity, (low, high) in rule["conditions"].items():
            if low is not None:
                matches[i] &= quantities[quantity] >= low
            if high is not None:
                matches[i] &= quantities[quantity] <= high
    return matches.argmax(axis=0)


def name_segments(
    quantities: Mapping[str, np.ndarray], rules: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Name each client by its :func:`first_rule`; ndarray of str, shape (n,)."""
    return np.array([rule["name"] for rule in rules])[first_rule(quantities, rules)]


def activity(record: ClientRecord) -> np.ndarray:
    """Return NT$ billed or paid in the six months, signs ignored, shape (n,)."""
    return np.abs(record.bill).sum(axis=1) + record.paid.sum(axis=1)


def score_as_specified(record: ClientRecord, bands: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Score clients by RFM as specified.

    Parameters
    ----------
    record : ClientRecord, n clients
    bands : mapping
        What ``models/rfm.json`` holds; its ``as_specified`` edges are used.

    Returns
    -------
    dict of ndarray, shape (n,)
        See :func:`add_scores`.
    """
    return add_scores(measure_as_specified(record), bands["as_specified"])


def score(record: ClientRecord, bands: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Score clients by spend: the one function behind the stage and the service.

    Everything is row-wise, so one client alone gets what the batch gives.

    Parameters
    ----------
    record : ClientRecord, n clients
    bands : mapping
        What ``models/rfm.json`` holds: ``spend_threshold`` (NT$), ``spend`` (edges
        of the three measures) and ``segments`` (ordered rules).

    Returns
    -------
    dict of ndarray, shape (n,)
        ``recency``, ``frequency``, ``monetary``, their ``…_score``, ``code`` and
        ``segment`` (str).
    """
    scored = add_scores(measure_spend(record, bands["spend_threshold"]), bands["spend"])
    quantities = {**scored, "activity": activity(record)}
    scored["segment"] = name_segments(quantities, bands["segments"])
    return scored
