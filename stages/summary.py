"""summary: the headline numbers of all stages → one JSON, and what the first page shows.

Inputs: reports/metrics/{clean,evaluate,cluster}.json, reports/metrics/train/<family>.json,
models/manifest.json, docs/pipeline.json (the graph of dvc.yaml).
Outputs: reports/metrics/summary.json, data/results/summary.json. Parameters: none.
Work: creditrisk.metrics.headline.gather_headline.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from creditrisk import io, paths
from creditrisk.metrics import headline as work


def main(
    *,
    clean: Path = paths.metrics("clean"),
    evaluate: Path = paths.metrics("evaluate"),
    cluster: Path = paths.metrics("cluster"),
    families: Path = paths.METRICS / "train",
    manifest: Path = paths.MODELS / "manifest.json",
    pipeline: Path = paths.PIPELINE,
    results: Path = paths.results("summary"),
    metrics: Path = paths.metrics("summary"),
) -> None:
    """Gather the headline and the picture of the pipeline."""
    headline = work.gather_headline(
        io.read_json(clean), io.read_json(evaluate), io.read_json(cluster)
    )
    graph = io.read_json(pipeline)
    names = next(n["items"] for n in graph["nodes"] if n["name"] == "train")
    io.write_json(metrics, headline)
    io.write_json(
        results,
        {
            "headline": headline,
            "families": {name: io.read_json(families / f"{name}.json") for name in names},
            "pipeline": graph,
            "provenance": {"model sha256": io.read_json(manifest)["files"]["champion.ubj"]},
        },
    )


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "summary", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
