"""The routes beside the API: the page, documentation without third parties, card and metrics.

Nothing is loaded from elsewhere, and the content-security policy says so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from creditrisk.serving import metrics, openapi, page, replies

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI sets style attributes."""
PERMISSIONS = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb")
)


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
        return HTMLResponse(page.render(web, scorer()), headers=secured(POLICY))

    async def docs(_: Request) -> HTMLResponse:
        text = (web / "docs.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers=secured(DOCS_POLICY))

    @cache  # it takes 50 ms, and nobody needs a key for it
    def document(version: str) -> dict[str, Any]:
        return openapi.corrected(specification(), version, replies.example(scorer()))

    async def docs_json(_: Request) -> JSONResponse:
        return JSONResponse(document(scorer().version))

    async def model(_: Request) -> JSONResponse:
        return JSONResponse(scorer().card)

    def measures(_: Request) -> Response:  # in a thread: it reads files
        return Response(metrics.exposition(scorer().version), media_type=metrics.CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/docs", docs),
            Route("/docs.json", docs_json),
            Route("/model", model),
            Route("/metrics", measures),
            Mount("/assets", StaticFiles(directory=web / "assets")),
        ]
    )


def secured(policy: str) -> dict[str, str]:
    """Return the headers of a page."""
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    }
