"""The missing-value policy: what happens to a client who lacks a value, by column.

The default data set has no missing value; a user's own table may. Values that are
learned (median, mode) come from training rows only, so they are filled after the
split; constants are filled and rows are dropped before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

POLICIES: Final = {
    schema.KEY: ("error", "drop"),
    schema.LIMIT: ("error", "drop", "median"),
    "SEX": ("error", "drop", "mode"),
    "EDUCATION": ("error", "drop", "unknown", "mode"),
    "MARRIAGE": ("error", "drop", "unknown", "mode"),
    "AGE": ("error", "drop", "median"),
    "status": ("error", "drop", "zero"),
    "bill": ("error", "drop", "zero"),
    "paid": ("error", "drop", "zero"),
    "target": ("error", "drop"),
}
"""Allowed policies of each column; ``status``, ``bill`` and ``paid`` are six months each."""

FAMILIES: Final = {
    **{name: name for name in (schema.KEY, schema.LIMIT, *schema.AUDIT_COLUMNS)},
    **dict.fromkeys(schema.STATUS_COLUMNS, "status"),
    **dict.fromkeys(schema.BILL_COLUMNS, "bill"),
    **dict.fromkeys(schema.PAID_COLUMNS, "paid"),
    schema.RAW_TARGET: "target",
}
"""The key of each raw column in :data:`POLICIES`."""

# "zero" is revolving credit for a status, no bill and no payment for an amount;
# "unknown" is code 0 of EDUCATION and of MARRIAGE.
_CONSTANTS: Final = {"zero": 0.0, "unknown": 0.0}
_LEARNED: Final = ("median", "mode")


def check_policies(policies: Mapping[str, str]) -> None:
    """Raise when a column has no policy or one that is not allowed for it.

    Raises
    ------
    UserError
        Naming every such key, the value and the allowed ones.
    """
    wrong = [
        f"clean.missing.{key}: {policies.get(key)!r}, allowed are {', '.join(allowed)}"
        for key, allowed in POLICIES.items()
        if policies.get(key) not in allowed
    ]
    wrong += [f"clean.missing.{key}: no such key" for key in policies if key not in POLICIES]
    if wrong:
        raise UserError("; ".join(wrong))


def policy_of(column: str, policies: Mapping[str, str]) -> str:
    """Return the policy of a raw column."""
    return policies[FAMILIES[column]]


def rows_to_drop(is_missing: pd.DataFrame, policies: Mapping[str, str]) -> np.ndarray:
    """Return which rows lack a value whose policy is ``drop``, bool (n,).

    Parameters
    ----------
    is_missing : DataFrame of bool, n rows
        One column for each raw column.
    policies : mapping
    """
    columns = [c for c in schema.RAW_COLUMNS if policy_of(c, policies) == "drop"]
    return is_missing[columns].any(axis=1).to_numpy()


def fill_constants(clients: pd.DataFrame, policies: Mapping[str, str]) -> pd.DataFrame:
    """Fill what a constant fills; a new frame."""
    constants = {
        c: _CONSTANTS[policy_of(c, policies)]
        for c in schema.RAW_COLUMNS
        if policy_of(c, policies) in _CONSTANTS
    }
    return clients.fillna(constants)


def fill_learned(
    clients: pd.DataFrame, is_train: np.ndarray, policies: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Fill what is learned from training rows.

    Parameters
    ----------
    clients : DataFrame, n rows
    is_train : ndarray of bool, shape (n,)
    policies : mapping

    Returns
    -------
    clients : DataFrame
        A new frame without missing values in these columns.
    learned : dict of str to float
        The value of each column that had a gap. A median of whole numbers is
        rounded; of several modes the smallest counts.

    Raises
    ------
    UserError
        When no training row has a value to learn from.
    """
    learned: dict[str, float] = {}
    for column in schema.RAW_COLUMNS:
        policy = policy_of(column, policies)
        if policy not in _LEARNED or not clients[column].isna().any():
            continue
        present = clients.loc[is_train, column].dropna()
        if present.empty:
            raise UserError(
                f"clean.missing.{FAMILIES[column]}: no training row has {column}, "
                f"so there is no {policy}; use error or drop"
            )
        value = float(present.median() if policy == "median" else present.mode().min())
        learned[column] = round(value) if column in schema.CODE_RANGES else value
    return clients.fillna(learned), learned
