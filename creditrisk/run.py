"""Run one stage or study: ``python -m creditrisk.run <stage> [item]``.

Stages are the files of ``stages/``, studies (long computations, a DVC repository of
their own) those of ``studies/``. The runner fixes the numeric environment before numpy is imported, reads and
checks the parameters, calls the script's ``main`` and notes wall time and peak memory
in the untracked ``.bench/``. Both ``dvc.yaml`` run everything through it, so a stage
sees the same environment however it was started.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
import time
from typing import Any

from creditrisk import environment, paths
from creditrisk.errors import UserError

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    raise SystemExit(
        f"This project needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}"
    )


def script_names(folder: str = "stages") -> list[str]:
    """Return the scripts of ``stages/`` or of ``studies/``, by their files."""
    return sorted(p.stem for p in (paths.ROOT / folder).glob("*.py") if p.stem != "__init__")


def load_params(module: Any, name: str, item: str | None) -> Any:
    """Return the validated parameters of a stage (of one item of it) or of a study.

    A module with a ``select`` function narrows its section to what one item reads; one
    with ``READS`` also gets those sections of the pipeline's ``params.yaml`` as fields; one
    without ``Params`` reads none.
    """
    from creditrisk import params

    if not hasattr(module, "Params"):
        return None
    is_study = module.__name__.startswith("studies.")
    section = params.read_section(paths.STUDY_PARAMS if is_study else paths.PARAMS, name)
    if hasattr(module, "select"):
        section = module.select(section, item)
    shared = {s: params.read_section(paths.PARAMS, s) for s in getattr(module, "READS", ())}
    return params.parse(module.Params, section | shared, name)


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process and of its biggest child."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) * (1 if sys.platform == "darwin" else 1024)


def note_cost(name: str, wall_seconds: float) -> None:
    """Store what the run cost; never a DVC output, since it differs every time."""
    paths.BENCH.mkdir(exist_ok=True)
    cost = {"wall_seconds": round(wall_seconds, 3), "peak_mb": round(peak_memory_bytes() / 1e6, 1)}
    (paths.BENCH / f"{name.replace('@', '.')}.json").write_text(
        json.dumps(cost) + "\n", encoding="utf-8"
    )


def run(stage: str, item: str | None = None) -> None:
    """Run a stage or a study in this process.

    Parameters
    ----------
    stage : str
        Name of a file in ``stages/`` or ``studies/``.
    item : str, optional
        Member of a ``foreach`` group: a model family or a page.

    Raises
    ------
    SystemExit
        With one clear line when the stage does not exist, when it needs an item
        or takes none.
    """
    folders = {name: folder for folder in ("studies", "stages") for name in script_names(folder)}
    if stage not in folders:
        raise SystemExit(
            f"creditrisk.run: no stage or study {stage!r}; there are: {', '.join(sorted(folders))}"
        )
    environment.apply()
    os.chdir(paths.ROOT)
    started = time.perf_counter()
    module = importlib.import_module(f"{folders[stage]}.{stage}")
    takes_item = "item" in inspect.signature(module.main).parameters
    if takes_item != (item is not None):
        raise SystemExit(
            f"creditrisk.run: stage {stage} {'needs an' if takes_item else 'takes no'} item"
        )
    parameters = load_params(module, stage, item)
    arguments = [] if parameters is None else [parameters]
    module.main(*arguments, **({"item": item} if takes_item else {}))
    note_cost(f"{stage}@{item}" if item else stage, time.perf_counter() - started)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run the stage."""
    parser = argparse.ArgumentParser(
        prog="python -m creditrisk.run", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "stage",
        help=f"a stage ({', '.join(script_names())}) or a study ({', '.join(script_names('studies'))})",
    )
    parser.add_argument("item", nargs="?", help="model family (train) or page (report)")
    options = parser.parse_args(arguments)
    try:
        run(options.stage, options.item)
    except UserError as error:
        raise SystemExit(f"{options.stage}: {error}") from None
    except FileNotFoundError as error:
        raise SystemExit(
            f"{options.stage}: an input is missing ({error.filename or error}): `dvc repro` "
            "runs the stages that make it first"
        ) from None
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("creditrisk", "stages"):
            raise
        raise SystemExit(
            f"{sys.executable} has no package {error.name}: activate the environment that "
            "`pip install -r requirements.txt` filled (or use `make repro`)"
        ) from None


if __name__ == "__main__":
    main()
