"""The checkout and DVC's folders, as the doctor sees them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from creditrisk.cli.checks import cache as cache_check
from creditrisk.cli.checks.findings import listed
from creditrisk.cli.health.ailments import Ailment, fails, megabytes, note
from creditrisk.cli.records import changes, lockfile

SITE_CACHE = "DVC_SITE_CACHE_DIR"
HOME_CACHE = f'export {SITE_CACHE}="$HOME/.cache/dvc"'
OUTPUTS = ("data", "models", "reports", "studies/results")
TEXT = {".py", ".yaml", ".css", ".j2", ".csv", ".json", ".txt"}


def disk(root: Path) -> Iterator[Ailment]:
    """Free space against a full run: every output once in the tree and once in the cache."""
    free = shutil.disk_usage(root).free
    needed = 2 * sum(e.size for e in changes.made(lockfile.read_stages(root)).values() if e)
    text = f"{megabytes(free)} free; outputs and their cached copies take {megabytes(needed)}"
    if free < needed:
        yield fails("disk", text, "make room, or `dvc gc --workspace` for what no run here needs")
    else:
        yield Ailment("disk", text)


def version_control(root: Path) -> Iterator[Ailment]:
    """A clone, or a zip whose DVC knows that there is no git."""
    if (root / ".git").exists():
        if shutil.which("git"):
            yield Ailment("git", "a clone")
        else:
            yield fails("git", "a clone, but git is not installed", "install git")
    elif changes.dvc_config(root).get("core", "no_scm", fallback="false").lower() == "true":
        yield note("git", "none: metrics diff, plots diff, exp and compare need a clone", "clone")
    else:
        remedy = "`dvc config --local core.no_scm true` (`make repro` does it), or clone"
        yield fails("git", "no git here, and DVC is not told so", remedy)


def line_ends(root: Path) -> Iterator[Ailment]:
    """Windows line ends in files that DVC hashes: each would look like a change."""
    paths = changes.paths_of(lockfile.read_stages(root))
    files = [root / path for path in paths if Path(path).suffix in TEXT]
    changed = [f for f in files if f.is_file() and b"\r\n" in f.read_bytes()[:4096]]
    if changed:
        shown = listed(f.relative_to(root).as_posix() for f in changed)
        remedy = "`git config core.autocrlf false`, then `git checkout --force -- .`"
        yield note("line ends", f"CRLF in {shown}: stages rerun in vain", remedy)
    else:
        yield Ailment("line ends", f"LF in {len(files)} files")


def cache(root: Path) -> Iterator[Ailment]:
    """DVC's cache: there, writable, how large."""
    folder = changes.cache_folder(root)
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        yield fails("cache", f"{nearest} cannot be read and written", f"`chmod -R u+rwX {nearest}`")
        return
    objects = cache_check.objects(folder)
    size = sum(file.stat().st_size for file in objects)
    yield Ailment("cache", f"{len(objects)} objects, {megabytes(size)} (`verify` reads them all)")


def links(root: Path) -> Iterator[Ailment]:
    """How DVC puts cached files into the tree."""
    kinds = changes.dvc_config(root).get("cache", "type", fallback="reflink,copy")
    if "link" in kinds.replace("reflink", ""):
        text = f"{kinds}: a file and its cached object share their bytes"
        yield note("links", text, "never edit an output in place; `verify` finds what was")
    else:
        yield Ailment("links", f"{kinds}: files in the tree are copies, safe to edit")


def site_cache(root: Path) -> Iterator[Ailment]:
    """The folder where DVC keeps its state, outside the repository."""
    given = os.environ.get(SITE_CACHE) or changes.dvc_config(root).get(
        "core", "site_cache_dir", fallback=""
    )
    if not given and sys.platform != "linux":
        yield Ailment("state", "in the system's folder for caches")
        return
    folder = Path(given or "/var/tmp/dvc").expanduser()  # noqa: S108  (DVC's own default)
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield fails("state", f"{nearest} cannot be written", HOME_CACHE)
    elif folder.exists() and folder.stat().st_mode & stat.S_IWOTH:
        text = f"{folder} is open to every user, and DVC unpickles what it holds (CVE-2025-69872)"
        yield note("state", text, f"{HOME_CACHE} where you share the machine")
    else:
        yield Ailment("state", f"{folder}")


def leftovers(root: Path) -> Iterator[Ailment]:
    """What killed runs left: half-written files, copies of experiments."""
    half = [f for top in OUTPUTS for f in (root / top).rglob(".*-????????.*") if f.is_file()]
    copies = [f for f in (root / ".dvc/tmp/exps").glob("*/*") if f.is_dir()]
    if half:
        shown = listed(f.relative_to(root).as_posix() for f in half)
        yield note("leftovers", f"half-written: {shown}", "delete them when nothing runs")
    if copies:
        text = f"{len(copies)} folders of experiments in .dvc/tmp/exps"
        yield note("leftovers", text, "`dvc queue remove --all`, or delete them when nothing runs")
    if not half and not copies:
        yield Ailment("leftovers", "none")
