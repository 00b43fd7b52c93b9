"""One flipped bit in the cache, which DVC would trust: verify names the object."""

from __future__ import annotations

from pathlib import Path

from tests.attack.ground import Ground, Skip, Yard

N_SAMPLED = 1


def attack(yard: Yard) -> str:
    """Flip a bit of each cache object in turn."""
    ground = yard.copy("flip")
    if "verify" not in ground.must("python", "-m", "creditrisk", "--help"):
        raise Skip("python -m creditrisk has no verify yet")
    objects = ground.cache_objects()
    names = {path: path.parent.name + path.name for path in objects}
    _, before = ground.call("python", "-m", "creditrisk", "verify")
    assert not [n for n in names.values() if n in before], f"whole objects are named:\n{before}"
    chosen = objects if yard.is_full else yard.random.sample(objects, N_SAMPLED)
    for path in chosen:
        flipped(ground, path, names[path], yard.random.random())
    return f"{len(chosen)} of {len(objects)} objects flipped, each named"


def flipped(ground: Ground, path: Path, name: str, where: float) -> None:
    """Flip one bit, look at what verify says, and put it back."""
    good = path.read_bytes()
    at = int(where * len(good))
    path.chmod(0o644)
    path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    path.chmod(0o444)  # the kind that DVC trusts
    said = ground.must_fail("python", "-m", "creditrisk", "verify")
    assert name in said or f"{name[:2]}/{name[2:]}" in said, f"byte {at} of {name}:\n{said}"
    path.chmod(0o644)
    path.write_bytes(good)
