"""The record of arrays that every feature is computed from.

One definition of the features trains, serves and runs distributed; only the small
adapters here know where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.features import rows

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class ClientRecord:
    """A batch of n clients, months newest first (column 0 is September 2005).

    Attributes
    ----------
    limit : ndarray of float, shape (n,)
        Credit limit, NT$, above 0.
    status : ndarray of float, shape (n, 6)
        Payment-status codes, −2 to 9 (PAY_0, PAY_2 … PAY_6).
    bill : ndarray of float, shape (n, 6)
        Bill statements, NT$; negative is a credit balance.
    paid : ndarray of float, shape (n, 6)
        Payments made in each month, NT$. ``paid[:, i]`` settles ``bill[:, i + 1]``.
    sex, education, marriage, age : ndarray of float, shape (n,)
        Audit attributes; NaN where the caller did not give one.
    """

    limit: Array
    status: Array
    bill: Array
    paid: Array
    sex: Array
    education: Array
    marriage: Array
    age: Array

    def __len__(self) -> int:
        return len(self.limit)

    def take(self, chosen: Array) -> ClientRecord:
        """Return the record of some rows (indices or a boolean mask)."""
        return ClientRecord(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    # Quantities that several features share, each computed once a record.

    @cached_property
    def owed(self) -> Array:
        """Bill without credit balances, NT$, shape (n, 6)."""
        return np.maximum(self.bill, 0.0)

    @cached_property
    def utilization(self) -> Array:
        """Bill over limit, signed, shape (n, 6)."""
        return self.bill / self.limit[:, None]

    @cached_property
    def months_past_due(self) -> Array:
        """``max(code, 0)``, months, shape (n, 6)."""
        return np.maximum(self.status, 0.0)

    @cached_property
    def late(self) -> Array:
        """Status of two or more, the one threshold that means the same in all months."""
        return (self.status >= 2).astype(float)

    @cached_property
    def spend(self) -> Array:
        """Implied spend of September … May, NT$, shape (n, 5).

        ``BILL_i − BILL_{i+1} + PAY_AMT_i``: charges and fees less refunds. The
        account identity behind it holds to the sign in 99.6 % of row-months.
        """
        return self.bill[:, :5] - self.bill[:, 1:] + self.paid[:, :5]

    @cached_property
    def spend_over_limit(self) -> Array:
        """Implied spend over the limit, shape (n, 5)."""
        return self.spend / self.limit[:, None]

    @cached_property
    def paid_mean(self) -> Array:
        """Mean of the six payments, NT$, shape (n,)."""
        return rows.mean(self.paid)

    @cached_property
    def pay_ratio(self) -> Array:
        """Payment over the bill that it settles, 0 to 1, shape (n, 5); 1 where nothing was owed."""
        owed = self.owed[:, 1:]
        ratio = np.divide(self.paid[:, :5], owed, out=np.ones_like(owed), where=owed > 0)
        return np.minimum(ratio, 1.0)


def from_frame(clients: pd.DataFrame) -> ClientRecord:
    """Build the record from a frame with Kaggle's column names.

    Parameters
    ----------
    clients : DataFrame, n rows
        Audit columns may be absent.

    Returns
    -------
    ClientRecord

    Raises
    ------
    KeyError
        Naming the absent columns among those that features need.
    """
    needed = (schema.LIMIT, *schema.STATUS_COLUMNS, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
    missing = [c for c in needed if c not in clients]
    if missing:
        raise KeyError(f"the table of clients has no column {', '.join(missing)}")

    def matrix(columns: Sequence[str]) -> Array:
        return clients[list(columns)].to_numpy(dtype=float)

    def audit(column: str) -> Array:
        if column in clients:
            return clients[column].to_numpy(dtype=float)
        return np.full(len(clients), np.nan)

    return ClientRecord(
        clients[schema.LIMIT].to_numpy(dtype=float),
        matrix(schema.STATUS_COLUMNS),
        matrix(schema.BILL_COLUMNS),
        matrix(schema.PAID_COLUMNS),
        *(audit(column) for column in schema.AUDIT_COLUMNS),
    )


def from_mappings(clients: Sequence[Mapping[str, Any]]) -> ClientRecord:
    """Build the record from validated mappings with Kaggle's names, one a client.

    Parameters
    ----------
    clients : sequence of mapping, length n
        Each holds the limit, six statuses, bills and payments under Kaggle's
        names (``PAY_0``, never ``PAY_1``); audit attributes may be absent or None.

    Returns
    -------
    ClientRecord

    Raises
    ------
    KeyError
        Naming the field that a client lacks.
    """
    behaviour = (schema.LIMIT, *schema.STATUS_COLUMNS, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
    values = np.array([[c[name] for name in behaviour] for c in clients], dtype=float).reshape(
        -1, 19
    )
    audit = np.array(
        [[c.get(name) for name in schema.AUDIT_COLUMNS] for c in clients], dtype=float
    ).reshape(-1, 4)
    return ClientRecord(values[:, 0], values[:, 1:7], values[:, 7:13], values[:, 13:19], *audit.T)
