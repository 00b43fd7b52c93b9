"""The frame, the macros, the picture of the pipeline, the first page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2
import pytest

from creditrisk.cli.documents.graph import read_graph
from creditrisk.reporting import figures, pipeline, provenance, render, theme
from creditrisk.reporting import format as fmt

DEMO = """
{% extends "base.html.j2" %}
{% import "macros.html.j2" as ui %}
{% block title %}Demo{% endblock %}
{% block verdict %}<p>{{ ui.metric(0.2212, "clean:default_rate", "percent") }} default.</p>{% endblock %}
{% block content %}
{% call ui.tiles() %}{{ ui.tile("Clients", 30000|integer, "a <note>") }}{% endcall %}
<section id="one"><h2>One</h2>
{{ ui.table(["Group", "n"], rows, "Clients by <group>", csv_name="groups") }}
{{ ui.figure(figure, "A caption", "first-figure") }}
{{ ui.howto("Read <it>.") }}{{ ui.note("Mind <this>.") }}{{ ui.note("Careful.", kind="warning") }}
</section>
{% endblock %}
"""


def demo(**changes: Any) -> str:
    environment = render.environment()
    loader = environment.loader
    environment.loader = jinja2.ChoiceLoader([loader, jinja2.DictLoader({"demo.html.j2": DEMO})])
    try:
        context = {
            "rows": [["<script>alert(1)</script>", fmt.integer(1200)], ["b", fmt.integer(None)]],
            "figure": figures.bars(["a"], [1.0], alt="One bar"),
            "sections": [("one", "Section <one>")],
            "provenance": {
                "data sha256": "ab" * 32,
                "parameters": {"rule": "<both>", "columns": ["AGE"], "nested": {"k": None}},
            },
        }
        return render.render_template("demo.html.j2", context | changes, page="eda")
    finally:
        environment.loader = loader


class Balance(HTMLParser):
    """Fails on a tag that is closed in the wrong place."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_balanced(html: str) -> None:
    parser = Balance()
    parser.feed(html)
    assert parser.open == []


def test_two_renders_are_byte_identical_and_well_formed() -> None:
    assert demo() == demo()
    assert_balanced(demo())
    assert demo().endswith("</html>\n")


def test_text_is_escaped_everywhere() -> None:
    html = demo()
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 1
    for text in ("a <note>", "Clients by <group>", "Read <it>.", "Mind <this>.", "<both>"):
        assert text not in html
        assert text.replace("<", "&lt;").replace(">", "&gt;") in html
    assert html.count("Section &lt;one&gt;") == 2  # beside the page, and above it on a phone


def test_the_frame_has_what_a_reader_needs() -> None:
    html = demo()
    assert "<title>Demo · Credit card default</title>" in html
    for name in render.PAGES:
        assert f'href="{name}.html"' in html
    assert re.findall(r'href="(\w+)\.html" aria-current="page"', html) == ["eda"]
    assert '<a class="skip" href="#main">' in html
    assert 'id="first-figure"' in html
    assert "<strong>Caution.</strong> Careful." in html
    assert '<td class="num">1,200</td>' in html
    assert 'value="0.2212"' in html
    assert "columns</span> [AGE]" in html
    assert "{k: none}" in html


def test_nothing_is_fetched() -> None:
    html = demo()
    assert "default-src 'none'" in html
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', html) == []
    assert "@import" not in html
    assert "url(http" not in html


def test_the_table_can_be_downloaded() -> None:
    link = re.search(r'download="groups\.csv" href="([^"]+)"', demo())
    assert link is not None
    text = unquote(link[1].partition(",")[2])
    assert text == "Group,n\n<script>alert(1)</script>,1200\nb,\n"


def test_light_and_dark_follow_system_and_button_and_print_is_light() -> None:
    css = theme.css()
    assert "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light])" in css
    assert "@media screen{:root[data-theme=dark]" in css
    rules = str(render.stylesheet()).removeprefix(css)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == [], "colours stand in theme.py only"
    known = {r.replace("_", "-") for r in theme.ROLES} | {"sans", "mono", "measure", "width"}
    assert set(re.findall(r"var\(--([\w-]+)", rules)) <= known


def test_a_page_without_sections_or_provenance_has_no_empty_frame_for_them() -> None:
    html = demo(sections=[], provenance=None)
    assert "On this page" not in html
    assert "<footer>" not in html


def test_a_listed_section_must_exist_and_ids_must_be_unique() -> None:
    with pytest.raises(ValueError, match="section two"):
        demo(sections=[("two", "Two")])
    twice = DEMO.replace('"first-figure"', '"one"')
    with pytest.raises(ValueError, match="more than once: one"), pytest.MonkeyPatch.context() as m:
        m.setitem(globals(), "DEMO", twice)
        demo()


def test_an_unknown_page_is_named() -> None:
    with pytest.raises(KeyError, match="no page 'nope'"):
        render.render("nope", {})


PINS = """
numpy==2.4.6 \\
    --hash=sha256:00
    # via pandas
xgboost==3.2.0 ; platform_machine != 'x86_64'
xgboost-cpu==3.2.0 ; platform_machine == 'x86_64'
pandas-stubs==3.1.1.0
"""


def test_versions_are_those_pinned() -> None:
    pins = provenance.read_pins(PINS, ["xgboost", "numpy", "pandas"])
    assert list(pins.items()) == [("xgboost", "3.2.0"), ("numpy", "2.4.6")]
    footer = provenance.complete({"parameters": {"a": 1}}, data_sha256="ab", requirements=PINS)
    assert list(footer) == ["data sha256", "parameters", "packages"]
    own = provenance.complete({"data sha256": "own"}, data_sha256="ab", requirements="")
    assert own == {"data sha256": "own", "packages": {}}


def test_every_package_of_the_footer_is_pinned() -> None:
    text = Path(__file__).resolve().parents[2].joinpath("requirements.txt").read_text()
    assert list(provenance.read_pins(text)) == list(provenance.PACKAGES)


# a → b → c → d, with shortcuts a → c and a → d that follow, and e on its own branch
EDGES = {("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("a", "d"), ("a", "e"), ("e", "d")}


def test_arrows_that_follow_from_others_are_left_out() -> None:
    assert pipeline.reduce_edges(EDGES) == EDGES - {("a", "c"), ("a", "d")}


def test_a_layer_is_the_longest_path() -> None:
    assert pipeline.assign_layers("abcde", EDGES) == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 1}
    with pytest.raises(ValueError, match="cycle"):
        pipeline.assign_layers("ab", {("a", "b"), ("b", "a")})


def graph() -> dict[str, Any]:
    nodes = [{"name": n, "desc": f"what {n} does", "items": []} for n in "abcde"]
    nodes[1]["items"] = ["one", "two"]
    return {"nodes": nodes, "edges": [list(e) for e in sorted(EDGES)]}


def test_the_picture_has_every_stage_apart_and_every_arrow_pointing_down() -> None:
    figure = pipeline.draw(graph(), {"c": "model.html"})
    assert figure.markup == pipeline.draw(graph(), {"c": "model.html"}).markup
    boxes = re.findall(r'<rect x="([\d.]+)" y="(\d+)" width="(\d+)" height="(\d+)"', figure.markup)
    corners = [tuple(map(float, box)) for box in boxes]
    assert len(corners) == 5
    for i, (x, y, w, h) in enumerate(corners):
        for other_x, other_y, _, _ in corners[:i]:
            assert abs(x - other_x) >= w or abs(y - other_y) >= h
    arrows = re.findall(r'<path d="M[\d.]+ ([\d.]+)C.*? ([\d.]+)" style="fill:none', figure.markup)
    assert len(arrows) == 5
    assert all(float(start) < float(end) for start, end in arrows)
    assert '<a href="model.html">' in figure.markup
    assert "2 items" in figure.markup
    assert "c leads to d" in figure.alt


DVC = {
    "stages": {
        "clean": {"desc": "d", "deps": ["data/raw.csv"], "outs": ["data/clients.parquet"],
                  "metrics": [{"reports/metrics/clean.json": {"cache": False}}]},
        "train": {"foreach": {"one": {}, "two": {}},
                  "do": {"deps": ["data/clients.parquet", "params/${key}.yaml"],
                         "outs": ["models/families/${key}.joblib"]}},
        "evaluate": {"deps": ["models/families/one.joblib"], "outs": ["models/champion"]},
        "report": {"foreach": ["x", "y"],
                   "do": {"deps": ["reports/metrics/clean.json", "models/champion/a.json"]}},
        "apart": {"deps": ["creditrisk/clean.py"]},
    }
}  # fmt: skip


def test_the_graph_is_read_from_the_pipeline_file() -> None:
    read = read_graph(DVC)
    assert [n["name"] for n in read["nodes"]] == list(DVC["stages"])
    assert [n["items"] for n in read["nodes"]] == [[], ["one", "two"], [], ["x", "y"], []]
    assert read["edges"] == [
        ["clean", "train"],
        ["clean", "report"],
        ["train", "evaluate"],
        ["evaluate", "report"],
    ]
