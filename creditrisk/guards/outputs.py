"""What a stage leaves behind, whole or not at all.

Each output is written to a temporary neighbour and moved over its name in one step
(:func:`creditrisk.io.atomic`), so no name ever holds half a file. The outputs of a stage as a whole
become valid in one step too, later: when its command succeeds, DVC writes their hashes to
``dvc.lock``. A stage that fails late leaves those that were complete by then; DVC calls the
stage modified, removes them and runs it again. Only ``dvc commit --force`` would make them
valid, which is why nothing here ever calls it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from creditrisk import io
from creditrisk.errors import UserError
from creditrisk.guards.declared import temporary_pattern


def remove_leftovers(outs: Iterable[str]) -> None:
    """Remove the temporary neighbours of a run that was killed; the stage's lock must be held."""
    for out in outs:
        for leftover in Path(out).parent.glob(temporary_pattern(out)):
            leftover.unlink()


def check_present(outs: Iterable[str]) -> None:
    """Refuse a run whose outputs are not all there.

    DVC says so too, but it may also be what removed them: it does before it runs a stage, and
    then learns that a run by hand holds the lock.

    Raises
    ------
    UserError
        Naming what is missing.
    """
    if missing := [out for out in outs if not Path(out).exists()]:
        raise UserError(f"its outputs {', '.join(missing)} are not there: run it again")


def check_metrics(metrics: Iterable[str]) -> None:
    """Read every metrics file and refuse numbers that are none.

    Raises
    ------
    UserError
        Naming the file and the key of a NaN or an infinite number.
    """
    for file in metrics:
        try:
            io.plain(io.read_json(Path(file)), digits=None)
        except io.NonFiniteError as error:
            raise UserError(f"{file}: {error}") from None
