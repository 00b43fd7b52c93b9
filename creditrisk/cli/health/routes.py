"""Ways to the data and to the remote, as the doctor sees them; being offline is no failure."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from creditrisk import fetching, paths, schema
from creditrisk.cli.health.ailments import Ailment, fails, note
from creditrisk.cli.records import changes, lockfile

SECONDS = 1.0
"""A host that does not answer within this is called unreachable."""
PORTS = {"http": 80, "ssh": 22}
HOSTS = {"s3": "s3.amazonaws.com", "gs": "storage.googleapis.com"}


def network(root: Path) -> Iterator[Ailment]:
    """Look at both; hosts are asked at the same time."""
    remote = _remote(root)
    hosts = {"data": _address(fetching.UCI_URL), "remote": _address(remote)}
    answers = _together({name: host for name, host in hosts.items() if host})
    yield _data(root, bool(answers.get("data")))
    yield _remote_state(root, remote, answers.get("remote"))


def _data(root: Path, is_online: bool) -> Ailment:
    """Tell from where the raw table would come."""
    source = lockfile.read_yaml(root / paths.PARAMS)["fetch"]["source"]
    if source != fetching.DEFAULT_SOURCE:
        own = root / Path(source).expanduser()
        if own.exists():
            return Ailment("data", f"a table of your own, {source}")
        return fails("data", f"{source} is not there", "mend fetch.source in params.yaml")
    named = os.environ.get(fetching.VARIABLE)
    if named and not Path(named).expanduser().is_file():
        text = f"{fetching.VARIABLE} names {named}, which is not there"
        return fails("data", text, f"mend or unset {fetching.VARIABLE}")
    if named:
        return Ailment("data", f"{fetching.VARIABLE} names {named}")
    here = {
        "in the tree": root / paths.RAW,
        "in your cache": fetching.cache_file(schema.CANONICAL_SHA256),
    }
    ways = [words for words, file in here.items() if file.exists()]
    ways += ["the archive answers"] if is_online else []
    if ways:
        return Ailment("data", ", ".join(ways))
    remedy = f"point {fetching.VARIABLE} at a copy; pip is tried too, where it has an index"
    return note("data", "no copy at hand, and the archive does not answer", remedy)


def _remote(root: Path) -> str:
    """Return the address of DVC's default remote, or nothing."""
    config = changes.dvc_config(root)
    name = config.get("core", "remote", fallback="")
    section = next((s for s in config.sections() if s.strip("'") == f'remote "{name}"'), None)
    if not name or section is None:
        return ""
    return config.get(section, "endpointurl", fallback="") or config.get(
        section, "url", fallback=""
    )


def _remote_state(root: Path, remote: str, answers: bool | None) -> Ailment:
    if not remote:
        return Ailment("remote", "none: outputs are recomputed, not pulled (docs/remotes.md)")
    if answers is None and "://" not in remote:
        folder = root / ".dvc" / Path(remote).expanduser()
        if folder.is_dir():
            return Ailment("remote", f"{remote} is there")
        return note("remote", f"{remote} is not there", "mount it, or `dvc remote modify`")
    if answers is False:
        remedy = "offline? `dvc repro` needs no remote, `dvc pull` does"
        return note("remote", f"{remote} does not answer within {SECONDS:g} s", remedy)
    return Ailment("remote", f"{remote}{' answers' if answers else ', not looked at'}")


def _address(url: str) -> tuple[str, int] | None:
    """Return host and port of an address, None for a folder or a scheme without a host."""
    parts = urlsplit(url)
    if "://" not in url:
        return None
    host = HOSTS.get(parts.scheme, parts.hostname)
    return (host, parts.port or PORTS.get(parts.scheme, 443)) if host else None


def _together(hosts: dict[str, tuple[str, int]]) -> dict[str, bool]:
    """Ask every host at once; a resolver that hangs is left behind in its daemon thread."""
    answers = dict.fromkeys(hosts, False)

    def ask(name: str) -> Callable[[], None]:
        def work() -> None:
            try:
                socket.create_connection(hosts[name], timeout=SECONDS).close()
            except OSError:
                return
            answers[name] = True

        return work

    threads = [threading.Thread(target=ask(name), daemon=True) for name in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return dict(answers)
