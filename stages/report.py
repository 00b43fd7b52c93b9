"""report: one stage's results → one self-contained HTML page (``foreach`` page).

Inputs: data/results/<stage of the page>.json, reports/metrics/<stage>.json (headline
numbers of that stage, or of the one that the page shows beside it),
reports/metrics/clean.json (the hash of the data), requirements.txt (the pinned versions).
Output: reports/<page>.html.
Parameters: none. Work: creditrisk.reporting.render.render, which computes no statistics.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from creditrisk import io, paths
from creditrisk.errors import UserError
from creditrisk.reporting.provenance import complete
from creditrisk.reporting.render import PAGES, render


def main(
    *,
    item: str,
    results: Callable[[str], Path] = paths.results,
    metrics: Callable[[str], Path] = paths.metrics,
    clean: Path = paths.metrics("clean"),
    requirements: Path = paths.REQUIREMENTS,
    page: Callable[[str], Path] = paths.page,
) -> None:
    """Render page ``item`` from the results of the stage that it shows."""
    if item not in PAGES:
        raise UserError(f"no page {item!r}; there are: {', '.join(PAGES)}")
    shown = PAGES[item]
    document = io.read_json(results(shown.stage))
    beside = io.read_json(metrics(shown.beside or shown.stage))
    provenance = complete(
        document.get("provenance"),
        data_sha256=io.read_json(clean)["sha256"],
        requirements=requirements.read_text(encoding="utf-8"),
    )
    target = page(item)
    html = render(item, {**document, "beside": beside, "provenance": provenance})
    io.write_text(target, html)
    print(f"{target.name}: {len(html.encode()) / 1000:.0f} kB")


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "report", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
