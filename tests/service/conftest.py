"""A small model, the service in process, and a real server."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import StarletteDeprecationWarning

from tests.generated import raw_clients, service_client
from tests.service import model_folder

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)  # it would rather have httpx2
    from starlette.testclient import TestClient

# BentoML reads these once, when it is first imported: by `import service` in a fixture.
_home = tempfile.mkdtemp(prefix="bentoml-home-")
os.environ["BENTOML_HOME"] = _home
os.environ.pop("CREDIT_API_KEY", None)
os.environ["BENTOML_DO_NOT_TRACK"] = "True"  # "1" would not be understood
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(dir=_home)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def _remove_home() -> Iterator[None]:
    yield
    shutil.rmtree(_home, ignore_errors=True)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder.write(tmp_path_factory.mktemp("service") / "models")


@pytest.fixture(scope="session")
def audit_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that uses SEX, EDUCATION, MARRIAGE and AGE."""
    folder = tmp_path_factory.mktemp("service-audit") / "models"
    return model_folder.write(folder, audit_attributes="include")


@pytest.fixture(scope="session")
def map_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model whose clusters come with a map."""
    folder = tmp_path_factory.mktemp("service-map") / "models"
    clusters = {**model_folder.CLUSTERS, "map": model_folder.LANDMARKS}
    return model_folder.write(folder, clusters=clusters)


@pytest.fixture(scope="session")
def clients() -> list[dict[str, Any]]:
    frame = raw_clients(400, seed=3)
    return [service_client(frame, row) for row in range(len(frame))]


@pytest.fixture
def client(clients: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(clients[0])


@pytest.fixture(scope="session")
def api(models: Path) -> Iterator[TestClient]:
    yield from _serve(models)


@pytest.fixture
def audit_api(api: TestClient, audit_models: Path) -> Iterator[TestClient]:
    """Serve the model with personal attributes for one test."""
    yield from _serve_beside(audit_models)


@pytest.fixture
def map_api(api: TestClient, map_models: Path) -> Iterator[TestClient]:
    """Serve the model with a map for one test."""
    yield from _serve_beside(map_models)


def _serve_beside(folder: Path) -> Iterator[TestClient]:
    """Serve another model for a while; BentoML knows one current service a process."""
    import bentoml
    from _bentoml_sdk.service import set_current_service

    current = bentoml.get_current_service()
    yield from _serve(folder)
    set_current_service(current)


def _serve(folder: Path) -> Iterator[TestClient]:
    with warnings.catch_warnings():
        # BentoML 1.4.39 uses names that pathspec and pydantic have deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        import service

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CREDIT_MODELS", str(folder))
        application = service.CreditDefault.to_asgi()
        test_client = TestClient(application, raise_server_exceptions=False)
        test_client.__enter__()
    try:
        yield test_client
    finally:
        test_client.__exit__(None, None, None)


def post(api: TestClient, path: str, document: Any, **headers: str) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.post(path, content=body, headers={"content-type": "application/json", **headers})
