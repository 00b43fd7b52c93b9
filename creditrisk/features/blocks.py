"""How a feature is described and registered.

A block is a pure numpy function of a :class:`~creditrisk.features.record.ClientRecord`
that returns one column (n,) or several (n, k), with what the data dictionary says of
each column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
