"""What the pipeline costs beside its work: ``python -m benchmarks.pipeline``.

Three questions, answered by new processes side by side in turns, in
``benchmarks/results/pipeline.json``: what the guards add to a stage, beside the same stage called
without them in a copy of the checkout (seconds of the processor, worker processes included); what
``dvc repro`` takes when there is nothing to do, beside pipelines of empty stages, since DVC's own
time grows with the entries of ``dvc.lock``; and what the commands that look at the pipeline take
(seconds of a clock). The quickest of all rounds counts.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from creditrisk import io, paths

RESULTS = Path("benchmarks/results/pipeline.json")
DIGITS = 3
"""Significant digits that a measurement deserves."""
COMMANDS = ("verify", "explain", "doctor")
UNGUARDED = """
import importlib, sys
from pathlib import Path
from creditrisk import environment, run
stage, *item = sys.argv[1:]
environment.apply()
module = importlib.import_module(f"stages.{stage}")
files = {"params.yaml": Path("params.yaml").read_bytes()}
parameters = run.load_params(module, stage, item[0] if item else None, files)
module.main(*([] if parameters is None else [parameters]), **({"item": item[0]} if item else {}))
"""
LEFT_OUT = (".git", ".venv", ".dvc", ".bench", "__pycache__", "node_modules", ".pytest_cache")


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Runs of each contestant; one more goes before them and is not counted.
    stages : tuple of str
        Stages whose guards are timed: one that does nearly nothing, one that reads and
        writes a table, one with worker processes.
    """

    rounds: int = 15
    stages: tuple[str, ...] = ("summary", "features", "train majority")


def processor_seconds() -> float:
    """Return what all ended children have used, finer than ``os.times`` counts."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(
    command: Sequence[str], folder: Path, clock: Callable[[], float] = perf_counter
) -> float:
    """Return the seconds of a command that has to succeed (1 is allowed to `verify`)."""
    started = clock()
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    took = clock() - started
    if result.returncode not in (0, 1):
        raise SystemExit(f"bench: {' '.join(command)} failed:\n{result.stdout}{result.stderr}")
    return took


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the quickest of each contestant's runs, made in turns after one that warms up.

    Whatever else the machine does can only add to a run.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            took = run()
            if turn:
                taken[name].append(took)
    return {name: min(values) for name, values in taken.items()}


def measure_guards(settings: Settings, copy: Path) -> dict[str, dict[str, float]]:
    """Return seconds of each stage with and without its guards, and what they add, in ms."""
    found = {}
    for stage in settings.stages:
        words = stage.split()
        took = in_turns(
            {
                "guarded_s": lambda w=words: seconds(
                    [sys.executable, "-m", "creditrisk.run", *w], copy, processor_seconds
                ),
                "unguarded_s": lambda w=words: seconds(
                    [sys.executable, "-c", UNGUARDED, *w], copy, processor_seconds
                ),
            },
            settings.rounds,
        )
        found[stage.replace(" ", "_")] = took | {
            "added_ms": 1000 * (took["guarded_s"] - took["unguarded_s"])
        }
    return found


def copy_checkout(target: Path) -> None:
    """Copy the checkout with its data, without git, caches and environments."""
    shutil.copytree(paths.ROOT, target, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)


def empty_pipeline(folder: Path, n_deps: Sequence[int]) -> None:
    """Make a DVC repository of stages that touch a file, with so many dependencies each."""
    (folder / "m").mkdir(parents=True)
    for n in range(max(n_deps)):
        (folder / f"m/{n}.py").write_text(str(n), encoding="utf-8")
    stages = {
        f"s{n}": {
            "cmd": f"touch o{n}",
            "deps": [f"m/{d}.py" for d in range(count)],
            "outs": [f"o{n}"],
        }
        for n, count in enumerate(n_deps)
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    for command in (["git", "init", "-q"], [*dvc(), "init", "-q"], [*dvc(), "repro", "-q"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def dvc() -> list[str]:
    """Return how DVC is started."""
    return [sys.executable, "-m", "dvc"]


def measure_nothing_to_do(settings: Settings, folder: Path) -> dict[str, Any]:
    """Return seconds of ``dvc repro`` with nothing to do, here and in empty pipelines."""
    lock = yaml.safe_load((paths.ROOT / "dvc.lock").read_text(encoding="utf-8"))
    n_deps = [len(stage.get("deps", ())) for stage in lock["stages"].values()]
    shapes = {"one_dependency_s": [1] * len(n_deps), "as_many_dependencies_s": n_deps}
    for name, shape in shapes.items():
        empty_pipeline(folder / name, shape)
    if "up to date" not in subprocess.run(
        [*dvc(), "repro"], cwd=paths.ROOT, capture_output=True, text=True, check=True
    ).stdout.replace("\n", " "):
        raise SystemExit("bench: the pipeline was not up to date; it is now, so start again")
    places = {"ours_s": paths.ROOT} | {name: folder / name for name in shapes}
    took = in_turns(
        {name: lambda p=place: seconds([*dvc(), "repro"], p) for name, place in places.items()},
        settings.rounds,
    )
    return {"n_stages": len(n_deps), "n_deps": sum(n_deps), **took}


def measure_commands(settings: Settings) -> dict[str, float]:
    """Return seconds of the commands that look at the pipeline."""
    return in_turns(
        {
            f"{name}_s": lambda n=name: seconds([sys.executable, "-m", "creditrisk", n], paths.ROOT)
            for name in COMMANDS
        },
        settings.rounds,
    )


def main() -> None:
    """Measure, print and write the results."""
    os.chdir(paths.ROOT)
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        copy_checkout(folder / "copy")
        guards = measure_guards(settings, folder / "copy")
        for stage, took in guards.items():
            print(
                f"guards of {stage:14} {took['added_ms']:5.0f} ms beside {took['unguarded_s']:.2f} s",
                flush=True,
            )
        nothing = measure_nothing_to_do(settings, folder)
        print(
            f"nothing to do: {nothing['ours_s']:.2f} s; {nothing['n_stages']} empty stages with one "
            f"dependency {nothing['one_dependency_s']:.2f} s, with our {nothing['n_deps']} "
            f"{nothing['as_many_dependencies_s']:.2f} s",
            flush=True,
        )
        commands = measure_commands(settings)
        print(", ".join(f"{name[:-2]} {took:.2f} s" for name, took in commands.items()))
    found = {
        "design": asdict(settings),
        "guards": guards,
        "nothing_to_do": nothing,
        "commands": commands,
    }
    io.write_json(RESULTS, found, digits=DIGITS)


if __name__ == "__main__":
    main()
