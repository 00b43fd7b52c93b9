"""What the documents promise exists: numbers, anchors, routes, files and tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from creditrisk.cli.documents import numbers as readme
from tests.contract import graph

ROOT = graph.ROOT
COVERAGE = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in COVERAGE.splitlines()
    if re.match(r"\| [AB]\d+ ", line)
]
ASKED = [f"A{i}" for i in range(1, 30)] + [f"B{i}" for i in range(1, 7)]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def test_coverage_answers_every_line_once() -> None:
    assert [row[0] for row in ROWS] == ASKED


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_coverage_points_at_things_that_exist(row: list[str]) -> None:
    where, proof = row[2], row[3]
    links = LINK.findall(where)
    assert links, "each line says where it can be seen"
    for link in links:
        path, _, anchor = link.partition("#")
        file = (ROOT / "docs" / path).resolve()
        generated = "models/" in path or "data/" in path
        assert file.exists() or generated, link
        if anchor and file.suffix == ".html":
            assert f'id="{anchor}"' in file.read_text(encoding="utf-8"), link
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", proof)
    assert tests, "each line names the test that would fail without it"
    for path, name in tests:
        assert re.search(rf"def {name}\(", (ROOT / path).read_text(encoding="utf-8")), (path, name)


def test_numbers_in_markdown_are_those_of_the_metric_files() -> None:
    for path in readme.FILES:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert readme.refresh(text, ROOT / "reports/metrics") == text, f"{path}: run make readme"


def test_the_readme_marks_its_headline_numbers() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.CLAIM.findall(text)) >= 5


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": {"b": 0.25}}')
    assert readme.refresh("<!--x:a.b .1%-->99<!--/-->", tmp_path) == "<!--x:a.b .1%-->25.0%<!--/-->"


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))],
)
def test_links_between_documents_resolve(name: str) -> None:
    file = ROOT / name
    for link in LINK.findall(file.read_text(encoding="utf-8")):
        if not re.match(r"https?:|#|mailto:", link):
            target = file.parent / link.partition("#")[0]
            assert target.exists() or "models/" in link, link
