"""One client on the page: the form, the result, what-if, and who can use it."""

from __future__ import annotations

import ast
import json
import re
import shlex
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, percent, score_example

EXAMPLES = {
    example["name"]: example["client"]
    for example in json.loads((ROOT / "web/assets/examples.json").read_text(encoding="utf-8"))
}
LATE = EXAMPLES["Two months behind"]


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


def test_an_example_fills_the_form_and_is_scored(page: Page, http: httpx.Client) -> None:
    reply = score_example(page)
    assert reply == http.post("/predict", json=LATE).json()
    for name, value in LATE.items():
        expect(page.locator(f"#{name}")).to_have_value(str(value))
    expect(page.locator("#probability")).to_have_text(percent(reply["probability"]))
    expect(page.locator("#grade")).to_have_text(f"Grade {reply['grade']}")
    expect(page.locator("#decision")).to_have_text(
        {"flag": "Flag for review", "clear": "Clear"}[reply["decision"]]
    )
    expect(page.locator("#cluster")).to_have_text(reply["cluster"]["name"])
    expect(page.locator("#segment")).to_have_text(reply["rfm"]["segment"])
    shown = page.locator("#flags li:visible")
    assert sorted(f.get_attribute("data-flag") or "" for f in shown.all()) == sorted(reply["flags"])


def test_the_gauge_shows_the_probability_its_interval_and_the_grade(page: Page) -> None:
    reply = score_example(page)
    mark = page.locator("#mark").get_attribute("cx") or ""
    assert float(mark.rstrip("%")) == pytest.approx(100 * reply["probability"])
    own = page.locator("#gauge .band.own")
    expect(own).to_have_count(1)
    expect(own).to_have_attribute("data-grade", reply["grade"])
    low, high = reply["interval"]["low"], reply["interval"]["high"]
    expect(page.locator("#interval")).to_contain_text(
        f"{percent(low)} to {percent(high)} in 90\u00a0% of refits"
    )
    band = page.locator("#interval-band")
    x, width = (float((band.get_attribute(a) or "").rstrip("%")) for a in ("x", "width"))
    assert [x, x + width] == pytest.approx([100 * low, 100 * high])


def test_without_an_interval_none_is_shown(page: Page) -> None:
    def without(route: Any) -> None:
        reply = route.fetch().json()
        route.fulfill(json={k: v for k, v in reply.items() if k != "interval"})

    score_example(page)
    expect(page.locator("#interval")).to_be_visible()
    page.route("**/predict", without)
    score_example(page)
    expect(page.locator("#interval")).to_be_hidden()
    expect(page.locator("#interval-band")).to_have_attribute("width", "0%")
    page.unroute_all()


def test_the_result_says_what_the_card_knows(page: Page) -> None:
    """The card of the small model tells of grade A and of one cluster's share."""

    def graded(route: Any) -> None:
        reply = route.fetch().json()
        cluster = {**reply["cluster"], "id": 1, "name": "high use, on time"}
        route.fulfill(json={**reply, "grade": "A", "cluster": cluster})

    page.route("**/predict", graded)
    score_example(page)
    expect(page.locator("#grade-note")).to_contain_text("4.0\u00a0% of 700 clients")
    shown = page.locator("[data-cluster]:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("40 % of clients behave like this; 21.0 % of them")
    own = page.locator("#map .own")
    expect(own.first).to_have_attribute("data-group", "1")
    expect(own).to_have_count(2)  # the points and the legend
    page.unroute_all()


def test_reasons_diverge_and_sum_to_the_probability(page: Page) -> None:
    reply = score_example(page)
    lines = page.locator("#reasons li")
    expect(lines).to_have_count(len(reply["reasons"]))
    for line, reason in zip(lines.all(), reply["reasons"], strict=True):
        expect(line).to_contain_text(reason["text"])
        expect(line).to_have_class("raises" if reason["contribution"] > 0 else "lowers")
    expect(page.locator("#sum")).to_contain_text(f"({percent(reply['probability'])})")


def test_messages_of_the_server_stand_at_their_fields(page: Page, http: httpx.Client) -> None:
    page.locator("#LIMIT_BAL").fill("lots")
    page.locator("#submit").click()
    expect(page.locator("#LIMIT_BAL")).to_be_focused()
    errors = http.post("/predict", json={"LIMIT_BAL": "lots"}).json()["errors"]
    assert len(errors) > 10
    for error in errors:
        expect(page.locator(f"#{error['field']}-error")).to_have_text(error["message"])
        expect(page.locator(f"#{error['field']}")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem")).to_have_text(f"{len(errors)} fields need attention.")
    score_example(page)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(page.locator("#problem")).to_be_hidden()


def test_a_changed_form_marks_the_answer_and_reset_takes_it_away(page: Page) -> None:
    score_example(page)
    page.locator("#AGE").fill("44")
    expect(page.locator("#stale")).to_be_visible()
    page.get_by_role("button", name="Empty the form").click()
    for part in ("#answer", "#what-if", "#behaviour"):
        expect(page.locator(part)).to_be_hidden()


def test_what_if_scores_the_changed_client_and_leaves_the_form(
    page: Page, http: httpx.Client
) -> None:
    before = score_example(page)
    page.locator("#if-PAY_0").select_option("-1")
    page.locator("#if-BILL_AMT1").focus()
    for _ in range(5):  # faster than the replies come
        page.keyboard.press("ArrowLeft")
    bill = int(page.locator("#if-BILL_AMT1").input_value())
    assert bill < LATE["BILL_AMT1"]
    changed = {**LATE, "PAY_0": -1, "BILL_AMT1": bill}
    after = http.post("/predict", json=changed).json()
    assert after["probability"] < before["probability"] - 0.01
    expect(page.locator("#if-before")).to_have_text(percent(before["probability"]))
    expect(page.locator("#if-after")).to_have_text(percent(after["probability"]))
    expect(page.locator("#if-note")).to_contain_text("−")
    expect(page.locator("#PAY_0")).to_have_value("2")
    expect(page.locator("#probability")).to_have_text(percent(before["probability"]))

    page.get_by_role("button", name="Use these values").click()
    expect(page.locator("#probability")).to_have_text(percent(after["probability"]))
    expect(page.locator("#PAY_0")).to_have_value("-1")
    expect(page.locator("#BILL_AMT1")).to_have_value(str(bill))
    expect(page.locator("#if-note")).to_contain_text("Nothing is changed")


def test_what_if_scales_all_bills_and_resets(page: Page, http: httpx.Client) -> None:
    before = score_example(page, "Revolves, on time")
    client = EXAMPLES["Revolves, on time"]
    page.locator("#if-bills").fill("25")
    scaled = {k: round(v / 4) if k.startswith("BILL") else v for k, v in client.items()}
    after = http.post("/predict", json=scaled).json()
    assert percent(after["probability"]) != percent(before["probability"])
    expect(page.locator("#if-after")).to_have_text(percent(after["probability"]))
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.locator("#if-after")).to_have_text(percent(before["probability"]))
    expect(page.locator("#if-bills")).to_have_value("100")


def test_of_values_that_come_too_fast_the_last_wins(page: Page, http: httpx.Client) -> None:
    score_example(page)
    asked: list[Any] = []
    page.on("request", lambda r: asked.append(r.post_data_json) if "predict" in r.url else None)
    page.evaluate(
        """() => {
          const limit = document.getElementById("if-LIMIT_BAL");
          for (let value = 60; value <= 300; value += 10) {
            limit.value = value * 1000;
            limit.dispatchEvent(new Event("input"));
          }
        }"""
    )
    last = http.post("/predict", json={**LATE, "LIMIT_BAL": 300_000}).json()
    expect(page.locator("#if-after")).to_have_text(percent(last["probability"]))
    page.wait_for_load_state("networkidle")
    assert [a["LIMIT_BAL"] for a in asked] == [60_000, 300_000], "25 moves, two requests"


def test_the_calls_on_screen_are_those_that_were_made(page: Page) -> None:
    score_example(page)
    page.get_by_text("With curl").click()
    words = shlex.split(page.locator("#curl").inner_text().replace("\\\n", " "))
    assert json.loads(words[words.index("-d") + 1]) == LATE
    page.get_by_text("With Python").click()
    source = page.locator("#python").inner_text()
    assigned = next(node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    assert ast.literal_eval(assigned.value) == LATE
    assert f'"{page.url}predict"' in source
    assert "API" not in source


def test_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pays in full")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#answer").wait_for()
    first = page.locator("#probability").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#LIMIT_BAL")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("10000")
    expect(page.locator("#stale")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#stale")).to_be_hidden()
    assert page.locator("#probability").inner_text() != first


def test_the_answer_is_spoken(page: Page) -> None:
    reply = score_example(page)
    spoken = page.get_by_role("status").filter(has_text="chance of missing")
    expect(spoken).to_contain_text(percent(reply["probability"]))
    page.locator("#if-PAY_0").select_option("-1")
    expect(page.locator("#if-note")).to_contain_text("points")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(page: Page, scheme: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    assert violations(page) == []
    score_example(page)
    page.locator("#if-PAY_0").select_option("-1")
    expect(page.locator("#if-note")).to_contain_text("points")
    for summary in page.locator("#behaviour summary").all():
        summary.click()
    assert violations(page) == []
    page.locator("#LIMIT_BAL").fill("")
    page.locator("#submit").click()
    expect(page.locator("#LIMIT_BAL-error")).to_be_visible()
    assert violations(page) == []


def test_dark_and_light_differ(page: Page) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        style = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        colours[scheme] = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in style]
    assert colours["light"][0] > colours["light"][1]
    assert colours["dark"][0] < colours["dark"][1]


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    score_example(page)
    for summary in page.locator("#behaviour summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_policy_stops_what_is_not_ours(browser: Browser, server: str) -> None:
    """The check for violations in the page fixture would see one."""
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(server)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )
    page.wait_for_timeout(200)
    context.close()
    assert any("Content Security Policy" in text for text in said)
