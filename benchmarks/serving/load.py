"""A closed loop over raw sockets: each connection sends its next request when a reply is in.

Requests are bytes that were made before, and a reply is looked at just enough to find its end,
its status and the word that it must hold: on a machine that the server shares, the load must
cost little.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

PATIENCE = 30.0
"""Seconds without a single reply after which a server counts as stuck."""
EXPECTED = b'"probability"'


@dataclass(frozen=True)
class Load:
    """What a load found.

    Attributes
    ----------
    seconds : float
    latencies : ndarray of float, shape (n,)
        Seconds from sending a request (or connecting for it) to the end of its reply.
    errors : int
        Replies with a status other than 200, without a probability, or cut off.
    """

    seconds: float
    latencies: np.ndarray
    errors: int

    def figures(self) -> dict[str, float]:
        """Return requests a second and quantiles of the latency."""
        p50, p95, p99 = (1000 * np.quantile(self.latencies, q) for q in (0.5, 0.95, 0.99))
        rate = len(self.latencies) / self.seconds
        return {
            "requests_per_s": rate,
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "errors": self.errors,
        }


def post(path: str, document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a request."""
    body = json.dumps(document).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One connection: a request out, its reply in, again and again.

    Parameters
    ----------
    port : int
        Of a server on this machine.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = self._open()
        self.is_closed = False

    def _open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def send(self, index: int, request: bytes) -> None:
        """Send a request; connect first where the server closed after its last reply."""
        self.index, self.reply, self.size = index, b"", 0
        self.started = perf_counter()
        if self.is_closed:
            self.socket, self.is_closed = self._open(), False
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has arrived and return whether the reply is complete, or cut off."""
        try:
            part = self.socket.recv(65536)
        except ConnectionError:
            part = b""
        self.reply += part
        if not self.size:
            head, separator, _ = self.reply.partition(b"\r\n\r\n")
            if separator:
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                self.size = len(head) + len(separator) + int(length)
        return not part or len(self.reply) >= self.size > 0

    def settle(self) -> bytes | None:
        """Return the body of a good reply, None for another; close where the server does."""
        head, _, body = self.reply.partition(b"\r\n\r\n")
        complete = len(self.reply) >= self.size > 0
        if not complete or b"connection: close" in head.lower():
            self.close()
        return body if complete and head[9:12] == b"200" and EXPECTED in body else None

    def close(self) -> None:
        """Close the socket; the next request opens another."""
        self.socket.close()
        self.is_closed = True


def drive(
    port: int,
    requests: Iterable[bytes],
    *,
    n_connections: int,
    seconds: float = float("inf"),
    keep: Callable[[int, bytes], None] | None = None,
) -> Load:
    """Keep every connection busy until the requests or the seconds run out.

    Parameters
    ----------
    port : int
    requests : iterable of bytes
        From :func:`post`; without an end where the time sets one.
    n_connections : int
    seconds : float
    keep : callable, optional
        Gets the number of a request and the body of its reply, if that was a good one.

    Returns
    -------
    Load

    Raises
    ------
    TimeoutError
        When no reply comes for :data:`PATIENCE` seconds.
    """
    numbered, latencies, errors = enumerate(requests), [], 0
    start = perf_counter()
    connections = [Connection(port) for _ in range(n_connections)]
    with selectors.DefaultSelector() as selector:
        waiting = sum(_next(connection, numbered, selector) for connection in connections)
        while waiting:
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"no reply in {PATIENCE:.0f} seconds")
            for key, _ in ready:
                connection: Connection = key.data
                if not connection.receive():
                    continue
                now = perf_counter()
                latencies.append(now - connection.started)
                # a socket leaves the selector before it closes
                selector.unregister(key.fileobj)
                body = connection.settle()
                errors += body is None
                if keep is not None and body is not None:
                    keep(connection.index, body)
                if now - start < seconds and _next(connection, numbered, selector):
                    continue
                waiting -= 1
                connection.close()
    return Load(perf_counter() - start, np.array(latencies), errors)


def _next(
    connection: Connection,
    numbered: Iterator[tuple[int, bytes]],
    selector: selectors.BaseSelector,
) -> bool:
    """Send the next request, if there is one."""
    for index, request in numbered:
        connection.send(index, request)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        return True
    return False
