"""How the payment status moves from month to month, and whether September moves alike.

A roll rate is the share of clients of one status who have another a month later. If
all six status columns shared one code book, each row of the roll-rate matrix would look
about alike in every month; :func:`homogeneity` measures how far it does not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import stats

from creditrisk import schema
from creditrisk.data.codes import STATES, trace_code_1

if TYPE_CHECKING:
    import pandas as pd

CODES: Final = tuple(range(schema.STATUS_MIN, schema.STATUS_MAX + 1))
PAIRS: Final = tuple(pairwise(reversed(schema.STATUS_COLUMNS)))
"""(earlier, later) columns, oldest first; the last pair is the one that ends in September."""

MIN_EXPECTED: Final = 5.0
"""Expected count from which a cell without a client is worth a word (Cochran 1954)."""


def describe_transitions(
    clients: pd.DataFrame, *, level: float, min_clients: int
) -> dict[str, Any]:
    """Return roll-rate matrices, their homogeneity over the months, and what is odd.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    level : float
        Confidence level of the Wilson intervals of default rates.
    min_clients : int
        Rows with fewer clients in a month are not tested; groups with fewer have no rate.

    Returns
    -------
    dict
        ``codes``, ``states``, ``months`` (see :func:`roll_rates`), and for the samples
        ``all`` (description) and ``train`` (what features rest on) under ``samples``:
        ``tests`` (see :func:`compare_months`), ``departures`` (see :func:`departures`),
        ``vanished`` (see :func:`vanished_cells`) and ``september_code_1`` (see
        :func:`creditrisk.data.codes.trace_code_1`).
    """
    samples = {"all": clients, "train": clients[clients[schema.SPLIT] == schema.TRAIN]}
    described = {}
    for name, sample in samples.items():
        moves = count_moves(sample)
        described[name] = {
            "n": len(sample),
            "tests": compare_months(pool_states(moves), min_clients=min_clients),
            "departures": departures(pool_states(moves), min_clients=min_clients),
            "vanished": vanished_cells(pool_states(moves)),
            "september_code_1": trace_code_1(sample, level=level, min_clients=min_clients),
        }
    return {
        "codes": list(CODES),
        "states": list(STATES),
        "months": roll_rates(count_moves(clients), min_clients=min_clients),
        "samples": described,
    }


def count_moves(clients: pd.DataFrame) -> np.ndarray:
    """Count clients by earlier and later code for each pair of neighbouring months.

    Parameters
    ----------
    clients : DataFrame, n rows

    Returns
    -------
    ndarray of int, shape (5, 12, 12)
        Pairs of :data:`PAIRS`; earlier code × later code, both ascending from −2.
    """
    k = len(CODES)
    status = {c: clients[c].to_numpy() - schema.STATUS_MIN for c in schema.STATUS_COLUMNS}
    cells = [np.bincount(k * status[a] + status[b], minlength=k * k) for a, b in PAIRS]
    return np.array(cells).reshape(len(PAIRS), k, k)


def pool_states(moves: np.ndarray) -> np.ndarray:
    """Pool the codes from 3 up on both sides: shape (5, 12, 12) becomes (5, 6, 6)."""
    starts = range(len(STATES))
    return np.add.reduceat(np.add.reduceat(moves, starts, axis=1), starts, axis=2)


def roll_rates(moves: np.ndarray, *, min_clients: int) -> list[dict[str, Any]]:
    """Return the roll-rate matrix of each pair of months.

    Parameters
    ----------
    moves : ndarray of int, shape (5, 12, 12)
        From :func:`count_moves`.
    min_clients : int
        Rows with fewer clients have counts and no shares (None).

    Returns
    -------
    list of dict
        ``earlier``, ``later`` (columns), ``counts`` (12 × 12, by code), ``state_counts``
        and ``state_shares`` (6 × 6, shares of a row).
    """
    rows = []
    for (earlier, later), by_code, by_state in zip(PAIRS, moves, pool_states(moves), strict=True):
        shown = by_state.sum(axis=1) >= max(min_clients, 1)
        rows.append(
            {
                "earlier": earlier,
                "later": later,
                "counts": by_code.tolist(),
                "state_counts": by_state.tolist(),
                "state_shares": [
                    (row / row.sum()).tolist() if show else [None] * len(row)
                    for row, show in zip(by_state, shown, strict=True)
                ],
            }
        )
    return rows


def homogeneity(counts: np.ndarray, *, min_clients: int) -> dict[str, Any]:
    """Test whether the later state has one distribution in all months.

    Parameters
    ----------
    counts : ndarray of int, shape (t, k)
        Month × later state, of clients in one earlier state.
    min_clients : int
        A month with fewer clients makes the test not applicable.

    Returns
    -------
    dict
        ``n``, ``applicable``; then either ``reason``, or ``statistic``, ``df``,
        ``p_value``, ``min_expected`` and ``cramers_v``.

    Notes
    -----
    Anderson and Goodman (1957), section 3.1: the chi-square of the table, later states
    that nobody has left out. V is Bergsma's (2013), corrected for its upward bias, so
    that tables of different shape and size compare. The test takes moves as independent
    given the earlier state; real clients have habits, which is one more reason to
    read V before p.
    """
    counts = np.asarray(counts)
    result: dict[str, Any] = {"n": int(counts.sum()), "applicable": False}
    table = counts[:, counts.sum(axis=0) > 0]
    if counts.sum(axis=1).min() < max(min_clients, 1):
        return result | {"reason": f"a month has fewer than {max(min_clients, 1)} clients"}
    if min(table.shape) < 2 or max(table.shape) >= result["n"]:
        return result | {"reason": "all clients are alike, or no two are: nothing to compare"}
    test = stats.chi2_contingency(table, correction=False)
    return result | {
        "applicable": True,
        "statistic": float(test.statistic),
        "df": int(test.dof),
        "p_value": float(test.pvalue),
        "min_expected": float(test.expected_freq.min()),
        "cramers_v": _cramers_v(test.statistic, table),
    }


def _cramers_v(statistic: float, table: np.ndarray) -> float:
    """Return Bergsma's (2013) bias-corrected V of a table with this chi-square."""
    (r, c), n = table.shape, table.sum()
    excess = max(0.0, statistic / n - (r - 1) * (c - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1))
    return float(np.sqrt(excess / (smaller - 1)))


def compare_months(moves: np.ndarray, *, min_clients: int) -> dict[str, Any]:
    """Test each row of the roll-rate matrix over the months, without and with September.

    Parameters
    ----------
    moves : ndarray of int, shape (5, 6, 6)
        From :func:`pool_states`.
    min_clients : int
        See :func:`homogeneity`.

    Returns
    -------
    dict
        ``to_august`` (four pairs) and ``to_september`` (five), each with ``rows``, one
        of :func:`homogeneity` for each earlier ``state``, and their sum ``total``:
        ``n_rows``, ``statistic``, ``df``, ``p_value`` (None without a row).
    """
    spans = {"to_august": moves[:-1], "to_september": moves}
    return {name: _test_span(span, min_clients) for name, span in spans.items()}


def _test_span(moves: np.ndarray, min_clients: int) -> dict[str, Any]:
    """Return the tests of all rows over one span of months and their sum."""
    rows = [
        {"state": state, **homogeneity(moves[:, i], min_clients=min_clients)}
        for i, state in enumerate(STATES)
    ]
    tested = [row for row in rows if row["applicable"]]
    statistic, df = (sum(row[key] for row in tested) for key in ("statistic", "df"))
    total = {
        "n_rows": len(tested),
        "statistic": float(statistic),
        "df": int(df),
        "p_value": float(stats.chi2.sf(statistic, df)) if tested else None,
    }
    return {"rows": rows, "total": total}


def departures(moves: np.ndarray, *, min_clients: int) -> list[dict[str, Any]]:
    """Return how far each pair of months is from the others that end by August.

    Parameters
    ----------
    moves : ndarray of int, shape (5, 6, 6)
        From :func:`pool_states`.
    min_clients : int
        See :func:`homogeneity`.

    Returns
    -------
    list of dict
        One for each earlier ``state``: ``cramers_v``, five values in the order of
        :data:`PAIRS`, each of the 2 × k table of that pair against the sum of the other
        pairs up to August; None where that is not applicable.
    """
    n_reference = len(moves) - 1
    rows = []
    for i, state in enumerate(STATES):
        row = moves[:, i]
        others = [
            row[[j for j in range(n_reference) if j != t]].sum(axis=0) for t in range(len(row))
        ]
        tests = [
            homogeneity(np.array([own, rest]), min_clients=min_clients)
            for own, rest in zip(row, others, strict=True)
        ]
        rows.append({"state": state, "cramers_v": [test.get("cramers_v") for test in tests]})
    return rows


def vanished_cells(moves: np.ndarray) -> list[dict[str, Any]]:
    """Return the moves that the earlier months promise and that never end in September.

    Parameters
    ----------
    moves : ndarray of int, shape (5, 6, 6)
        From :func:`pool_states`.

    Returns
    -------
    list of dict
        Cells without a client in the last pair although the pooled shares of the pairs
        before expect at least 5: ``earlier``, ``later`` (states), ``previous`` (count in
        the pair before) and ``expected``; largest expectation first.
    """
    before, last = moves[:-1].sum(axis=0), moves[-1]
    shares = before / np.maximum(before.sum(axis=1, keepdims=True), 1)
    expected = shares * last.sum(axis=1, keepdims=True)
    cells = [
        {
            "earlier": STATES[i],
            "later": STATES[j],
            "previous": int(moves[-2, i, j]),
            "expected": float(expected[i, j]),
        }
        for i, j in np.argwhere((last == 0) & (expected >= MIN_EXPECTED))
    ]
    return sorted(cells, key=lambda cell: -cell["expected"])
