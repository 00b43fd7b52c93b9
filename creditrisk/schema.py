"""Column names, code books and table contracts of the credit-card table.

Everything here is a fact about the data set, none of it is a choice; choices
stand in ``params.yaml``. Months run newest first wherever they have an axis:
index 0 is September 2005 (suffix 0 or 1 in the source), index 5 is April.

pandera and pandas are imported inside the functions that need them, because the
service reads the names here and must start without either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandera.pandas as pa

KEY: Final = "ID"
LIMIT: Final = "LIMIT_BAL"
AUDIT_COLUMNS: Final = ("SEX", "EDUCATION", "MARRIAGE", "AGE")
STATUS_COLUMNS: Final = ("PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6")
BILL_COLUMNS: Final = tuple(f"BILL_AMT{i}" for i in range(1, 7))
PAID_COLUMNS: Final = tuple(f"PAY_AMT{i}" for i in range(1, 7))
FEATURE_COLUMNS: Final = (
    LIMIT,
    *AUDIT_COLUMNS,
    *STATUS_COLUMNS,
    *BILL_COLUMNS,
    *PAID_COLUMNS,
)
RAW_TARGET: Final = "default.payment.next.month"
RAW_COLUMNS: Final = (KEY, *FEATURE_COLUMNS, RAW_TARGET)
"""The canonical raw table: Kaggle's names in Kaggle's order."""

CANONICAL_SHA256: Final = "f7b7d22d1f8dd27dadb25d4b78d8a4ae7c441ab6cc12d1ea58c0efc54d4d1788"
"""SHA-256 of the default data set in canonical form."""
SOURCE: Final = {
    "title": "Default of Credit Card Clients (UCI 350)",
    "author": "I-Cheng Yeh, 2009",
    "licence": "CC BY 4.0",
    "doi": "10.24432/C55S3H",
}
"""What to cite for the default data set."""

TARGET: Final = "default"
"""The target's name after cleaning; class 1 is a missed payment next month."""

MONTHS: Final = ("2005-09", "2005-08", "2005-07", "2005-06", "2005-05", "2005-04")
MONTH_NAMES: Final = ("September", "August", "July", "June", "May", "April")
N_MONTHS: Final = len(MONTHS)

GROUP: Final = "group_id"
SPLIT: Final = "split"
TRAIN: Final = "train"
HOLDOUT: Final = "holdout"
FIT_ROW: Final = "fit_row"
"""False where outlier treatment ``remove`` keeps a training row out of every fit."""

STATUS_MIN, STATUS_MAX = -2, 9

SEX_CODES: Final = {1: "male", 2: "female"}
EDUCATION_CODES: Final = {
    0: "other_unknown",
    1: "graduate_school",
    2: "university",
    3: "high_school",
    4: "other_unknown",
    5: "other_unknown",
    6: "other_unknown",
}
MARRIAGE_CODES: Final = {0: "unknown", 1: "married", 2: "single", 3: "others"}
STATUS_CODES: Final = {
    -2: "no consumption",
    -1: "paid in full",
    0: "revolving credit",
    **{m: f"{m} month{'s' if m > 1 else ''} past due" for m in range(1, 9)},
    9: "9 or more months past due",
}
"""−1 and 1..9 are documented by UCI; −2 and 0 are inferred from payments."""

DOCUMENTED_CODES: Final = {
    "SEX": (1, 2),
    "EDUCATION": (1, 2, 3, 4),
    "MARRIAGE": (1, 2, 3),
    **dict.fromkeys(STATUS_COLUMNS, (-1, *range(1, 10))),
}

CODE_RANGES: Final = {
    "SEX": (1, 2),
    "EDUCATION": (0, 6),
    "MARRIAGE": (0, 3),
    "AGE": (18, 120),
    **dict.fromkeys(STATUS_COLUMNS, (STATUS_MIN, STATUS_MAX)),
}
"""Inclusive range of every whole-number column but the amounts."""


def raw_contract() -> pa.DataFrameSchema:
    """Return the contract that a raw table meets once its columns are numeric.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        Types, code ranges, a positive limit, non-negative payments and a unique
        ID; no missing values, since the missing-value policy runs before.
    """
    import pandera.pandas as pa

    columns = {KEY: pa.Column(int, unique=True)}
    for name in FEATURE_COLUMNS:
        if name in CODE_RANGES:
            low, high = CODE_RANGES[name]
            columns[name] = pa.Column(int, pa.Check.in_range(low, high))
        elif name == LIMIT:
            columns[name] = pa.Column(float, pa.Check.gt(0))
        elif name in PAID_COLUMNS:
            columns[name] = pa.Column(float, pa.Check.ge(0))
        else:
            columns[name] = pa.Column(float)
    columns[RAW_TARGET] = pa.Column(int, pa.Check.isin([0, 1]))
    return pa.DataFrameSchema(columns, strict=True, name="raw clients")


def clients_contract() -> pa.DataFrameSchema:
    """Return the contract of the cleaned table, one row a client.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        The raw contract with ``default`` for the target, plus the columns that
        cleaning adds; further ``is_``/``has_`` flags are allowed.
    """
    import pandera.pandas as pa

    raw = raw_contract()
    columns = {name: raw.columns[name] for name in (KEY, *FEATURE_COLUMNS)}
    columns[TARGET] = pa.Column(int, pa.Check.isin([0, 1]))
    columns["sex_group"] = pa.Column(str, pa.Check.isin(sorted(set(SEX_CODES.values()))))
    columns["education_group"] = pa.Column(
        str, pa.Check.isin(sorted(set(EDUCATION_CODES.values())))
    )
    columns["marriage_group"] = pa.Column(str, pa.Check.isin(sorted(set(MARRIAGE_CODES.values()))))
    columns[GROUP] = pa.Column(int, pa.Check.ge(0))
    columns[SPLIT] = pa.Column(str, pa.Check.isin([TRAIN, HOLDOUT]))
    columns[FIT_ROW] = pa.Column(bool)
    columns[r"^(is|has)_.+$"] = pa.Column(bool, regex=True, required=False)
    return pa.DataFrameSchema(columns, strict=True, name="clients")
