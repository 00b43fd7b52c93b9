"""The numeric environment: what makes a number repeat on another machine.

Every stage depends on this file, since a changed setting may change a last digit.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

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


def numeric() -> dict[str, str]:
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
        groups: list[str] = []
        needed: set[str] = set()
        for group, extra in ABOVE_AVX2.items():
            needed = needed | extra
            if needed <= flags:
                groups.append(group)
        environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(groups)
    return environment


def apply() -> None:
    """Put :func:`numeric` into ``os.environ``.

    Raises
    ------
    RuntimeError
        When numpy was imported before: its kernels are chosen by then.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("the numeric environment must be set before numpy is imported")
    os.environ.update(numeric())
