"""What was pushed to a remote serves elsewhere: a folder, and an S3 server, with real DVC.

The pipeline here ends at the served model and has two families, since every stage of it
is run by other tests; what is tested is the way of its outputs to another clone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests import small_pipeline
from tests.generated import raw_clients, service_client
from tests.service.running import free_port, serving
from tests.small_pipeline import dvc, git

pytestmark = pytest.mark.e2e

FAMILIES = ["logistic_l2", "xgboost"]
OF_FAMILIES = ("models/families/", "data/interim/predictions/", "data/results/train/")
BUCKET = "models"
KEYS = {"access_key_id": "test", "secret_access_key": "test"}
SERVED = ("evaluate", "--with-deps")


def keep_two_families(folder: Path) -> None:
    """Take the other families out of a copy's pipeline and parameters."""
    pipeline = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))
    stages = pipeline["stages"]
    stages["train"]["foreach"] = FAMILIES
    stages["evaluate"]["deps"] = [
        dep
        for dep in stages["evaluate"]["deps"]
        if not dep.startswith(OF_FAMILIES) or Path(dep).stem in FAMILIES
    ]
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["evaluate"]["ladder"] = FAMILIES
    for name, document in (("dvc.yaml", pipeline), ("params.yaml", params)):
        (folder / name).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose served model has been computed and committed."""
    folder = tmp_path_factory.mktemp("remotes") / "source"
    small_pipeline.copy_checkout(folder)
    small_pipeline.make_small(folder)
    keep_two_families(folder)
    dvc(folder, "repro", "evaluate")
    small_pipeline.commit(folder, "reproduced")
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Run an S3 server with one bucket; return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert httpx.put(f"{url}/{BUCKET}", timeout=10).status_code == 200
                break
            except httpx.TransportError:
                assert process.poll() is None, "the S3 server did not start"
                assert time.monotonic() < deadline, "the S3 server does not answer"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def set_remote(clone: Path, url: str, **settings: str) -> None:
    """Name the remote as the documents say, in the file of settings that git does not keep."""
    lines = ["[core]", "remote = store", "['remote \"store\"']", f"url = {url}", "verify = true"]
    lines += [f"{name} = {value}" for name, value in settings.items()]
    (clone / ".dvc/config.local").write_text("\n".join(lines) + "\n", encoding="utf-8")


def clone_of(source: Path, folder: Path) -> Path:
    """Return a fresh clone beside which only the table of the user's own lies."""
    git(folder.parent, "clone", "--quiet", str(source), str(folder))
    (folder / small_pipeline.TABLE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / small_pipeline.TABLE, folder / small_pipeline.TABLE)
    return folder


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_clone_elsewhere_serves_what_was_pushed(
    kind: str, source: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pusher, clone = tmp_path / "pusher", tmp_path / "elsewhere"
    shutil.copytree(source, pusher)
    git(tmp_path, "clone", "--quiet", str(source), str(clone))
    for place in (pusher, clone):
        if kind == "s3":
            endpoint = request.getfixturevalue("s3")
            set_remote(place, f"s3://{BUCKET}/credit", endpointurl=endpoint, **KEYS)
        else:
            set_remote(place, str(tmp_path / "store"))
    dvc(pusher, "push", *SERVED)
    shutil.rmtree(pusher)  # its cache and outputs are gone: the remote is what is left
    (clone / small_pipeline.TABLE).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / small_pipeline.TABLE, clone / small_pipeline.TABLE)
    dvc(clone, "pull", *SERVED)
    assert "up to date" in dvc(clone, "status", *SERVED)
    assert git(clone, "status", "--porcelain") == ""
    home = tmp_path / "home"
    home.mkdir()
    client = service_client(raw_clients(1000, seed=7), 0)
    with serving("service:CreditDefault", clone, home) as (url, _, _):
        reply = httpx.post(f"{url}/predict", json=client, timeout=60)
    assert reply.status_code == 200
    assert 0 < reply.json()["probability"] < 1


ALTER = """
import sys
import s3fs
server = s3fs.S3FileSystem(key="test", secret="test", endpoint_url=sys.argv[1])
server.pipe(sys.argv[2], b"a pickle of somebody else")
"""


def test_a_file_that_was_changed_in_the_remote_is_not_pulled(
    source: Path, s3: str, tmp_path: Path
) -> None:
    """DVC takes whatever a cloud has under a hash, unless the remote has ``verify``."""
    clone, names = tmp_path / "elsewhere", ("models/research_model.joblib", "models/scaler.joblib")
    git(tmp_path, "clone", "--quiet", str(source), str(clone))
    for place in (source, clone):
        set_remote(place, f"s3://{BUCKET}/altered", endpointurl=s3, **KEYS)
    dvc(source, "push", *names)
    lock = yaml.safe_load((source / "dvc.lock").read_text(encoding="utf-8"))
    md5 = {out["path"]: out["md5"] for out in lock["stages"]["evaluate"]["outs"]}[names[0]]
    stored = f"{BUCKET}/altered/files/md5/{md5[:2]}/{md5[2:]}"
    subprocess.run([sys.executable, "-c", ALTER, s3, stored], check=True)
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "pull", *names],
        cwd=clone,
        env=small_pipeline.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert names[0] in result.stderr
    assert not (clone / names[0]).exists()
    assert (clone / names[1]).read_bytes() == (source / names[1]).read_bytes()
