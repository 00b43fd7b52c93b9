"""Rows that belong together: exact duplicates, label conflicts, hidden twins.

A hidden twin is the same client one month apart: the later row's BILL_AMT2..6 and
PAY_AMT2..6 equal the earlier row's BILL_AMT1..5 and PAY_AMT1..5. Rows of one group
never stand on both sides of a split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema

if TYPE_CHECKING:
    import pandas as pd

_EARLIER = [*schema.BILL_COLUMNS[:5], *schema.PAID_COLUMNS[:5]]
_LATER = [*schema.BILL_COLUMNS[1:], *schema.PAID_COLUMNS[1:]]


def number_profiles(clients: pd.DataFrame) -> np.ndarray:
    """Return one number for each distinct row of features, shape (n,).

    Rows share a number when all 23 features are equal, ID and target aside; two
    missing values are equal.
    """
    keys = clients.groupby(list(schema.FEATURE_COLUMNS), sort=False, dropna=False).ngroup()
    return keys.to_numpy()


def flag_duplicates(profiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return which rows repeat an earlier row in features and target, bool (n,)."""
    import pandas as pd

    return pd.DataFrame({"profile": profiles, "target": target}).duplicated().to_numpy()


def flag_conflicts(profiles: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return which rows have a row with the same features and another target, bool (n,)."""
    import pandas as pd

    labels = pd.Series(target).groupby(profiles).transform("nunique")
    return (labels > 1).to_numpy()


def find_twins(
    clients: pd.DataFrame, *, min_amounts: int, min_distinct: int, age_tolerance: float
) -> pd.DataFrame:
    """Find pairs of rows that are one client one month apart.

    Parameters
    ----------
    clients : DataFrame, n rows
        With LIMIT_BAL, SEX, AGE and the twelve amounts.
    min_amounts : int
        Of the ten shared amounts at least so many are not zero.
    min_distinct : int
        The strict rule also asks for so many distinct non-zero amounts and the same
        LIMIT_BAL: few repeated round amounts agree by chance.
    age_tolerance : float
        Years that the ages may differ; a missing age fits every other, since a
        missed twin would leak and a wrong one costs nothing.

    Returns
    -------
    DataFrame, one row a pair
        ``earlier`` and ``later`` (row positions), ``n_distinct``, ``is_strict``;
        sorted by positions.
    """
    amounts = clients[_LATER].to_numpy(float)
    shared = [f"shared_{i}" for i in range(len(_LATER))]

    def side(name: str, columns: list[str]) -> pd.DataFrame:
        table = clients[columns].set_axis(shared, axis=1).astype(float)
        table = table.assign(SEX=clients["SEX"].to_numpy(), **{name: np.arange(len(clients))})
        return table[(table[shared].to_numpy() != 0).sum(axis=1) >= min_amounts]

    pairs = side("later", _LATER).merge(side("earlier", _EARLIER), on=[*shared, "SEX"])
    pairs = pairs.loc[pairs["later"] != pairs["earlier"], ["earlier", "later"]]
    earlier, later = pairs["earlier"].to_numpy(), pairs["later"].to_numpy()
    age, limit = clients["AGE"].to_numpy(float), clients[schema.LIMIT].to_numpy(float)
    pairs["n_distinct"] = count_distinct(amounts[later])
    pairs["is_strict"] = (pairs["n_distinct"] >= min_distinct) & (limit[earlier] == limit[later])
    too_far = np.abs(age[earlier] - age[later]) > age_tolerance
    return pairs.loc[~too_far].sort_values(["earlier", "later"], ignore_index=True)


def flag_twins(pairs: pd.DataFrame, n: int) -> np.ndarray:
    """Return which of n rows belong to a strict pair, bool (n,)."""
    strict = pairs.loc[pairs["is_strict"], ["earlier", "later"]].to_numpy()
    return np.isin(np.arange(n), strict)


def count_distinct(amounts: np.ndarray) -> np.ndarray:
    """Return the number of distinct non-zero values of each row, shape (n,)."""
    ordered = np.sort(amounts, axis=1)
    is_new = np.ones(ordered.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return (is_new & (ordered != 0)).sum(axis=1)


def assign_groups(profiles: np.ndarray, pairs: pd.DataFrame) -> np.ndarray:
    """Join rows with equal features and twins, strict or not, into groups.

    Parameters
    ----------
    profiles : ndarray of int, shape (n,)
        See :func:`number_profiles`.
    pairs : DataFrame
        See :func:`find_twins`.

    Returns
    -------
    ndarray of int64, shape (n,)
        The position of the group's first row, so a row alone has its own position.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(profiles)
    _, first, member = np.unique(profiles, return_index=True, return_inverse=True)
    heads = np.concatenate([pairs["earlier"].to_numpy(), first[member]]).astype(np.int64)
    tails = np.concatenate([pairs["later"].to_numpy(), np.arange(n)]).astype(np.int64)
    edges = coo_matrix((np.ones(len(heads), dtype=np.int8), (heads, tails)), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    _, smallest, back = np.unique(component, return_index=True, return_inverse=True)
    return smallest[back].astype(np.int64)
