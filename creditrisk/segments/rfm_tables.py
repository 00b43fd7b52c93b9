"""What the RFM page shows, computed from clients, scores and fixed bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.features.record import ClientRecord, from_frame
from creditrisk.segments import profiles, rfm, rfm_distributions, rfm_stability

if TYPE_CHECKING:
    import pandas as pd

N_SPEND_MONTHS = schema.N_MONTHS - 1


def score_table(
    clients: pd.DataFrame, bands: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Score every client in both versions.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    bands : mapping
        What ``models/rfm.json`` holds.

    Returns
    -------
    DataFrame, dict, dict
        ID with all scores (``recency_last_bill``, ``frequency_timely``,
        ``monetary_total_paid`` and their scores and code, then the spend version
        and ``segment``), the scores as specified and the scores on spend.
    """
    record = from_frame(clients)
    specified, spend = rfm.score_as_specified(record, bands), rfm.score(record, bands)
    names = {
        "recency": "recency_last_bill",
        "frequency": "frequency_timely",
        "monetary": "monetary_total_paid",
        "recency_score": "recency_last_bill_score",
        "frequency_score": "frequency_timely_score",
        "monetary_score": "monetary_total_paid_score",
        "code": "code_as_specified",
    }
    table = clients[[schema.KEY]].assign(
        **{name: specified[key] for key, name in names.items()}, **spend
    )
    return table, specified, spend


def cross_tabulate(
    record: ClientRecord,
    spend: Mapping[str, np.ndarray],
    outcome: np.ndarray,
    *,
    min_cell: int,
) -> dict[str, Any]:
    """Cross recency with frequency of spend: n, default rate, mean spend, utilization.

    Parameters
    ----------
    record : ClientRecord, n clients
    spend : mapping of ndarray, shape (n,)
        From :func:`creditrisk.segments.rfm.score`.
    outcome : ndarray of int, shape (n,)
    min_cell : int
        Cells with fewer clients show their count only.

    Returns
    -------
    dict
        ``recency`` and ``frequency`` (the values 0–5), and matrices recency ×
        frequency: ``n``, ``default_rate``, ``low``, ``high``, ``mean_spend`` (NT$ in
        five months), ``mean_utilization`` (of six months); None where a cell is empty
        or small.
    """
    utilization = record.utilization.mean(axis=1)
    steps = range(N_SPEND_MONTHS + 1)
    keys = ("n", "default_rate", "low", "high", "mean_spend", "mean_utilization")
    maps: dict[str, list[list[Any]]] = {key: [] for key in keys}
    for recency in steps:
        rows: dict[str, list[Any]] = {key: [] for key in keys}
        for frequency in steps:
            cell = (spend["recency"] == recency) & (spend["frequency"] == frequency)
            known = profiles.describe_group(cell, outcome)
            if known["n"] >= max(min_cell, 1):
                known["mean_spend"] = float(spend["monetary"][cell].mean())
                known["mean_utilization"] = float(utilization[cell].mean())
            else:
                known = {"n": known["n"]}
            for key in keys:
                rows[key].append(known.get(key))
        for key in keys:
            maps[key].append(rows[key])
    return {"recency": list(steps), "frequency": list(steps), **maps}


def vary_threshold(
    record: ClientRecord,
    bands: Mapping[str, Any],
    spend: Mapping[str, np.ndarray],
    outcome: np.ndarray,
    alternatives: Sequence[float],
) -> list[dict[str, Any]]:
    """Recompute recency and segments with other spend thresholds τ beside the chosen one.

    Returns
    -------
    list of dict
        A threshold each: ``threshold`` (NT$), ``n_recent`` and ``n_none`` (recency 0
        and none), ``default_rate_none``, ``changed_share`` of clients whose segment
        is another one than with the chosen τ.
    """
    rows = []
    for threshold in sorted({bands["spend_threshold"], *alternatives}):
        scored = rfm.score(record, {**bands, "spend_threshold": threshold})
        none = scored["recency"] == N_SPEND_MONTHS
        rows.append(
            {
                "threshold": threshold,
                "n_recent": int((scored["recency"] == 0).sum()),
                "n_none": int(none.sum()),
                "default_rate_none": float(outcome[none].mean()) if none.any() else None,
                "changed_share": float((scored["segment"] != spend["segment"]).mean()),
            }
        )
    return rows


def describe_limits(record: ClientRecord, specified: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Count what stands behind the warnings of the page.

    Returns
    -------
    dict
        Shares of client-months whose implied spend is negative, and above 0 on a
        card that revolves without buying much (``0 < spend ≤ 2 %`` of the bill that
        it follows: what interest alone would produce); ``recency_ties_share``, the
        share of clients with a bill in the newest month.
    """
    spend, before = record.spend, record.owed[:, 1:]
    interest_like = (spend > 0) & (spend <= 0.02 * before)
    return {
        "negative_month_share": float((spend < 0).mean()),
        "interest_like_month_share": float(interest_like.mean()),
        "recency_ties_share": float((specified["recency"] == 0).mean()),
    }


def describe_segments(
    record: ClientRecord,
    spend: Mapping[str, np.ndarray],
    bands: Mapping[str, Any],
    outcome: np.ndarray,
) -> list[dict[str, Any]]:
    """Describe each segment in the order of the rules, with medians; see :mod:`.profiles`."""
    names = list(dict.fromkeys(rule["name"] for rule in bands["segments"]))
    quantities = {
        **{name: spend[name] for name in rfm.MEASURES},
        "limit": record.limit,
        "utilization": record.utilization.mean(axis=1),
    }
    return profiles.describe_groups(spend["segment"], names, outcome, quantities)


def analyse(
    clients: pd.DataFrame,
    bands: Mapping[str, Any],
    *,
    threshold_alternatives: Sequence[float],
    min_cell: int,
    resampling: Mapping[str, int],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Score all clients and compute everything that the page shows.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    bands : mapping
        What ``models/rfm.json`` holds.
    threshold_alternatives : sequence of float
        Other spend thresholds τ, NT$, for the sensitivity table.
    min_cell : int
        Smallest cell of a heat map whose rates are shown.
    resampling : mapping of int
        ``n_replicates``, ``random_state`` and ``n_jobs`` of
        :func:`creditrisk.segments.rfm_stability.resample_bands`.

    Returns
    -------
    DataFrame
        See :func:`score_table`.
    dict
        The results behind the page, with its ``headline``.
    """
    record = from_frame(clients)
    outcome = clients[schema.TARGET].to_numpy()
    is_train = (clients[schema.SPLIT] == schema.TRAIN).to_numpy()
    table, specified, spend = score_table(clients, bands)
    results = {
        "rows": len(clients),
        "default_rate": float(outcome.mean()),
        "bands": dict(bands),
        **rfm_distributions.describe(record, specified, spend, outcome, is_train),
        "segments": describe_segments(record, spend, bands, outcome),
        "heatmaps": cross_tabulate(record, spend, outcome, min_cell=min_cell),
        "limits": describe_limits(record, specified),
        "stability": {
            "resampled": rfm_stability.resample_bands(
                record, bands, is_train, clients[schema.GROUP].to_numpy(), **resampling
            ),
            "shifted": rfm_stability.shift_month(record, bands),
            "thresholds": vary_threshold(record, bands, spend, outcome, threshold_alternatives),
        },
    }
    return table, {"headline": summarise(results), **results}


def summarise(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline numbers of the RFM results (see :func:`analyse`)."""
    present = [s for s in results["segments"] if s["n"]]
    by_rate = sorted(present, key=lambda s: s["default_rate"])
    recency, stability = results["spend"]["recency_values"], results["stability"]
    return {
        "rows": results["rows"],
        "spend_threshold": results["bands"]["spend_threshold"],
        "n_recent": recency[0]["n"],
        "default_rate_recent": recency[0]["default_rate"],
        "n_no_spend": recency[-1]["n"],
        "default_rate_no_spend": recency[-1]["default_rate"],
        "recency_ties_share_as_specified": results["limits"]["recency_ties_share"],
        "recency_ties_share_spend": results["spend"]["recency"]["mode_share"],
        "n_segments": len(present),
        "largest_segment_share": max(s["share"] for s in present),
        "lowest_segment": by_rate[0]["group"],
        "lowest_segment_default_rate": by_rate[0]["default_rate"],
        "highest_segment": by_rate[-1]["group"],
        "highest_segment_default_rate": by_rate[-1]["default_rate"],
        "kept_resampled": stability["resampled"]["kept"]["derived"]["segment"]["mean"],
        "kept_shifted": stability["shifted"]["kept_share"],
    }
