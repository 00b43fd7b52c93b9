"""Description of the code columns: categories, payment status by month, its evidence.

The source documents some codes only. Each entry says whether a code is documented,
and :func:`status_evidence` shows what the meaning of the others is inferred from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

STATES: Final = (-2, -1, 0, 1, 2, 3)
"""Status codes with 3 to 9 pooled as 3, because they are rare."""


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


def trace_code_1(clients: pd.DataFrame, *, level: float, min_clients: int) -> list[dict[str, Any]]:
    """Return where the clients with code 1 in September stood in August.

    Parameters
    ----------
    clients : DataFrame, n rows
    level, min_clients
        See :func:`status_by_month`.

    Returns
    -------
    list of dict
        One for each August ``state``: ``n``, ``n_no_bill`` (September's bill at most
        0), ``defaults``, ``rate``, ``low``, ``high``.
    """
    later, earlier = schema.STATUS_COLUMNS[:2]
    here = clients[clients[later] == 1]
    state = np.clip(here[earlier].to_numpy(), STATES[0], STATES[-1]) - STATES[0]
    no_bill = np.bincount(
        state[(here[schema.BILL_COLUMNS[0]] <= 0).to_numpy()], minlength=len(STATES)
    )
    default = here[schema.TARGET].to_numpy()
    rates = group_rates(state, default, len(STATES), level=level, min_clients=min_clients)
    return [
        {
            "state": each,
            "n": rates["counts"][i],
            "n_no_bill": int(no_bill[i]),
            "defaults": rates["defaults"][i],
            "rate": rates["rates"][i],
            "low": rates["lows"][i],
            "high": rates["highs"][i],
        }
        for i, each in enumerate(STATES)
    ]


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
        ``median_paid_share`` and the share ``paid_exactly``. None where there is no such
        month.
    """
    status = clients[list(schema.STATUS_COLUMNS[:5])].to_numpy()
    bill = clients[list(schema.BILL_COLUMNS)].to_numpy(float)
    paid = clients[list(schema.PAID_COLUMNS[:5])].to_numpy(float)
    settled, own = bill[:, 1:], bill[:, :5]
    rows = []
    for code in (-2, -1, 0):
        here = status == code
        billed = here & (settled > 0)
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
            }
        )
    return rows


def _share(true: np.ndarray) -> float | None:
    return float(true.mean()) if true.size else None
