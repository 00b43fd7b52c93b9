"""``bentoml build``: what goes in, what stays out, and that it answers the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.conftest import ROOT, post
from tests.service.running import environment, serving

STAYS_OUT = (
    ".env",
    ".git/config",
    ".dvc/cache/files/a",
    ".venv/lib/b.py",
    "data/raw/clients.csv",
    "reports/index.html",
    "tests/test_c.py",
    "models/research_model.joblib",
    "models/families/xgboost.joblib",
    "params.yaml",
    "secrets.json",
    "web.zip",
)


@pytest.fixture(scope="module")
def project(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is packed, among things that must not be."""
    folder = tmp_path_factory.mktemp("project")
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("creditrisk", "web"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("service.py", "requirements-serve.txt", ".bentoignore", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(models, folder / "models")
    for name in STAYS_OUT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("stays out", encoding="utf-8")
    return folder


@pytest.mark.e2e
def test_a_bento_holds_what_it_needs_and_answers_the_same(
    project: Path, tmp_path: Path, api: Any, clients: list[dict[str, Any]]
) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
        cwd=project,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    tag = built.stdout.strip().splitlines()[-1].rpartition("__tag__:")[2]
    (bento,) = (tmp_path / "bentos/credit_default").glob("*/bento.yaml")
    source = bento.parent / "src"
    packed = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}
    assert packed & set(STAYS_OUT) == set()
    assert {p.partition("/")[0] for p in packed} <= {
        "bentofile.yaml",
        "creditrisk",
        "models",
        "requirements-serve.txt",
        "service.py",
        "web",
    }
    assert {"models/champion.ubj", "models/manifest.json", "web/index.html"} <= packed
    wanted = (bento.parent / "env/python/requirements.txt").read_text(encoding="utf-8")
    assert "xgboost-cpu==" in wanted
    assert "\ndvc==" not in wanted

    rows = clients[:50]
    expected = post(api, "/predict_batch", {"clients": rows}).json()
    with serving(tag, tmp_path, tmp_path) as (url, _, _):
        assert httpx.post(f"{url}/predict_batch", json={"clients": rows}).json() == expected
        assert "existing cardholders" in httpx.get(url).text
