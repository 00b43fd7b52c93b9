"""Holding a raw table to its contract: every failure at once, without cell values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema
from creditrisk.data.missing import policy_of
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Failure:
    """One rule that a column breaks, and in how many rows."""

    column: str
    rule: str
    n_rows: int


def check_columns(raw: pd.DataFrame) -> None:
    """Raise a UserError that names missing and unexpected columns."""
    missing = [c for c in schema.RAW_COLUMNS if c not in raw]
    unexpected = [str(c) for c in raw if c not in schema.RAW_COLUMNS]
    if missing or unexpected:
        raise UserError(
            "the raw table's columns do not fit: "
            f"missing {', '.join(missing) or 'none'}; unexpected {', '.join(unexpected) or 'none'}"
        )


def to_numbers(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn every column into floats.

    Parameters
    ----------
    raw : DataFrame, n rows

    Returns
    -------
    numbers : DataFrame of float
        The raw columns; NaN where a cell is missing or is no finite number.
    is_text : DataFrame of bool
        True where a cell is there but is no finite number.
    """
    import pandas as pd

    names = list(schema.RAW_COLUMNS)
    numbers = raw[names].apply(pd.to_numeric, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, numbers.isna() & raw[names].notna()


def find_failures(
    numbers: pd.DataFrame, is_text: pd.DataFrame, policies: Mapping[str, str]
) -> list[Failure]:
    """Return every rule that the table breaks.

    Parameters
    ----------
    numbers, is_text : DataFrame, n rows
        See :func:`to_numbers`; rows that the missing-value policy drops are gone.
    policies : mapping
        The missing-value policy; see :data:`creditrisk.data.missing.POLICIES`.

    Returns
    -------
    list of Failure
        In the order of the columns. Cells that are missing, text or a fraction
        where a whole number belongs are counted as such, and only the others are
        held to the column's range.
    """
    failures = []
    for name, column in schema.raw_contract().columns.items():
        values = numbers[name]
        is_missing = values.isna() & ~is_text[name]
        is_whole_column = str(column.dtype) == "int64"
        is_fraction = (values % 1 != 0) & values.notna() & is_whole_column
        for rule, broken in (
            ("is a number", is_text[name]),
            ("is not missing", is_missing & (policy_of(name, policies) == "error")),
            ("is a whole number", is_fraction),
        ):
            if broken.any():
                failures.append(Failure(name, rule, int(broken.sum())))
        usable = values[values.notna() & ~is_fraction]
        failures += _broken_checks(usable.astype("int64" if is_whole_column else float), column)
    return failures


def _broken_checks(values: pd.Series, column: object) -> list[Failure]:
    """Validate one column lazily and count the failures of each check."""
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    name = str(values.name)
    try:
        pa.DataFrameSchema({name: column}).validate(values.to_frame(), lazy=True)
    except SchemaErrors as error:
        counts = error.failure_cases.groupby("check", sort=False).size()
        return [Failure(name, _rule(str(check)), int(n)) for check, n in counts.items()]
    return []


def _rule(check: str) -> str:
    """Return a check of pandera as a rule that reads as a sentence."""
    words = {
        "field_uniqueness": "is unique",
        "in_range(": "is in the range (",
        "isin(": "is one of (",
        "greater_than_or_equal_to(": "is at least (",
        "greater_than(": "is greater than (",
    }
    for start, text in words.items():
        if check.startswith(start):
            return check.replace(start, text, 1)
    return check


def raise_failures(failures: list[Failure]) -> None:
    """Raise one UserError with a line for each failure; none, no error."""
    if not failures:
        return
    lines = [
        f"  {f.column}: {f.rule} — broken in {f.n_rows} row{'s' if f.n_rows > 1 else ''}"
        for f in failures
    ]
    raise UserError(
        "the raw table breaks its contract:\n"
        + "\n".join(lines)
        + "\nCorrect the table, or set clean.missing in params.yaml where values are missing."
    )
