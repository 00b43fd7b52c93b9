"""report renders one page a run; the first page shows what summary gathered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from creditrisk import io
from creditrisk.errors import UserError
from creditrisk.reporting.render import PAGES
from stages import report, summary
from tests.stages.test_summary import write_inputs


@pytest.fixture
def render_index(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs summary and then the first page's report."""

    def run(**evaluate: object) -> str:
        summary.main(**write_inputs(tmp_path, **evaluate))
        pins = tmp_path / "requirements.txt"
        pins.write_text("numpy==1.2.3 \\\n    --hash=sha256:0\nbentoml==9.9\n")
        report.main(
            item="index",
            results=lambda stage: tmp_path / "results.json" if stage == "summary" else Path(stage),
            metrics=lambda stage: tmp_path / f"{stage}.json",
            clean=tmp_path / "clean.json",
            requirements=pins,
            page=lambda name: tmp_path / f"{name}.html",
        )
        return (tmp_path / "index.html").read_text(encoding="utf-8")

    return run


def test_the_first_page_shows_headline_families_pipeline_and_provenance(
    render_index: Callable[..., str], tmp_path: Path
) -> None:
    html = render_index(public_split={"roc_auc": 0.7825})
    headline = json.loads((tmp_path / "summary.json").read_text())
    shown = dict(re.findall(r'data-metric="summary:([\w.]+)" value="([^"]*)"', html))
    for key in (
        "champion.roc_auc",
        "champion.brier",
        "champion_cv.roc_auc",
        "public_split.roc_auc",
    ):
        section, name = key.split(".")
        assert float(shown[key]) == headline[section][name]
    assert shown["champion.family"] == "two"
    families = re.findall(r'data-metric="train/(\w+):cv\.roc_auc" value="([^"]*)"', html)
    assert families == [("one", "0.71"), ("two", "0.78")]
    assert html.index("<code>two</code> <strong>champion</strong>") > html.index("<code>one</code>")
    for name in PAGES:
        assert f'href="{name}.html"' in html
    assert '<a href="model.html"><rect' in html, "evaluate leads to the page that shows it"
    assert "train leads to evaluate" in html
    assert "ab" * 32 in html
    assert "cd" * 32 in html
    assert re.search(r"numpy</span>\s*1\.2\.3", html)
    assert "bentoml</span>" not in html


def test_a_number_that_was_not_computed_is_not_mentioned(render_index: Callable[..., str]) -> None:
    html = render_index()
    assert "public notebooks" not in html
    assert "Benchmark" not in html


def test_a_second_run_writes_the_same_bytes(render_index: Callable[..., str]) -> None:
    assert render_index() == render_index()


def test_a_page_has_the_headline_of_another_stage_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write_json(tmp_path / "stats_report.json", {"own": 1})
    io.write_json(tmp_path / "evaluate.json", {"threshold": {"value": 0.25}})
    io.write_json(tmp_path / "clean.json", {"sha256": "ab" * 32})
    pins = tmp_path / "requirements.txt"
    pins.write_text("numpy==1.2.3\n")
    seen: dict[str, object] = {}
    monkeypatch.setattr(report, "render", lambda item, results: seen.update(results) or "<html>")
    folder = lambda name: tmp_path / f"{name}.json"  # noqa: E731
    report.main(
        item="statistics",
        results=folder,
        metrics=folder,
        clean=tmp_path / "clean.json",
        requirements=pins,
        page=lambda name: tmp_path / f"{name}.html",
    )
    assert seen["beside"] == {"threshold": {"value": 0.25}}
    assert seen["own"] == 1


def test_an_unknown_page_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no page 'nope'; there are: index, eda"):
        report.main(item="nope", page=lambda name: tmp_path / name)
    assert list(tmp_path.iterdir()) == []
