"""A real server in its own process, with a folder of its own for what BentoML keeps."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CREDIT_", "PROMETHEUS_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    own = {"PATH": path, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    return {**kept, **own, **extra}


@contextmanager
def serving(
    what: str, folder: Path, home: Path, **extra: str
) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    """Run ``bentoml serve`` until the block ends; stop it as a supervisor would."""
    port, log = free_port(), home / "server.log"
    command = [sys.executable, "-m", "bentoml", "serve", what, "-p", str(port)]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(home, **extra),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process, log)
            yield url, process, log
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                assert process.wait(timeout=20) == 0, "SIGTERM ends it in order"
            except subprocess.TimeoutExpired:  # workers outlive a killed parent
                os.killpg(process.pid, signal.SIGKILL)
                raise


def wait_until_ready(url: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
