"""Description of groups of clients, shared by the RFM segments and the clusters.

Default rates here describe: they are counted on the clients' own labels, with no
model in sight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.data.rates import wilson


def describe_group(members: np.ndarray, outcome: np.ndarray) -> dict[str, Any]:
    """Count a group and its defaults.

    Parameters
    ----------
    members : ndarray of bool, shape (n,)
    outcome : ndarray of int, shape (n,)
        1 = default.

    Returns
    -------
    dict
        ``n``, ``share`` of all, ``default_rate`` with ``low`` and ``high`` (Wilson,
        95 %); the rates are None for an empty group.
    """
    n = int(members.sum())
    group: dict[str, Any] = {"n": n, "share": n / len(members)}
    if not n:
        return group | {"default_rate": None, "low": None, "high": None}
    n_defaults = int(outcome[members].sum())
    low, high = map(float, wilson(n_defaults, n))
    return group | {"default_rate": n_defaults / n, "low": low, "high": high}


def describe_groups(
    groups: np.ndarray,
    keys: Sequence[Any],
    outcome: np.ndarray,
    quantities: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, Any]]:
    """Describe several groups, with medians of what is given.

    Parameters
    ----------
    groups : ndarray, shape (n,)
        The group of each client.
    keys : sequence
        Groups to describe, in the order wanted; absent ones get n = 0.
    outcome : ndarray of int, shape (n,)
    quantities : mapping of ndarray, shape (n,), optional
        Their medians are added under ``medians``.

    Returns
    -------
    list of dict
        One a key: ``group`` and what :func:`describe_group` returns.
    """
    described = []
    for key in keys:
        members = groups == key
        entry = {"group": key, **describe_group(members, outcome)}
        if quantities is not None:
            entry["medians"] = {
                name: float(np.median(values[members])) if entry["n"] else None
                for name, values in quantities.items()
            }
        described.append(entry)
    return described
