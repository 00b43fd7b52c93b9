"""The page of experiments: rows, differences, gates, states, links."""

from __future__ import annotations

import argparse
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from creditrisk import params, paths
from creditrisk.cli import experiments
from creditrisk.cli.comparison import experiment_page, gates
from creditrisk.errors import UserError

SETTINGS = params.parse(
    gates.Params,
    {
        "metrics": {"*.roc_auc": "higher", "*.slope": 1},
        "gates": {"worse": {"a.roc_auc": 0.01}, "bounds": {"a.slope": [0.9, 1.1]}},
    },
    "compare",
)


def entry(rev: str, depth: Any, roc_auc: float, name: str | None = None) -> dict[str, Any]:
    values = {"train": {"depth": depth, "C": [1, 2]}}
    summary = {"a": {"roc_auc": roc_auc, "slope": 1.0}}
    data = {
        "params": {"params.yaml": {"data": values}},
        "metrics": {"reports/metrics/summary.json": {"data": summary}},
    }
    return {"rev": rev, "name": name, "data": data, "experiments": None}


def experiment(shown: dict[str, Any], state: str | None = None) -> dict[str, Any]:
    executor = {"state": state} if state else None
    return {"revs": [shown], "name": shown["name"], "executor": executor}


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    commit = entry("c" * 40, 3, 0.8, "main")
    queued = {"rev": "4" * 40, "name": "later", "data": None, "experiments": None}
    commit["experiments"] = [
        experiment(entry("1" * 40, 4, 0.81, "good-one"), "success"),
        experiment(entry("2" * 40, 2, 0.7, "bad-one")),
        experiment(entry("3" * 40, "<b>5</b>", 0.8, "odd-one")),
        experiment(queued, "queued"),
    ]
    return [entry("workspace", 3, 0.8), commit]


class Cells(HTMLParser):
    """Reads the text and the sort keys of the table's cells, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[tuple[str | None, str]]] = []
        self.is_inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append((dict(attrs).get("data-sort"), ""))
            self.is_inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            key, text = self.rows[-1][-1]
            self.rows[-1][-1] = (key, " ".join([text, *data.split()]).strip())


def test_an_experiment_without_new_metrics_is_marked(shown: list[dict[str, Any]]) -> None:
    base = experiment_page.table(shown[1], [("working tree", "", shown[0])], SETTINGS)
    states = {row["name"]: row["state"] for row in base["rows"]}
    marked = {name for name, state in states.items() if state == experiment_page.UNMOVED}
    assert marked == {"odd-one"}, "others have other metrics, none yet, or no other parameter"


def rows(shown: list[dict[str, Any]]) -> list[list[tuple[str | None, str]]]:
    return Cells(experiment_page.page(shown, SETTINGS, paths.ROOT / experiments.PAGE)).rows


def test_each_experiment_stands_below_its_commit_with_what_it_changed(
    shown: list[dict[str, Any]],
) -> None:
    head, *found = rows(shown)
    assert [text.replace(" ", "") for _, text in head] == [
        "experiment",
        "train.depthparameter",
        "a.roc_auchigherisbetter",
        "a.slopenear1isbetter",
    ]
    names = ["main", "working tree", "good-one", "bad-one", "odd-one", "later"]
    assert [row[0][0] for row in found] == names
    assert [row[1][1] for row in found] == ["3", "", "4", "2", "<b>5</b>", ""]
    assert found[0][2] == ("0.8", "0.8")
    assert found[2][2] == ("0.81", "0.81 +0.01")
    assert found[3][2] == ("0.7", "0.7 -0.1 breaks its gate")


def test_an_experiment_that_has_not_run_has_a_state_and_no_figures(
    shown: list[dict[str, Any]],
) -> None:
    later = rows(shown)[-1]
    assert later[0][1].endswith("queued")
    assert later[1:] == [("", "")] * 3


def test_the_verdict_counts_what_finished_within_the_gates(shown: list[dict[str, Any]]) -> None:
    html = experiment_page.page(shown, SETTINGS, paths.ROOT / experiments.PAGE)
    assert "Of 4 experiments 2 finished and broke no gate" in html
    assert 'title="is worse by 0.1, more than 0.01"' in html


def test_a_commit_without_experiments_is_a_page_too(shown: list[dict[str, Any]]) -> None:
    shown[1]["experiments"] = None
    assert [row[0][0] for row in rows(shown)[1:]] == ["main", "working tree"]


def test_the_page_needs_no_network_and_says_nothing_that_it_was_given_unescaped(
    shown: list[dict[str, Any]],
) -> None:
    html = experiment_page.page(shown, SETTINGS, paths.ROOT / experiments.PAGE)
    assert "<b>5</b>" not in html
    assert "&lt;b&gt;5" in html
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []


@pytest.mark.parametrize(
    ("place", "first", "own"),
    [
        ("reports/experiments.html", "./index.html", "experiments.html"),
        ("my page.html", "reports/index.html", "my%20page.html"),
        ("docs/x/e.html", "../../reports/index.html", "e.html"),
    ],
)
def test_links_lead_to_the_reports_from_wherever_the_page_lies(
    shown: list[dict[str, Any]], place: str, first: str, own: str
) -> None:
    html = experiment_page.page(shown, SETTINGS, paths.ROOT / place)
    assert re.findall(r'class="brand" href="([^"]*)"', html) == [first]
    assert re.findall(r'href="([^"]*)" aria-current="page"', html) == [own]


def test_the_command_writes_the_page_and_counts(
    shown: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = []

    def show(root: Path, n_commits: int) -> list[dict[str, Any]]:
        asked.append(n_commits)
        return json.loads(json.dumps(shown))

    monkeypatch.setattr(experiments, "show", show)
    parser = argparse.ArgumentParser()
    experiments.add_arguments(parser)
    file = tmp_path / "page.html"
    assert experiments.run(parser.parse_args(["--output", str(file), "--commits", "3"])) == 0
    assert asked == [3]
    assert capsys.readouterr().out == f"{file}: experiments shown: 4\n"
    assert "good-one" in file.read_text(encoding="utf-8")


def test_what_dvc_refuses_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match="not inside of a DVC repository") as error:
        experiments.show(tmp_path, 1)
    assert "\n" not in str(error.value)
