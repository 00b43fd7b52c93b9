"""A file of clients on the page: read, scored in slices, and given back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import percent
from tests.generated import raw_clients, service_client

FRAME = raw_clients(30, seed=8)
CLIENTS: list[dict[str, Any]] = [service_client(FRAME, row) for row in range(len(FRAME))]


def table(rows: list[dict[str, Any]], *, end: str = "\n", separator: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator=end, delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def choose(page: Page, content: str, name: str = "clients.csv") -> None:
    data = content.encode("utf-8")
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def scored(page: Page, tmp_path: Path) -> list[dict[str, str]]:
    """Score the file that was chosen and return the download's rows."""
    page.get_by_role("button", name="Score the file").click()
    page.locator("#batch-result").wait_for()
    with page.expect_download() as given:
        page.get_by_role("button", name="Download the scored file").click()
    assert given.value.suggested_filename == "clients-scored.csv"
    given.value.save_as(tmp_path / "scored.csv")
    with (tmp_path / "scored.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected_row(client_id: str, result: dict[str, Any]) -> dict[str, Any]:
    head = [
        "probability",
        "low",
        "high",
        "grade",
        "decision",
        "cluster_id",
        "cluster_name",
        "rfm_segment",
        "flags",
        "error",
    ]
    if "error" in result:
        return {"ID": client_id, **dict.fromkeys(head, ""), "error": result["error"]}
    interval = result.get("interval", {"low": "", "high": ""})
    values = [
        result["probability"],
        interval["low"],
        interval["high"],
        result["grade"],
        result["decision"],
        result["cluster"]["id"],
        result["cluster"]["name"],
        result["rfm"]["segment"],
        " ".join(result["flags"]),
        "",
    ]
    return {"ID": client_id, **{k: str(v) for k, v in zip(head, values, strict=True)}}


def test_a_file_with_a_bad_row(page: Page, http: httpx.Client, tmp_path: Path) -> None:
    clients = [*CLIENTS[:7], {**CLIENTS[7], "PAY_0": 2.5}, *CLIENTS[8:]]
    rows = [
        {"ID": 100 + i, **client, "default.payment.next.month": 0, "note": 'said "no", twice'}
        for i, client in enumerate(clients)
    ]
    choose(page, table(rows))
    expect(page.locator("#batch-status")).to_have_text(
        "30 clients found. Left out: default.payment.next.month, note."
    )
    body = {"clients": clients, "on_error": "report", "reasons": False}
    results = http.post("/predict_batch", json=body).json()["results"]
    given = scored(page, tmp_path)
    assert given == [expected_row(str(100 + i), result) for i, result in enumerate(results)]

    expect(page.locator("#failed-title")).to_have_text("1 row not scored")
    page.locator("#failed-title").click()
    expect(page.locator("#failures li")).to_have_text([f"Line 9: {results[7]['error']}"])
    counts = Counter(result.get("decision") for result in results)
    shown = page.locator("#decisions td:nth-child(2)").all_inner_texts()
    assert shown == [str(counts["flag"]), str(counts["clear"]), "1"]
    grades = Counter(result.get("grade") for result in results)
    shown = page.locator("#grades td:nth-child(2)").all_inner_texts()
    assert shown == [str(grades[grade]) for grade in "ABCDEFGH"]
    first = page.locator("#rows tr").first
    expect(first).to_contain_text(percent(results[0]["probability"]))
    expect(first).to_contain_text("100")
    expect(page.locator("#rows tr")).to_have_count(20)
    expect(page.locator("#rows tr").nth(7)).to_contain_text(results[7]["error"])
    serious = [
        v["id"]
        for v in Axe().run(page).response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize(
    ("separator", "end", "start"),
    [(",", "\r\n", "\ufeff"), (";", "\n", ""), ("\t", "\r\n", ""), (",", "\r", "")],
)
def test_kinds_of_csv(
    page: Page, http: httpx.Client, tmp_path: Path, separator: str, end: str, start: str
) -> None:
    rows = [{"ID": f'a{separator}"{i}"{end}b', **c} for i, c in enumerate(CLIENTS[:3])]
    renamed = [{"PAY_1" if k == "PAY_0" else k: v for k, v in row.items()} for row in rows]
    content = table(renamed, end=end, separator=separator)
    choose(page, start + content + end + end)
    results = http.post("/predict_batch", json={"clients": CLIENTS[:3], "reasons": False}).json()
    given = scored(page, tmp_path)
    assert [float(row["probability"]) for row in given] == [
        result["probability"] for result in results["results"]
    ]
    assert [row["ID"] for row in given] == [f'a{separator}"{i}"\nb' for i in range(3)]
    expect(page.locator("#rows th")).to_have_text(["2", "4", "6"])  # an ID goes over two lines


def test_a_decimal_comma_is_read_between_semicolons(
    page: Page, http: httpx.Client, tmp_path: Path
) -> None:
    client = {**CLIENTS[0], "BILL_AMT1": 12345.5}
    choose(page, table([{**client, "BILL_AMT1": "12345,5"}], separator=";"))
    result = http.post("/predict", json=client).json()
    assert float(scored(page, tmp_path)[0]["probability"]) == result["probability"]


def test_a_row_of_another_length_is_not_sent(page: Page, tmp_path: Path) -> None:
    choose(page, f"{table(CLIENTS[:2])}1,2,3\n")
    given = scored(page, tmp_path)
    assert [row["error"] for row in given] == [
        "",
        "",
        f"has 3 cells where the first line has {len(CLIENTS[0])}",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "names no column that the service knows"),
        ("LIMIT_BAL,AGE\n", "holds no clients"),
        ("", "names no column"),
        ('LIMIT_BAL,AGE\n1,"2\n', "never closed"),
        ("LIMIT_BAL,limit_bal\n1,2\n", "The column LIMIT_BAL is there twice"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(page: Page, content: str, message: str) -> None:
    choose(page, content)
    expect(page.locator("#batch-problem")).to_contain_text(message)
    expect(page.locator("#run")).to_be_disabled()


def test_slices_of_a_thousand_and_cancel(page: Page) -> None:
    sizes: list[int] = []

    def answer(route: Any) -> None:
        sizes.append(len(route.request.post_data_json["clients"]))
        if len(sizes) == 1:
            route.continue_()  # the second slice is never answered

    page.route("**/predict_batch", answer)
    choose(page, table(CLIENTS * 70))
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#batch-status")).to_have_text("1,000 of 2,100 scored.")
    expect(page.locator("#progress")).to_have_js_property("value", 1000)
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#download")).to_be_focused()
    expect(page.locator("#batch-status")).to_have_text("1,000 of 2,100 done.")
    expect(page.locator("#batch-problem")).to_have_text("Cancelled.")
    page.unroute_all()
    page.get_by_role("button", name="Score the file").click()  # goes on where it ended
    expect(page.locator("#batch-status")).to_have_text("2,100 of 2,100 done.")
    assert sizes == [1000, 1000]
    total = sum(
        int(text.replace(",", ""))
        for text in page.locator("#grades td:nth-child(2)").all_inner_texts()
    )
    assert total == 2100


def test_another_file_ends_a_run(page: Page) -> None:
    page.route("**/predict_batch", lambda route: None)  # never answered
    choose(page, table(CLIENTS))
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#cancel")).to_be_visible()
    choose(page, table(CLIENTS[:4]), "others.csv")
    expect(page.locator("#batch-status")).to_have_text("4 clients found.")
    expect(page.locator("#cancel")).to_be_hidden()
    expect(page.locator("#batch-problem")).to_be_hidden()
    page.unroute_all()
    page.get_by_role("button", name="Score the file").click()
    expect(page.locator("#batch-status")).to_have_text("4 of 4 done.")


def test_a_busy_server_is_asked_again(page: Page, tmp_path: Path) -> None:
    tried: list[int] = []

    def answer(route: Any) -> None:
        tried.append(1)
        if len(tried) == 1:
            route.fulfill(status=429, json={"error": "too many requests at a time", "errors": []})
        else:
            route.continue_()

    page.route("**/predict_batch", answer)
    choose(page, table(CLIENTS[:3]))
    assert [row["error"] for row in scored(page, tmp_path)] == [""] * 3
    assert len(tried) == 2
    page.unroute_all()
