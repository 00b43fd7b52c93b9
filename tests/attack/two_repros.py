"""Two runs at once: the second says who holds the lock (or waits), and nothing is mixed up."""

from __future__ import annotations

from tests.attack.ground import Gate, Yard
from tests.small_pipeline import commit


def attack(yard: Yard) -> str:
    """Hold a run at a gate and start it again through DVC, then the stage alone."""
    ground = yard.copy("twice")
    gate = Gate(ground, "rfm")
    commit(ground.folder, "gated")
    first = ground.start("dvc", "repro", "rfm")
    gate.wait()
    by_dvc = ground.must_fail("dvc", "repro", "rfm")
    assert "busy" in by_dvc or "lock" in by_dvc, by_dvc
    assert str(first.pid) in by_dvc, f"the holder's process is not named:\n{by_dvc}"
    by_hand = ground.must_fail("python", "-m", "creditrisk.run", "rfm")
    assert "rfm" in by_hand, by_hand
    assert "Traceback" not in by_hand, by_hand
    gate.open()
    code, said = ground.end(first)
    assert code == 0, said
    status = ground.must("dvc", "status", "rfm")
    assert "up to date" in status, status
    assert ground.outputs() == yard.template.outputs()
    return "2 second runs turned away, the first undisturbed"
