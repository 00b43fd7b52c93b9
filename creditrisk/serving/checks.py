"""What a request must be before anything of it is parsed or scored.

Each check raises :class:`Refused`; no text of a refusal holds what was sent.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from pydantic import ValidationError

from creditrisk.serving import failures

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Headers = Mapping[bytes, bytes]

KEY_VARIABLE = "CREDIT_API_KEY"
HOSTS_VARIABLE = "CREDIT_HOSTS"
HEALTH = frozenset({"/livez", "/healthz", "/readyz"})
OPEN = HEALTH | {"/", "/docs", "/docs.json"}
"""Paths that need no key: they hold no client and no score, and a browser sends none."""
OPEN_PREFIXES = ("/assets/", "/static_content/")
READ_ONLY = OPEN | {"/model", "/metrics"}
"""Paths that answer 405 to a body, whatever it is."""

MAX_BODY = 8 * 2**20
MAX_VALUES = 300_000
"""Values in a batch; 10,000 clients have 260,000."""


class Refused(Exception):  # noqa: N818  # not an error of ours
    """A request that is answered without the application.

    Parameters
    ----------
    status : HTTPStatus
    text, field : str
        What is wrong, and with which field if it is one.
    """

    def __init__(self, status: HTTPStatus, text: str, field: str = "") -> None:
        self.status, self.text, self.field = status, text, field

    def failure(self) -> failures.Failure:
        """Return what the caller is told."""
        if not self.field:
            return failures.Failure(error=self.text, errors=[])
        return failures.of([failures.FieldError(field=self.field, message=self.text)])


class Invalid(Refused):
    """A body that the models of :mod:`creditrisk.serving.messages` refuse."""

    def __init__(self, error: ValidationError) -> None:
        self.status = HTTPStatus.BAD_REQUEST
        self.details = error.errors(include_url=False, include_context=False, include_input=False)

    def failure(self) -> failures.Failure:
        """Return every field that is wrong, up to a limit."""
        return failures.of(failures.describe(self.details))


def check_host(headers: list[tuple[bytes, bytes]]) -> None:
    """Refuse a Host that a foreign page could have pointed here (DNS rebinding).

    A page elsewhere can give its own name this server's address and then read
    replies as its own. It cannot do so with an address or with a name without a dot.

    Parameters
    ----------
    headers : list of (bytes, bytes)

    Raises
    ------
    Refused
        Unless there is one Host, and it is an address, a name without a dot, or one
        of the names in ``CREDIT_HOSTS`` (commas between; ``*.example.org`` for what
        is below a name; ``*`` for any).
    """
    hosts = [value for name, value in headers if name == b"host"]
    allowed = os.environ.get(HOSTS_VARIABLE, "")
    if len(hosts) != 1 or not is_trusted(hosts[0], allowed):
        text = f"is not a name of this server; name it in {HOSTS_VARIABLE} if it is"
        raise Refused(HTTPStatus.BAD_REQUEST, text, "Host")


@lru_cache(maxsize=256)
def is_trusted(host: bytes, allowed: str) -> bool:
    """Return whether a Host header names this server, with or without a port."""
    parts = re.fullmatch(rb"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?", host.lower(), re.ASCII)
    if not parts:
        return False
    name = parts[1].decode("ascii").strip("[]")
    names = {n.strip().lower() for n in allowed.split(",")}
    if {"*", name} & names or name.endswith(tuple(n[1:] for n in names if n.startswith("*."))):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return "." not in name and ":" not in name


def check_key(path: str, headers: Headers) -> None:
    """Ask for the API key where one is set, in constant time.

    It is read from ``X-API-Key`` or ``Authorization: Bearer``.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if not key or path in OPEN or path.startswith(OPEN_PREFIXES):
        return
    given = headers.get(b"x-api-key")
    if given is None:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else b""
    if not hmac.compare_digest(given, key.encode()):
        raise Refused(HTTPStatus.UNAUTHORIZED, "the API key is missing or wrong", "X-API-Key")


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """Read a JSON body of bounded size."""
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type != b"application/json":
        text = "the body must be sent as application/json"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text, "Content-Type")
    declared = headers.get(b"content-length", b"0")
    size = int(declared[:20]) if declared.isdigit() else 0
    body, more = bytearray(), size <= MAX_BODY
    while more:
        part = await receive()
        if part["type"] != "http.request":
            raise Refused(HTTPStatus.BAD_REQUEST, "the body ended early", "body")
        body += part.get("body", b"")
        size = max(size, len(body))
        more = part.get("more_body", False) and size <= MAX_BODY
    if size > MAX_BODY:
        text = f"a body has at most {MAX_BODY:,} bytes"
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, "body")
    return bytes(body)


def check_size(body: bytes, path: str) -> None:
    """Refuse what is made to keep a parser busy: 8 MB hold millions of empty lists.

    Parameters
    ----------
    body : bytes
    path : str

    Raises
    ------
    Refused
        With 400. Commas in texts count too, which nobody will notice.
    """
    most = MAX_VALUES if path == "/predict_batch" else failures.MAX_FIELDS
    if len(body) > most and body.count(b",") > most:
        raise Refused(HTTPStatus.BAD_REQUEST, f"holds more than {most:,} values", "body")
