"""Start, stop and the loss of a worker, on a real server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.conftest import ROOT
from tests.service.running import environment, serving
from tests.service.test_metrics import families

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")

SERVICE = "service:CreditDefault"


def workers(process: subprocess.Popen[str]) -> set[int]:
    """Return the server's processes that answer requests."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in listed}
    return {pid for pid, command in commands.items() if b"worker" in command}


def ask(url: str, client: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to one client; a connection that breaks is tried once more."""
    try:
        response = httpx.post(f"{url}/predict", json=client, timeout=20)
    except httpx.TransportError:
        response = httpx.post(f"{url}/predict", json=client, timeout=20)
    assert response.status_code == 200
    return response.json()


def test_a_killed_worker_is_replaced_and_nobody_notices(
    models: Path, client: dict[str, Any], tmp_path: Path
) -> None:
    with serving(SERVICE, ROOT, tmp_path, CREDIT_MODELS=str(models)) as (url, process, _):
        expected = ask(url, client)
        before = workers(process)
        assert len(before) == 2
        killed = min(before)
        replies: list[dict[str, Any]] = []
        over = threading.Event()

        def keep_asking() -> None:
            while not over.is_set():
                replies.append(ask(url, client))

        callers = [threading.Thread(target=keep_asking) for _ in range(3)]
        for caller in callers:
            caller.start()
        time.sleep(0.3)
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while len(workers(process) - {killed}) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        asked = len(replies)
        while len(replies) < asked + 50 and time.monotonic() < deadline:
            time.sleep(0.1)
        over.set()
        for caller in callers:
            caller.join(30)
        after = workers(process)
        assert len(after) == 2
        assert killed not in after
        assert len(replies) >= asked + 50, "no caller has given up"
        assert all(reply == expected for reply in replies)
        counted = families(httpx.get(f"{url}/metrics").text)
        answered = "credit_http_request_duration_seconds_count"
        assert counted[(answered, "path=/predict", "status=200")] >= len(replies) + 1
        assert counted[("credit_http_requests_in_flight",)] == 1, "none of the killed worker's"


def test_a_request_in_flight_is_answered_before_the_end(
    models: Path, clients: list[dict[str, Any]], tmp_path: Path
) -> None:
    got: list[httpx.Response] = []

    def score_many(url: str) -> None:
        got.append(httpx.post(f"{url}/predict_batch", json={"clients": clients * 25}, timeout=30))

    with serving(SERVICE, ROOT, tmp_path, CREDIT_MODELS=str(models)) as (url, process, _):
        caller = threading.Thread(target=score_many, args=(url,))
        caller.start()
        deadline = time.monotonic() + 10
        in_flight = ("credit_http_requests_in_flight",)
        while time.monotonic() < deadline and not got:
            if families(httpx.get(f"{url}/metrics", timeout=20).text)[in_flight] == 2:
                break
        assert not got, "it is still being answered"
        process.send_signal(signal.SIGTERM)
        caller.join(30)
        assert process.wait(timeout=20) == 0
    assert len(got[0].json()["results"]) == 10_000
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) != 0, "no orphan"


def test_a_changed_model_stops_the_start_with_one_line(models: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(models, tmp_path / "models")
    with (folder / "champion.ubj").open("ab") as file:
        file.write(b" ")
    ended = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", SERVICE, "-p", "0"],
        cwd=ROOT,
        env=environment(tmp_path, CREDIT_MODELS=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    assert len([line for line in lines if "champion.ubj is not the file" in line]) == 1
    assert not [line for line in lines if "Traceback" in line or "Starting" in line]
