"""What ``/metrics`` tells Prometheus: durations, predictions, flags, the served model.

Every label has a bounded set of values, whatever is asked for. The workers write to
files in ``PROMETHEUS_MULTIPROC_DIR``, which BentoML sets before it imports the
service; any worker's reply sums them all. Without that variable (one process, as in
a notebook) the numbers are those of this process.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import prometheus_client as prometheus
from prometheus_client import multiprocess

SHARED = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
"""Read once, as prometheus_client does."""
CONTENT_TYPE = prometheus.CONTENT_TYPE_PLAIN_0_0_4
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds; a client takes one or two thousandths, a batch of 10,000 under a second."""
PATHS = frozenset(
    [
        "/",
        "/docs",
        "/docs.json",
        "/predict",
        "/predict_batch",
        "/model",
        "/metrics",
        "/livez",
        "/readyz",
        "/healthz",
    ]
)
"""What may stand as a label; all else is "other"."""

DURATION = prometheus.Histogram(
    "credit_http_request_duration_seconds",
    "Time from the request's headers to the end of the reply",
    ["path", "status"],
    buckets=BUCKETS,
)
IN_FLIGHT = prometheus.Gauge(
    "credit_http_requests_in_flight", "Requests being answered", multiprocess_mode="livesum"
)
PREDICTIONS = prometheus.Counter("credit_predictions", "Clients scored", ["grade", "decision"])
FLAGS = prometheus.Counter("credit_flags", "Flags raised", ["flag"])
MODEL = prometheus.Gauge(
    "credit_model_info", "The served model: 1", ["version"], multiprocess_mode="mostrecent"
)

_prediction = cache(PREDICTIONS.labels)
_flag = cache(FLAGS.labels)
_duration = cache(DURATION.labels)


def observe(path: str, status: int, seconds: float) -> None:
    """Record one answered request.

    Parameters
    ----------
    path : str
        As it was asked for; an unknown one counts as "other".
    status : int
        HTTP status of the reply; 0 where the caller left before there was one.
    seconds : float
    """
    _duration(path if path in PATHS else "other", status).observe(seconds)


def count(predictions: Sequence[Mapping[str, Any]]) -> None:
    """Count scored clients, one step a label value and not one a client.

    Parameters
    ----------
    predictions : sequence of mapping
        Replies, with ``grade``, ``decision`` and ``flags`` (the codes that are raised).
    """
    for pair, number in Counter((p["grade"], p["decision"]) for p in predictions).items():
        _prediction(*pair).inc(number)
    raised = chain.from_iterable(p["flags"] for p in predictions)
    for code, number in Counter(raised).items():
        _flag(code).inc(number)


def exposition(version: str) -> bytes:
    """Return all numbers in Prometheus' text format.

    Parameters
    ----------
    version : str
        Of the served model.
    """
    MODEL.labels(version).set(1)
    if SHARED is None:
        return prometheus.generate_latest()
    forget_dead(Path(SHARED))
    registry = prometheus.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, SHARED)
    return prometheus.generate_latest(registry)


def forget_dead(folder: Path) -> None:
    """Drop the requests in flight of workers that were killed; what they counted stays.

    A worker that ends in order has none in flight. BentoML starts a new one for a
    killed one and offers no hook for it, so this happens when somebody looks.
    """
    for file in folder.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(process, str(folder))
        except PermissionError:
            continue  # it lives, as another user's process
