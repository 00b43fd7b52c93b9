"""The routes beside the API: the page at ``/``, its assets, and documentation without third parties.

Nothing is loaded from elsewhere, and the content-security policy says so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from creditrisk.serving import openapi, page

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI sets style attributes."""


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

    async def docs_json(_: Request) -> JSONResponse:
        return JSONResponse(openapi.corrected(specification(), scorer().version))

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
