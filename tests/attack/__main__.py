"""``python -m tests.attack [names…] [--full]``: attack the pipeline and say what held."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.attack import (
    determinism,
    disk_full,
    flip,
    fresh_clone,
    kill,
    midrun,
    touch,
    two_repros,
    wrong_hash,
)
from tests.attack.ground import Skip, Yard

ATTACKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        fresh_clone,
        wrong_hash,
        touch,
        midrun,
        kill,
        flip,
        disk_full,
        two_repros,
        determinism,
    )
}


def main(arguments: list[str] | None = None) -> int:
    """Make the attacks; return 1 when one succeeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"all by default: {', '.join(ATTACKS)}")
    parser.add_argument(
        "--full", action="store_true", help="every case, on the whole pipeline (about an hour)"
    )
    parser.add_argument("--write", action="store_true", help="touch: write the golden table anew")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(ATTACKS):
        parser.error(f"no attack {', '.join(sorted(unknown))}; there are: {', '.join(ATTACKS)}")
    if options.write:
        print(touch.write())
        return 0
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        yard = Yard(Path(folder), is_full=options.full)
        held = [report(name, yard) for name in options.names or ATTACKS]
    return 0 if all(held) else 1


def report(name: str, yard: Yard) -> bool:
    """Make one attack and print its outcome; tell whether the pipeline held."""
    started = time.monotonic()
    try:
        outcome, is_held = ATTACKS[name].attack(yard), True
    except Skip as reason:
        outcome, is_held = f"not made: {reason}", True
    except AssertionError as error:
        outcome, is_held = f"GOT THROUGH: {error}", False
    print(f"{name:12} {time.monotonic() - started:6.1f} s  {outcome}", flush=True)
    return is_held


if __name__ == "__main__":
    sys.exit(main())
