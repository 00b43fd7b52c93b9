"""The served model on every client of the table; runs where the pipeline has run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from creditrisk import io, paths, schema
from tests.service.conftest import ROOT, _serve_beside, post

MODELS, CLIENTS = ROOT / paths.MODELS, ROOT / paths.CLIENTS
pytestmark = pytest.mark.skipif(
    not (MODELS / "champion.npz").exists() or not CLIENTS.exists(),
    reason="the pipeline has not run here: `dvc repro` makes models and clients",
)


@pytest.fixture(scope="module")
def real_api(api: Any) -> Iterator[Any]:
    yield from _serve_beside(MODELS)


@pytest.fixture(scope="module")
def clients() -> list[dict[str, Any]]:
    frame = io.read_table(CLIENTS)[list(schema.FEATURE_COLUMNS)]
    return json.loads(frame.to_json(orient="records"))


@pytest.fixture(scope="module")
def results(real_api: Any, clients: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for i in range(0, len(clients), 10_000):
        batch = {"clients": clients[i : i + 10_000]}
        found += post(real_api, "/predict_batch", batch).json()["results"]
    return found


def test_probabilities_are_the_pipelines(results: list[dict[str, Any]]) -> None:
    """Of trees that XGBoost itself evaluates, through the calibration line if there is one."""
    import xgboost

    champion = io.read_json(MODELS / "champion.json")
    X = io.read_table(ROOT / paths.FEATURES, champion["features"]).to_numpy()
    booster = xgboost.Booster(model_file=MODELS / "champion.ubj")
    margin = booster.predict(xgboost.DMatrix(X), output_margin=True).astype(float)
    line = champion["calibration"] or {"slope": 1.0, "intercept": 0.0}
    expected = 1 / (1 + np.exp(-(line["slope"] * margin + line["intercept"])))
    found = np.array([r["probability"] for r in results])
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_base_reasons_and_other_make_the_log_odds(results: list[dict[str, Any]]) -> None:
    for reply in results:
        named = sum(reason["contribution"] for reason in reply["reasons"])
        p = reply["probability"]
        total = reply["base"] + named + reply["other"]
        assert math.isclose(total, math.log(p / (1 - p)), rel_tol=0, abs_tol=1e-6)


def test_labels_are_those_of_the_stages(results: list[dict[str, Any]]) -> None:
    clusters = io.read_table(ROOT / paths.CLUSTERS, ["cluster_id"])["cluster_id"]
    assert [r["cluster"]["id"] for r in results] == clusters.tolist()
    segments = io.read_table(ROOT / paths.RFM, ["segment"])["segment"]
    assert [r["rfm"]["segment"] for r in results] == segments.tolist()


def test_one_by_one_is_the_batch_bit_for_bit(
    real_api: Any, clients: list[dict[str, Any]], results: list[dict[str, Any]]
) -> None:
    for i in range(0, len(clients), 101):
        assert post(real_api, "/predict", clients[i]).json() == results[i]


def test_personal_attributes_change_no_byte(real_api: Any, clients: list[dict[str, Any]]) -> None:
    champion = io.read_json(MODELS / "champion.json")
    if set(schema.AUDIT_COLUMNS) & set(champion["features"]):
        pytest.skip("the served model reads personal attributes")
    for client in clients[::997]:
        expected = post(real_api, "/predict", client).content
        other = {"SEX": 3 - client["SEX"], "EDUCATION": 6, "MARRIAGE": 0, "AGE": 99}
        for name, value in other.items():
            assert post(real_api, "/predict", {**client, name: value}).content == expected
        assert post(real_api, "/predict", {**client, **other}).content == expected


def test_reasons_speak_of_behaviour_alone(results: list[dict[str, Any]]) -> None:
    words = " ".join({r["text"] for reply in results for r in reply["reasons"]}).lower()
    for personal in ("age", "sex", "education", "marri", "male", "university"):
        assert not any(word.startswith(personal) for word in words.split()), personal
    shares = np.mean([bool(reply["reasons"]) for reply in results])
    assert shares > 0.99
