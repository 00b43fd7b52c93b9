"""The guard alone, against applications that misbehave."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest

from creditrisk.serving import guard

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/predict",
    "headers": [(b"content-type", b"application/json")],
}


def run(application: Any, parts: list[dict[str, Any]], **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")

    async def send(part: dict[str, Any]) -> None:
        sent.append(part)

    asyncio.run(guard.Guard(application)({**SCOPE, **scope}, receive, send))
    return sent


def body(sent: list[dict[str, Any]]) -> dict[str, Any]:
    return json.loads(sent[-1]["body"])


async def echo(_: Any, receive: Any, send: Any) -> None:
    part = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": part["body"]})


def test_a_body_in_parts_arrives_whole() -> None:
    parts = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": b"c"},
    ]
    assert run(echo, parts)[-1]["body"] == b"abc"


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 0.05)
    sent = run(echo, [{"type": "http.request", "body": b"{", "more_body": True}])
    assert sent[0]["status"] == 504
    assert set(body(sent)) == {"error", "errors"}


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 0.05)

    async def sleeps(*_: Any) -> None:
        await asyncio.sleep(60)

    assert run(sleeps, [{"type": "http.request", "body": b"{}"}])[0]["status"] == 504


def test_a_place_is_given_back_after_every_end() -> None:
    async def fails(*_: Any) -> None:
        raise RuntimeError

    async def twice() -> int:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(_: Any) -> None: ...

        instance = guard.Guard(fails)
        with pytest.raises(RuntimeError):
            await instance(dict(SCOPE), receive, send)
        return instance.in_flight

    assert asyncio.run(twice()) == 0


def test_a_broken_reply_is_the_servers_fault() -> None:
    detail = [{"type": "missing", "loc": ["cluster"], "msg": "Field required"}]
    wrong = {"error": "1 validation error for Prediction", "detail": detail}
    status, failure = guard.shape(HTTPStatus.BAD_REQUEST, json.dumps(wrong).encode())
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert failure.errors == []
    request = {**wrong, "error": "1 validation error for ClientIODescriptor"}
    status, failure = guard.shape(HTTPStatus.BAD_REQUEST, json.dumps(request).encode())
    assert status == HTTPStatus.BAD_REQUEST
    assert failure.errors[0].field == "cluster"


@pytest.mark.parametrize("answer", [b"", b"Not Found", b'[{"error":"x"}]', b"[]", b"3", b"{}"])
def test_every_body_gets_the_shape(answer: bytes) -> None:
    status, failure = guard.shape(HTTPStatus.NOT_FOUND, answer)
    assert (status, failure.error, failure.errors) == (404, "not found", [])
