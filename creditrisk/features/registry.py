"""The one registry of features: names, meaning and the functions behind them.

A feature block is a pure numpy function of a :class:`~creditrisk.features.record.
ClientRecord` that returns one column (n,) or several (n, k). The data dictionary
is printed from this registry, and models choose from it by family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from creditrisk import schema
from creditrisk.features.record import ClientRecord


@dataclass(frozen=True)
class Feature:
    """What the data dictionary says of one column.

    Attributes
    ----------
    name : str
    unit : str
        ``NT$``, ``NT$ a year``, ``log NT$``, ``ratio``, ``months``, ``years``, ``count``,
        ``flag`` or ``code``.
    family : str
        The group that model parameters and ablations speak of.
    sources : tuple of str
        Raw columns that it is computed from.
    meaning : str
    """

    name: str
    unit: str
    family: str
    sources: tuple[str, ...]
    meaning: str

    @property
    def is_audit(self) -> bool:
        """Whether a legally sensitive attribute is among the sources."""
        return not set(schema.AUDIT_COLUMNS).isdisjoint(self.sources)


@dataclass(frozen=True)
class Block:
    """Features that one function computes together."""

    features: tuple[Feature, ...]
    function: Callable[[ClientRecord], np.ndarray]


BLOCKS: list[Block] = []


def register(
    family: str,
    unit: str,
    sources: Sequence[str] | Sequence[Sequence[str]],
    names: Sequence[str],
    meanings: Sequence[str],
) -> Callable[[Callable[[ClientRecord], np.ndarray]], Callable[[ClientRecord], np.ndarray]]:
    """Add a block to the registry (a decorator).

    Parameters
    ----------
    family, unit : str
        See :class:`Feature`.
    sources : sequence of str, or sequence of length k of sequences of str
        Raw columns behind every feature of the block, or behind each.
    names, meanings : sequence of str, length k
        One for each column that the function returns, in its order.
    """

    def add(function: Callable[[ClientRecord], np.ndarray]) -> Callable[[ClientRecord], np.ndarray]:
        taken = {f.name for block in BLOCKS for f in block.features}
        clash = taken.intersection(names)
        if clash or len(set(names)) != len(names) or len(names) != len(meanings):
            raise ValueError(
                f"{function.__name__}: names clash or lack a meaning: {sorted(clash) or names}"
            )
        shared = tuple(source for source in sources if isinstance(source, str))
        each = [shared] * len(names) if shared else [tuple(behind) for behind in sources]
        features = tuple(
            Feature(name, unit, family, behind, meaning)
            for name, behind, meaning in zip(names, each, meanings, strict=True)
        )
        BLOCKS.append(Block(features, function))
        return function

    return add


def all_features() -> list[Feature]:
    """Return every registered feature, in the registry's order."""
    _load()
    return [feature for block in BLOCKS for feature in block.features]


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
    blocks = [b for b in BLOCKS if any(f.name in wanted for f in b.features)]
    order = [f.name for b in blocks for f in b.features]
    columns = np.array([order.index(name) for name in names], dtype=np.intp)

    def function(record: ClientRecord) -> np.ndarray:
        n = len(record)
        parts = [block.function(record).reshape(n, len(block.features)) for block in blocks]
        return np.concatenate(parts, axis=1)[:, columns]

    return function


def _load() -> None:
    """Import the module whose decorators fill the registry."""
    import creditrisk.features.definitions  # noqa: F401
