"""The OpenAPI document of the service: its own routes, bodies and errors."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from creditrisk import schema
from creditrisk.serving.failures import Failure
from creditrisk.serving.messages import Batch, Client
from creditrisk.serving.replies import Prediction, Results

INFORMATION = {
    "title": "Next-month default",
    "description": "An early-warning score for existing cardholders: the probability that a "
    "client misses the payment due next month, with the behavioural cluster and the RFM "
    "segment. Every error has one shape: `error`, and `errors` with field and message. "
    "The API key is asked for where the operator has set one.",
}
REFUSALS = {
    "400": "the request is not valid",
    "401": "the API key is missing or wrong",
    "429": "too many requests at a time",
    "504": "not done in time",
}
FAILURES = {
    **REFUSALS,
    "413": "the body is too large",
    "415": "the body is not application/json",
    "503": "not ready",
}
BODIES: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "/predict": (Client, Prediction),
    "/predict_batch": (Batch, Results),
}
CARD = {"type": "object", "properties": {"version": {"type": "string"}}, "required": ["version"]}
HEALTH = {
    "/livez": "Whether the process answers",
    "/healthz": "The same, by its older name",
    "/readyz": "Whether the model is loaded",
}
KEYS = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def corrected(
    specification: dict[str, Any], version: str, example: dict[str, Any]
) -> dict[str, Any]:
    """Return the document of the service, with BentoML's words for its operations.

    BentoML's own document states an error shape that is not ours, leaves bodies
    optional, describes itself, and calls its version of JSON schema an older one.

    Parameters
    ----------
    specification : dict
        BentoML's document, for the operations' texts.
    version : str
        Of the served model.
    example : dict
        Its reply to the example client.

    Returns
    -------
    dict
    """
    paths: dict[str, Any] = {
        path: {"post": _scoring(path, specification["paths"][path]["post"])} for path in BODIES
    }
    for path, document in {"/predict": example, "/predict_batch": {"results": [example]}}.items():
        content = paths[path]["post"]["responses"]["200"]["content"]
        content["application/json"]["example"] = document
    paths["/model"] = _reading("The model card of the served model", {"application/json": CARD})
    paths["/metrics"] = _reading("Counters and durations for Prometheus", {"text/plain": {}})
    for path, text in HEALTH.items():
        replies = {"200": _reply("yes", {"text/plain": {}}), **_refused({"503": "no"})}
        operation = {"summary": text, "tags": ["operation"], "security": [], "responses": replies}
        paths[path] = {"get": operation}
    return {
        "openapi": "3.1.0",
        "info": {**INFORMATION, "version": version},
        "servers": [{"url": "."}],
        "security": [{}, *({name: []} for name in KEYS)],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": KEYS},
    }


def _schemas() -> dict[str, Any]:
    """Return pydantic's schemas of what comes in and goes out."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Failure, "serialization")]
    for taken, given in BODIES.values():
        models += [(taken, "validation"), (given, "serialization")]
    _, document = models_json_schema(models, ref_template="#/components/schemas/{model}")
    schemas = document["$defs"]
    for name in schema.CODE_RANGES:  # 2.0 is an integer to JSON schema, as it is to us
        schemas["Client"]["properties"][name]["type"] = "integer"
    return schemas


def _reference(model: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _reply(text: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": content}


def _refused(statuses: dict[str, str]) -> dict[str, Any]:
    content = {"application/json": {"schema": _reference(Failure)}}
    return {status: _reply(text, content) for status, text in statuses.items()}


def _scoring(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return one of BentoML's operations with its body and replies as they are."""
    taken, given = BODIES[path]
    body = {"required": True, "content": {"application/json": {"schema": _reference(taken)}}}
    scored = _reply("scored", {"application/json": {"schema": _reference(given)}})
    return {
        "description": cleandoc(operation["description"]).replace("``", "`"),
        "operationId": path.removeprefix("/"),
        "tags": ["scoring"],
        "requestBody": body,
        "responses": {"200": scored, **_refused(FAILURES)},
    }


def _reading(text: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return what is there to be read, for people with the key."""
    media = {kind: {"schema": what} if what else {} for kind, what in content.items()}
    replies = {"200": _reply(text, media), **_refused(REFUSALS)}
    return {"get": {"summary": text, "tags": ["operation"], "responses": replies}}
