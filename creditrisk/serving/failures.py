"""The one shape of every error, in words that a person can act on.

No message holds an input value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

MAX_CLIENTS = 10_000
MAX_FIELDS = 100
"""Fields of one client in a request; it has 25."""
MAX_LISTED = 100
"""Errors listed in one reply; a hostile body must not earn a reply larger than itself."""
MAX_A_ROW = 5
"""Errors listed for one client of a batch whose bad clients are reported."""


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Failure(BaseModel):
    """Every reply with a status of 400 or more."""

    error: str
    errors: list[FieldError]


def of(errors: list[FieldError]) -> Failure:
    """Return a failure with its summary."""
    return Failure(error=summarise(errors), errors=errors)


def describe(details: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """Return pydantic's details of an error as fields and messages, the first of many."""
    return [
        FieldError(field=field_name(d["loc"]), message=message(d["type"], d["loc"], d["msg"]))
        for d in details[:MAX_LISTED]
    ]


def field_name(location: Sequence[str | int]) -> str:
    """Return ``clients[3].PAY_0`` for a pydantic location; ``body`` for the whole."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{str(part)[:60]}"
    return text.removeprefix(".") or "body"


def message(kind: str, location: Sequence[str | int], text: str) -> str:
    """Return pydantic's message as one that a person can act on."""
    if kind == "extra_forbidden":
        if location[-1] in ("PAY_0", "PAY_1"):
            return "is the same month as PAY_0: give one of the two"
        return "is not a field of this request"
    known = {
        "missing": "is required",
        "float_type": "must be a number",
        "finite_number": "must be a finite number",
        "model_type": "must be a JSON object",
        "list_type": "must be a list",
        "too_short": "must hold at least one client",
        "too_long": f"must hold at most {MAX_CLIENTS:,} clients",
    }
    return known.get(kind) or text.replace("Input should be", "must be").replace("'", '"')


def summarise(errors: Sequence[FieldError], found: int | None = None) -> str:
    """Return the one line that stands above the list of errors.

    Parameters
    ----------
    errors : sequence of FieldError
    found : int, optional
        How many there are, where not all are listed.
    """
    if not errors:
        return "the request is not valid"
    first, more = f"{errors[0].field}: {errors[0].message}", (found or len(errors)) - 1
    return f"{first} (and {more} more)" if more else first
