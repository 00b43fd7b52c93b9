"""The routes in process: replies, rules for numbers, the one shape of errors."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creditrisk import schema
from creditrisk.features.record import from_mappings
from creditrisk.scoring import FLAGS
from creditrisk.segments.assignment import ClusterAssigner
from creditrisk.segments.placing import Placer
from creditrisk.serving import checks, guard
from creditrisk.serving.messages import Client
from creditrisk.serving.replies import Prediction, Results
from tests.service import model_folder
from tests.service.conftest import post

MARKER = 918273.5
"""A number that no reply and no log may repeat."""
TOO_LARGE = [{"field": "body", "message": "a body has at most 8,388,608 bytes"}]


def failure(response: Any, status: int) -> list[dict[str, str]]:
    assert response.status_code == status, response.text
    document = response.json()
    assert list(document) == ["error", "errors"]
    assert document["error"]
    assert all(set(e) == {"field", "message"} for e in document["errors"])
    return document["errors"]


def test_a_reply_holds_what_is_promised(api: Any, client: dict[str, Any]) -> None:
    reply = post(api, "/predict", client).json()
    assert list(reply) == list(Prediction.model_fields)
    assert set(reply["interval"]) == {"low", "high", "level", "kind"}
    assert reply["interval"]["low"] < reply["probability"] < reply["interval"]["high"]
    assert reply["interval"]["kind"] == model_folder.BAND["kind"]
    assert set(reply["cluster"]) == {"id", "name", "confidence", "typical"}, "no map, no position"
    assert reply["cluster"]["name"] == model_folder.CLUSTERS["names"][reply["cluster"]["id"]]
    assert reply["threshold"] == 0.25
    assert reply["rfm"]["segment"] in [s["name"] for s in model_folder.BANDS["segments"]]
    assert 1 <= len(reply["reasons"]) <= 4
    assert all(set(r) == {"code", "text", "contribution"} for r in reply["reasons"])
    assert "null" not in json.dumps(reply)


def test_every_reply_has_the_documented_form(map_api: Any, clients: list[dict[str, Any]]) -> None:
    """Replies are written without their models; the models state what they are."""
    for options in ({}, {"reasons": False}):
        response = post(map_api, "/predict_batch", {"clients": clients, **options})
        parsed = Results.model_validate_json(response.content, strict=True, extra="forbid")
        assert all(isinstance(result, Prediction) for result in parsed.results)


def test_the_method_behind_the_route_gives_the_same_bytes(api: Any, client: dict[str, Any]) -> None:
    """The guard answers /predict past BentoML's layers; a BentoML client in process does not."""
    import bentoml

    service = bentoml.get_current_service()
    response = asyncio.run(service.predict.local(Client.model_validate(client)))
    assert response.body == post(api, "/predict", client).content


def test_base_reasons_and_other_make_the_log_odds(api: Any, clients: list[dict[str, Any]]) -> None:
    for reply in post(api, "/predict_batch", {"clients": clients}).json()["results"]:
        named = sum(r["contribution"] for r in reply["reasons"])
        p = reply["probability"]
        assert math.isclose(
            reply["base"] + named + reply["other"], math.log(p / (1 - p)), abs_tol=1e-9
        )
        sizes = [abs(r["contribution"]) for r in reply["reasons"]]
        assert sizes == sorted(sizes, reverse=True)
        assert abs(reply["other"]) <= 5 * min(sizes) + 1e-5, "nothing larger is left unnamed"


def test_reasons_can_be_left_out(map_api: Any, clients: list[dict[str, Any]]) -> None:
    """Nothing else changes, not by a bit."""
    full = post(map_api, "/predict_batch", {"clients": clients}).json()["results"]
    short = post(map_api, "/predict_batch", {"clients": clients, "reasons": False})
    for reply in full:
        for name in ("reasons", "base", "other"):
            del reply[name]
        del reply["cluster"]["position"]
    assert short.json()["results"] == full
    errors = failure(post(map_api, "/predict_batch", {"clients": clients, "reasons": "no"}), 400)
    assert [e["field"] for e in errors] == ["reasons"]


def test_replies_equal_the_pipeline(api: Any, models: Path, clients: list[dict[str, Any]]) -> None:
    expected = model_folder.pipeline_probability(models, from_mappings(clients))
    results = post(api, "/predict_batch", {"clients": clients}).json()["results"]
    np.testing.assert_allclose([r["probability"] for r in results], expected, rtol=0, atol=1e-6)
    assert {r["decision"] for r in results} == {"flag", "clear"}
    for reply in results:
        assert (reply["decision"] == "flag") == (reply["probability"] >= reply["threshold"])


def test_one_by_one_is_the_batch_bit_for_bit(api: Any, clients: list[dict[str, Any]]) -> None:
    results = post(api, "/predict_batch", {"clients": clients}).json()["results"]
    for client, result in list(zip(clients, results, strict=True))[::10]:
        assert post(api, "/predict", client).json() == result


def test_flags_say_when_to_take_care(api: Any, client: dict[str, Any]) -> None:
    """The centre of the first cluster is utilisation 0.1 and nearly no late month."""
    calm = {**client, **dict.fromkeys(schema.STATUS_COLUMNS, 0), "LIMIT_BAL": 100_000}
    calm |= dict.fromkeys(schema.BILL_COLUMNS, 10_000)
    calm |= dict.fromkeys(schema.PAID_COLUMNS, 1_000)
    reply = post(api, "/predict", calm).json()
    assert reply["flags"] == []
    assert reply["cluster"]["typical"] is True

    unused = {**calm, **dict.fromkeys((*schema.BILL_COLUMNS, *schema.PAID_COLUMNS), 0)}
    assert post(api, "/predict", unused).json()["flags"] == ["inactive"]
    for name in (*schema.BILL_COLUMNS, *schema.PAID_COLUMNS):
        assert "inactive" not in post(api, "/predict", {**unused, name: -1}).json()["flags"]

    for name in schema.STATUS_COLUMNS:
        assert "unknown_code" in post(api, "/predict", {**calm, name: 9}).json()["flags"]
        assert "unknown_code" not in post(api, "/predict", {**calm, name: 8}).json()["flags"]


def test_codes_are_flagged_where_the_model_reads_them(
    audit_api: Any, client: dict[str, Any]
) -> None:
    known = {**client, "EDUCATION": 1, "MARRIAGE": 1}
    for change, unknown in (
        ({"EDUCATION": 4}, False),
        ({"EDUCATION": 0}, True),
        ({"EDUCATION": 5}, True),
        ({"MARRIAGE": 3}, False),
        ({"MARRIAGE": 0}, True),
    ):
        flags = post(audit_api, "/predict", {**known, **change}).json()["flags"]
        assert ("unknown_code" in flags) is unknown, change


def test_a_map_gives_everyone_a_position(
    map_api: Any, map_models: Path, clients: list[dict[str, Any]]
) -> None:
    """As the placer says, alone and in a batch; nothing else of the reply changes."""
    results = post(map_api, "/predict_batch", {"clients": clients}).json()["results"]
    assigner = ClusterAssigner(model_folder.CLUSTERS)
    expected = Placer(model_folder.LANDMARKS).place(assigner.scaled(from_mappings(clients)))
    assert [r["cluster"]["position"] for r in results] == expected.tolist()
    assert len(np.unique(expected, axis=0)) > 10
    for client, result in list(zip(clients, results, strict=True))[::10]:
        assert post(map_api, "/predict", client).json() == result


def test_absurd_amounts_have_no_place_on_the_map(map_api: Any, client: dict[str, Any]) -> None:
    absurd = {**client, "LIMIT_BAL": 5e-324}
    signs = (1.7e308, -1.7e308)
    absurd |= {name: signs[i % 2] for i, name in enumerate(schema.BILL_COLUMNS)}
    absurd |= dict.fromkeys(schema.PAID_COLUMNS, 1.7e308)
    response = post(map_api, "/predict", absurd)
    assert response.status_code == 200
    assert "null" not in response.text


def test_flags_are_documented(api: Any) -> None:
    schemas = api.get("/docs.json").json()["components"]["schemas"]
    assert schemas["Prediction"]["properties"]["flags"]["items"]["enum"] == list(FLAGS)
    assert "99 %" in schemas["Cluster"]["properties"]["typical"]["description"]
    assert "position" not in schemas["Cluster"]["required"]


def test_pay_1_is_pay_0_and_id_is_ignored(api: Any, client: dict[str, Any]) -> None:
    expected = post(api, "/predict", client).content
    renamed = {("PAY_1" if k == "PAY_0" else k): v for k, v in client.items()}
    assert post(api, "/predict", renamed).content == expected
    assert post(api, "/predict", {"ID": 17, **client}).content == expected
    assert post(api, "/predict", {"ID": {"any": ["thing"]}, **client}).content == expected
    floats = {k: float(v) for k, v in client.items()}
    assert post(api, "/predict", floats).content == expected


def test_personal_attributes_change_nothing(api: Any, client: dict[str, Any]) -> None:
    expected = post(api, "/predict", client).content
    for name, value in {"SEX": 2, "EDUCATION": 6, "MARRIAGE": 0, "AGE": 99}.items():
        assert post(api, "/predict", {**client, name: value}).content == expected
    bare = {k: v for k, v in client.items() if k not in schema.AUDIT_COLUMNS}
    assert post(api, "/predict", bare).content == expected


def test_a_model_with_personal_attributes_requires_them(
    audit_api: Any, client: dict[str, Any]
) -> None:
    assert post(audit_api, "/predict", client).status_code == 200
    bare = {k: v for k, v in client.items() if k not in ("SEX", "AGE")}
    errors = failure(post(audit_api, "/predict", bare), 400)
    assert errors == [{"field": f, "message": "is required"} for f in ("SEX", "AGE")]
    both = {"clients": [client, bare]}
    errors = failure(post(audit_api, "/predict_batch", both), 400)
    assert [e["field"] for e in errors] == ["clients[1].SEX", "clients[1].AGE"]
    results = post(audit_api, "/predict_batch", {**both, "on_error": "report"}).json()["results"]
    assert "probability" in results[0]
    assert results[1]["index"] == 1
    assert [e["field"] for e in results[1]["errors"]] == ["SEX", "AGE"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"LIMIT_BAL": 0}, "LIMIT_BAL", "must be greater than 0"),
    ({"LIMIT_BAL": -MARKER}, "LIMIT_BAL", "must be greater than 0"),
    ({"LIMIT_BAL": "918273.5"}, "LIMIT_BAL", "must be a number"),
    ({"LIMIT_BAL": None}, "LIMIT_BAL", "must be a number"),
    ({"LIMIT_BAL": True}, "LIMIT_BAL", "must be a number"),
    ({"BILL_AMT1": [MARKER]}, "BILL_AMT1", "must be a number"),
    ({"BILL_AMT1": {"x": MARKER}}, "BILL_AMT1", "must be a number"),
    ({"PAY_AMT6": float("nan")}, "PAY_AMT6", "must be a finite number"),
    ({"PAY_AMT6": float("inf")}, "PAY_AMT6", "must be a finite number"),
    ({"PAY_0": -3}, "PAY_0", "must be greater than or equal to -2"),
    ({"PAY_0": 10}, "PAY_0", "must be less than or equal to 9"),
    ({"PAY_3": 1.5}, "PAY_3", "must be a whole number"),
    ({"PAY_3": 2.0000000001}, "PAY_3", "must be a whole number"),
    ({"PAY_3": "2"}, "PAY_3", "must be a number"),
    ({"PAY_3": True}, "PAY_3", "must be a number"),
    ({"SEX": 3}, "SEX", "must be less than or equal to 2"),
    ({"EDUCATION": 7}, "EDUCATION", "must be less than or equal to 6"),
    ({"MARRIAGE": -1}, "MARRIAGE", "must be greater than or equal to 0"),
    ({"AGE": 17}, "AGE", "must be greater than or equal to 18"),
    ({"AGE": "30"}, "AGE", "must be a number"),
    ({"AGE": None}, "AGE", "must be a number"),
    ({"PAY_1": 0}, "PAY_1", "is the same month as PAY_0: give one of the two"),
    ({"income": MARKER}, "income", "is not a field of this request"),
    ({"default.payment.next.month": 1}, "default.payment.next.month", "is not a field"),
]


@pytest.mark.parametrize(("change", "field", "message"), WRONG, ids=lambda v: str(v)[:40])
def test_a_wrong_field_is_named(
    api: Any,
    client: dict[str, Any],
    change: dict[str, Any],
    field: str,
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = post(api, "/predict", {**client, **change})
    errors = failure(response, 400)
    assert len(errors) == 1
    assert errors[0]["field"] == field
    assert errors[0]["message"].startswith(message)
    assert str(MARKER) not in response.text
    assert str(MARKER) not in caplog.text
    assert "Traceback" not in caplog.text
    rows = {"clients": [client, {**client, **change}, client]}
    errors = failure(post(api, "/predict_batch", rows), 400)
    assert errors == [{"field": f"clients[1].{field}", "message": errors[0]["message"]}]
    assert errors[0]["message"].startswith(message)


@pytest.mark.parametrize(
    "name", [n for n in schema.FEATURE_COLUMNS if n not in schema.AUDIT_COLUMNS]
)
def test_a_missing_field_is_named(api: Any, client: dict[str, Any], name: str) -> None:
    del client[name]
    assert failure(post(api, "/predict", client), 400) == [
        {"field": name, "message": "is required"}
    ]


@pytest.mark.parametrize(
    "body",
    [b"{", b"null", b"[]", b"3", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000],
    ids=lambda b: repr(b[:8]),
)
@pytest.mark.parametrize("path", ["/predict", "/predict_batch"])
def test_what_is_no_object_is_refused(api: Any, path: str, body: bytes) -> None:
    assert failure(post(api, path, body), 400)[0]["field"] == "body"


def test_an_empty_body_is_refused(api: Any) -> None:
    for path, first in {"/predict": "LIMIT_BAL", "/predict_batch": "clients"}.items():
        errors = failure(post(api, path, b""), 400)
        assert errors[0] == {"field": first, "message": "is required"}


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({}, "clients", "is required"),
        ({"clients": []}, "clients", "must hold at least one client"),
        ({"clients": {}}, "clients", "must be a list"),
        ({"clients": [{}] * 10_001}, "clients", "must hold at most 10,000 clients"),
        ({"clients": [3]}, "clients[0]", "must be a JSON object"),
        ({"clients": [{}], "on_error": "ignore"}, "on_error", 'must be "reject" or "report"'),
    ],
    ids=lambda v: str(v)[:30],
)
def test_a_wrong_batch_is_refused(api: Any, document: Any, field: str, message: str) -> None:
    errors = failure(post(api, "/predict_batch", document), 400)
    assert {"field": field, "message": message} in errors


def test_a_report_answers_bad_clients_in_their_place(api: Any, clients: list[Any]) -> None:
    rows = [clients[0], {**clients[1], "PAY_2": MARKER}, 7, clients[2]]
    response = post(api, "/predict_batch", {"on_error": "report", "clients": rows})
    assert response.status_code == 200
    results = response.json()["results"]
    assert results[0] == post(api, "/predict", clients[0]).json()
    assert results[3] == post(api, "/predict", clients[2]).json()
    assert [list(results[i]) for i in (1, 2)] == [["error", "errors", "index"]] * 2
    assert [results[i]["index"] for i in (1, 2)] == [1, 2]
    assert results[1]["errors"][0]["field"] == "PAY_2"
    assert str(MARKER) not in response.text
    order = {"clients": rows, "on_error": "report"}  # the option may come last as well
    assert post(api, "/predict_batch", order).json()["results"] == results


def test_a_report_of_bad_clients_only(api: Any) -> None:
    results = post(api, "/predict_batch", {"clients": [{}], "on_error": "report"}).json()["results"]
    assert [r["index"] for r in results] == [0]


def test_ten_thousand_clients_are_scored_in_order(api: Any, clients: list[Any]) -> None:
    many = clients * 25
    results = post(api, "/predict_batch", {"clients": many}).json()["results"]
    assert len(results) == 10_000
    assert results[: len(clients)] * 25 == results


def test_errors_do_not_outgrow_the_request(api: Any) -> None:
    response = post(api, "/predict_batch", {"clients": [{}] * 10_000})
    assert len(failure(response, 400)) == 100


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "application/x"])
def test_only_json_is_read(api: Any, client: dict[str, Any], content_type: str) -> None:
    body = json.dumps(client).encode()
    headers = {"content-type": content_type}
    failure(api.post("/predict", content=body, headers=headers), 415)
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert api.post("/predict", content=body, headers=headers).status_code == 200


def test_a_body_has_a_largest_size(api: Any) -> None:
    large = b" " * (checks.MAX_BODY + 1)
    assert failure(post(api, "/predict_batch", large), 413) == TOO_LARGE
    parts = iter([large[: 2**20]] * 9)  # without a declared length
    headers = {"content-type": "application/json"}
    assert failure(api.post("/predict_batch", content=parts, headers=headers), 413) == TOO_LARGE


def test_too_many_requests(
    api: Any, client: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_IN_FLIGHT", 0)
    response = post(api, "/predict", client)
    failure(response, 429)
    assert response.headers["retry-after"] == "1"
    assert api.get("/livez").status_code == 200
    monkeypatch.undo()
    assert post(api, "/predict", client).status_code == 200


def test_the_api_key(api: Any, client: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_API_KEY", "correct horse")
    failure(post(api, "/predict", client), 401)
    failure(post(api, "/predict", client, **{"x-api-key": "wrong"}), 401)
    failure(post(api, "/predict", client, **{"x-api-key": "wröng".encode("latin-1")}), 401)
    assert post(api, "/predict", client, **{"x-api-key": "correct horse"}).status_code == 200
    bearer = {"authorization": "Bearer correct horse"}
    assert post(api, "/predict", client, **bearer).status_code == 200
    for path in ("/livez", "/healthz", "/readyz", "/", "/docs", "/assets/app.js"):
        assert api.get(path).status_code == 200
    failure(api.get("/schema.json"), 401)


def test_health_and_unknown_paths(api: Any) -> None:
    for path in ("/livez", "/healthz", "/readyz"):
        assert api.get(path).status_code == 200
    failure(api.get("/nothing"), 404)
    response = api.get("/predict")
    failure(response, 405)
    assert response.headers["allow"] == "POST"


def test_docs_describe_the_errors(api: Any) -> None:
    document = api.get("/docs.json").json()
    for path in ("/predict", "/predict_batch"):
        operation = document["paths"][path]["post"]
        assert operation["requestBody"]["required"] is True
        assert {"200", "400", "401", "413", "415", "429", "503", "504"} == set(
            operation["responses"]
        )
        content = operation["responses"]["400"]["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Failure"}
    for path, item in document["paths"].items():
        if "get" in item:
            assert api.get(path).status_code == 200, "what is listed is there"
    schemas = document["components"]["schemas"]
    assert set(schemas["Failure"]["properties"]) == {"error", "errors"}
    assert schemas["Client"]["additionalProperties"] is False
    assert set(schemas["Client"]["required"]) == set(schema.FEATURE_COLUMNS) - set(
        schema.AUDIT_COLUMNS
    )
    assert not [r for r in references(document) if r not in schemas]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [str(node["$ref"]).rpartition("/")[2]] if "$ref" in node else []
        return own + [r for value in node.values() for r in references(value)]
    if isinstance(node, list):
        return [r for value in node for r in references(value)]
    return []
