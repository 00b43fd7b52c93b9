"""What is measured of a server: speed, batches, memory, and agreement with the model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.serving import load, peer, servers
from creditrisk import io, paths, schema
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


STEPS = 10
"""Readings of the memory while it is watched, after the first."""
QUIET_PERCENT = 10.0
QUIET_SECONDS = 120.0
"""How long a server waits for its turn while others keep the machine busier than that."""


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Turns of each server.
    n_connections : int
    warm_up_s, seconds, single_s : float
        Of load that is not counted, of load on all connections, and on one.
    n_batch, n_batches : int
        Clients in a batch, batches of each kind in a round.
    n_watched : int
        Requests over which the memory is watched.
    n_compared : int
        Clients whose batch reply is held against their single one.
    """

    rounds: int = 3
    n_connections: int = 8
    warm_up_s: float = 2.0
    seconds: float = 8.0
    single_s: float = 3.0
    n_batch: int = 1000
    n_batches: int = 20
    n_watched: int = 200_000
    n_compared: int = 2000


def records(clients: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the clients as a caller writes them: Kaggle's columns, whole numbers as such."""
    columns = list(schema.FEATURE_COLUMNS)
    rows = clients[columns].to_numpy(dtype=float).tolist()
    return [
        {c: int(v) if v.is_integer() else v for c, v in zip(columns, row, strict=True)}
        for row in rows
    ]


def all_speeds(
    clients: pd.DataFrame, settings: Settings, progress: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Measure every server in turns, one at a time; the peers' model is trained first.

    Returns
    -------
    dict of dict
        By server: ``label``, ``median`` and ``rounds``, whose figures are those of
        :func:`speed`.
    """
    requests = [load.post("/predict", record) for record in records(clients)]
    with tempfile.TemporaryDirectory() as folder:
        progress("training the peers' model")
        train_peers(clients, Path(folder))
        contestants = [servers.OURS, *servers.peers(Path(folder))]
        found: dict[str, list[dict[str, float]]] = {one.id: [] for one in contestants}
        for number in range(settings.rounds):
            for one in contestants:
                figures = speed(one, requests, settings)
                found[one.id].append(figures)
                progress(
                    f"round {number + 1} of {settings.rounds}, {one.label}: "
                    f"{figures['requests_per_s']:.0f} requests/s, p99 {figures['p99_ms']:.1f} ms"
                )
    return {
        one.id: {
            "label": one.label,
            "median": medians(found[one.id]),
            "rounds": found[one.id],
        }
        for one in contestants
    }


def train_peers(clients: pd.DataFrame, folder: Path) -> None:
    """Fit the peers' model on the training rows, with the parameters of the served one."""
    from creditrisk.models import steps
    from creditrisk.models.training import available_cores

    parameters = io.read_json(paths.results("train/xgboost"))["parameters"]
    ((_, model),) = steps.boosted_trees(parameters, available_cores())
    rows = clients[(clients[schema.SPLIT] == schema.TRAIN) & clients[schema.FIT_ROW]]
    peer.train(rows, rows[schema.TARGET], model, folder)


def speed(
    contestant: servers.Contestant, requests: Sequence[bytes], settings: Settings
) -> dict[str, float]:
    """Start a server, load it and stop it.

    Returns
    -------
    dict of float
        ``busy_before_percent`` of the machine before the start, ``start_s`` until ready; on
        all connections ``requests_per_s``, ``p50_ms``, ``p95_ms``, ``p99_ms``, ``errors`` and
        ``cpu_us`` of the server a request; ``single_p50_ms`` on one; ``rss_mb`` and ``pss_mb``
        of a worker afterwards.
    """
    busy = wait_for_quiet()
    endless = cycle(requests)
    width = settings.n_connections
    with servers.running(contestant) as server:
        load.drive(server.port, endless, n_connections=width, seconds=settings.warm_up_s)
        before = server.cpu_seconds()
        loaded = load.drive(server.port, endless, n_connections=width, seconds=settings.seconds)
        spent = server.cpu_seconds() - before
        alone = load.drive(server.port, endless, n_connections=1, seconds=settings.single_s)
        return {
            "busy_before_percent": busy,
            "start_s": server.start_s,
            **loaded.figures(),
            "cpu_us": 1e6 * spent / len(loaded.latencies),
            "single_p50_ms": alone.figures()["p50_ms"],
            **server.memory(),
        }


def wait_for_quiet() -> float:
    """Wait until others leave the machine alone, but not for ever; return how busy it is, %."""
    deadline = monotonic() + QUIET_SECONDS
    while (busy := psutil.cpu_percent(interval=1.0)) > QUIET_PERCENT and monotonic() < deadline:
        continue
    return busy


def batches(clients: pd.DataFrame, settings: Settings) -> list[dict[str, Any]]:
    """Score batches on one connection, with reasons and without.

    Returns
    -------
    list of dict
        ``reasons`` and medians of the rounds: ``rows_per_cpu_s`` of the server, that is, rows
        a second and core, ``rows_per_s`` that a caller waits for, ``errors``.
    """
    found = []
    with servers.running(servers.OURS) as server:
        for reasons in (False, True):
            sent = _batch_requests(records(clients), settings.n_batch, reasons=reasons)
            rounds = []
            for _ in range(settings.rounds + 1):  # the first one warms up
                before = server.cpu_seconds()
                part = islice(cycle(sent), settings.n_batches)
                loaded = load.drive(server.port, part, n_connections=1)
                n_rows, spent = settings.n_batch * settings.n_batches, server.cpu_seconds() - before
                rounds.append(
                    {
                        "rows_per_cpu_s": n_rows / spent,
                        "rows_per_s": n_rows / loaded.seconds,
                        "errors": loaded.errors,
                    }
                )
            found.append({"reasons": reasons, **medians(rounds[1:])})
    return found


def _batch_requests(
    clients: Sequence[Mapping[str, Any]], size: int, *, reasons: bool
) -> list[bytes]:
    """Return the clients as requests of batches, each full."""
    starts = range(0, len(clients) - size + 1, size)
    return [
        load.post(
            "/predict_batch",
            {"clients": clients[i : i + size], "reasons": reasons},
        )
        for i in starts
    ]


def watch_memory(clients: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Read the memory of a worker while requests go by.

    Returns
    -------
    dict
        ``n_settling`` requests before the first reading, until timers, caches and the
        allocator are filled; ``n_requests`` and ``errors`` from then on, ``rss_mb`` at the
        start and after each tenth of them, and ``growth_mb`` from first to last.
    """
    endless = cycle([load.post("/predict", record) for record in records(clients)])
    step, width = settings.n_watched // STEPS, settings.n_connections
    n_settling = settings.n_watched
    with servers.running(servers.OURS) as server:
        load.drive(server.port, islice(endless, n_settling), n_connections=width)
        readings, errors = [server.memory()["rss_mb"]], 0
        for _ in range(STEPS):
            errors += load.drive(server.port, islice(endless, step), n_connections=width).errors
            readings.append(server.memory()["rss_mb"])
    return {
        "n_settling": n_settling,
        "n_requests": STEPS * step,
        "errors": errors,
        "rss_mb": readings,
        "growth_mb": readings[-1] - readings[0],
    }


def agreement(clients: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Hold the replies for all clients against the model, and batch against single replies.

    Returns
    -------
    dict
        ``n_clients``, ``max_difference`` of probabilities, ``n_compared`` clients in batches
        and ``n_different``, those whose reply is not the single one to the last digit.

    Raises
    ------
    UserError
        When a request fails.
    """
    rows = records(clients)
    singles: dict[int, Any] = {}
    chosen = np.linspace(0, len(rows) - 1, settings.n_compared).astype(int).tolist()
    sent = _batch_requests([rows[i] for i in chosen], settings.n_batch, reasons=True)
    together: dict[int, Any] = {}
    with servers.running(servers.OURS) as server:
        load.drive(
            server.port,
            (load.post("/predict", row) for row in rows),
            n_connections=settings.n_connections,
            keep=lambda i, body: singles.update({i: json.loads(body)}),
        )
        load.drive(
            server.port,
            sent,
            n_connections=1,
            keep=lambda i, body: together.update({i: json.loads(body)["results"]}),
        )
    if len(singles) < len(rows) or len(together) < len(sent):
        raise UserError("the service refused a client of the table: see `reports/`")
    probability = np.array([singles[i]["probability"] for i in range(len(rows))])
    replies = [reply for i in range(len(sent)) for reply in together[i]]
    return {
        "n_clients": len(rows),
        "max_difference": float(np.abs(probability - model_probability(clients)).max()),
        "n_compared": len(replies),
        "n_different": sum(singles[i] != reply for i, reply in zip(chosen, replies, strict=False)),
    }


def model_probability(clients: pd.DataFrame) -> np.ndarray:
    """Return what the model in ``models/`` says by itself, float64, shape (n,)."""
    import xgboost

    from creditrisk.features import record, registry

    champion = io.read_json(paths.MODELS / "champion.json")
    calibration = champion["calibration"] or {"slope": 1.0, "intercept": 0.0}
    booster = xgboost.Booster(model_file=paths.MODELS / "champion.ubj")
    features = registry.compute(record.from_frame(clients), champion["features"])
    margin = booster.predict(xgboost.DMatrix(features), output_margin=True).astype(float)
    return 1.0 / (1.0 + np.exp(-(calibration["slope"] * margin + calibration["intercept"])))


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}
