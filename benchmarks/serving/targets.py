"""What was aimed at, beside what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """A bound on one figure of :func:`figures`: a lower one where ``at_least``."""

    figure: str
    what: str
    bound: float
    at_least: bool = False


TARGETS = (
    Target("flask_arrays_one_thread", "times Flask, array features, one thread", 5, at_least=True),
    Target("flask_arrays_default", "times Flask, array features, default", 20, at_least=True),
    Target("flask_pandas_one_thread", "times Flask, pandas features, one thread", 5, at_least=True),
    Target("flask_pandas_default", "times Flask, pandas features, default", 20, at_least=True),
    Target("p99_ms", "p99 on all connections, ms", 15),
    Target("cpu_us", "CPU of the server a request, us", 600),
    Target("single_p50_ms", "p50 on one connection, ms", 1.5),
    Target("plain_rows", "batch rows/s a core, without reasons", 40_000, at_least=True),
    Target("full_rows", "batch rows/s a core, with reasons", 10_000, at_least=True),
    Target("start_s", "start to ready, s", 4),
    Target("rss_mb", "RSS of a worker, MB", 260),
    Target("growth_mb", "growth over the requests watched, MB", 1),
    Target("max_difference", "largest difference to the model", 1e-6),
    Target("n_different", "batch replies unlike single ones", 0),
)


def figures(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that targets speak of, by name.

    Parameters
    ----------
    document : mapping
        ``servers``, ``batches``, ``memory`` and ``agreement`` of the results.
    """
    own = document["servers"]["ours"]["median"]
    plain, full = (row["rows_per_cpu_s"] for row in document["batches"])
    return {
        **{name: row["ratio"] for name, row in document["servers"].items()},
        **own,
        **document["memory"],
        **document["agreement"],
        "plain_rows": plain,
        "full_rows": full,
        "rss_mb": max(own["rss_mb"], *document["memory"]["rss_mb"]),
    }


def judge(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold the figures against the targets.

    Parameters
    ----------
    document : mapping
        See :func:`figures`.

    Returns
    -------
    list of dict
        ``what``, ``measured``, ``bound``, ``at_least`` and ``is_met``.
    """
    found = figures(document)
    return [
        {
            "what": one.what,
            "measured": (measured := found[one.figure]),
            "bound": one.bound,
            "at_least": one.at_least,
            "is_met": measured >= one.bound if one.at_least else measured <= one.bound,
        }
        for one in TARGETS
    ]
