"""What stands between the network and the service: one ASGI middleware.

It checks key, content type and size before anything is parsed, bounds how many
requests run and for how long, and gives every error one shape.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from creditrisk.serving import failures

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

KEY_VARIABLE = "CREDIT_API_KEY"
MAX_BODY = 8 * 2**20
TIMEOUT_SECONDS = 10.0
MAX_IN_FLIGHT = 32
HEALTH = frozenset({"/livez", "/healthz", "/readyz"})
OPEN = HEALTH | {"/", "/docs", "/docs.json"}
"""Paths that need no key: they hold no client and no score, and a browser sends none."""
OPEN_PREFIXES = ("/assets/", "/static_content/")
REQUEST_MODELS = ("for Client", "for Batch")
"""How pydantic's summary ends when the request is at fault, and not the reply."""
HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


class Refused(Exception):  # noqa: N818  # not an error of ours
    """A request that is answered here."""

    def __init__(self, status: HTTPStatus, text: str, field: str = "") -> None:
        self.status, self.text, self.field = status, text, field


class Guard:
    """ASGI middleware; one instance a worker.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.in_flight = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reply = Reply(send)
        counted = scope["path"] not in HEALTH
        try:
            check_key(scope)
            if counted and self.in_flight >= MAX_IN_FLIGHT:
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many requests at a time")
            self.in_flight += counted
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    if scope["method"] == "POST":
                        receive = await read_body(scope, receive)
                    await self.app(scope, receive, reply)
            finally:
                self.in_flight -= counted
        except Refused as refused:
            await reply.refuse(refused)
        except TimeoutError:
            text = f"not done in {TIMEOUT_SECONDS:.0f} seconds"
            await reply.refuse(Refused(HTTPStatus.GATEWAY_TIMEOUT, text))


def check_key(scope: MutableMapping[str, Any]) -> None:
    """Ask for the API key where one is set, in constant time.

    It is read from ``X-API-Key`` or ``Authorization: Bearer``.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if not key or scope["path"] in OPEN or scope["path"].startswith(OPEN_PREFIXES):
        return
    headers = dict(scope["headers"])
    given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
    if not hmac.compare_digest(given, key.encode()):
        raise Refused(HTTPStatus.UNAUTHORIZED, "the API key is missing or wrong", "X-API-Key")


async def read_body(scope: MutableMapping[str, Any], receive: Receive) -> Receive:
    """Read a body of bounded size and return a ``receive`` that gives it once more."""
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type != b"application/json":
        text = "the body must be sent as application/json"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text, "Content-Type")
    too_large = Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {MAX_BODY:,} bytes", "body"
    )
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared[:20]) > MAX_BODY:
        raise too_large
    chunks, size = [], 0
    while True:
        part = await receive()
        if part["type"] != "http.request":
            break
        chunks.append(part.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise too_large
        if not part.get("more_body"):
            break
    pending: list[Message] = [{"type": "http.request", "body": b"".join(chunks)}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


class Reply:
    """Passes a reply on; one with a status of 400 or more is put into the agreed shape."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.started = False
        self.failed: Message | None = None
        self.body = bytearray()

    async def __call__(self, part: Message) -> None:
        """Take one ASGI message from the application."""
        if part["type"] == "http.response.start":
            if part["status"] >= HTTPStatus.BAD_REQUEST:
                self.failed = part
                return
            self.started = True
            await self.send({**part, "headers": [*part["headers"], *HEADERS]})
        elif self.failed is None:
            await self.send(part)
        else:
            self.body += part.get("body", b"")
            if not part.get("more_body"):
                status, failure = shape(HTTPStatus(self.failed["status"]), bytes(self.body))
                await self._give(status, failure, self.failed["headers"])

    async def refuse(self, refused: Refused) -> None:
        """Answer in the application's place, unless it has begun to."""
        if self.started:
            return
        errors = [failures.FieldError(field=refused.field, message=refused.text)]
        failure = failures.Failure(error=refused.text, errors=errors if refused.field else [])
        await self._give(refused.status, failure, [])

    async def _give(
        self, status: HTTPStatus, failure: failures.Failure, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self.started = True
        body = failure.model_dump_json().encode()
        kept = [(k, v) for k, v in headers if k not in (b"content-type", b"content-length")]
        own = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            own.append((b"retry-after", b"1"))
        if status == HTTPStatus.UNAUTHORIZED:
            own.append((b"www-authenticate", b"Bearer"))
        start = {"type": "http.response.start", "status": status.value}
        await self.send({**start, "headers": [*kept, *own, *HEADERS]})
        await self.send({"type": "http.response.body", "body": body})


def shape(status: HTTPStatus, body: bytes) -> tuple[HTTPStatus, failures.Failure]:
    """Turn what BentoML or starlette answers into the agreed shape.

    BentoML answers a wrong request with pydantic's details, some of its own errors
    with a list, and starlette's errors with plain text. A reply model that does not
    validate would be answered as the caller's fault; that is a fault of the server.

    Parameters
    ----------
    status : HTTPStatus
        400 or more.
    body : bytes
        The reply as the application gave it.

    Returns
    -------
    status : HTTPStatus
    failure : Failure
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    if isinstance(document, list):
        document = document[0] if document else {}
    if isinstance(document, dict) and isinstance(document.get("detail"), list):
        if not any(model in str(document.get("error")) for model in REQUEST_MODELS):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            errors = failures.describe(document["detail"])
            return status, failures.Failure(error=failures.summarise(errors), errors=errors)
    return status, failures.Failure(error=status.phrase.lower(), errors=[])


class QuietClientErrors(logging.Filter):
    """Drop BentoML's traceback for a request that was wrong: it would flood the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is kept."""
        error = record.exc_info[1] if record.exc_info else None
        title = getattr(error, "title", "")
        return not str(title).startswith(("Client", "Batch"))


def quiet_client_errors() -> None:
    """Put :class:`QuietClientErrors` on the logger that BentoML reports errors to."""
    logger = logging.getLogger("bentoml._internal.server.http_app")
    if not any(isinstance(f, QuietClientErrors) for f in logger.filters):
        logger.addFilter(QuietClientErrors())
