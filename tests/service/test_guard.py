"""The guard alone, against applications that misbehave."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest

from creditrisk.serving import checks, guard

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/predict",
    "headers": [(b"host", b"localhost:3000"), (b"content-type", b"application/json")],
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
        {"type": "http.request", "body": b"[1", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.request", "body": b"]"},
    ]
    assert run(echo, parts)[-1]["body"] == b"[1]"


def test_a_body_that_breaks_off_is_not_passed_on() -> None:
    parts = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert run(echo, parts)[0]["status"] == 400


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

    async def once() -> int:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(_: Any) -> None: ...

        instance = guard.Guard(fails)
        with pytest.raises(RuntimeError):
            await instance(dict(SCOPE), receive, send)
        return instance.in_flight

    assert asyncio.run(once()) == 0


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


async def answers(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def get(path: str = "/model", *headers: tuple[bytes, bytes]) -> list[dict[str, Any]]:
    return run(answers, [], method="GET", path=path, headers=list(headers))


HOSTS = {
    "": "127.0.0.1 127.0.0.1:3000 [::1] [::1]:3000 10.1.2.3:80 localhost LOCALHOST:1 credit_default:80",
    "risk.example.org, *.bank.test": "risk.example.org Risk.Example.ORG:443 a.bank.test a.b.bank.test localhost 127.0.0.1",
    "*": "anything.example anything.example:80",
}
FOREIGN = {
    "": "evil.example evil.example:3000 127.0.0.1.evil.example localhost. [evil] [::1 ::1 1:2:3 :80 "
    "localhost:abc user@localhost localhost/ localhost,evil.example [::1]x [::1]:999999 ÿ",
    "risk.example.org, *.bank.test": "example.org xrisk.example.org bank.test evilbank.test a.bank.test.evil",
    "**": "evil.example",
}


@pytest.mark.parametrize(("allowed", "hosts"), HOSTS.items())
def test_names_of_this_server_are_trusted(
    allowed: str, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_HOSTS", allowed)
    for host in hosts.split():
        assert get("/model", (b"host", host.encode()))[0]["status"] == 200, host


@pytest.mark.parametrize(("allowed", "hosts"), FOREIGN.items())
def test_names_that_could_be_anybodys_are_not(
    allowed: str, hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_HOSTS", allowed)
    for host in [*hosts.split(), ""]:
        sent = get("/model", (b"host", host.encode("latin-1")))
        assert sent[0]["status"] == 400, host
        error = body(sent)["errors"][0]
        assert error["field"] == "Host"
        assert "CREDIT_HOSTS" in error["message"]
        assert not host or host not in str(body(sent))


def test_a_request_names_one_host() -> None:
    assert get("/model")[0]["status"] == 400
    assert get("/model", (b"host", b"localhost"), (b"host", b"localhost"))[0]["status"] == 400


@pytest.mark.parametrize("path", sorted(checks.HEALTH))
def test_health_asks_for_no_host_and_no_key(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_API_KEY", "k")
    assert get(path)[0]["status"] == 200


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        (b"x-api-key", b"correct horse", 200),
        (b"authorization", b"Bearer correct horse", 200),
        (b"authorization", b"bearer  correct horse ", 200),
        (b"authorization", b"correct horse", 401),
        (b"authorization", b"Basic correct horse", 401),
        (b"authorization", b"Bearer", 401),
        (b"authorization", b"Bearercorrect horse", 401),
        (b"x-api-key", b"", 401),
        (b"x-api-key", b"correct hors", 401),
        (b"x-api-key", b"\xff" * 100_000, 401),
    ],
    ids=lambda v: str(v)[:30],
)
def test_the_key_is_the_whole_key(
    header: bytes, value: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_API_KEY", "correct horse")
    sent = get("/model", (b"host", b"localhost"), (header, value))
    assert sent[0]["status"] == status
    if status == 401:
        assert (b"www-authenticate", b"Bearer") in sent[0]["headers"]


def test_a_wrong_key_is_refused_before_the_body_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_API_KEY", "correct horse")
    monkeypatch.setattr(guard, "TIMEOUT_SECONDS", 0.05)
    assert run(echo, [])[0]["status"] == 401


@pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,"])
def test_the_number_of_values_is_bounded(unit: bytes) -> None:
    many = b"[" + unit * (checks.MAX_VALUES + 1)
    few = many[: len(unit) * 150]
    checks.check_size(few, "/predict_batch")
    for body, path, most in ((many, "/predict_batch", "300,000"), (few, "/predict", "100")):
        with pytest.raises(checks.Refused) as refused:
            checks.check_size(body, path)
        assert refused.value.status == HTTPStatus.BAD_REQUEST
        assert (refused.value.field, refused.value.text) == (
            "body",
            f"holds more than {most} values",
        )


def test_a_fault_of_the_application_gets_the_shape_and_is_passed_on() -> None:
    sent: list[dict[str, Any]] = []

    async def fails(*_: Any) -> None:
        raise RuntimeError("with a value")

    async def send(part: dict[str, Any]) -> None:
        sent.append(part)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    with pytest.raises(RuntimeError):
        asyncio.run(guard.Guard(fails)(dict(SCOPE), receive, send))
    assert sent[0]["status"] == 500
    assert body(sent) == {"error": "internal server error", "errors": []}


def test_replies_about_clients_are_not_kept() -> None:
    kept = dict(get("/model", (b"host", b"localhost"))[0]["headers"])
    posted = dict(run(echo, [{"type": "http.request", "body": b"{}"}])[0]["headers"])
    assert b"cache-control" not in kept
    assert posted.pop(b"cache-control") == b"no-store"
    assert posted == kept
    assert kept[b"x-content-type-options"] == b"nosniff"
