"""The page of a service that asks for an API key."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import percent
from tests.browser.test_file import CLIENTS, choose, table

KEY = "a key that nobody guesses"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"CREDIT_API_KEY": KEY}


def give(page: Page, key: str) -> None:
    page.locator("#api-key").fill(key)
    page.keyboard.press("Enter")


def test_the_field_appears_when_the_service_asks(page: Page) -> None:
    expect(page.locator("#key-form")).to_be_hidden()
    page.get_by_role("button", name="Two months behind").click()
    expect(page.locator("#api-key")).to_be_focused()
    expect(page.locator("#key-error")).to_have_text("the API key is missing or wrong")
    expect(page.locator("#answer")).to_be_hidden()

    give(page, "wrong")
    expect(page.locator("#key-error")).to_have_text("the API key is missing or wrong")
    with page.expect_response(lambda r: r.url.endswith("/predict") and r.status == 200) as answered:
        give(page, KEY)
    reply: dict[str, Any] = answered.value.json()
    expect(page.locator("#probability")).to_have_text(percent(reply["probability"]))
    expect(page.locator("#key-error")).to_be_hidden()

    page.locator("#if-PAY_0").select_option("-1")
    expect(page.locator("#if-note")).to_contain_text("points")
    choose(page, table(CLIENTS[:3]))
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#batch-status")).to_have_text("3 of 3 done.")

    page.get_by_text("With Python").click()
    for call in ("#curl", "#python"):
        expect(page.locator(call)).to_contain_text("YOUR-API-KEY")
        expect(page.locator(call)).not_to_contain_text(KEY)


def test_a_file_is_scored_once_the_key_is_there(page: Page) -> None:
    choose(page, table(CLIENTS[:3]))
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#api-key")).to_be_focused()
    give(page, KEY)
    expect(page.locator("#batch-status")).to_have_text("3 of 3 done.")


def test_the_key_lives_in_this_tab_only(page: Page) -> None:
    page.get_by_role("button", name="Pays in full").click()
    give(page, KEY)
    page.locator("#answer").wait_for()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]
    page.reload()
    page.get_by_role("button", name="Pays in full").click()
    page.locator("#answer").wait_for()
    other = page.context.new_page()
    other.goto("/")
    assert other.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("key", ["ключ", "line\u2028break"])
def test_a_key_that_no_header_can_hold_is_refused_here(page: Page, key: str) -> None:
    page.get_by_role("button", name="Pays in full").click()
    page.locator("#api-key").wait_for()
    give(page, key)
    expect(page.locator("#key-error")).to_have_text("the API key is missing or wrong")
    expect(page.locator("#answer")).to_be_hidden()
