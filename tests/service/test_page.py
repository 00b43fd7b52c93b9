"""The page at "/": complete, labelled, and from this server alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from creditrisk import schema
from creditrisk.reporting import theme
from creditrisk.scoring import FLAGS
from creditrisk.serving import page as pages
from tests.service import model_folder
from tests.service.conftest import ROOT, post

WEB = ROOT / "web"


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(api: Any) -> list[tuple[str, dict[str, str | None]]]:
    return Elements(api.get("/").text).found


def test_the_form_asks_for_every_field(page: Any) -> None:
    names = [a["name"] for tag, a in page if tag in ("input", "select") and "name" in a]
    assert sorted(names) == sorted(schema.FEATURE_COLUMNS)
    required = {a["name"] for _, a in page if "required" in a}
    assert required == set(schema.FEATURE_COLUMNS) - set(schema.AUDIT_COLUMNS)


def test_months_run_newest_first(page: Any) -> None:
    order = [a["name"] for _, a in page if str(a.get("name")).startswith("PAY_")]
    order = [name for name in order if name in schema.STATUS_COLUMNS]
    assert order == list(schema.STATUS_COLUMNS)


def test_every_field_has_a_label_and_a_place_for_its_error(page: Any) -> None:
    ids = [a["id"] for _, a in page if "id" in a]
    assert [i for i, n in Counter(ids).items() if n > 1] == []
    labelled = {a["for"] for tag, a in page if tag == "label"}
    for tag, a in page:
        if tag in ("input", "select"):
            assert a["id"] in labelled or a.get("aria-label")
            assert set(str(a.get("aria-describedby", "client")).split()) <= set(ids)
            assert "name" not in a or f"{a['name']}-error" in ids
    for target in [a["aria-labelledby"] for _, a in page if "aria-labelledby" in a]:
        assert target in ids


def test_attributes_that_the_model_does_not_use_are_marked(api: Any) -> None:
    assert "recorded, not used" in api.get("/").text


def test_attributes_that_the_model_uses_are_asked_for(audit_api: Any) -> None:
    text = audit_api.get("/").text
    assert "recorded, not used" not in text
    required = {a["name"] for _, a in Elements(text).found if "required" in a}
    assert required == set(schema.FEATURE_COLUMNS)


def test_it_says_whom_it_is_about(api: Any) -> None:
    text = api.get("/").text
    assert "existing cardholders" in text
    assert "early-warning" in text
    assert "25.0 %" in text, "the threshold of the served model"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_policy_allows_this_server_only(api: Any, path: str) -> None:
    response = api.get(path)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    for tag, a in Elements(response.text).found:
        source = a.get("src") or (a.get("href") if tag == "link" else None) or ""
        assert not re.match(r"(https?:)?//", source)
        assert "style" not in a
        assert not any(name.startswith("on") for name in a)
        if tag == "script":
            assert source
        if source and not source.startswith("data:"):
            assert api.get("/" + source).status_code == 200


def test_no_file_of_the_page_names_another_host() -> None:
    for file in sorted(WEB.rglob("*.*")):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), file.name
    assert "cdn" not in (WEB / "index.html").read_text(encoding="utf-8").lower()


def test_examples_are_scored(api: Any) -> None:
    examples = json.loads((WEB / "assets/examples.json").read_text(encoding="utf-8"))
    assert 2 <= len(examples) <= 4
    replies = [post(api, "/predict", example["client"]) for example in examples]
    assert [r.status_code for r in replies] == [200] * len(examples)
    probabilities = [r.json()["probability"] for r in replies]
    assert probabilities == sorted(probabilities), "from calm to alarming"


def test_colours_are_those_of_the_reports() -> None:
    light, dark = re.findall(
        r"--paper:.*?--warn: #\w+;", (WEB / "assets/style.css").read_text("utf-8"), re.DOTALL
    )
    for mode, block in enumerate((light, dark)):
        for role, value in re.findall(r"--([\w-]+): (#\w+);", block):
            assert theme.ROLES[role.replace("-", "_")][mode] == value, role


def test_every_flag_has_its_words_on_the_page(page: Any) -> None:
    assert [a["data-flag"] for _, a in page if "data-flag" in a] == list(FLAGS)


def test_the_map_draws_every_landmark_in_its_group(map_api: Any) -> None:
    page = Elements(map_api.get("/").text).found
    paths = [a for tag, a in page if tag == "path"]
    assert [a["d"] for a in paths] == [  # the vertical axis of SVG points down
        "M-20.5 -3.0h0M-18.0 -4.0h0",
        "M10.0 -12.0h0M12.0 -11.0h0",
        "M8.0 9.0h0M9.0 12.0h0",
    ]
    assert [a["class"] for a in paths] == ["group-0", "group-1", "group-2"]
    left, top, width, height = (
        float(v) for _, a in page if "viewbox" in a for v in str(a["viewbox"]).split()
    )
    assert left < -20.5
    assert left + width > 12
    assert top < -12
    assert top + height > 12


def test_without_a_map_none_is_drawn(page: Any) -> None:
    assert not [a for tag, a in page if tag == "path" or "viewbox" in a or a.get("id") == "map"]


def test_colours_of_the_map_are_those_of_the_reports() -> None:
    text = (WEB / "assets/style.css").read_text("utf-8")
    found = re.findall(r"--series-(\d): (#\w+)", text)
    assert found == [(str(i + 1), theme.series(i)) for i in range(theme.N_SERIES)]


def test_the_card_is_told_on_the_page(api: Any) -> None:
    text = api.get("/").text
    card = model_folder.CARD
    assert card["intended_use"] in text
    assert card["limitations"][0] in text
    assert "40 % of clients behave like this; 21.0 % of them" in text
    settings = next(a["data-settings"] for _, a in Elements(text).found if "data-settings" in a)
    told = json.loads(str(settings))
    assert told["grades"] == card["grades"]
    assert set(told["ranges"]) >= {"LIMIT_BAL", "BILL_AMT1", "PAY_AMT1"}


def test_a_card_that_tells_nothing_leaves_its_parts_out() -> None:
    class Bare(SimpleNamespace):
        __hash__ = object.__hash__  # as a Scorer, which is not compared

    bounds = [0.06, 0.1, 0.15, 0.25, 0.4, 0.55, 0.7]
    scorer = Bare(
        audit_columns=(),
        card={},
        cluster_names=["one", "two"],
        grade_bounds=bounds,
        landmarks=None,
        threshold=0.25,
        version="0123456789ab",
    )
    text = pages.render(WEB, scorer)
    assert "What it is for" not in text
    assert not [a for _, a in Elements(text).found if "data-cluster" in a]


def test_the_gauge_is_divided_at_the_grades(page: Any) -> None:
    bands = [a for tag, a in page if tag == "rect" and "data-grade" in a]
    assert "".join(str(a["data-grade"]) for a in bands) == "ABCDEFGH"
    lefts = [float(str(a["x"]).rstrip("%")) for a in bands]
    assert lefts == [0, 6, 10, 15, 25, 40, 55, 70]
    widths = [float(str(a["width"]).rstrip("%")) for a in bands]
    assert [round(x + w, 6) for x, w in zip(lefts, widths, strict=True)] == [*lefts[1:], 100]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.554, "ratio", "55 %"),
        (-0.02, "ratio", "−2 %"),
        (12345.6, "NT$", "NT$ 12,346"),
        (2.04, "months", "2"),
        (0.25, "count", "0.2"),
    ],
)
def test_numbers_of_the_card_read_well(value: float, unit: str, text: str) -> None:
    assert pages.quantity(value, unit) == text


def test_assets_cannot_be_left(api: Any) -> None:
    for path in ("/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/..%2fdocs.html"):
        assert api.get(path).status_code == 404
    assert not Path(WEB / "assets/index.html").exists()
