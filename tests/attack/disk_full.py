"""A full disk: the run stops in words, and goes on where there is room again."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.attack.ground import Ground, Skip, Yard
from tests.attack.kill import emptied

SIZE = 64_000_000
LEFT = (20_000, 400_000)
"""Bytes that are left when the run begins: not enough for the raw table, not enough for all."""


def attack(yard: Yard) -> str:
    """Run from nothing on small file systems of which a few kilobytes are left."""
    for left in LEFT if yard.is_full else LEFT[:1]:
        with small_disk(yard.place("disk")) as disk:
            ground = Ground(disk / "repo")
            shutil.copytree(emptied(yard).folder, ground.folder, symlinks=True)
            state = {"DVC_SITE_CACHE_DIR": str(yard.place("state"))}
            with filled(disk, left):
                said = ground.must_fail("dvc", "repro", *yard.targets, **state)
                assert "No space left on device" in said, said
                assert ground.temporaries() == [], "a half-written file was left"
            ground.repro(*yard.targets, **state)
            ground.same_lock_as(yard.template, "room was made")
    return f"{len(LEFT) if yard.is_full else 1} full disks, recovered after room was made"


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system in memory, which takes root."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Skip(f"no small file system: {error}") from None
    if done.returncode:
        raise Skip(f"no small file system without root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Fill a file system up to some bytes, and make room again at the end."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        for _ in range((shutil.disk_usage(disk).free - left) // 4096):
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()
