"""Starts and stops the servers, and reads what their processes cost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

from creditrisk import paths
from creditrisk.errors import UserError

WORKERS = 2
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Contestant:
    """A server to measure.

    Attributes
    ----------
    id, label : str
    command : tuple of str
        After the interpreter; ``{port}`` stands for the port.
    """

    id: str
    label: str
    command: tuple[str, ...]


OURS = Contestant(
    "ours",
    "this service, everything in the reply",
    ("-m", "bentoml", "serve", "service:CreditDefault", "--port", "{port}"),
)


def peers(folder: Path) -> list[Contestant]:
    """Return the peers, which read scaler and model from a folder."""
    gunicorn = ("-m", "gunicorn", "--workers", str(WORKERS), "--bind", "127.0.0.1:{port}")
    return [
        Contestant(
            f"flask_{features}_{threads}",
            f"Flask, {features} features, XGBoost on {meaning}",
            (*gunicorn, f"benchmarks.serving.peer:create({str(folder)!r}, {features!r}, {n_jobs})"),
        )
        for features in ("arrays", "pandas")
        for threads, meaning, n_jobs in (
            ("one_thread", "one thread", 1),
            ("default", "default threads", None),
        )
    ]


class Server:
    """A running server: its port, its processes and how long it took to start.

    Parameters
    ----------
    process : subprocess.Popen
    port : int
    start_s : float
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, start_s: float) -> None:
        self.root, self.port, self.start_s = psutil.Process(process.pid), port, start_s

    def cpu_seconds(self) -> float:
        """Return the processor time of the whole tree so far."""
        tree = (self.root, *self.root.children(recursive=True))
        return sum(times.user + times.system for times in (p.cpu_times() for p in tree))

    def memory(self) -> dict[str, float]:
        """Return megabytes of a worker, the mean of all: resident, and with shared pages divided."""
        found = [worker.memory_full_info() for worker in self.root.children(recursive=True)]
        return {
            "rss_mb": sum(worker.rss for worker in found) / len(found) / 1e6,
            "pss_mb": sum(worker.pss for worker in found) / len(found) / 1e6,
        }


@contextmanager
def running(contestant: Contestant) -> Iterator[Server]:
    """Run a server until the block ends; it is stopped as a supervisor would.

    Raises
    ------
    UserError
        With the end of its log, when it is not ready in time.
    """
    port = _free_port()
    command = [sys.executable, *(part.replace("{port}", str(port)) for part in contestant.command)]
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("wb") as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=paths.ROOT,
            env=_environment(home),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while not _is_ready(port):
                if process.poll() is not None or time.perf_counter() - start > READY_SECONDS:
                    end = (Path(home) / "log").read_text(errors="replace")[-2000:]
                    raise UserError(f"{contestant.label} did not start:\n{end}")
                time.sleep(0.02)
            yield Server(process, port, time.perf_counter() - start)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:  # workers outlive a parent that is killed alone
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _environment(home: str) -> dict[str, str]:
    """Return the user's environment without what would change a server, and a home for BentoML."""
    changing = ("OMP_", "CREDIT_", "BENTOML_", "PROMETHEUS_", "GUNICORN_", "FLASK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(changing)}
    return {**kept, "BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "True"}


def _free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _is_ready(port: int) -> bool:
    """Return whether the server answers its readiness route with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
