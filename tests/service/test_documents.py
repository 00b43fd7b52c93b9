"""The API's own document, and a real server held to it by schemathesis."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from creditrisk import schema
from creditrisk.serving import metrics
from tests.service.conftest import ROOT, post
from tests.service.running import serving
from tests.service.test_connections import STARTING


@pytest.fixture(scope="module")
def document(api: Any) -> dict[str, Any]:
    return api.get("/docs.json").json()


def test_it_names_every_route_and_nobody_else(document: dict[str, Any]) -> None:
    pages = {"/", "/docs", "/docs.json"}
    assert set(document["paths"]) == metrics.PATHS - pages
    text = json.dumps(document)
    assert "://" not in text
    assert "bentoml" not in text.lower()
    assert document["servers"] == [{"url": "."}], "right behind a proxy too"


def test_a_key_is_optional_and_health_needs_none(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert document["security"] == [{}, *({name: []} for name in schemes)]
    for path in ("/livez", "/readyz", "/healthz"):
        operation = document["paths"][path]["get"]
        assert operation["security"] == []
        assert set(operation["responses"]) == {"200", "503"}


def test_whole_numbers_are_integers(document: dict[str, Any]) -> None:
    properties = document["components"]["schemas"]["Client"]["properties"]
    whole = {name for name, p in properties.items() if p.get("type") == "integer"}
    assert whole == set(schema.CODE_RANGES)


def test_replies_are_as_described(
    api: Any, document: dict[str, Any], clients: list[dict[str, Any]]
) -> None:
    given = {"schemas": document["components"]["schemas"]}
    for path, body in (
        ("/predict", clients[0]),
        ("/predict_batch", {"clients": [*clients[:5], {}], "on_error": "report"}),
        ("/predict_batch", {"clients": clients[:5], "reasons": False}),
        ("/predict", {}),
    ):
        response = post(api, path, body)
        replies = document["paths"][path]["post"]["responses"]
        content = replies[str(response.status_code)]["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**content, "components": given}, response.json())


def test_the_card_names_the_version(api: Any, client: dict[str, Any]) -> None:
    card = api.get("/model").json()
    assert card["version"] == post(api, "/predict", client).json()["model_version"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_are_kept_to_themselves(api: Any, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_schemathesis_finds_nothing(models: Path, tmp_path: Path) -> None:
    """All of its checks, none excluded, on a real server, the same requests every time."""
    command = [Path(sys.executable).parent / "schemathesis", "run", "--checks", "all"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "15"]
    command += ["--generation-deterministic", "--no-color"]
    with serving("service:CreditDefault", ROOT, tmp_path, CREDIT_MODELS=str(models)) as running:
        url, _, log = running
        ended = subprocess.run(
            [*command, f"{url}/docs.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "No issues found" in ended.stdout
        lines = log.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if not re.search(STARTING, line)] == []
