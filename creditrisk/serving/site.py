"""The page at ``/``, its assets, and the API's documentation without third parties.

Nothing is loaded from elsewhere, and the content-security policy says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from creditrisk import schema
from creditrisk.serving import failures

if TYPE_CHECKING:
    import numpy as np

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI sets style attributes."""
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


def build(
    web: Path, specification: Callable[[], dict[str, Any]], scorer: Callable[[], Any]
) -> Starlette:
    """Return the application that serves the page and the documentation.

    Parameters
    ----------
    web : Path
        Folder with ``index.html`` (a jinja2 template), ``docs.html`` and assets.
    specification : callable
        Returns BentoML's OpenAPI document.
    scorer : callable
        Returns the worker's :class:`~creditrisk.scoring.Scorer`.
    """

    async def index(_: Request) -> HTMLResponse:
        return HTMLResponse(render(web, scorer()), headers=secured(POLICY))

    async def docs(_: Request) -> HTMLResponse:
        text = (web / "docs.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers=secured(DOCS_POLICY))

    async def docs_json(_: Request) -> JSONResponse:
        return JSONResponse(corrected(specification(), scorer().version))

    return Starlette(
        routes=[
            Route("/", index),
            Route("/docs", docs),
            Route("/docs.json", docs_json),
            Mount("/assets", StaticFiles(directory=web / "assets")),
        ]
    )


def secured(policy: str) -> dict[str, str]:
    """Return the headers of a page."""
    return {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}


def render(web: Path, scorer: Any) -> str:
    """Fill the page with what is fixed for a model: months, code books, threshold, map."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from creditrisk.scoring import FLAGS

    environment = Environment(
        loader=FileSystemLoader(web), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    months = zip(
        schema.MONTH_NAMES,
        schema.STATUS_COLUMNS,
        schema.BILL_COLUMNS,
        schema.PAID_COLUMNS,
        strict=True,
    )
    return environment.get_template("index.html").render(
        months=list(months),
        status_codes=schema.STATUS_CODES,
        used=set(scorer.audit_columns),
        threshold=scorer.threshold,
        version=scorer.version,
        flags=FLAGS,
        map=draw_map(scorer.landmarks, scorer.cluster_names) if scorer.landmarks else None,
    )


def draw_map(landmarks: tuple[np.ndarray, np.ndarray], names: Sequence[str]) -> dict[str, Any]:
    """Return the background of the map: the landmarks of each cluster as one path.

    Parameters
    ----------
    landmarks : (ndarray of float, shape (m, 2), ndarray of int, shape (m,))
        Places in map units, whose vertical axis points up and not down as in SVG;
        cluster numbers.
    names : sequence of str
        By cluster number.

    Returns
    -------
    dict
        ``box`` (left, top, width, height), ``radius`` of the client's mark, and
        ``groups``: ``name`` and ``path``, a dot for each landmark.
    """
    places, clusters = landmarks
    x, y = places[:, 0], -places[:, 1]
    width, height = x.max() - x.min(), y.max() - y.min()
    margin = 0.04 * max(width, height)
    groups = [
        {
            "name": name,
            "path": "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x[own], y[own], strict=True)),
        }
        for name, own in ((name, clusters == c) for c, name in enumerate(names))
    ]
    box = (x.min() - margin, y.min() - margin, width + 2 * margin, height + 2 * margin)
    return {
        "box": [round(float(v), 1) for v in box],
        "radius": round(float(0.6 * margin), 2),
        "groups": groups,
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
