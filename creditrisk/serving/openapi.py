"""BentoML's OpenAPI document with the errors and bodies as they are."""

from __future__ import annotations

from typing import Any

from creditrisk.serving import failures

INFORMATION = {
    "title": "Next-month default",
    "description": "An early-warning score for existing cardholders: the probability that a "
    "client misses the payment due next month, with the behavioural cluster and the RFM "
    "segment. Every error has one shape: `error`, and `errors` with field and message.",
}
FAILURES = {
    "400": "the request is not valid",
    "401": "the API key is missing or wrong",
    "413": "the body is too large",
    "415": "the body is not application/json",
    "429": "too many requests at a time",
    "503": "not ready",
    "504": "not done in time",
}


def corrected(specification: dict[str, Any], version: str) -> dict[str, Any]:
    """Return BentoML's OpenAPI document with the errors and bodies as they are.

    BentoML states one error shape that is not ours, leaves bodies optional, and
    describes itself instead of the service.

    Parameters
    ----------
    specification : dict
        Left as it is.
    version : str
        Of the served model.
    """
    failure = {"$ref": "#/components/schemas/Failure"}
    document = {**specification, "paths": {}, "info": {**INFORMATION, "version": version}}
    for path, item in specification["paths"].items():
        if path == "/metrics":
            continue  # BentoML lists it although its metrics are off
        document["paths"][path] = {**item}
        if "post" not in item or "requestBody" not in item["post"]:
            continue
        kept = {k: v for k, v in item["post"]["responses"].items() if int(k) < 400}
        replies = {
            status: {"description": text, "content": {"application/json": {"schema": failure}}}
            for status, text in FAILURES.items()
        }
        document["paths"][path]["post"] = {
            **item["post"],
            "requestBody": {**item["post"]["requestBody"], "required": True},
            "responses": {**kept, **replies},
        }
    components = specification.get("components", {})
    schemas = {**components.get("schemas", {})}
    own = failures.Failure.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(own.pop("$defs", {}))
    schemas["Failure"] = own
    document["components"] = {**components, "schemas": schemas}
    return document
