"""What stands between the network and the service: one ASGI middleware.

It refuses what :mod:`creditrisk.serving.checks` refuses, bounds how many requests
run and for how long, gives every error one shape, and measures.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

from creditrisk.serving import checks, failures, metrics
from creditrisk.serving.checks import Message, Receive, Refused

Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

TIMEOUT_SECONDS = 10.0
MAX_IN_FLIGHT = 32
REQUEST_MODELS = ("for Client", "for Batch")
"""How pydantic's summary ends when the request is at fault, and not the reply."""
NOT_HTTP = ("Invalid HTTP request received.", "Unsupported upgrade request.")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
PRIVATE = [*HEADERS, (b"cache-control", b"no-store")]
"""For replies to POST: they are about a client."""


class Guard:
    """ASGI middleware; one instance a worker.

    Parameters
    ----------
    app : ASGI application
    direct : mapping of str to callable, optional
        What answers a POST to a path in the application's place: takes the body, returns
        an ASGI response or raises :class:`~creditrisk.serving.checks.Refused`.
    """

    def __init__(
        self, app: App, direct: Mapping[str, Callable[[bytes], Awaitable[App]]] | None = None
    ) -> None:
        self.app = app
        self.direct = dict(direct or {})
        self.in_flight = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, path = time.perf_counter(), scope["path"]
        reply = Reply(send, PRIVATE if scope["method"] == "POST" else HEADERS)
        metrics.IN_FLIGHT.inc()
        try:
            await self._answer(scope, receive, reply)
        except Refused as refused:
            await reply.refuse(refused)
        except TimeoutError:
            text = f"not done in {TIMEOUT_SECONDS:.0f} seconds"
            await reply.refuse(Refused(HTTPStatus.GATEWAY_TIMEOUT, text))
        except Exception:  # who stands outside logs it
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            await reply.refuse(Refused(status, status.phrase.lower()))
            raise
        finally:
            metrics.IN_FLIGHT.dec()
            metrics.observe(path, reply.status, time.perf_counter() - started)

    async def _answer(
        self, scope: MutableMapping[str, Any], receive: Receive, reply: Reply
    ) -> None:
        """Check a request and let the application answer, within the limits."""
        path = scope["path"]
        if path in checks.HEALTH:
            await self.app(scope, receive, reply)
            return
        headers = dict(scope["headers"])
        checks.check_host(scope["headers"])
        checks.check_key(path, headers)
        if self.in_flight >= MAX_IN_FLIGHT:
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "too many requests at a time")
        self.in_flight += 1
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if scope["method"] == "POST" and path not in checks.READ_ONLY:
                    body = await checks.read_body(headers, receive)
                    checks.check_size(body, path)
                    if direct := self.direct.get(path):
                        await (await direct(body))(scope, receive, reply)
                        return
                    receive = replay(body, receive)
                await self.app(scope, receive, reply)
        finally:
            self.in_flight -= 1


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read already, once."""
    pending: list[Message] = [{"type": "http.request", "body": body}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


class Reply:
    """Passes a reply on; one with a status of 400 or more is put into the agreed shape."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self.send, self.headers = send, headers
        self.status = 0  # not begun
        self.failed: Message | None = None
        self.body = bytearray()

    async def __call__(self, part: Message) -> None:
        """Take one ASGI message from the application."""
        if part["type"] == "http.response.start":
            if part["status"] >= HTTPStatus.BAD_REQUEST:
                self.failed = part
                return
            self.status = part["status"]
            await self.send({**part, "headers": [*part["headers"], *self.headers]})
        elif self.failed is None:
            await self.send(part)
        else:
            self.body += part.get("body", b"")
            if not part.get("more_body"):
                status, failure = shape(HTTPStatus(self.failed["status"]), bytes(self.body))
                await self._give(status, failure, self.failed["headers"])

    async def refuse(self, refused: Refused) -> None:
        """Answer in the application's place, unless it has begun to."""
        if self.status:
            return
        await self._give(refused.status, refused.failure(), [])

    async def _give(
        self, status: HTTPStatus, failure: failures.Failure, headers: list[tuple[bytes, bytes]]
    ) -> None:
        self.status = status.value
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
        await self.send({**start, "headers": [*kept, *own, *self.headers]})
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
            return status, failures.of(failures.describe(document["detail"]))
    return status, failures.Failure(error=status.phrase.lower(), errors=[])


class QuietClientErrors(logging.Filter):
    """Drop what a wrong request would write into the log: anybody could flood it.

    BentoML writes a traceback for a body that is not valid, uvicorn a line for what is
    not HTTP. The caller is told, and ``/metrics`` counts.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is kept."""
        error = record.exc_info[1] if record.exc_info else None
        title = str(getattr(error, "title", ""))
        return not title.startswith(("Client", "Batch")) and record.msg not in NOT_HTTP


def quiet_client_errors() -> None:
    """Put :class:`QuietClientErrors` on the loggers of BentoML and uvicorn."""
    for name in ("bentoml._internal.server.http_app", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(f, QuietClientErrors) for f in logger.filters):
            logger.addFilter(QuietClientErrors())
