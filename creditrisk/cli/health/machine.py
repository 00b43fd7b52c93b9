"""The machine, as the doctor sees it: Python, packages, memory, browser."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from creditrisk import paths
from creditrisk.cli.checks.findings import listed
from creditrisk.cli.health.ailments import Ailment, fails, megabytes, note

PEAK_BYTES = 1_500_000_000
"""What the largest stage takes on the default data set, where ``.bench/`` says nothing else."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SETUP = "`make setup`, or `pip install -r requirements.txt`"
CGROUP = Path("/sys/fs/cgroup/memory.max")


def python(root: Path) -> Iterator[Ailment]:
    """Python 3.11 to 3.13."""
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Ailment("python", f"{version} ({sys.executable})")
    else:
        yield fails("python", f"{version}, not 3.11 to 3.13", "`make setup` with one of these")


def packages(root: Path) -> Iterator[Ailment]:
    """Every pin of ``requirements.txt`` that is for this machine."""
    wanted = pins((root / paths.REQUIREMENTS).read_text(encoding="utf-8"))
    found = {_plain(d.name): d.version for d in metadata.distributions() if d.name}
    absent = [name for name in wanted if name not in found]
    other = [
        f"{name} {found[name]}, not {version}"
        for name, version in wanted.items()
        if found.get(name, version) != version
    ]
    if absent:
        yield fails("packages", f"{len(absent)} are absent ({listed(absent)})", SETUP)
    if other:
        text = f"{len(other)} have other versions ({listed(other)}), so numbers may differ"
        yield note("packages", text, SETUP)
    if not absent and not other:
        yield Ailment("packages", f"{len(wanted)} as pinned in {paths.REQUIREMENTS}")


def pins(text: str) -> dict[str, str]:
    """Return name → version of the pins whose marker holds on this machine."""
    from packaging.requirements import Requirement

    lines = (line.rstrip(" \\") for line in text.splitlines() if re.match(r"\w", line))
    wanted = (Requirement(line) for line in lines)
    return {
        _plain(r.name): next(iter(r.specifier)).version
        for r in wanted
        if r.marker is None or r.marker.evaluate()
    }


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def memory(root: Path) -> Iterator[Ailment]:
    """Free memory against the largest peak that a stage has noted here."""
    import psutil

    needed = max([*_peaks(root / paths.BENCH)], default=PEAK_BYTES)
    limit = CGROUP.read_text(encoding="ascii").strip() if CGROUP.is_file() else "max"
    total = min(psutil.virtual_memory().total, int(limit) if limit.isdigit() else sys.maxsize)
    free = min(psutil.virtual_memory().available, total)
    text = (
        f"{megabytes(free)} free of {megabytes(total)}; the largest stage takes {megabytes(needed)}"
    )
    if total < needed:
        yield fails("memory", text, "run on a machine with more")
    elif free < needed:
        yield note("memory", text, "end other programs before a full run")
    else:
        yield Ailment("memory", text)


def _peaks(bench: Path) -> Iterator[float]:
    """Yield the peaks of memory that runs left, in bytes."""
    for file in bench.glob("*.json"):
        try:
            yield json.loads(file.read_text(encoding="utf-8"))["peak_mb"] * 1e6
        except (ValueError, LookupError, TypeError):
            continue  # another kind of note, or one that is being written


def browser(root: Path) -> Iterator[Ailment]:
    """The browser that the browser tests drive."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        yield Ailment("browser", found)
    else:
        remedy = f"install one of {', '.join(BROWSERS)}"
        yield note("browser", "none, so the browser tests are skipped", remedy)
