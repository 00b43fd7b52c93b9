"""Everything that ``eda.html`` shows, computed from the raw and the cleaned table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data import accounts, codes, describe, dictionary, outliers, overview, transitions
from creditrisk.data.contract import to_numbers
from creditrisk.data.findings.description import describe_findings

if TYPE_CHECKING:
    import pandas as pd

ASKED_COLUMNS = ("AGE", schema.LIMIT)
AMOUNT_COLUMNS = (*schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
RULES = ("zscore", "iqr")


def explore(
    raw: pd.DataFrame,
    clients: pd.DataFrame,
    cleaning: Mapping[str, Any],
    *,
    level: float,
    limit_bal_width: float,
    age_width: float,
    amount_edges: Sequence[float],
    min_clients: int,
) -> dict[str, Any]:
    """Describe the table.

    Parameters
    ----------
    raw : DataFrame
        The raw table, :data:`creditrisk.schema.RAW_COLUMNS`.
    clients : DataFrame, n rows
        The cleaned table.
    cleaning : mapping
        What cleaning found; see :func:`creditrisk.data.cleaning.clean_clients`. Its
        z-score threshold and Tukey factor also rule the before/after tables.
    level : float
        Confidence level of the Wilson intervals.
    limit_bal_width, age_width, amount_edges, min_clients
        See :func:`distributions`.

    Returns
    -------
    dict
        One entry a section of the page, and ``headline``.
    """
    rates: dict[str, Any] = {"level": level, "min_clients": min_clients}
    # a row that cleaning dropped may still hold text where a number belongs
    numbers, _ = to_numbers(raw)
    bounds = {key: cleaning["outliers"][key] for key in ("z", "iqr_factor")}
    results: dict[str, Any] = {
        "overview": overview.overview(raw, clients),
        "dictionary": dictionary.describe_columns(raw, clients),
        "changes": dictionary.describe_changes(raw, clients),
        "waterfall": overview.waterfall(numbers, clients),
        "findings": describe_findings(clients, level=level),
        "imbalance": overview.imbalance(clients, level=level),
        **distributions(clients, limit_bal_width, age_width, amount_edges, **rates),
        "categories": codes.categories(clients, level=level),
        "pay_codes": codes.status_by_month(clients, **rates),
        "pay_evidence": codes.status_evidence(clients),
        "transitions": transitions.describe_transitions(clients, **rates),
        "alignment": accounts.describe_alignment(clients, level=level),
        "identity": accounts.describe_identity(clients, edges=amount_edges, level=level),
        "outliers": removals(numbers, **bounds, level=level),
        "associations": associations(clients),
        "cleaning": excerpt(cleaning),
    }
    return {"headline": headline(results), **results}


def associations(clients: pd.DataFrame) -> dict[str, Any]:
    """Return Spearman's correlations of limit, bills and payments: ``columns``, ``spearman``."""
    columns = [schema.LIMIT, *AMOUNT_COLUMNS]
    return {"columns": columns, "spearman": describe.rank_correlations(clients, columns)}


def excerpt(cleaning: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page repeats of what cleaning found."""
    shown = ("columns", "rule", "treatment", "n_removed", "n_winsorised")
    return {
        **{key: cleaning[key] for key in ("missing", "twins", "flags")},
        "outliers": {key: cleaning["outliers"][key] for key in shown},
    }


def distributions(
    clients: pd.DataFrame,
    limit_bal_width: float,
    age_width: float,
    amount_edges: Sequence[float],
    *,
    level: float,
    min_clients: int,
) -> dict[str, Any]:
    """Return the histograms of limit, age, bills and payments with default rates.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    limit_bal_width, age_width : float
        Bin widths, NT$ and years.
    amount_edges : sequence of float
        Edges of the amount bins, NT$; see
        :func:`creditrisk.data.describe.amount_distribution`.
    level : float
        Confidence level of the Wilson intervals.
    min_clients : int
        Bins and cells with fewer clients have a count and no rate.

    Returns
    -------
    dict
        ``limit_bal``, ``age`` and ``amounts`` (``labels`` of the bins, ``columns``).
    """
    default = clients[schema.TARGET].to_numpy()
    rates: dict[str, Any] = {"level": level, "min_clients": min_clients}
    histograms: dict[str, Any] = {}
    for column, width in ((schema.LIMIT, limit_bal_width), ("AGE", age_width)):
        name = column.lower()
        values = clients[column].to_numpy(float)
        edges = describe.equal_edges(values, width, f"eda.{name}_width")
        histograms[name] = describe.distribution(values, default, edges, **rates)
    amounts = {
        column: describe.amount_distribution(
            clients[column].to_numpy(float), default, amount_edges, **rates
        )
        for column in AMOUNT_COLUMNS
    }
    labels = describe.amount_labels(amount_edges)
    return {**histograms, "amounts": {"labels": labels, "columns": amounts}}


def removals(raw: pd.DataFrame, *, z: float, iqr_factor: float, level: float) -> dict[str, Any]:
    """Return the before/after tables of outlier removal on the raw values.

    The default rates of the removed clients and of the rest have Wilson intervals.

    Parameters
    ----------
    raw : DataFrame
        The raw table as numbers, so that a treatment chosen in cleaning does not show
        here; rows with a missing value among the columns are left out.
    z, iqr_factor : float
        See :func:`creditrisk.data.outliers.removal_table`.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``asked``: AGE and LIMIT_BAL under each rule; ``amounts``: those
        two with all bills and payments; and the parameters ``z`` and ``iqr_factor``.
    """

    def table(columns: Sequence[str]) -> list[dict[str, Any]]:
        present = raw.dropna(subset=[*columns, schema.RAW_TARGET])
        entries = outliers.removal_table(
            present, columns, RULES, z=z, iqr_factor=iqr_factor, target=schema.RAW_TARGET
        )
        for when in ("removed", "after"):
            counts = np.array([entry[f"n_{when}"] for entry in entries])
            shares = np.array([entry[f"default_rate_{when}"] or 0.0 for entry in entries])
            rates = describe.default_rates((counts * shares).round(), counts, level=level)
            for entry, low, high in zip(entries, rates["lows"], rates["highs"], strict=True):
                entry |= {f"low_{when}": low, f"high_{when}": high}
        return entries

    return {
        "z": z,
        "iqr_factor": iqr_factor,
        "asked": table(ASKED_COLUMNS),
        "amounts": table((*ASKED_COLUMNS, *AMOUNT_COLUMNS)),
    }


def headline(results: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers that the verdict rests on.

    Parameters
    ----------
    results : dict
        The sections of :func:`explore`.

    Returns
    -------
    dict
        Flat: rows, default rate with its interval, missing values, what removal by
        either rule drops, sizes of the flagged groups.
    """
    balance = results["imbalance"][0]
    removed = {entry["rule"]: entry for entry in results["outliers"]["asked"]}
    by_amounts = {entry["rule"]: entry for entry in results["outliers"]["amounts"]}
    flags = results["cleaning"]["flags"]
    return {
        "rows": balance["n"],
        "defaults": balance["defaults"],
        "default_rate": balance["rate"],
        "default_rate_low": balance["low"],
        "default_rate_high": balance["high"],
        "missing_values": sum(c["n_missing_raw"] or 0 for c in results["overview"]),
        "removed_zscore": removed["zscore"]["n_removed"],
        "removed_iqr": removed["iqr"]["n_removed"],
        "removed_iqr_amounts_share": by_amounts["iqr"]["removed_share"],
        **{f"n_{group}": flags[f"is_{group}"]["n"] for group in ("duplicate", "twin", "inactive")},
        "n_twin_pairs": results["cleaning"]["twins"]["n_strict_pairs"],
    }
