"""A dependency that changes while its stage runs: the stage fails, and the lock keeps quiet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from creditrisk import io
from tests.attack.ground import Gate, Ground, Yard
from tests.small_pipeline import commit

STAGE = "rfm"
PARAMETER = ("replicates: 20", "replicates: 21")


def append(file: Path) -> None:
    """Save a file with a line more, as an editor does."""
    file.write_bytes(file.read_bytes() + b"\n")


def reverse(file: Path) -> None:
    """Put the same clients in another order, as a stage that runs beside this one might."""
    io.write_table(file, io.read_table(file).iloc[::-1])


def change_parameter(file: Path) -> None:
    """Change a parameter that the stage has already read."""
    text = file.read_text(encoding="utf-8")
    assert PARAMETER[0] in text
    file.write_text(text.replace(*PARAMETER), encoding="utf-8")


EDITS: dict[str, Callable[[Path], None]] = {
    "creditrisk/features/rows.py": append,
    "data/interim/clients.parquet": reverse,
    "params.yaml": change_parameter,
    "creditrisk/io.py": append,
    "studies/results/segments.json": append,
}
"""File that is edited while the stage runs → how."""
N_SAMPLED = 1


def attack(yard: Yard) -> str:
    """Edit code, data, a parameter, shared code and a study's results, each in a run of its own."""
    chosen = list(EDITS)[: None if yard.is_full else N_SAMPLED]
    for name in chosen:
        edited(yard, name)
    return f"{len(chosen)} edits during a run, each named, none believed"


def edited(yard: Yard, name: str) -> None:
    """Run the stage to its gate, edit, let it through, and look at what DVC believes."""
    ground = yard.copy("midrun")
    gate = Gate(ground, STAGE)
    commit(ground.folder, "gated")
    run = ground.start("dvc", "repro", STAGE)
    gate.wait()
    EDITS[name](ground.folder / name)
    gate.open()
    code, said = ground.end(run)
    assert code != 0, f"{name} was edited during the run and the stage succeeded:\n{said}"
    assert name in said, f"{name} is not named:\n{said}"
    assert "Traceback" not in said, said
    assert_stale(ground, name)


def assert_stale(ground: Ground, name: str) -> None:
    """Assert that DVC would run the stage again."""
    status = ground.must("dvc", "status", STAGE)
    assert f"{STAGE}:" in status, f"after an edit of {name} DVC believes in the stage:\n{status}"
