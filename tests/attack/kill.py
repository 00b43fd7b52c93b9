"""SIGKILL at any moment: the next run ends where a clean one does, with no orphan and no loss."""

from __future__ import annotations

import hashlib
import shutil
import time

import psutil

from tests.attack.ground import Gate, Ground, Yard, wait_for
from tests.small_pipeline import commit

MOMENTS = {False: 0, True: 30}
WRITTEN_IN_PLACE = {False: ("dvc.lock",), True: ("dvc.lock", ".dvc/tmp/rwlock")}
"""Files of DVC's that a kill can cut off."""
STAGES_WITH_WORKERS = ("rfm", "train@random_forest", "cluster")
"""Targets of the full attack: processes and threads of their own are what leaves orphans."""
SECONDS = 5.0
"""Time that processes of a killed run have to notice it."""


def attack(yard: Yard) -> str:
    """Kill DVC, or the stage, at random moments of runs from an empty cache."""
    targets = STAGES_WITH_WORKERS if yard.is_full else yard.targets
    clean = emptied(yard)
    started = time.monotonic()
    clean.must("dvc", "repro", *targets)
    length = time.monotonic() - started
    stood_at_gate(yard)
    n_cut = n_mended = 0
    for moment in range(MOMENTS[yard.is_full]):
        victim = ("dvc", "stage")[moment % 2]
        after = yard.random.uniform(0.3, 0.95 * length)
        ground = emptied(yard)
        n_cut += killed(ground, victim, after, targets)
        n_mended += recovered(ground, clean, targets, f"{victim} killed after {after:.2f} s")
    for name in WRITTEN_IN_PLACE[yard.is_full]:
        ground = emptied(yard)
        killed_in_a_write(ground, name, targets)
        n_mended += recovered(ground, clean, targets, f"dvc killed while it wrote {name}")
    return (
        f"1 kill at a gate, {MOMENTS[yard.is_full]} at random moments, {n_cut} of them in time, and "
        f"1 while DVC wrote {' and '.join(WRITTEN_IN_PLACE[yard.is_full])}; {n_mended} cut off and mended"
    )


def emptied(yard: Yard) -> Ground:
    """Return a ground where nothing has run: no lock, no output, no cache."""
    ground = yard.copy("kill")
    for name in (".dvc/cache", ".dvc/tmp", "data/interim", "data/results", "models", "reports"):
        shutil.rmtree(ground.folder / name, ignore_errors=True)
    (ground.folder / "dvc.lock").unlink()
    (ground.folder / "data/raw/clients.csv").unlink()
    return ground


def killed(ground: Ground, victim: str, after: float, targets: tuple[str, ...]) -> bool:
    """Kill a run after some seconds; tell whether it was still going."""
    run = ground.start("dvc", "repro", *targets)
    time.sleep(after)
    was_running = run.poll() is None
    if victim == "stage":
        for process in psutil.Process(run.pid).children(recursive=True) if was_running else ():
            process.kill()
    else:
        run.kill()
    ground.end(run)
    nobody_left(ground, f"{victim} killed after {after:.2f} s")
    return was_running


def killed_in_a_write(ground: Ground, name: str, targets: tuple[str, ...]) -> None:
    """Kill DVC as soon as a file that it writes in place has become shorter."""
    file = ground.folder / name
    run = ground.start("dvc", "repro", *targets)
    longest = 0
    while run.poll() is None:
        for _ in range(1000):  # looking takes a microsecond, asking for the process ten
            size = file.stat().st_size if file.exists() else 0
            if size < longest:
                run.kill()
                break
            longest = size
    ground.end(run)
    nobody_left(ground, f"dvc killed while it wrote {name}")


def nobody_left(ground: Ground, when: str) -> None:
    """Assert that no process of a killed run lives on."""
    wait_for(lambda: not ground.processes(), f"{when}: {ground.processes()} end", SECONDS)


def recovered(ground: Ground, clean: Ground, targets: tuple[str, ...], when: str) -> bool:
    """Assert that the next run ends like a clean one; tell whether it had to be mended."""
    is_mended = ground.repro(*targets)
    ground.same_lock_as(clean, when, may_have_more=is_mended)
    assert ground.temporaries() == [], when
    held = {p.parent.name + p.name for p in ground.cache_objects()}
    lost = {path for path in clean.outputs() if ground.outputs()[path] not in held}
    lost = {path for path in lost if not path.startswith("reports/")}  # git keeps those
    assert not lost, f"{when}: not in the cache: {sorted(lost)}"
    for path in ground.cache_objects():
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert md5 == path.parent.name + path.name, f"{when}: a broken object {path}"
    return is_mended


def stood_at_gate(yard: Yard) -> None:
    """Kill DVC while a stage waits, which would wait for ever: it has to notice."""
    ground = yard.copy("orphan")
    gate = Gate(ground, "rfm")
    commit(ground.folder, "gated")
    run = ground.start("dvc", "repro", "rfm")
    gate.wait()
    run.kill()
    try:
        nobody_left(ground, "dvc killed while a stage ran")
    finally:
        gate.open()  # an orphan of a failed attack does not live on
        ground.end(run)
    ground.must("dvc", "repro", "rfm")
