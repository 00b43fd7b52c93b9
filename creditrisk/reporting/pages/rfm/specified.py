"""The first section: RFM as the request words it."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting.pages.rfm import rates

Row = dict[str, Any]

COLUMNS = {
    # measure: (name, largest value where there is one, format)
    "recency": ("recency: last bill", 6, "integer"),
    "frequency": ("frequency: timely status", None, "decimal:2"),
    "monetary": ("monetary: total paid", None, "money"),
}


def build(described: Row, edges: dict[str, list[float]]) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    described : dict
        ``as_specified`` of ``data/results/rfm.json``.
    edges : dict
        Band edges by measure.

    Returns
    -------
    dict
    """
    recency, frequency = described["recency_values"], described["frequency_values"]
    amounts = described["monetary_values"]
    return {
        "n_codes": described["n_codes"],
        "score_columns": rates.SCORE_COLUMNS,
        "rows": rates.score_rows(described, edges, COLUMNS),
        "ties_columns": rates.TIES_COLUMNS,
        "ties": rates.ties_rows(described, COLUMNS),
        "ties_share": described["recency"]["mode_share"],
        "recency": rates.draw_rates(
            recency,
            rates.name_months(recency, "no bill"),
            "Default rate by months since the last bill above 0",
        ),
        "frequency": rates.draw_rates(
            frequency,
            [f"{g['group']} of 6 (n = {g['n']:,})" for g in frequency],
            "Default rate by number of timely months",
        ),
        "frequency_change": rates.tell_change(frequency),
        "monetary": rates.draw_sizes(amounts, rates.name_amounts(amounts), "Total paid"),
    }
