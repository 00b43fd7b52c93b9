"""A request's body as a document: parsed once, and none of its objects says a thing twice."""

from __future__ import annotations

import re
from typing import Any

import jiter
import orjson
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

from creditrisk import schema
from creditrisk.serving.failures import MAX_FIELDS

FIELDS = frozenset({*schema.FEATURE_COLUMNS, "ID", "PAY_1", "clients", "on_error", "reasons"})
"""Names that an error may repeat."""


def parse(body: str | bytes | bytearray, title: str) -> Any:
    """Return a JSON document none of whose objects says a thing twice.

    Parameters
    ----------
    body : bytes or str
    title : str
        Of the error.

    Raises
    ------
    pydantic.ValidationError
        Naming the field that stands twice, or the body.
    """
    text = body.encode() if isinstance(body, str) else body
    try:
        document = _load(text)
        names, most = _count_texts(document)
        # Where each quotation mark belongs to a name or text that is there, none is lost.
        if text.count(b'"') != 2 * names:
            jiter.from_json(bytes(text), catch_duplicate_keys=True)
    except ValueError as error:
        raise refuse([unreadable(str(error))], title) from None
    if most > MAX_FIELDS:
        kind = PydanticCustomError("too_many", f"an object has at most {MAX_FIELDS} fields")
        raise refuse([InitErrorDetails(type=kind, loc=(), input=None)], title)
    return document


def _load(text: bytes | bytearray) -> Any:
    """Read plain JSON fast; NaN and infinity, which have messages of their own, the other way."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return from_json(text)


def _count_texts(document: Any) -> tuple[int, int]:
    """Return how many names and texts a usual request has, and the fields of its largest part."""
    if not isinstance(document, dict):
        return 0, 0
    rows = document.get("clients")
    sizes = [len(document)]
    if isinstance(rows, list):
        sizes += [len(row) for row in rows if isinstance(row, dict)]
    return sum(sizes) + isinstance(document.get("on_error"), str), max(sizes)


def unreadable(problem: str) -> InitErrorDetails:
    """Return the detail for what a parser says of a body; it repeats names, but no value."""
    location: tuple[str, ...] = ()
    if twice := re.match(r'Detected duplicate key "(.*)" at line', problem, re.DOTALL):
        known = twice[1] in FIELDS
        text = "stands more than once" if known else "holds a field more than once"
        location = (twice[1],) if known else ()
    else:
        text = f"Invalid JSON: {problem}"
    return InitErrorDetails(type=PydanticCustomError("json", text), loc=location, input=None)


def refuse(details: list[InitErrorDetails], title: str) -> ValidationError:
    """Return an error that reaches the caller just as pydantic's own do."""
    return ValidationError.from_exception_data(title, details, hide_input=True)
