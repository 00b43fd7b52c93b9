"""The data dictionary of the raw table, and what cleaning changed column by column.

The dictionary of engineered features is another one: it is printed from the registry
to ``docs/data-dictionary.csv``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from creditrisk import schema
from creditrisk.data.contract import to_numbers
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

RENAMED: Final = {schema.RAW_TARGET: schema.TARGET}
"""Raw columns that have another name after cleaning."""

CODE_BOOKS: Final = {
    "SEX": schema.SEX_CODES,
    "EDUCATION": schema.EDUCATION_CODES,
    "MARRIAGE": schema.MARRIAGE_CODES,
    **dict.fromkeys(schema.STATUS_COLUMNS, schema.STATUS_CODES),
    schema.RAW_TARGET: {0: "next payment made", 1: "next payment missed"},
}
DOCUMENTED: Final = {**schema.DOCUMENTED_CODES, schema.RAW_TARGET: (0, 1)}

ALLOWED: Final = {
    schema.KEY: "unique",
    schema.LIMIT: "above 0",
    **{c: f"{low} to {high}" for c, (low, high) in schema.CODE_RANGES.items()},
    **dict.fromkeys(schema.BILL_COLUMNS, "any"),
    **dict.fromkeys(schema.PAID_COLUMNS, "0 or more"),
    schema.RAW_TARGET: "0 or 1",
}
"""What the contract allows, in words; a test holds it to the contract."""


def _bill_before(i: int) -> str:
    """Name the bill that the payment of month i settles."""
    if i + 1 == schema.N_MONTHS:
        return "settles March's bill, not in the table"
    return f"settles {schema.BILL_COLUMNS[i + 1]}"


MEANINGS: Final = {
    schema.KEY: "row number of the source",
    schema.LIMIT: "credit limit, own and family cards",
    "SEX": "sex",
    "EDUCATION": "highest education",
    "MARRIAGE": "marital status",
    "AGE": "age",
    **{
        column: f"payment status of {month}"
        for column, month in zip(schema.STATUS_COLUMNS, schema.MONTH_NAMES, strict=True)
    },
    **{
        column: f"bill of {month}"
        for column, month in zip(schema.BILL_COLUMNS, schema.MONTH_NAMES, strict=True)
    },
    **{
        column: f"paid in {month}; {_bill_before(i)}"
        for i, (column, month) in enumerate(
            zip(schema.PAID_COLUMNS, schema.MONTH_NAMES, strict=True)
        )
    },
    schema.RAW_TARGET: "1: the payment of October 2005 was missed",
}


def describe_columns(raw: pd.DataFrame, clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the dictionary: what each raw column means, may hold and does hold.

    Parameters
    ----------
    raw : DataFrame, n rows
        The raw table, Kaggle's names; cells that are no number are left out here.
    clients : DataFrame
        The cleaned table, for the types.

    Returns
    -------
    list of dict
        One for each of :data:`creditrisk.schema.RAW_COLUMNS`: ``name``, ``meaning``,
        ``unit`` (``NT$``, ``years``, ``code`` or ``number``), ``type`` after cleaning,
        ``role`` (``key``, ``feature``, ``audit only`` or ``target``), ``month`` (None for
        columns without), ``allowed`` in words, observed ``min`` and ``max`` (None where
        nothing is observed), ``n_distinct``; ``codes``, for code columns, one for each
        code seen or documented: ``code``, ``meaning``, ``documented``, ``n``.
    """
    numbers, _ = to_numbers(raw)
    rows = []
    for name in schema.RAW_COLUMNS:
        values = numbers[name].dropna().to_numpy()
        rows.append(
            {
                "name": name,
                "meaning": MEANINGS[name],
                "unit": _unit(name),
                "type": str(clients[RENAMED.get(name, name)].dtype),
                "role": _role(name),
                "month": _month(name),
                "allowed": ALLOWED[name],
                "min": float(values.min()) if values.size else None,
                "max": float(values.max()) if values.size else None,
                "n_distinct": len(np.unique(values)),
                "codes": count_codes(name, values) if name in CODE_BOOKS else [],
            }
        )
    return rows


def _unit(name: str) -> str:
    """Return the unit of a raw column."""
    if name == schema.KEY:
        return "number"
    if name == "AGE":
        return "years"
    return "code" if name in CODE_BOOKS else "NT$"


def _role(name: str) -> str:
    """Return what a raw column may be used for."""
    special = {schema.KEY: "key", schema.RAW_TARGET: "target"}
    special |= dict.fromkeys(schema.AUDIT_COLUMNS, "audit only")
    return special.get(name, "feature")


def _month(name: str) -> str | None:
    """Return the month of a raw column, None where it has none."""
    for columns in (schema.STATUS_COLUMNS, schema.BILL_COLUMNS, schema.PAID_COLUMNS):
        if name in columns:
            return schema.MONTHS[columns.index(name)]
    return "2005-10" if name == schema.RAW_TARGET else None


def count_codes(name: str, values: np.ndarray) -> list[dict[str, Any]]:
    """Count the codes of a column and say which of them the source documents.

    Parameters
    ----------
    name : str
        A raw code column.
    values : ndarray of float, shape (n,)
        Without gaps.

    Returns
    -------
    list of dict
        ``code``, ``meaning``, ``documented`` and ``n`` for each code that is seen or
        documented, ascending. A fraction is no code and is left out; the contract names it.
    """
    whole = values[values == np.round(values)].astype(np.int64)
    codes, counts = np.unique(whole, return_counts=True)
    seen = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    return [
        {
            "code": code,
            "meaning": CODE_BOOKS[name].get(code, "not in the code book"),
            "documented": code in DOCUMENTED[name],
            "n": seen.get(code, 0),
        }
        for code in sorted({*seen, *DOCUMENTED[name]})
    ]


def describe_changes(raw: pd.DataFrame, clients: pd.DataFrame) -> dict[str, Any]:
    """Compare the raw with the cleaned table, column by column and client by client.

    Parameters
    ----------
    raw : DataFrame, n rows
        The raw table, Kaggle's names.
    clients : DataFrame, m ≤ n rows
        The cleaned table; rows are matched by ID.

    Returns
    -------
    dict
        ``n_raw``, ``n_clients``, ``n_dropped`` rows, ``n_cells`` compared and
        ``n_changed`` among them; ``columns``, for each raw column: ``name``, ``cleaned``
        (its name now), ``raw_type``, ``type``, ``missing_before`` (empty cells and cells
        that are no finite number), ``missing_after``, ``changed`` (clients whose value is
        another, a filled gap included), and ``mean_``, ``min_``, ``max_`` ``before`` and
        ``after`` (None where nothing is observed); ``added``, for each new column:
        ``name``, ``type``, ``n_distinct`` and, for flags, ``n_true`` (None for others).

    Raises
    ------
    UserError
        When an ID occurs twice, so that clients cannot be matched.
    """
    numbers, _ = to_numbers(raw)
    n_repeated = int(numbers[schema.KEY].dropna().duplicated().sum())
    if n_repeated:
        raise UserError(
            f"{schema.KEY}: {n_repeated} rows of the raw table repeat an ID, so clients cannot be "
            "compared before and after cleaning; give each row an ID of its own"
        )
    matched = numbers.set_index(schema.KEY, drop=False).loc[clients[schema.KEY]]
    columns = []
    for name in schema.RAW_COLUMNS:
        after = clients[RENAMED.get(name, name)].to_numpy(float)
        before = matched[name].to_numpy(float)
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        columns.append(
            {
                "name": name,
                "cleaned": RENAMED.get(name, name),
                "raw_type": str(raw[name].dtype),
                "type": str(clients[RENAMED.get(name, name)].dtype),
                "missing_before": int(numbers[name].isna().sum()),
                "missing_after": int(np.isnan(after).sum()),
                "changed": int((~same).sum()),
                **_summary(numbers[name].to_numpy(float), "before"),
                **_summary(after, "after"),
            }
        )
    return {
        "n_raw": len(raw),
        "n_clients": len(clients),
        "n_dropped": len(raw) - len(clients),
        "n_cells": len(clients) * len(columns),
        "n_changed": sum(column["changed"] for column in columns),
        "columns": columns,
        "added": _added(clients),
    }


def _summary(values: np.ndarray, when: str) -> dict[str, float | None]:
    """Return mean, smallest and largest of the values that are there."""
    known = values[~np.isnan(values)]
    found = (known.mean(), known.min(), known.max()) if known.size else (None, None, None)
    return {
        f"{name}_{when}": None if value is None else float(value)
        for name, value in zip(("mean", "min", "max"), found, strict=True)
    }


def _added(clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Describe the columns that cleaning added."""
    kept = {RENAMED.get(name, name) for name in schema.RAW_COLUMNS}
    return [
        {
            "name": name,
            "type": str(clients[name].dtype),
            "n_distinct": int(clients[name].nunique()),
            "n_true": int(clients[name].sum()) if clients[name].dtype == bool else None,
        }
        for name in clients.columns
        if name not in kept
    ]
