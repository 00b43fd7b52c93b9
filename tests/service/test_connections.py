"""Raw connections: slow, endless and malformed requests end, and cost nobody else."""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http import auto

from creditrisk.serving import checks, connections, guard, metrics
from creditrisk.serving.messages import EXAMPLE
from tests.service import test_hostile as hostile
from tests.service.conftest import ROOT
from tests.service.running import serving

BODY = json.dumps(EXAMPLE).encode()
HEAD = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
GET = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n"
STARTING = r"Starting production|Service credit_default initialized"
"""The lines of a log in which nothing has happened."""
LIMIT = 20.0
"""Seconds that catch a hang."""


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def everything(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def answer(connection: socket.socket) -> bytes:
    """Read one reply."""
    received = b""
    while part := connection.recv(65536):
        received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            break
    return received


def ask(port: int, request: bytes) -> bytes:
    with connect(port) as connection:
        connection.sendall(request)
        return answer(connection)


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply else 0


def in_shape(reply: bytes) -> bool:
    document = json.loads(reply.partition(b"\r\n\r\n")[2])
    return list(document) == ["error", "errors"]


# --- the bounded protocol and the guard on a server in this process, with short times


async def reads_all(_: Any, receive: Any, send: Any) -> None:
    part = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": part.get("body", b"")})


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Run a server that waits 0.3 seconds for headers and 0.6 for a body."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 0.6)
    config = uvicorn.Config(
        guard.Guard(reads_all),
        http=connections.BoundedProtocol,
        port=0,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + LIMIT
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(LIMIT)
    assert not thread.is_alive()


@contextmanager
def dribbling(connection: socket.socket, unit: bytes) -> Iterator[None]:
    """Send a little every 50 ms until the block ends or the connection does."""
    over = threading.Event()

    def dribble() -> None:
        while not over.wait(0.05):
            try:
                connection.sendall(unit)
            except OSError:
                return

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(LIMIT)


@pytest.mark.parametrize(
    ("start", "unit"),
    [(b"", b""), (b"\r\n", b"\r\n"), (b"G", b"E"), (GET, b"x-a: b\r\n"), (GET + b"x: ", b"a")],
    ids=["silence", "empty lines", "a method", "headers", "one header"],
)
def test_headers_that_never_end_are_given_up(short: int, start: bytes, unit: bytes) -> None:
    with connect(short) as connection:
        connection.sendall(start)
        with dribbling(connection, unit):
            reply = everything(connection)
    assert status(reply) in (400, 408), "400 where the parser is the first to give up"
    assert status(reply) == 400 or in_shape(reply)


def test_headers_after_a_reply_are_given_up_too(short: int) -> None:
    with connect(short) as connection:
        connection.sendall(GET + b"\r\n")
        assert b"200 OK" in connection.recv(65536)
        with dribbling(connection, b"\r\n"):
            assert everything(connection) == b""


def test_a_patient_client_keeps_its_connection(short: int) -> None:
    """The clock is for headers: requests 0.2 seconds apart go on past 0.3 seconds."""
    with connect(short) as connection:
        for _ in range(4):
            time.sleep(0.2)
            connection.sendall(GET + b"\r\n")
            assert b"200 OK" in connection.recv(65536)


@pytest.mark.parametrize("start", [b"GET /", GET, GET + b"x: "], ids=["path", "names", "value"])
def test_endless_headers_are_not_kept(short: int, start: bytes) -> None:
    unit = b"x-a: b\r\n" if start == GET else b"a" * 8
    with connect(short) as connection:
        sent = 0
        try:
            connection.sendall(start)
            while (
                sent < 64 * connections.MAX_HEAD and not select.select([connection], [], [], 0)[0]
            ):
                sent += connection.send(unit * 1024)
        except OSError:
            pass
        reply = everything(connection)
    assert sent < 64 * connections.MAX_HEAD
    assert status(reply) in (0, 400, 431), "0: what was not read resets the connection"


def test_a_body_that_dribbles_is_given_up(short: int) -> None:
    with connect(short) as connection:
        connection.sendall(HEAD + b"content-length: 1000\r\n\r\n{")
        with dribbling(connection, b" "):
            reply = everything(connection)
    assert status(reply) == HTTPStatus.GATEWAY_TIMEOUT
    assert in_shape(reply)


def test_what_follows_a_refusal_is_dropped_but_not_for_ever(short: int) -> None:
    with connect(short) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
        sent, deadline = 0, time.monotonic() + LIMIT
        with pytest.raises(OSError, match="reset|pipe"):
            while time.monotonic() < deadline:
                connection.sendall(chunk)
                sent += 2**20
    assert sent >= checks.MAX_BODY


def test_the_service_listens_with_these_bounds(api: Any) -> None:
    assert auto.AutoHTTPProtocol is connections.BoundedProtocol


# --- the real server


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("home")
    with serving("service:CreditDefault", ROOT, home, CREDIT_MODELS=str(models)) as running:
        url, _, log = running
        yield int(url.rpartition(":")[2]), log
        lines = log.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if not re.search(STARTING, line)] == []


def test_a_plain_request_passes(server: Any) -> None:
    port, _ = server
    request = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    assert status(ask(port, request)) == 200
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY
    assert status(ask(port, chunked + b"\r\n0\r\n\r\n")) == 200


@pytest.mark.parametrize("path", sorted({*metrics.PATHS, "/nothing", "/assets/style.css", "/%00"}))
def test_every_method_on_every_route_is_answered(server: Any, path: str) -> None:
    port, _ = server
    for method in [*HTTPMethod, "PROPFIND", "FOO"]:
        with connect(port) as connection:
            start = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            connection.sendall(start.encode())
            reply = everything(connection)
        got = status(reply)
        assert 200 <= got < 500, (method, reply)
        if method not in ("HEAD", "FOO") and got >= 400 and b"Invalid HTTP request" not in reply:
            assert in_shape(reply), (method, reply)


SMUGGLED = {
    "length and chunked": HEAD
    + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    "a length of words": HEAD + b"content-length: two\r\n\r\n{}",
    "a negative length": HEAD + b"content-length: -1\r\n\r\n{}",
    "a hexadecimal length": HEAD + b"content-length: 0x2\r\n\r\n{}",
    "an absurd length": HEAD + b"content-length: 99999999999999999999999\r\n\r\n{}",
    "a length above the limit": HEAD + b"content-length: 9000000000\r\n\r\n{}",
    "a wrong chunk size": HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "an absurd chunk size": HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
    "an unknown coding": HEAD + b"transfer-encoding: gzip\r\n\r\n{}",
    "a body that is more": HEAD + b"content-length: 2\r\n\r\n{}{}",
    "two hosts": HEAD + b"host: evil.example\r\ncontent-length: 2\r\n\r\n{}",
    "no host": b"GET /model HTTP/1.1\r\n\r\n",
    "no host, 1.0": b"GET /model HTTP/1.0\r\n\r\n",
    "another host": b"GET /model HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    "an absolute address": b"GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    "HTTP/9.9": b"GET /livez HTTP/9.9\r\nhost: localhost\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "NUL in a header": GET + b"x: a\x00b\r\n\r\n",
    "NUL in a name": GET + b"x\x00y: a\r\n\r\n",
    "a bare line end": GET + b"x: a\rb: c\r\n\r\n",
    "a folded header": GET + b"x: a\r\n b\r\n\r\n",
    "a space before the colon": GET + b"x : a\r\n\r\n",
    "no colon": GET + b"x\r\n\r\n",
    "NUL in the path": b"GET /\x00 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "bytes above 127 in the path": b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "broken escapes": b"GET /%ff%c0%zz HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a long path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "a long query": b"GET /nothing?" + b"a" * 60_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "upgrade": b"GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=list(SMUGGLED))
def test_malformed_requests_are_refused(server: Any, request_: bytes) -> None:
    """By the parser in plain text, by the service in its own shape; never with 500."""
    port, _ = server
    reply = ask(port, request_)
    assert status(reply) < 500, reply
    if status(reply) and b"Invalid HTTP request" not in reply and b"websocket" not in reply.lower():
        assert status(reply) >= 400, reply


def test_pipelined_requests_are_answered_in_order(server: Any) -> None:
    port, _ = server
    good = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    bad = HEAD + b"content-length: 2\r\n\r\n[]"
    last = GET + b"connection: close\r\n\r\n"
    with connect(port) as connection:
        connection.sendall(good + bad + good + last)
        codes = re.findall(rb"HTTP/1.1 (\d+)", everything(connection))
    assert codes == [b"200", b"400", b"200", b"200"]


def test_hostile_bodies_are_refused_here_too(server: Any) -> None:
    port, _ = server
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT) as http:
        for name, path, body in list(hostile.bodies())[::10]:
            response = http.post(path, content=body, headers={"content-type": "application/json"})
            assert 400 <= response.status_code < 500, (name, path)
            assert list(response.json()) == ["error", "errors"], (name, path)


def test_a_caller_who_hangs_up_is_no_error(server: Any) -> None:
    """At any moment: before the body is there, while one reply or many are being made."""
    port, _ = server
    good = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    for cut in (*range(1, len(good), 29), *[len(good)] * 30):
        with connect(port) as connection:
            connection.sendall(good[:cut])
            connection.shutdown(socket.SHUT_WR)
            assert status(everything(connection)) in (0, 200, 400)
    for _ in range(10):
        with connect(port) as connection:
            connection.sendall(good * 5)
            connection.shutdown(socket.SHUT_WR)
            everything(connection)


def test_an_oversized_stream_is_cut_off(server: Any) -> None:
    """Without a declared length; the reply says why before the sender is done."""
    port, _ = server
    with connect(port) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(12):
            connection.sendall(b"100000\r\n" + b" " * 2**20 + b"\r\n")
        assert status(connection.recv(65536)) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_crowd_of_slow_bodies_is_bounded(server: Any) -> None:
    """Beyond the limit 429 at once, within it 504 in time; health answers throughout."""
    port, _ = server
    crowd = 120
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(port)) for _ in range(crowd)]
        for connection in slow:
            connection.sendall(HEAD + b"content-length: 100\r\n\r\n{")
        time.sleep(1)
        refused = select.select(slow, [], [], 0)[0]
        replies = [answer(connection) for connection in refused]
        assert {status(r) for r in replies} == {HTTPStatus.TOO_MANY_REQUESTS}
        assert all(b"retry-after: 1" in r and in_shape(r) for r in replies)
        assert len(refused) >= crowd - 2 * guard.MAX_IN_FLIGHT
        assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=LIMIT).status_code == 200
        held = [connection for connection in slow if connection not in refused]
        ended = [answer(connection) for connection in held]
    assert {status(r) for r in ended} == {HTTPStatus.GATEWAY_TIMEOUT}
    assert all(in_shape(r) for r in ended)
    request = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    assert status(ask(port, request)) == 200
