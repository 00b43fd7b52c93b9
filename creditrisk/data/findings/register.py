"""What a finding is, and the register that the rules enter themselves into.

The rules stand in :mod:`~creditrisk.data.findings.codes` and
:mod:`~creditrisk.data.findings.amounts`; :mod:`~creditrisk.data.findings.description`
counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema

if TYPE_CHECKING:
    import pandas as pd

Check = Callable[["pd.DataFrame"], np.ndarray]

KINDS = ("documented", "inferred", "contradiction", "identity", "duplicate")
"""In the code book, but in need of a decision; read from behaviour; two columns that
cannot both be right as read; arithmetic of the account; rows that depend on each other."""

OWNERS = ("data owner", "model owner", "service")
"""Who decides on the treatment: whoever delivers the table, builds the model, or serves it."""


@dataclass(frozen=True)
class Finding:
    """One semantic check of the cleaned table.

    Attributes
    ----------
    code : str
        CR and three digits; never reused, never renumbered.
    title, rule : str
        A label for a figure, and the rule in words.
    kind, owner : str
        See :data:`KINDS` and :data:`OWNERS`.
    check : callable
        Clients to bool, shape (n,). Unless the kind is ``duplicate``, a row's answer
        rests on that row's features alone, so it also holds for a single client.
    treatment, applied_at : str
        What is done, and the ``path#name`` in the repository that does it.
    feeds : tuple of str
        Features that rest on the finding.
    reads_target : bool
        The rule looks at the target, so a default rate of its rows means nothing.
    """

    code: str
    title: str
    rule: str
    kind: str
    owner: str
    check: Check
    treatment: str
    applied_at: str
    feeds: tuple[str, ...]
    reads_target: bool


REGISTER: list[Finding] = []


def finding(
    code: str,
    title: str,
    *,
    kind: str,
    owner: str,
    treatment: str,
    applied_at: str,
    feeds: Sequence[str] = (),
    reads_target: bool = False,
) -> Callable[[Check], Check]:
    """Enter a check into the register (a decorator); its docstring is the rule in words.

    Parameters
    ----------
    code, title, kind, owner, treatment, applied_at, feeds, reads_target
        See :class:`Finding`.

    Raises
    ------
    ValueError
        When the code is taken, or the kind, the owner or the rule is not stated.
    """

    def add(check: Check) -> Check:
        if code in {entry.code for entry in REGISTER}:
            raise ValueError(f"finding {code} is registered twice")
        if kind not in KINDS or owner not in OWNERS or not check.__doc__:
            raise ValueError(f"finding {code} needs a known kind, a known owner and a rule")
        rule = " ".join(check.__doc__.split()).removesuffix(".")
        REGISTER.append(
            Finding(
                code, title, rule, kind, owner, check,
                treatment, applied_at, tuple(feeds), reads_target,
            )
        )  # fmt: skip
        return check

    return add


def statuses(clients: pd.DataFrame) -> np.ndarray:
    """Return the six payment-status codes, int, shape (n, 6), newest month first."""
    return clients[list(schema.STATUS_COLUMNS)].to_numpy()


def bills(clients: pd.DataFrame) -> np.ndarray:
    """Return the six bills, NT$, float, shape (n, 6), newest month first."""
    return clients[list(schema.BILL_COLUMNS)].to_numpy(float)


def payments(clients: pd.DataFrame) -> np.ndarray:
    """Return the six payments, NT$, float, shape (n, 6), newest month first.

    The payment of month i settles the bill of month i + 1, the month before; that of
    April settles a bill that the table does not hold.
    """
    return clients[list(schema.PAID_COLUMNS)].to_numpy(float)


def implied_spend(clients: pd.DataFrame) -> np.ndarray:
    """Return bill − bill of the month before + payment, NT$, shape (n, 5), September to May."""
    bill = bills(clients)
    return bill[:, :5] - bill[:, 1:] + payments(clients)[:, :5]


def in_some_month(holds: np.ndarray) -> np.ndarray:
    """Return which rows have a True among their months, bool, shape (n,)."""
    return np.any(holds, axis=1)


def by_month(stem: str, months: int = 6) -> tuple[str, ...]:
    """Return the features ``stem_1`` to ``stem_<months>``."""
    return tuple(f"{stem}_{i + 1}" for i in range(months))
