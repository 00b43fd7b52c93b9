"""The one registry of features: names by family, and their computation.

The data dictionary is printed from it, and models choose from it by family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from creditrisk.features.blocks import Feature
from creditrisk.features.definitions import ALL_BLOCKS
from creditrisk.features.record import ClientRecord


def all_features() -> list[Feature]:
    """Return every registered feature, in the registry's order."""
    return [feature for block in ALL_BLOCKS for feature in block.features]


def families() -> list[str]:
    """Return the families' names, in the registry's order."""
    return list(dict.fromkeys(feature.family for feature in all_features()))


def select(wanted_families: Iterable[str], *, audit_attributes: str) -> list[str]:
    """Return the names of the features of some families.

    Parameters
    ----------
    wanted_families : iterable of str
    audit_attributes : {"exclude", "include"}
        ``exclude`` leaves out every feature with SEX, EDUCATION, MARRIAGE or AGE
        among its source columns.

    Returns
    -------
    list of str
        In the registry's order.

    Raises
    ------
    ValueError
        Naming an unknown family or option and the allowed ones.
    """
    known = families()
    wanted = set(wanted_families)
    if unknown := sorted(wanted - set(known)):
        raise ValueError(f"no feature family {', '.join(unknown)}; there are: {', '.join(known)}")
    if audit_attributes not in ("exclude", "include"):
        raise ValueError(f"audit_attributes must be exclude or include, got {audit_attributes!r}")
    keep_audit = audit_attributes == "include"
    return [f.name for f in all_features() if f.family in wanted and (keep_audit or not f.is_audit)]


def compute(record: ClientRecord, names: Sequence[str]) -> np.ndarray:
    """Compute features of a record.

    Parameters
    ----------
    record : ClientRecord, n clients
    names : sequence of str, length k
        Any registered features, in any order.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Columns in the order of ``names``.

    Raises
    ------
    KeyError
        Naming a feature that is not registered.
    """
    return compile_features(tuple(names))(record)


def compile_features(names: tuple[str, ...]) -> Callable[[ClientRecord], np.ndarray]:
    """Resolve names once and return the function that computes them.

    A server calls the returned function for every request; only the blocks that
    hold a wanted feature run.
    """
    position = {feature.name: i for i, feature in enumerate(all_features())}
    if unknown := [n for n in names if n not in position]:
        raise KeyError(f"no feature {', '.join(unknown)} is registered")
    wanted = set(names)
    blocks = [b for b in ALL_BLOCKS if any(f.name in wanted for f in b.features)]
    order = [f.name for b in blocks for f in b.features]
    columns = np.array([order.index(name) for name in names], dtype=np.intp)

    def function(record: ClientRecord) -> np.ndarray:
        n = len(record)
        parts = [block.function(record).reshape(n, len(block.features)) for block in blocks]
        return np.concatenate(parts, axis=1)[:, columns]

    return function
