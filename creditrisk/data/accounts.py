"""Whether bills and payments tell one story: which bill a payment settles, what is spent.

Bill of a month = bill of the month before − payment + spend. A wrong reading of the
columns breaks that identity for many clients; the right one for few. Arrays run newest
month first; the five months from September to May have a bill before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from creditrisk import schema
from creditrisk.data.codes import STATES
from creditrisk.data.describe import amount_labels, default_rates, group_rates

if TYPE_CHECKING:
    import pandas as pd

N_SPENDS: Final = schema.N_MONTHS - 1
CLEARLY_NEGATIVE: Final = -1000.0
"""NT$. Below it a negative spend is no matter of rounding or of a small refund."""

QUANTILES: Final = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


def describe_alignment(clients: pd.DataFrame, *, level: float) -> list[dict[str, Any]]:
    """Return how often a payment equals the bill before it, and the bill of its own suffix.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    list of dict
        For the scopes ``paid_in_full`` (status −1 in the payment's month) and ``all``,
        and each of five months, newest first: ``scope``, ``month``, ``paid`` (column);
        ``previous`` and ``same``, each ``bill`` (column), ``n`` clients with that bill
        above 0, ``matches``, ``share``, ``low``, ``high`` (None without a client); and
        ``unequal``, over clients whose two bills are above 0 and differ, so that a
        payment can equal one of them only: ``n``, ``previous``, ``same`` (counts).
    """
    bill, paid = _amounts(clients)
    status = clients[list(schema.STATUS_COLUMNS)].to_numpy()
    scopes = {"paid_in_full": status == -1, "all": np.ones_like(status, dtype=bool)}
    rows = []
    for scope, member in scopes.items():
        for i in range(N_SPENDS):
            here = member[:, i]
            sides = {"previous": bill[:, i + 1], "same": bill[:, i]}
            differ = here & (bill[:, i] > 0) & (bill[:, i + 1] > 0) & (bill[:, i] != bill[:, i + 1])
            rows.append(
                {
                    "scope": scope,
                    "month": schema.MONTH_NAMES[i],
                    "paid": schema.PAID_COLUMNS[i],
                    **{
                        side: {"bill": schema.BILL_COLUMNS[i + (side == "previous")]}
                        | _matches(paid[here, i], billed[here], level)
                        for side, billed in sides.items()
                    },
                    "unequal": {"n": int(differ.sum())}
                    | {
                        side: int((paid[differ, i] == billed[differ]).sum())
                        for side, billed in sides.items()
                    },
                }
            )
    return rows


def _amounts(clients: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return bills and payments, each shape (n, 6)."""
    bill = clients[list(schema.BILL_COLUMNS)].to_numpy(float)
    return bill, clients[list(schema.PAID_COLUMNS)].to_numpy(float)


def _matches(paid: np.ndarray, bill: np.ndarray, level: float) -> dict[str, Any]:
    """Return how many positive bills a payment equals, as a share with its interval."""
    billed = bill > 0
    n, matches = int(billed.sum()), int((paid == bill)[billed].sum())
    rates = default_rates(np.array([matches]), np.array([n]), level=level)
    share, low, high = (rates[key][0] for key in ("rates", "lows", "highs"))
    return {"n": n, "matches": matches, "share": share, "low": low, "high": high}


def implied_spend(bill: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """Return what the account identity says was spent: BILL_i − BILL_{i+1} + PAY_AMT_i.

    Parameters
    ----------
    bill : ndarray, shape (n, 6)
        NT$, newest month first.
    paid : ndarray, shape (n, 5)
        The payments that stand between neighbouring bills.

    Returns
    -------
    ndarray, shape (n, 5)
        Charges and fees less refunds, NT$, September to May.
    """
    return bill[:, :-1] - bill[:, 1:] + paid


def describe_identity(
    clients: pd.DataFrame, *, edges: Sequence[float], level: float
) -> dict[str, Any]:
    """Return how often the account identity breaks, under the reading taken and rivals.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table; the order of its rows does not matter.
    edges : sequence of float
        Edges of the bins of amounts, NT$, ascending, above 0; mirrored below 0.
    level : float
        Confidence level of the Wilson intervals of default rates.

    Returns
    -------
    dict
        ``readings`` (see :func:`compare_readings`); ``months``, the reading taken month
        by month; ``labels`` of the bins and ``histograms`` (counts) of each reading;
        ``states``, implied spend by status of the month (see :func:`spend_by_state`);
        ``inactive`` (see :func:`describe_inactive`).
    """
    spends = read_payments(clients)
    taken = spends["taken"]
    status = clients[list(schema.STATUS_COLUMNS[:N_SPENDS])].to_numpy()
    return {
        "readings": [{"reading": name} | _breaks(spend) for name, spend in spends.items()],
        "months": [
            {"month": schema.MONTH_NAMES[i]} | _breaks(taken[:, i]) for i in range(N_SPENDS)
        ],
        "labels": signed_labels(edges),
        "histograms": {name: count_signed(spend, edges) for name, spend in spends.items()},
        "states": spend_by_state(taken, status),
        "inactive": describe_inactive(clients, level=level),
    }


def read_payments(clients: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return implied spend under the reading taken and under rivals.

    Parameters
    ----------
    clients : DataFrame, n rows

    Returns
    -------
    dict of ndarray, shape (n, 5)
        ``taken``: PAY_AMT_i stands between BILL_{i+1} and BILL_i. ``older``:
        PAY_AMT_{i+1} does, as if a payment settled the bill of its own suffix.
        ``newer``: PAY_AMT_{i−1} does, shape (n, 4) since September has none.
        ``unpaid``: payments left out. ``stranger``: the payments of the client with the
        next ID (the last takes the first's), which no identity ties to these bills.
    """
    bill, paid = _amounts(clients.sort_values(schema.KEY))
    order = np.argsort(np.argsort(clients[schema.KEY].to_numpy()))
    spends = {
        "taken": implied_spend(bill, paid[:, :-1]),
        "older": implied_spend(bill, paid[:, 1:]),
        "newer": implied_spend(bill[:, 1:], paid[:, :-2]),
        "unpaid": implied_spend(bill, np.zeros_like(paid[:, 1:])),
        "stranger": implied_spend(bill, np.roll(paid, -1, axis=0)[:, :-1]),
    }
    return {name: spend[order] for name, spend in spends.items()}


def _breaks(spend: np.ndarray) -> dict[str, Any]:
    """Return how many implied spends are negative, and clearly so."""
    return {
        "n": spend.size,
        "negative": int((spend < 0).sum()),
        "clearly_negative": int((spend < CLEARLY_NEGATIVE).sum()),
        "zero": int((spend == 0).sum()),
    }


def signed_labels(edges: Sequence[float]) -> list[str]:
    """Return the names of the bins of :func:`count_signed`, lowest first."""
    _, zero, *above = amount_labels(edges)
    return [f"\N{MINUS SIGN}({name})" for name in reversed(above)] + [zero, *above]


def count_signed(values: np.ndarray, edges: Sequence[float]) -> list[int]:
    """Count values in bins that widen like a logarithm on both sides of zero.

    Parameters
    ----------
    values : ndarray, any shape
        NT$, any sign.
    edges : sequence of float, length k
        Ascending, above 0. A bin above 0 holds its left edge; a bin below 0 is the
        mirror image of one above.

    Returns
    -------
    list of int, length 2 k + 3
    """
    size = 1 + np.searchsorted(np.asarray(edges, dtype=float), np.abs(values), side="right")
    place = np.sign(values).astype(int) * size + len(edges) + 1
    return np.bincount(place.ravel(), minlength=2 * len(edges) + 3).tolist()


def spend_by_state(spend: np.ndarray, status: np.ndarray) -> list[dict[str, Any]]:
    """Return quantiles of implied spend for each payment status of the same month.

    Parameters
    ----------
    spend, status : ndarray, shape (n, m)
        NT$ and codes.

    Returns
    -------
    list of dict
        One for each of :data:`creditrisk.data.codes.STATES` (codes from 3 up
        pooled): ``state``, ``n``, ``negative``, ``clearly_negative``, ``zero`` (counts)
        and the quantiles ``p05, p25, median, p75, p95`` (None without a client-month).
    """
    pooled = np.clip(status, STATES[0], STATES[-1])
    rows = []
    for state in STATES:
        here = spend[pooled == state]
        at = np.quantile(here, list(QUANTILES.values())).tolist() if here.size else [None] * 5
        rows.append({"state": state, **_breaks(here), **dict(zip(QUANTILES, at, strict=True))})
    return rows


def describe_inactive(clients: pd.DataFrame, *, level: float) -> dict[str, Any]:
    """Return the default rate of clients without any bill or payment, by September's code.

    Parameters
    ----------
    clients : DataFrame, n rows
    level : float

    Returns
    -------
    dict
        ``all`` and ``others`` (the other clients): ``n``, ``defaults``, ``rate``,
        ``low``, ``high``; ``codes``: for each code of PAY_0 that an inactive client
        has, ``code`` with ``inactive`` and ``others`` of that code.
    """
    bill, paid = _amounts(clients)
    inactive = ((bill == 0) & (paid == 0)).all(axis=1)
    default = clients[schema.TARGET].to_numpy()
    september = clients[schema.STATUS_COLUMNS[0]].to_numpy()

    def split(here: np.ndarray) -> list[dict[str, Any]]:
        group = (~inactive[here]).astype(int)
        rates = group_rates(group, default[here], 2, level=level)
        names = {"counts": "n", "defaults": "defaults", "rates": "rate"}
        names |= {"lows": "low", "highs": "high"}
        return [{name: rates[key][i] for key, name in names.items()} for i in range(2)]

    every, others = split(np.ones(len(clients), dtype=bool))
    codes = []
    for code in np.unique(september[inactive]).tolist():
        without, with_use = split(september == code)
        codes.append({"code": code, "inactive": without, "others": with_use})
    return {"all": every, "others": others, "codes": codes}
