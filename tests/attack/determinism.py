"""One lock, whatever the threads, the hash seed, the time zone, the locale and the folder."""

from __future__ import annotations

import itertools
from typing import Any

import yaml

from tests.attack.ground import Ground, Yard

ZONES = ("UTC", "Pacific/Apia")
THREADS = (1, 2, 4)
LOCALES = ("C", "C.UTF-8")


def attack(yard: Yard) -> str:
    """Run fresh clones, each in a folder and an environment of its own, from an empty cache."""
    cases = list(enumerate(itertools.product(THREADS, ZONES)))
    chosen = cases if yard.is_full else cases[-1:]
    for n, (threads, zone) in chosen:
        seed = yard.random.randrange(1 << 32)
        ground = yard.clone(f"{'näher ' * n}{threads}-threads")
        set_threads(ground, threads)
        ground.must(
            "dvc",
            "repro",
            *yard.targets,
            OMP_NUM_THREADS=str(threads),
            OPENBLAS_NUM_THREADS=str(threads),
            LOKY_MAX_CPU_COUNT=str(threads),
            PYTHONHASHSEED=str(seed),
            TZ=zone,
            LC_ALL=LOCALES[n % 2],
        )
        case = f"{threads} threads, {zone}, hash seed {seed}"
        assert ground.outputs() == yard.template.outputs(), f"{case}: other bytes"
    return f"{len(chosen)} environments, one set of output hashes"


def set_threads(ground: Ground, threads: int) -> None:
    """Put a number of threads under every ``n_jobs`` of the parameters."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: threads if k == "n_jobs" else changed(v) for k, v in value.items()}
        return value

    file = ground.folder / "params.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump(changed(document), sort_keys=False), encoding="utf-8")
