"""The serving benchmark compares like with like and counts honestly; speeds are never asserted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.serving import load, measure, peer, targets
from creditrisk.features import record, registry
from tests import generated

FAMILIES = ("amounts", "status_codes", "delay", "utilization", "payment", "spend")
NAMES = registry.select(FAMILIES, audit_attributes="exclude")


@pytest.fixture(scope="module")
def clients() -> pd.DataFrame:
    return generated.clients(300)


@pytest.fixture(scope="module")
def folder(clients: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from xgboost import XGBClassifier

    folder = tmp_path_factory.mktemp("peer")
    model = XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1)
    peer.train(clients, clients["default"], model, folder)
    return folder


class Answers(BaseHTTPRequestHandler):
    """Answers by what a request asks for; ``closes`` ends the connection after the reply."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({asked.get("name", "probability"): asked["n"]}).encode()
        self.send_response(asked.get("status", 200))
        self.send_header("Content-Length", str(len(body) + asked.get("missing", 0)))
        if asked.get("closes"):
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_peers_compute_the_features_of_the_registry(clients: pd.DataFrame) -> None:
    found = peer.pandas_features(clients)
    assert set(found) == set(NAMES)
    expected = registry.compute(record.from_frame(clients), NAMES)
    np.testing.assert_allclose(found[NAMES].to_numpy(dtype=float), expected, atol=1e-12)


@pytest.mark.parametrize("features", ["pandas", "arrays"])
def test_a_peer_answers_with_its_models_probability(
    clients: pd.DataFrame, folder: Path, features: str
) -> None:
    import joblib
    from xgboost import XGBClassifier

    model = XGBClassifier()
    model.load_model(folder / peer.MODEL)
    scaler = joblib.load(folder / peer.SCALER)
    expected = model.predict_proba(scaler.transform(peer.pandas_features(clients)))[:, 1]
    app = peer.create(str(folder), features, 1).test_client()
    for i, sent in enumerate(measure.records(clients)[:5]):
        reply = app.post("/predict", json=sent)
        assert reply.get_json() == {"probability": pytest.approx(expected[i], abs=1e-6)}


def test_every_reply_comes_back_under_its_number_and_bad_ones_are_errors(port: int) -> None:
    bad = ({"status": 500}, {"name": "other"}, {"missing": 9, "closes": True})
    asked = [{"n": n, "closes": n % 7 == 0} for n in range(40)]
    asked += [{"n": 40 + i, **one} for i, one in enumerate(bad)]
    replies: dict[int, bytes] = {}
    found = load.drive(
        port,
        (load.post("/", one) for one in asked),
        n_connections=3,
        keep=lambda i, body: replies.update({i: body}),
    )
    assert {n: json.loads(body) for n, body in replies.items()} == {
        n: {"probability": n} for n in range(40)
    }
    assert (len(found.latencies), found.errors) == (43, 3)


def test_a_load_without_end_stops_at_its_time(port: int) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield load.post("/", {"n": 1})

    found = load.drive(port, endless(), n_connections=2, seconds=0.3)
    assert found.errors == 0
    assert 0.3 <= found.seconds < 5
    assert found.figures()["requests_per_s"] == pytest.approx(len(found.latencies) / found.seconds)


def test_targets_tell_met_from_missed() -> None:
    document = {
        "servers": {
            one: {
                "ratio": ratio,
                "median": {
                    "p99_ms": 16.0,
                    "cpu_us": 500.0,
                    "single_p50_ms": 1.0,
                    "start_s": 2.0,
                    "rss_mb": 100.0,
                },
            }
            for one, ratio in (
                ("ours", 1.0),
                ("flask_arrays_one_thread", 6.0),
                ("flask_arrays_default", 19.0),
                ("flask_pandas_one_thread", 30.0),
                ("flask_pandas_default", 40.0),
            )
        },
        "batches": [{"rows_per_cpu_s": 50_000.0}, {"rows_per_cpu_s": 9_000.0}],
        "memory": {"rss_mb": [100.0, 261.0], "growth_mb": 0.5},
        "agreement": {"max_difference": 1e-7, "n_different": 1},
    }
    missed = [row["what"] for row in targets.judge(document) if not row["is_met"]]
    assert missed == [
        "times Flask, array features, default",
        "p99 on all connections, ms",
        "batch rows/s a core, with reasons",
        "RSS of a worker, MB",
        "batch replies unlike single ones",
    ]
