"""A real server in its own process, over HTTP."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from creditrisk.features.record import from_mappings
from tests.service import model_folder
from tests.service.conftest import ROOT
from tests.service.running import environment, serving


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("home")
    with serving("service:CreditDefault", ROOT, home, CREDIT_MODELS=str(models)) as running:
        yield running


def test_replies_equal_the_pipeline(
    server: Any, models: Path, clients: list[dict[str, Any]]
) -> None:
    url, _, _ = server
    expected = model_folder.pipeline_probability(models, from_mappings(clients))
    with httpx.Client(base_url=url) as http:
        results = http.post("/predict_batch", json={"clients": clients}).json()["results"]
        singles = [http.post("/predict", json=c).json() for c in clients[:60]]
    np.testing.assert_allclose([r["probability"] for r in results], expected, rtol=0, atol=1e-6)
    assert singles == results[:60], "both workers, alone and in a batch: the same bits"


def test_the_page_is_served(server: Any) -> None:
    url, _, _ = server
    assert "existing cardholders" in httpx.get(url).text
    for path in ("/docs", "/docs.json", "/healthz", "/livez", "/readyz", "/assets/style.css"):
        assert httpx.get(url + path).status_code == 200


def test_a_wrong_request_leaves_no_trace_in_the_log(server: Any, client: dict[str, Any]) -> None:
    url, _, log = server
    before = log.read_text(encoding="utf-8")
    assert httpx.post(f"{url}/predict", json={**client, "LIMIT_BAL": -918273}).status_code == 400
    assert httpx.post(f"{url}/predict_batch", json={"clients": [918273]}).status_code == 400
    time.sleep(0.3)
    added = log.read_text(encoding="utf-8").removeprefix(before).splitlines()
    assert [line for line in added if not line.endswith("initialized")] == [], "a worker may start"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_it_listens_on_loopback_and_loads_no_training_library(server: Any) -> None:
    url, process, _ = server
    port = int(url.rpartition(":")[2])
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
    ]
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    assert len(children) >= 2
    for child in children:
        maps = Path(f"/proc/{child}/maps").read_text(encoding="utf-8")
        assert "sklearn" not in maps
        assert "/pandas/" not in maps
        assert "matplotlib" not in maps


def test_without_a_model_it_says_so_and_ends(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bentoml", "serve", "service:CreditDefault", "-p", "0"],
        cwd=ROOT,
        env=environment(tmp_path, CREDIT_MODELS=str(tmp_path / "models")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    output = ended.stdout + ended.stderr
    assert "champion.ubj not found: run `dvc repro`" in output
    assert "Traceback" not in output
