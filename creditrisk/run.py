"""Run one stage of the pipeline: ``python -m creditrisk.run <stage> [item]``.

The runner fixes the numeric environment before numpy is imported, reads and
checks the stage's parameters, calls ``stages.<stage>.main`` and notes wall time
and peak memory in the untracked ``.bench/``. ``dvc.yaml`` runs every stage
through it, so a stage sees the same environment however it was started.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from creditrisk.errors import UserError

ROOT = Path(__file__).resolve().parent.parent

# Groups above AVX2 that numpy dispatches to, with the flags that the kernel lists
# for each. numpy's exp, log and ** round differently there, so they are switched
# off; only groups that this processor has, since numpy warns about others.
ABOVE_AVX2 = {
    "X86_V4": {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"},
    "AVX512_ICL": {
        "avx512_vnni",
        "avx512vbmi",
        "avx512_vbmi2",
        "avx512_bitalg",
        "avx512_vpopcntdq",
    },
    "AVX512_SPR": {"avx512_fp16"},
}


def cpu_flags() -> set[str]:
    """Return the processor's feature flags, as far as the system tells (Linux only)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return set()
    for line in text.splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def numeric_environment() -> dict[str, str]:
    """Return the variables that make numbers repeat on every AVX2 processor.

    One thread for each BLAS (parallel sums reorder), OpenBLAS kernels of one
    generation, numpy without its AVX-512 loops. Stages use both cores above that,
    with processes or with libraries whose result does not depend on threads.
    """
    environment = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",
    )
    environment["PYTHONHASHSEED"] = "0"  # for worker processes; stages sort their sets
    if platform.machine().lower() in ("x86_64", "amd64"):
        environment["OPENBLAS_CORETYPE"] = "Haswell"
        flags = cpu_flags()
        groups, needed = [], set()
        for group, extra in ABOVE_AVX2.items():
            needed = needed | extra
            if needed <= flags:
                groups.append(group)
        environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(groups)
    return environment


def set_numeric_environment() -> None:
    """Put :func:`numeric_environment` into ``os.environ``.

    Raises
    ------
    RuntimeError
        When numpy was imported before: its kernels are chosen by then.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("the numeric environment must be set before numpy is imported")
    os.environ.update(numeric_environment())


def stage_names() -> list[str]:
    """Return the stages that exist, by their files."""
    return sorted(p.stem for p in (ROOT / "stages").glob("*.py") if p.stem != "__init__")


def load_params(module: Any, stage: str, item: str | None) -> Any:
    """Return the validated parameters of a stage (of one item of it).

    A module with a ``select`` function narrows its section to what one item reads;
    a stage without ``Params`` reads none.
    """
    from creditrisk import params

    if not hasattr(module, "Params"):
        return None
    section = params.read_section(params.Path("params.yaml"), stage)
    if hasattr(module, "select"):
        section = module.select(section, item)
    return params.parse(module.Params, section, stage)


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
    folder = Path(".bench")
    folder.mkdir(exist_ok=True)
    cost = {"wall_seconds": round(wall_seconds, 3), "peak_mb": round(peak_memory_bytes() / 1e6, 1)}
    (folder / f"{name.replace('@', '.')}.json").write_text(
        json.dumps(cost) + "\n", encoding="utf-8"
    )


def run(stage: str, item: str | None = None) -> None:
    """Run a stage in this process.

    Parameters
    ----------
    stage : str
        Name of a file in ``stages/``.
    item : str, optional
        Member of a ``foreach`` group: a model family or a page.

    Raises
    ------
    SystemExit
        With one clear line when the stage does not exist, when it needs an item
        or takes none.
    """
    if stage not in stage_names():
        raise SystemExit(
            f"creditrisk.run: no stage {stage!r}; there are: {', '.join(stage_names())}"
        )
    set_numeric_environment()
    os.chdir(ROOT)
    started = time.perf_counter()
    module = importlib.import_module(f"stages.{stage}")
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
    parser.add_argument("stage", help=f"one of: {', '.join(stage_names())}")
    parser.add_argument("item", nargs="?", help="model family (train) or page (report)")
    options = parser.parse_args(arguments)
    try:
        run(options.stage, options.item)
    except UserError as error:
        raise SystemExit(f"{options.stage}: {error}") from None


if __name__ == "__main__":
    main()
