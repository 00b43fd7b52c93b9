"""The audit of pinned packages, against an advisory service that the test runs itself."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from creditrisk.cli import audit
from creditrisk.errors import UserError

Service = Callable[[dict[str, list[str]]], str]
DISKCACHE = {"diskcache": ["GHSA-w8v5-vhqr-4h9v", "CVE-2025-69872"]}
CANARY = {"pycrypto": ["PYSEC-2018-97"]}
TODAY = date(2026, 12, 1)


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a function that starts an OSV service: package → identifiers of one advisory."""
    servers: list[ThreadingHTTPServer] = []

    def start(advisories: dict[str, list[str]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = query["package"]["name"]
                reply = json.dumps(advisory(name, advisories[name]) if name in advisories else {})
                self.send_response(200)
                self.end_headers()
                self.wfile.write(reply.encode())

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/query"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def advisory(name: str, ids: list[str]) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
    affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
    return {"vulns": [{"id": ids[0], "aliases": ids[1:], "summary": "bad", "affected": affected}]}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository of three pins, one of them for another platform."""
    (tmp_path / "requirements.txt").write_text(
        "diskcache==5.6.3 \\\n    --hash=sha256:00\n    # via dvc-data\n"
        "fsspec[http]==2026.1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    (tmp_path / "requirements-serve.txt").write_text("orjson==3.11.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "docs").mkdir()
    write_ignored(tmp_path, datetime.now(UTC).date() + timedelta(days=1))
    monkeypatch.setattr(audit, "ROOT", tmp_path)
    return tmp_path


def write_ignored(folder: Path, review: date) -> None:
    (folder / audit.IGNORED).write_text(
        f"- {{id: CVE-2025-69872, package: diskcache, reason: none else, review: {review}}}\n"
    )


def run(url: str) -> int:
    return audit.run(argparse.Namespace(osv_url=url))


def test_every_pin_of_both_files_is_audited_and_a_known_advisory_passes(
    repository: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(service(CANARY | DISKCACHE)) == 0
    output = capsys.readouterr().out
    assert "3 of 3 packages were audited; 0 open" in output
    assert "let pass until" in output


def test_an_advisory_that_nobody_lets_pass_fails(
    repository: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(service(CANARY | DISKCACHE | {"orjson": ["CVE-1", "GHSA-1"]})) == 1
    assert "orjson 3.11.0: CVE-1, GHSA-1; repaired in 99.0" in capsys.readouterr().out


def test_a_service_without_data_is_no_pass(repository: Path, service: Service) -> None:
    with pytest.raises(UserError, match=r"nothing was audited: .* no advisory for pycrypto"):
        run(service({}))


def test_a_service_that_cannot_be_reached_is_no_pass(repository: Path) -> None:
    with pytest.raises(UserError, match="nothing was audited: pip-audit could not ask"):
        run("http://127.0.0.1:9/query")


def test_a_package_that_the_service_does_not_know_is_counted_and_fails(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vulns = [{"id": "CVE-2025-69872"}]
    known = [("diskcache", "5.6.3", vulns), ("orjson", "3.11.0", []), ("pycrypto", "2.6.1", vulns)]
    report: dict[str, Any] = {
        "dependencies": [{"name": n, "version": v, "vulns": found} for n, v, found in known]
        + [{"name": "fsspec", "skip_reason": "not found"}]
    }
    monkeypatch.setattr(audit, "ask", lambda *_: report)
    assert run("") == 1
    output = capsys.readouterr().out
    assert "fsspec 2026.1.0: not known to the service, not audited" in output
    assert "2 of 3 packages were audited; 1 open" in output


def ignored(review: date) -> audit.Ignored:
    return audit.Ignored(id="CVE-2", package="diskcache", reason="none", review=review)


def found(package: str = "diskcache") -> audit.Found:
    return audit.Found(id="GHSA-2", aliases=["CVE-2"], package=package, version="1")


def test_an_ignore_holds_to_its_date_and_no_longer() -> None:
    assert audit.findings([found()], [ignored(TODAY)], TODAY) == []
    (problem,) = audit.findings([found()], [ignored(TODAY - timedelta(days=1))], TODAY)
    assert "its review was due on 2026-11-30" in problem


def test_an_ignore_speaks_of_its_package_only() -> None:
    problems = audit.findings([found("other")], [ignored(TODAY)], TODAY)
    assert len(problems) == 2
    assert problems[0].startswith("other 1: GHSA-2, CVE-2; repaired in no release yet")
    assert "remove the entry" in problems[1]


def test_an_ignore_without_a_reason_is_refused(repository: Path) -> None:
    (repository / audit.IGNORED).write_text("- {id: X, package: y, review: 2027-01-01}\n")
    with pytest.raises(UserError, match=r"audit-ignore\.yaml: entry 0\.reason: Field required"):
        audit.read_ignored(repository / audit.IGNORED)


def test_the_ignore_list_of_this_repository_is_in_form() -> None:
    entries = audit.read_ignored(audit.ROOT / audit.IGNORED)
    assert [(e.id, e.package) for e in entries] == [("CVE-2025-69872", "diskcache")]
    assert all(len(e.reason) > 40 for e in entries)
    pins = audit.read_pins((audit.ROOT / n).read_text() for n in audit.REQUIREMENTS)
    assert len(pins) > 150
    assert {e.package for e in entries} <= set(pins)


def test_two_versions_of_a_package_are_refused() -> None:
    with pytest.raises(UserError, match=r"a is pinned to 1 and 2: run `make lock`"):
        audit.read_pins(["a==1 \\\n", "a==2 \\\n"])
