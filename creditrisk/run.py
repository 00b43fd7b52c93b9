"""Run one stage or study: ``python -m creditrisk.run <stage> [item]``.

Stages are the files of ``stages/``, studies (long computations, a DVC repository of
their own) those of ``studies/``. Both ``dvc.yaml`` run everything through this module, so a
stage sees the same environment however it was started: numeric settings before numpy is
imported, checked parameters, the repository's root as working folder.

The guards (``creditrisk/guards/``) then hold the run to what its entry declares. One process runs a stage
at a time. It fails when it read or wrote another file of the repository, when an input changed
meanwhile, when an output is missing or when a metric is no number; a failed run is not recorded by DVC, so it
counts for nothing. What a run cost is noted in the untracked ``.bench/``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from creditrisk import environment, paths
from creditrisk.errors import UserError
from creditrisk.guards import cost, declared, inputs, lifetime, lock, outputs, watch, workers

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    raise SystemExit(
        f"This project needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}"
    )


def script_names(folder: str = "stages") -> list[str]:
    """Return the scripts of ``stages/`` or of ``studies/``, by their files."""
    return sorted(p.stem for p in (paths.ROOT / folder).glob("*.py") if p.stem != "__init__")


def load_params(module: Any, name: str, item: str | None, files: Mapping[str, bytes]) -> Any:
    """Return the validated parameters of a stage (of one item of it) or of a study.

    A module with a ``select`` function narrows its section to what one item reads; one
    with ``READS`` also gets those sections of the pipeline's ``params.yaml`` as fields; one
    without ``Params`` reads none. They come from the bytes that the guards took when the
    run began, so no edit can slip in between.
    """
    if not hasattr(module, "Params"):
        return None
    from creditrisk import params

    own = paths.STUDY_PARAMS if module.__name__.startswith("studies.") else paths.PARAMS
    section = read_sections(files, own).get(name) or {}
    if hasattr(module, "select"):
        section = module.select(section, item)
    reads = getattr(module, "READS", ())
    pipeline = read_sections(files, paths.PARAMS) if reads else {}
    shared = {name: pipeline.get(name) or {} for name in reads}
    return params.parse(module.Params, section | shared, name)


def read_sections(files: Mapping[str, bytes], file: Path) -> dict[str, Any]:
    """Return the sections of a parameter file.

    Raises
    ------
    UserError
        When the stage's entry names no key of that file, or the file holds no sections.
    """
    name = file.as_posix()
    if name not in files:
        raise UserError(
            f"it reads {name}, of which its entry in dvc.yaml names no key: add `params:`"
        )
    try:
        document = yaml.load(files[name], declared.LOADER)  # noqa: S506  (a safe loader)
    except yaml.YAMLError as error:
        raise UserError(f"{name}: {error}") from None
    if not isinstance(document, dict):
        raise UserError(
            f"{name}: expected sections named as stages, found {type(document).__name__}"
        )
    return document


def named_files(parameters: Any) -> list[str]:
    """Return the files, from the root, that a parameter or ``CREDIT_DATA`` names.

    They are no dependencies: where the raw table comes from is the user's choice, and `fetch` holds what
    it finds to the hash in ``params.yaml``.
    """
    values = [] if parameters is None else parameters.model_dump().values()
    named = [os.environ.get("CREDIT_DATA"), *values]
    places = (Path(os.path.abspath(os.path.expanduser(v))) for v in named if isinstance(v, str))
    return [p.relative_to(paths.ROOT).as_posix() for p in places if p.is_relative_to(paths.ROOT)]


def call(entry: declared.Declared, stage: str, folder: str, files: Mapping[str, bytes]) -> Any:
    """Import a stage, call its ``main``, and return the parameters that it was given."""
    module = importlib.import_module(f"{folder}.{stage}")
    parameters = load_params(module, stage, entry.item, files)
    arguments = [] if parameters is None else [parameters]
    module.main(*arguments, **({"item": entry.item} if entry.item else {}))
    return parameters


def run_guarded(entry: declared.Declared, stage: str, folder: str) -> None:
    """Run a stage whose lock is held, and refuse what it did if a guard has a reason."""
    started = time.perf_counter()
    log = paths.BENCH / "run" / f"{entry.name}.heard"
    outputs.remove_leftovers(entry.outs)
    before = inputs.take(entry.deps, entry.params)
    heard: list[watch.Heard] = []
    workers.follow(str(paths.ROOT), log)
    watch.Ear(str(paths.ROOT), heard.append).listen()
    parameters = call(entry, stage, folder, before.params)
    heard += workers.finish(log)
    outputs.check_present(entry.outs)
    outputs.check_metrics(entry.metrics)
    cost.note(
        paths.BENCH / f"{entry.name.replace('@', '.')}.json",
        wall_seconds=time.perf_counter() - started,
        tables=(*entry.outs, *entry.deps),
    )
    watch.check(entry, heard, named_files(parameters))
    inputs.check(before, entry.deps, entry.params)  # last: DVC's own look comes next


def run(stage: str, item: str | None = None) -> None:
    """Run a stage or a study in this process, which can then run no other.

    Parameters
    ----------
    stage : str
        Name of a file in ``stages/`` or ``studies/``.
    item : str, optional
        Member of a ``foreach`` group: a model family or a page.

    Raises
    ------
    SystemExit
        With one clear line when the stage does not exist.
    UserError
        When the pipeline's file does not know the stage or the item, when another process
        runs it, when its parameters do not fit, or when a guard refuses what it did.
    """
    folders = {name: folder for folder in ("studies", "stages") for name in script_names(folder)}
    if stage not in folders:
        raise SystemExit(
            f"creditrisk.run: no stage or study {stage!r}; there are: {', '.join(sorted(folders))}"
        )
    lifetime.end_with_dvc()
    environment.apply()
    os.chdir(paths.ROOT)
    pipeline = "studies/dvc.yaml" if folders[stage] == "studies" else "dvc.yaml"
    entry = declared.read(paths.ROOT, pipeline, stage, item)
    with lock.held(paths.BENCH / "run" / f"{entry.name}.lock", entry.name):
        run_guarded(entry, stage, folders[stage])


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
