"""The pages in ``reports/``: every marked number equals its JSON, nothing is fetched.

The checks are functions of a page's text, so they are tested on pages that break
each rule before they are run on the real ones.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml

from creditrisk import io, paths
from creditrisk.cli.checks.page_numbers import MarkedNumbers, wrong_numbers
from creditrisk.reporting.render import PAGES

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / paths.REPORTS
MAX_PAGE_BYTES = 800_000
MAX_ALL_BYTES = 4_000_000
FETCHING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "image": "href"}


class Page(MarkedNumbers):
    """What the checks need of a page."""

    def __init__(self, text: str) -> None:
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.unnamed: list[str] = []
        self.in_figure = 0
        super().__init__(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        have: dict[str, str] = {name: value or "" for name, value in attrs}
        if "id" in have:
            self.ids[have["id"]] += 1
        if tag == "a":
            self.links.append(have.get("href", ""))
        address = have.get(FETCHING.get(tag, ""), "")
        if address and not address.startswith(("data:", "#")):
            self.fetched.append(address)
        if tag == "figure":
            self.in_figure += 1
        named = have.get("alt", "").strip() or have.get("aria-label", "").strip()
        if not named and (tag == "img" or (tag == "svg" and self.in_figure)):
            self.unnamed.append(self.get_starttag_text() or tag)

    def handle_endtag(self, tag: str) -> None:
        self.in_figure -= tag == "figure"


def broken_links(page: Page, name: str, anchors: dict[str, set[str]]) -> list[str]:
    """Return links to pages or anchors that do not exist."""
    broken = []
    for link in page.links:
        if link.startswith(("http://", "https://", "data:", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        known = anchors.get(file or name)
        if known is None or (anchor and anchor not in known):
            broken.append(link)
    return broken


FILES = sorted(REPORTS.glob("*.html"))
needs_reports = pytest.mark.skipif(
    not FILES, reason="no pages in reports/ yet: make repro renders them"
)
each_page = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


@needs_reports
@each_page
def test_every_marked_number_equals_its_json(file: Path) -> None:
    page = Page(file.read_text(encoding="utf-8"))
    assert len(page.metrics) >= 3, "a page marks the numbers that its verdict rests on"
    assert wrong_numbers(page, ROOT / paths.METRICS) == []


@needs_reports
@each_page
def test_nothing_is_fetched(file: Path) -> None:
    assert Page(file.read_text(encoding="utf-8")).fetched == []


@needs_reports
@each_page
def test_every_picture_says_what_it_shows(file: Path) -> None:
    assert Page(file.read_text(encoding="utf-8")).unnamed == []


@needs_reports
@each_page
def test_ids_are_unique_and_links_lead_somewhere(file: Path) -> None:
    pages = {f.name: Page(f.read_text(encoding="utf-8")) for f in FILES}
    anchors = {name: set(page.ids) for name, page in pages.items()}
    page = pages[file.name]
    assert [name for name, n in page.ids.items() if n > 1] == []
    assert broken_links(page, file.name, anchors) == []


@needs_reports
def test_all_pages_are_there_and_small() -> None:
    sizes = {file.stem: file.stat().st_size for file in FILES}
    assert set(PAGES) <= set(sizes)
    assert {name: n for name, n in sizes.items() if n > MAX_PAGE_BYTES} == {}
    everything = sum(f.stat().st_size for f in REPORTS.rglob("*") if f.is_file())
    assert everything <= MAX_ALL_BYTES


def test_a_wrong_a_missing_and_an_unknown_number_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "eda.json").write_text('{"a": {"b": 0.25}, "c": "x"}')
    right = '<data data-metric="eda:a.b" value="0.25">25 %</data>'
    right += '<data data-metric="eda:c" value="x">x</data>'
    assert wrong_numbers(Page(right), tmp_path) == []
    for wrong in (
        right.replace("0.25", "0.26"),
        right.replace('"x"', '"y"'),
        right.replace("a.b", "a.z"),
        right.replace("eda:", "nope:"),
    ):
        assert len(wrong_numbers(Page(wrong), tmp_path)) in (1, 2)


def test_each_other_rule_notices_its_breach() -> None:
    assert Page('<img src="https://example.org/x.png" alt="x">').fetched
    assert Page('<script src="app.js"></script>').fetched
    assert not Page('<img src="data:image/png;base64,AA" alt="x">').fetched
    assert Page("<figure><svg></svg></figure>").unnamed
    assert Page('<img src="data:," alt="">').unnamed
    assert not Page('<figure><svg aria-label="x"></svg></figure><svg></svg>').unnamed
    anchors = {"a.html": {"here"}, "b.html": set()}
    page = Page(
        '<a href="#here"></a><a href="b.html"></a><a href="#gone"></a><a href="c.html"></a>'
    )
    assert broken_links(page, "a.html", anchors) == ["#gone", "c.html"]


def test_the_committed_champion_passes_its_gate_and_fits_its_grades() -> None:
    """What is served was promotable, and no grade is too small or out of order."""
    headline = json.loads((REPORTS / "metrics/evaluate.json").read_text(encoding="utf-8"))
    gate, grades = headline["gate"], headline["grades"]
    assert gate["promotable"]
    assert 0.9 <= gate["slope_low"] < gate["slope_high"] <= 1.1
    assert -0.01 <= gate["mean_gap_low"] < gate["mean_gap_high"] <= 0.01
    assert grades["smallest_clients"] >= 500
    assert grades["smallest_defaults"] >= 30
    assert grades["smallest_rise"] > 0


def test_the_committed_intervals_and_declared_tests_hold_what_they_promise() -> None:
    """Both gates are of the study; a new question whose test fails is seen here."""
    coverage, errors = (io.read_json(ROOT / paths.study(name)) for name in ("coverage", "errors"))
    assert coverage["gate"]["n"] == 2000
    assert [m["method"] for m in coverage["gate"]["methods"] if not m["holds"]] == []
    declared = errors["declared"]
    assert declared["n_shuffles"] == 10_000
    assert declared["gate"] == []
    assert all(row["high"] < 0.06 for row in declared["rows"])
    asked = yaml.safe_load((ROOT / paths.PARAMS).read_text(encoding="utf-8"))["stats_report"]
    assert {row["id"] for row in declared["rows"]} == {q["id"] for q in asked["questions"]}
