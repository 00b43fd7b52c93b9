"""Description of the code columns: categories, payment status by month, its evidence.

The source documents some codes only. Each entry says whether a code is documented,
and :func:`status_evidence` shows what the meaning of the others is inferred from.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.describe import group_rates

if TYPE_CHECKING:
    import pandas as pd

CODE_BOOKS = {
    "SEX": schema.SEX_CODES,
    "EDUCATION": schema.EDUCATION_CODES,
    "MARRIAGE": schema.MARRIAGE_CODES,
}


def categories(clients: pd.DataFrame, *, level: float) -> dict[str, list[dict[str, Any]]]:
    """Return size and default rate of each raw code of SEX, EDUCATION and MARRIAGE.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table, which keeps the raw codes.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    dict of list of dict
        For each column, codes ascending: ``code``, ``meaning``, ``documented``,
        ``n``, ``share``, ``defaults``, ``rate``, ``low``, ``high``.
    """
    default = clients[schema.TARGET].to_numpy()
    tables = {}
    for column, book in CODE_BOOKS.items():
        codes, group = np.unique(clients[column].to_numpy(), return_inverse=True)
        rates = group_rates(group, default, len(codes), level=level)
        tables[column] = [
            {
                "code": int(code),
                "meaning": book.get(int(code), "not in the code book"),
                "documented": int(code) in schema.DOCUMENTED_CODES[column],
                "n": rates["counts"][i],
                "share": rates["counts"][i] / len(clients),
                "defaults": rates["defaults"][i],
                "rate": rates["rates"][i],
                "low": rates["lows"][i],
                "high": rates["highs"][i],
            }
            for i, code in enumerate(codes)
        ]
    return tables


def status_by_month(clients: pd.DataFrame, *, level: float, min_clients: int) -> dict[str, Any]:
    """Return counts and default rates of the payment-status codes in each month.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    level : float
        Confidence level of the Wilson intervals.
    min_clients : int
        Cells with fewer clients have counts and no rate.

    Returns
    -------
    dict
        ``codes`` (c ascending), ``documented`` (c bool), ``columns`` (six, newest
        first) and ``counts``, ``rates``, ``lows``, ``highs`` as c lists of six.
    """
    codes = np.arange(schema.STATUS_MIN, schema.STATUS_MAX + 1)
    default = clients[schema.TARGET].to_numpy()
    by_month = [
        group_rates(
            clients[column].to_numpy() - schema.STATUS_MIN,
            default,
            len(codes),
            level=level,
            min_clients=min_clients,
        )
        for column in schema.STATUS_COLUMNS
    ]
    documented = schema.DOCUMENTED_CODES[schema.STATUS_COLUMNS[0]]
    return {
        "codes": codes.tolist(),
        "documented": [int(code) in documented for code in codes],
        "columns": list(schema.STATUS_COLUMNS),
        **{
            key: [[month[key][i] for month in by_month] for i in range(len(codes))]
            for key in ("counts", "rates", "lows", "highs")
        },
    }


def recovery_by_month(clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return where clients two months late stood a month later, the PAY_0 test.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.

    Returns
    -------
    list of dict
        One a pair of neighbouring months, newest first: ``earlier`` and ``later``
        columns, ``n`` clients with code 2 in the earlier one, and how many of them
        had ``to_0``, ``to_1`` and ``to_2_or_more`` in the later one. If both columns
        shared a code book, the rows would look alike.
    """
    rows = []
    for later, earlier in pairwise(schema.STATUS_COLUMNS):
        now = clients.loc[clients[earlier] == 2, later].to_numpy()
        rows.append(
            {
                "earlier": earlier,
                "later": later,
                "n": len(now),
                "to_0": int((now == 0).sum()),
                "to_1": int((now == 1).sum()),
                "to_2_or_more": int((now >= 2).sum()),
            }
        )
    return rows


def status_evidence(clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how clients of the codes −2, −1 and 0 used and paid the card.

    This is the evidence for the meaning of codes that the source does not document.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.

    Returns
    -------
    list of dict
        One a code, over the client-months of May to September, whose payment and the
        bill that it settles (that of the month before) are both known. ``code``,
        ``n_months``; shares of those months with ``no_bill`` (of the month itself
        above 0) and ``no_spend`` (bill − earlier bill + payment at most 0);
        ``n_billed`` months with an earlier bill above 0, and of those the
        ``median_paid_share``, the share ``paid_exactly`` and the share
        ``paid_same_suffix`` whose payment equals the bill of the same suffix, the
        rival reading of the columns. None where there is no such month.
    """
    status = clients[list(schema.STATUS_COLUMNS[:5])].to_numpy()
    bill = clients[list(schema.BILL_COLUMNS)].to_numpy(float)
    paid = clients[list(schema.PAID_COLUMNS[:5])].to_numpy(float)
    settled, own = bill[:, 1:], bill[:, :5]
    rows = []
    for code in (-2, -1, 0):
        here = status == code
        billed, own_billed = here & (settled > 0), here & (own > 0)
        share = paid[billed] / settled[billed]
        rows.append(
            {
                "code": code,
                "n_months": int(here.sum()),
                "no_bill": _share(own[here] <= 0),
                "no_spend": _share((own - settled + paid)[here] <= 0),
                "n_billed": int(billed.sum()),
                "median_paid_share": float(np.median(share)) if share.size else None,
                "paid_exactly": _share(paid[billed] == settled[billed]),
                "paid_same_suffix": _share((paid == own)[own_billed]),
            }
        )
    return rows


def _share(true: np.ndarray) -> float | None:
    return float(true.mean()) if true.size else None
