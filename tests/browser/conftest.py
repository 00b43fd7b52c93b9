"""A browser and a real server, once for each file of tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.service import model_folder
from tests.service.running import serving

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's own browser; its end frees the event loop for other files of tests."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        absent = f"no browser found: install one of {', '.join(BROWSERS)}"
        if os.environ.get("CREDIT_REQUIRE_BROWSER") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Return environment variables for the server; a file may have its own."""
    return {}


@pytest.fixture(scope="module")
def server(
    browser: Browser, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Serve a small model with a map; without a browser there is no need to."""
    folder = tmp_path_factory.mktemp("browser")
    clusters = {**model_folder.CLUSTERS, "map": model_folder.LANDMARKS}
    models = model_folder.write(folder / "models", clusters=clusters)
    with serving(
        "service:CreditDefault", ROOT, folder, CREDIT_MODELS=str(models), **settings
    ) as running:
        yield running[0]


@pytest.fixture(scope="module")
def http(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, timeout=30) as client:
        yield client


@pytest.fixture
def context(browser: Browser, server: str) -> Iterator[BrowserContext]:
    made = browser.new_context(
        base_url=server, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, server: str) -> Iterator[Page]:
    """Open the page; whatever the test does, nothing may be loaded from elsewhere or go wrong."""
    asked: list[str] = []
    wrong: list[str] = []
    opened = context.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.goto("/")
    opened.locator("#examples button").first.wait_for()
    yield opened
    # A reply of 400 is named in the console too; a violation of the policy is as well.
    assert [text for text in wrong if "the server responded with a status of 4" not in text] == []
    own = (f"{server}/", "data:", f"blob:{server}/")
    assert [url for url in asked if not url.startswith(own)] == []


def score_example(page: Page, name: str = "Two months behind") -> dict[str, Any]:
    """Press an example's button and return what the service replied."""
    with page.expect_response("**/predict") as answered:
        page.get_by_role("button", name=name).click()
    page.locator("#answer").wait_for()
    return answered.value.json()


def percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
