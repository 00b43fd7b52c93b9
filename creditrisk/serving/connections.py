"""uvicorn's HTTP protocol with a bound on what comes before a request.

uvicorn waits for a request's headers for ever, and keeps as many of them as are
sent. No middleware sees such a request, so the bounds stand here, one layer lower.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from creditrisk.serving.failures import Failure

HEAD_SECONDS = 10.0
MAX_HEAD = 64 * 2**10
"""Bytes of request line and headers that are kept while more of them come."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends a connection whose next request does not get past its headers.

    The time runs from the connection's first moment, and from the first bytes after a
    reply. Those may be the rest of a body that was refused: it is dropped for a while,
    so that the sender can read why, but not for ever.
    """

    _timer: asyncio.TimerHandle | None = None
    _earlier: list[RequestResponseCycle] = []  # noqa: RUF012  # replaced, never changed
    _in_head = False
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        super().data_received(data)
        if self._timer is None and self.cycle and self.cycle.response_complete:
            self._wait()
        if self._in_head:
            self._size += len(data)
            if self._size > MAX_HEAD:
                self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self._in_head, self._size = True, 0

    def on_headers_complete(self) -> None:
        """Stop the clock: from here on the guard holds the time."""
        self._stop()
        if self.cycle is not None and not self.cycle.response_complete:
            # Pipelined: uvicorn tells only the last request that the caller has left.
            self._earlier = [c for c in self._earlier if not c.response_complete] + [self.cycle]
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock of a connection that is gone, and every reply to it."""
        self._stop()
        for cycle in self._earlier:
            cycle.disconnected = True
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._end, HTTPStatus.REQUEST_TIMEOUT)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._in_head = None, False

    def _end(self, status: HTTPStatus) -> None:
        """Say why, and close; nothing is said after the reply to an earlier request."""
        self._stop()
        if self.transport.is_closing():
            return
        if self.cycle is None:
            body = Failure(error=status.phrase.lower(), errors=[]).model_dump_json().encode()
            headers = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            kind = b"content-type: application/json\r\n"
            self.transport.write(STATUS_LINE[status] + kind + headers + body)
        self.transport.close()


def bound() -> None:
    """Let uvicorn use :class:`BoundedProtocol`; BentoML offers no setting for it."""
    automatic: Any = auto
    automatic.AutoHTTPProtocol = BoundedProtocol
