"""The touch matrix: what reruns when one module, one file or one parameter changes.

``golden_touch.csv`` has a line for everything that reruns something: what changed, the
stages that rerun for it, and those behind them, which rerun unless an output in between comes
out the same. A ``foreach`` group stands as ``train@*`` where all its members do. The
lines are computed from ``dvc.yaml`` and held to what DVC itself says after each change.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from creditrisk.cli.records import lockfile
from tests import small_pipeline
from tests.attack.ground import Ground, Yard

ROOT = small_pipeline.ROOT
GOLDEN = Path(__file__).with_name("golden_touch.csv")
HEAD = ["changed", "stages that rerun", "stages behind them"]
PARAMETERS = ("params.yaml", "studies/params.yaml")
N_SAMPLED = 10


def attack(yard: Yard) -> str:
    """Hold the table to ``dvc.yaml``, and its lines to DVC: a sample of them, or all."""
    lines = table(ROOT)
    assert GOLDEN.read_text(encoding="utf-8") == text(lines), (
        "tests/attack/golden_touch.csv is not what dvc.yaml says: look at what "
        "`python -m tests.attack touch --write` changes in it"
    )
    ground = never_run(yard)
    names = sorted(candidates(ROOT))
    chosen = names if yard.is_full else yard.random.sample(names, N_SAMPLED)
    for name, stages, behind in asked(ground, chosen):
        expected = lines.get(name, ([], []))
        assert (stages, behind) == expected, f"{name}: DVC reruns {stages}, the table {expected}"
    return f"{len(lines)} lines; {len(chosen)} of {len(names)} changes held to DVC itself"


def write() -> str:
    """Write the table anew."""
    GOLDEN.write_text(text(table(ROOT)), encoding="utf-8")
    return f"wrote {GOLDEN.relative_to(ROOT)}"


def declared(root: Path) -> dict[str, lockfile.Description]:
    """Return every stage and study as its ``dvc.yaml`` has it."""
    return {s.title: s.stated for s in lockfile.read_stages(root) if s.stated is not None}


def candidates(root: Path) -> set[str]:
    """Return all that can change: our files, other dependencies, the leaves of the parameters."""
    stages = declared(root).values()
    made = {out for stage in stages for out in stage.outs}
    made -= {out for out in made if out.startswith("studies/")}  # the pipeline reads those
    deps = {dep for stage in stages for dep in stage.deps} - made
    files = {d for d in deps if (root / d).is_file() and not d.startswith("data/")}
    for folder in ("creditrisk", "stages", "studies"):
        found = (p for p in (root / folder).rglob("*") if p.is_file() and is_source(p))
        files |= {p.relative_to(root).as_posix() for p in found}
    leaves = {f"{file}: {key}" for file in PARAMETERS for key in leaf_keys(read(root / file))}
    return files | leaves


def is_source(path: Path) -> bool:
    """Tell whether a file is written by hand: no bytecode, nothing of DVC's, no package marker."""
    parts = set(path.parts)
    return (
        path.suffix in {".py", ".j2", ".css", ".js"}
        and not parts & {"__pycache__", ".dvc"}
        and path.name != "__init__.py"
    )


def read(file: Path) -> dict[str, Any]:
    """Read a file of parameters."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def leaf_keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the dotted keys of all values that are no mapping with keys of its own."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaf_keys(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def table(root: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Compute what reruns for each change from the declarations, leaving out what reruns nothing."""
    stages = declared(root)
    readers = {
        name: {title for title, s in stages.items() if set(stage.outs) & set(s.deps)}
        for name, stage in stages.items()
    }
    lines = {}
    for name in sorted(candidates(root)):
        direct = {title for title, stage in stages.items() if reads(stage, name)}
        if direct:
            behind = descendants(direct, readers) - direct
            lines[name] = (grouped(direct, stages), grouped(behind, stages))
    return lines


def reads(stated: lockfile.Description, name: str) -> bool:
    """Tell whether a stage declares a file, its folder, or a key at or above a parameter."""
    file, is_key, key = name.partition(": ")
    if is_key:
        return any(f == file and f"{key}.".startswith(f"{k}.") for f, k in stated.params)
    return any(file == dep or file.startswith(f"{dep}/") for dep in stated.deps)


def descendants(names: set[str], readers: Mapping[str, set[str]]) -> set[str]:
    """Return all stages that can be reached."""
    seen: set[str] = set()
    queue = list(names)
    while queue:
        # the two pipelines are separate repositories: a run of one never enters the other
        name = queue.pop()
        found = {r for r in readers[name] if is_study(r) == is_study(name)} - seen
        seen |= found
        queue.extend(found)
    return seen


def is_study(title: str) -> bool:
    """Tell whether a stage belongs to the repository of the studies."""
    return title.startswith("studies/")


def grouped(names: set[str], stages: Mapping[str, Any]) -> list[str]:
    """Return names in the pipelines' order, a whole ``foreach`` group as one."""
    shown = []
    for title in stages:
        group = title.partition("@")[0]
        members = {t for t in stages if t.startswith(f"{group}@")}
        if members and members <= names:
            shown.append(f"{group}@*")
        elif title in names:
            shown.append(title)
    return list(dict.fromkeys(shown))


def text(lines: Mapping[str, tuple[list[str], list[str]]]) -> str:
    """Return the table as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows([name, *map(" ".join, sides)] for name, sides in lines.items())
    return file.getvalue()


# --- asking DVC ---------------------------------------------------------------


def never_run(yard: Yard) -> Ground:
    """Return a ground with the real parameters, in which every output is a placeholder."""
    ground = Ground(yard.place("touch"))
    small_pipeline.copy_checkout(ground.folder)
    for stage in declared(ground.folder).values():
        for out in stage.outs:
            (ground.folder / out).parent.mkdir(parents=True, exist_ok=True)
            (ground.folder / out).write_text(out, encoding="utf-8")
    return ground


def asked(ground: Ground, names: list[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Make each change in turn and yield what DVC says of it."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.attack.ask_dvc", str(ground.folder), *names],
        cwd=ROOT,
        env=ground.environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    stages = declared(ground.folder)
    for line in process.stdout.splitlines():
        name, direct, behind = line.split("\t")
        yield name, grouped(set(direct.split()), stages), grouped(set(behind.split()), stages)
