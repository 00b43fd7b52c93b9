"""What /metrics tells, and that nobody can make it grow."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from creditrisk.serving import guard, metrics
from tests.service.conftest import ROOT, post


def families(text: str) -> dict[tuple[str, ...], float]:
    """Return every number of an exposition by its name and labels."""
    return {
        (s.name, *(f"{k}={v}" for k, v in sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def samples(api: Any) -> dict[tuple[str, ...], float]:
    response = api.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return families(response.text)


def answered(found: dict[tuple[str, ...], float], path: str, status: int) -> float:
    name = "credit_http_request_duration_seconds_count"
    return found.get((name, f"path={path}", f"status={status}"), 0)


def test_requests_are_counted_whatever_their_end(
    api: Any, client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = samples(api)
    post(api, "/predict", client)
    post(api, "/predict", {})
    api.post("/predict", content=b"{}", headers={"content-type": "text/plain"})
    api.get("/predict")
    api.get("/model", headers={"host": "evil.example"})
    api.get("/nothing")
    monkeypatch.setenv("CREDIT_API_KEY", "k")
    post(api, "/predict", client)
    monkeypatch.delenv("CREDIT_API_KEY")
    after = samples(api)
    for path, status in [
        *[("/predict", status) for status in (200, 400, 415, 405, 401)],
        *[("/model", 400), ("other", 404), ("/metrics", 200)],
    ]:
        assert answered(after, path, status) - answered(before, path, status) == 1, (path, status)
    assert after[("credit_http_requests_in_flight",)] == 1, "the one that asks"


def test_the_served_model_is_named(api: Any, client: dict[str, Any]) -> None:
    version = post(api, "/predict", client).json()["model_version"]
    assert samples(api)[("credit_model_info", f"version={version}")] == 1


def kept(sent: list[Any]) -> Any:
    async def send(part: Any) -> None:
        sent.append(part)

    return send


def test_paths_do_not_make_it_grow(api: Any) -> None:
    """2,000 paths and a method of its own each, through the guard."""

    async def absent(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask() -> None:
        guarded = guard.Guard(absent)
        for i in range(2000):
            scope = {"type": "http", "method": f"M{i}", "path": f"/{i:x}/predict"}
            sent: list[Any] = []
            await guarded(scope | {"headers": [(b"host", b"localhost")]}, nothing, kept(sent))
            assert sent[0]["status"] == 404

    async def nothing() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    api.get("/nothing")
    before = samples(api)
    asyncio.run(ask())
    after = samples(api)
    assert set(after) == set(before)
    assert answered(after, "other", 404) - answered(before, "other", 404) == 2000


def test_predictions_and_flags_are_counted_by_label(api: Any) -> None:
    before = samples(api)
    metrics.count(
        [
            {"grade": "A", "decision": "clear", "flags": []},
            {"grade": "A", "decision": "clear", "flags": ["inactive"]},
            {"grade": "H", "decision": "flag", "flags": ["inactive"]},
        ]
    )
    after = samples(api)

    def grown(*key: str) -> float:
        return after[key] - before.get(key, 0)

    assert grown("credit_predictions_total", "decision=clear", "grade=A") == 2
    assert grown("credit_predictions_total", "decision=flag", "grade=H") == 1
    assert grown("credit_flags_total", "flag=inactive") == 2


def test_a_killed_workers_requests_are_forgotten(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, mine = (tmp_path / f"gauge_livesum_{pid}.db" for pid in (ended.pid, os.getpid()))
    counted = tmp_path / f"counter_{ended.pid}.db"
    for file in (dead, mine, counted):
        file.touch()
    metrics.forget_dead(tmp_path)
    assert not dead.exists()
    assert mine.exists()
    assert counted.exists(), "a counter must not go back"


def test_one_process_alone_has_numbers_too() -> None:
    code = (
        "from creditrisk.serving import guard, metrics\n"
        "metrics.observe('/predict', 200, 0.0017)\n"
        "print(metrics.exposition('v').decode())"
    )
    kept = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept, capture_output=True, text=True, check=True
    ).stdout
    labels = 'path="/predict",status="200"'
    assert f'credit_http_request_duration_seconds_bucket{{le="0.001",{labels}}} 0.0' in shown
    assert f'credit_http_request_duration_seconds_bucket{{le="0.002",{labels}}} 1.0' in shown
    assert 'credit_model_info{version="v"} 1.0' in shown
