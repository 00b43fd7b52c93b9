"""What a check of ``verify`` came to, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, in one line.

    ``is_absent`` marks what is merely not here, such as outputs that were never pulled.
    """

    text: str
    remedy: str
    is_absent: bool = False

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"  {'absent' if self.is_absent else 'WRONG '}  {self.text}: {self.remedy}"


@dataclass(frozen=True)
class Section:
    """A check's result: what was looked at, and the findings."""

    title: str
    looked_at: str
    findings: Sequence[Finding] = field(default_factory=tuple)

    def lines(self) -> list[str]:
        """Return the check in one line, and one more a finding."""
        return [f"{self.title}: {self.looked_at}", *map(str, self.findings)]


def listed(names: Iterable[str], most: int = 3) -> str:
    """Return names in a row; those beyond ``most`` are counted."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
