"""A fresh clone without a network: the raw file is all it needs, and git sees no change."""

from __future__ import annotations

import shutil
import subprocess

import yaml

from creditrisk import io, paths, schema
from tests.attack.ground import Yard
from tests.small_pipeline import ROOT

DEAD = "http://127.0.0.1:9"
"""A proxy that nobody answers for: what asks for a network here fails at once."""
OFFLINE = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), DEAD
)


def without_network() -> list[str]:
    """Return the words before a command that take its network away, where the system lets us."""
    for words in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                return words
        except OSError:
            break
    return []


def attack(yard: Yard) -> str:
    """Run the pipeline in a clone that never met this machine's cache, then the default data set."""
    ground = yard.clone("offline")
    cut = without_network()
    ground.must(*cut, *ground.words(("dvc", "repro", *yard.targets)), **OFFLINE)
    ground.same_lock_as(yard.template, "a fresh clone")
    assert ground.changes() == "", "a fresh clone's run left changes"
    routes = "own table"
    if (ROOT / paths.RAW).is_file() and io.sha256(ROOT / paths.RAW) == schema.CANONICAL_SHA256:
        fetch_from_cache(yard, cut)
        routes += ", default data set from the user's cache"
    return f"{routes}; network {'cut off' if cut else 'behind a dead proxy'}"


def fetch_from_cache(yard: Yard, cut: list[str]) -> None:
    """Fetch the default data set from the user's cache alone: the real table's bytes appear."""
    ground = yard.clone("cached")
    cache = yard.place("user-cache") / "creditrisk" / f"{schema.CANONICAL_SHA256}.csv"
    cache.parent.mkdir(parents=True)
    shutil.copy(ROOT / paths.RAW, cache)
    file = ground.folder / paths.PARAMS
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["fetch"] = {"source": "uci", "sha256": schema.CANONICAL_SHA256, "columns": {}}
    file.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    where = {"XDG_CACHE_HOME": str(cache.parents[1]), "CREDIT_DATA": ""}
    ground.must(*cut, *ground.words(("dvc", "repro", "fetch")), **OFFLINE, **where)
    assert io.sha256(ground.folder / paths.RAW) == schema.CANONICAL_SHA256
