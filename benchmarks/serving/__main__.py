"""Speed of the service beside tutorial servers: ``python -m benchmarks.serving``.

Starts this service and four Flask servers in turns, one at a time, two workers each, loads
them with the clients of the pipeline and writes medians and all rounds to
``benchmarks/results/serving.json``. Load and server share one machine: figures are those of
this machine, the ratios carry further.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from benchmarks.serving import measure, targets
from creditrisk import io, paths
from creditrisk.errors import UserError

RESULTS = Path("benchmarks/results/serving.json")
DIGITS = 3
"""Significant digits that a measurement deserves."""
QUICK = measure.Settings(
    rounds=1, warm_up_s=1.0, seconds=2.0, single_s=1.0, n_batches=4, n_watched=10_000
)
PACKAGES = ("bentoml", "uvloop", "xgboost", "pandas", "sklearn", "flask", "gunicorn")
COLUMNS = {
    "requests_per_s": "requests/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "single_p50_ms": "alone ms",
    "cpu_us": "CPU us",
    "rss_mb": "RSS MB",
    "pss_mb": "PSS MB",
    "start_s": "start s",
    "errors": "errors",
    "busy_before_percent": "busy %",
}
"""What the table shows of a server; the last is how busy the machine was before its start."""


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, system and the versions that matter."""
    lines = Path("/proc/cpuinfo")
    names = lines.read_text(encoding="utf-8").splitlines() if lines.exists() else []
    processor = next((n.partition(": ")[2] for n in names if n.startswith("model name")), "")
    distributions = packages_distributions()  # xgboost may have come as xgboost-cpu
    return {
        "processor": processor or platform.processor(),
        "n_cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version(distributions[name][0]) for name in PACKAGES},
    }


def table(document: Mapping[str, Any]) -> str:
    """Return the results as text: the servers, then each target with its figure."""
    lines = [f"{'':52}" + "".join(f"{head:>12}" for head in (*COLUMNS.values(), "ratio"))]
    for row in document["servers"].values():
        cells = [*(row["median"][name] for name in COLUMNS), row["ratio"]]
        lines.append(f"{row['label']:52}" + "".join(f"{cell:>12.4g}" for cell in cells))
    lines += [
        "The Flask servers answer the probability alone; ratio: our requests/s over theirs.",
        "",
    ]
    for row in document["targets"]:
        sign, mark = ("≥" if row["at_least"] else "≤"), ("" if row["is_met"] else "  not met")
        lines.append(f"{row['what']:52}{row['measured']:>12.4g}   {sign} {row['bound']:g}{mark}")
    return "\n".join(lines)


def run(settings: measure.Settings, *, target: Path | None, clients: Path = paths.CLIENTS) -> None:
    """Measure, print the table and write the results where a target is given."""

    def progress(line: str) -> None:
        print(line, flush=True)

    frame = io.read_table(clients)
    speeds = measure.all_speeds(frame, settings, progress)
    rate = speeds["ours"]["median"]["requests_per_s"]
    document: dict[str, Any] = {
        "machine": describe_machine(),
        "design": asdict(settings),
        "servers": {
            name: {**row, "ratio": rate / row["median"]["requests_per_s"]}
            for name, row in speeds.items()
        },
    }
    progress("batches")
    document["batches"] = measure.batches(frame, settings)
    progress(f"memory over {settings.n_watched:,} requests")
    document["memory"] = measure.watch_memory(frame, settings)
    progress(f"agreement with the model on {len(frame):,} clients")
    document["agreement"] = measure.agreement(frame, settings)
    document["targets"] = targets.judge(document)
    if target is not None:
        io.write_json(target, document, digits=DIGITS)
    print(table(document))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the service of this folder; a missing input is one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short round, two minutes; nothing is written"
    )
    quick = parser.parse_args(arguments).quick
    os.chdir(paths.ROOT)
    try:
        run(QUICK if quick else measure.Settings(), target=None if quick else RESULTS)
    except UserError as error:
        raise SystemExit(f"bench: {error}") from None
    except FileNotFoundError as error:
        raise SystemExit(
            f"bench: an input is missing ({error.filename or error}): `dvc repro` makes it first"
        ) from None


if __name__ == "__main__":
    main()
