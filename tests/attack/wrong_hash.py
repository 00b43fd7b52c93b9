"""A raw table that is not the promised one: refused in words, nothing written, nothing lost."""

from __future__ import annotations

import yaml

from creditrisk import paths
from tests.attack.ground import Ground, Yard
from tests.small_pipeline import TABLE, git


def expect_hash(ground: Ground, sha256: str) -> None:
    """Put a hash under fetch in a ground's parameters."""
    file = ground.folder / paths.PARAMS
    params = yaml.safe_load(file.read_text(encoding="utf-8"))
    params["fetch"]["sha256"] = sha256
    file.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def attack(yard: Yard) -> str:
    """Promise another hash; then keep the promise and damage the table."""
    ground = yard.copy("hash")
    expect_hash(ground, "0" * 64)
    refused(ground, yard)
    git(ground.folder, "checkout", "--quiet", "--", paths.PARAMS.as_posix())

    table = ground.folder / TABLE
    good = table.read_bytes()
    from hashlib import sha256

    expect_hash(ground, sha256(good).hexdigest())
    table.write_bytes(good[:-2] + bytes([good[-2] ^ 1]) + good[-1:])
    refused(ground, yard)
    table.write_bytes(good)
    git(ground.folder, "checkout", "--quiet", "--", paths.PARAMS.as_posix())
    ground.must("dvc", "repro", *yard.targets)
    ground.same_lock_as(yard.template, "recovered")
    assert ground.changes() == ""
    return "2 wrong tables refused, then recovered"


def refused(ground: Ground, yard: Yard) -> None:
    """Assert that the run stops at fetch, says why, and writes nothing."""
    said = ground.must_fail("dvc", "repro", *yard.targets)
    assert "fetch.sha256" in said, said
    assert "Traceback" not in said, said
    assert not (ground.folder / paths.RAW).exists(), "a refused table was written"
    assert ground.temporaries() == []
    ground.same_lock_as(yard.template, "a run that failed")
