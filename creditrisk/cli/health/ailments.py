"""One line of the doctor's: how it is with one thing, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

FINE, NOTE, FAILS = "ok", "note", "FAIL"


@dataclass(frozen=True)
class Ailment:
    """A finding; ``level`` is :data:`FINE`, :data:`NOTE` or :data:`FAILS`."""

    thing: str
    text: str
    remedy: str = ""
    level: str = FINE

    @property
    def is_note(self) -> bool:
        """Tell whether it is worth reading, though no run fails of it."""
        return self.level == NOTE

    def __str__(self) -> str:
        """Return the line that is printed."""
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{self.level:4}  {self.thing:10} {self.text}{remedy}"


def note(thing: str, text: str, remedy: str) -> Ailment:
    """Return a finding of which no run fails."""
    return Ailment(thing, text, remedy, NOTE)


def fails(thing: str, text: str, remedy: str) -> Ailment:
    """Return a finding of which a run fails."""
    return Ailment(thing, text, remedy, FAILS)


def megabytes(n_bytes: float) -> str:
    """Return a number of bytes in words."""
    return f"{n_bytes / 1e6:,.0f} MB"
