"""``explain`` against what DVC itself says and does, on a pipeline of a few files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from creditrisk.cli import explain
from creditrisk.cli.records import changes, hashing, lockfile
from creditrisk.errors import UserError
from tests.unit import tiny_pipeline as tiny


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make(tmp_path_factory.mktemp("tiny") / "repo")


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "repo")


def change_yaml(name: str, keys: str, value: object) -> Callable[[Path], None]:
    def change(repo: Path) -> None:
        document = yaml.safe_load((repo / name).read_text())
        *parents, last = keys.split("/")
        inner = document
        for key in parents:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        tiny.write(repo, name, document)

    return change


def edit(name: str) -> Callable[[Path], None]:
    return lambda repo: tiny.write(repo, name, (repo / name).read_text() + "\n")


def remove(name: str) -> Callable[[Path], None]:
    return lambda repo: (repo / name).unlink()


def lose_object(repo: Path) -> None:
    recorded = {
        p: e for s in lockfile.read_stages(repo) if s.recorded for p, e in s.recorded.outs.items()
    }
    entry = recorded["models/total.txt"]
    assert entry
    changes.object_file(repo / ".dvc/cache", entry.md5).unlink()


def add_stage(repo: Path) -> None:
    change_yaml("dvc.yaml", "stages/more", {"cmd": "python make.py none", "deps": ["make.py"]})(
        repo
    )


KINDS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "nothing": (lambda repo: None, set()),
    "code": (edit("make.py"), {"numbers", "power@2", "power@3", "studies/study"}),
    "folder": (edit("kit/words.py"), {"numbers"}),
    "new file in a folder": (lambda r: tiny.write(r, "kit/more.py", "x"), {"numbers"}),
    "bytecode in a folder": (lambda r: tiny.write(r, "kit/__pycache__/a.pyc", "x"), set()),
    "code gone": (remove("kit/words.py"), {"numbers"}),
    "parameter": (change_yaml("params.yaml", "powers/2/unused", "y"), {"power@2"}),
    "same number": (change_yaml("params.yaml", "numbers/n", 7.0), set()),
    "parameter gone": (change_yaml("params.yaml", "powers/3", None), {"power@3"}),
    "shared parameter": (
        change_yaml("params.yaml", "numbers/list", [1, 3]),
        {"numbers", "studies/study"},
    ),
    "command": (change_yaml("dvc.yaml", "stages/total/cmd", "python make.py total -"), {"total"}),
    "output edited": (edit("models/total.txt"), {"total"}),
    "output gone": (remove("models/total.txt"), {"total"}),
    "git-kept output edited": (edit("reports/metrics/power_2.json"), {"power@2"}),
    "inner output gone": (
        remove("data/numbers.txt"),
        {"numbers", "power@2", "power@3", "studies/study"},
    ),
    "cache object gone": (lose_object, {"total"}),
    "new stage": (add_stage, {"more"}),
    "new output": (
        change_yaml("dvc.yaml", "stages/total/outs", ["models/total.txt", "models/b.txt"]),
        {"total"},
    ),
    "dropped dependency": (
        change_yaml("dvc.yaml", "stages/total/deps", ["data/power_2.txt"]),
        set(),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_changed_stages_are_those_that_dvc_names(repo: Path, kind: str) -> None:
    change, expected = KINDS[kind]
    change(repo)
    stages = lockfile.read_stages(repo)
    today = hashing.entries(repo, changes.paths_of(stages))
    cache = repo / ".dvc/cache"
    found = {
        c.stage.title
        for s in stages
        for c in changes.changes(s, today, cache)
        if c.kind != changes.DROPPED
    }
    assert found == expected == tiny.status(repo)


@pytest.mark.parametrize(
    ("kind", "restored"),
    [
        ("folder", set()),
        ("parameter", set()),
        ("output gone", {"total"}),
        ("inner output gone", {"numbers"}),
    ],
)
def test_dvc_runs_what_was_announced_and_nothing_else(
    repo: Path, kind: str, restored: set[str]
) -> None:
    KINDS[kind][0](repo)
    whys = [w for w in explain.explain(repo) if w.stage.pipeline == "."]
    assert {w.stage.title for w in whys if w.is_restored} == restored
    own = {w.stage.title for w in whys if w.reasons and not w.is_restored}
    may = {w.stage.title for w in whys if w.waits_for}
    lines = tiny.dvc(repo, "repro", "--no-run-cache").splitlines()
    ran = {line.split("'")[1] for line in lines if line.startswith("Running stage")}
    assert own <= ran <= own | may
    assert not restored & ran


def test_each_reason_is_told_as_old_and_new(repo: Path) -> None:
    tiny.write(repo, "make.py", tiny.MAKE.replace("// 100", "// 10\n"))
    change_yaml("params.yaml", "powers/2/shift", 5)(repo)
    change_yaml("dvc.yaml", "stages/total/cmd", "python make.py total -")(repo)
    tiny.write(repo, "data/power_3.txt", "1")
    text = "\n".join(explain.report(repo))
    assert "parameter  powers.2.shift: 0 → 5" in text
    assert "unused" not in text
    assert "make.py: +2 −1 lines" in text
    assert "command    python make.py total → python make.py total -" in text
    assert "output     data/power_3.txt: 3 → 1 bytes, md5" in text
    assert "total: would rerun" in text
    assert "upstream   power@2, power@3" in text
    assert text.endswith("5 would rerun, 0 may follow, 0 restored from the cache.")


def test_lines_are_counted_from_the_commit_that_ran_and_for_folders(repo: Path) -> None:
    edit("kit/words.py")(repo)
    tiny.git(repo, "commit", "--quiet", "--all", "--message", "one")
    edit("kit/words.py")(repo)
    assert any("kit: +2 −0 lines" in line for line in explain.report(repo))


def test_without_git_a_change_is_told_by_its_hashes(repo: Path) -> None:
    shutil.rmtree(repo / ".git")
    edit("kit/words.py")(repo)
    assert any("kit: 11 → 12 bytes, md5 " in line for line in explain.report(repo))


def test_who_only_reads_is_told_apart(repo: Path) -> None:
    edit("kit/words.py")(repo)
    lines = explain.report(repo)
    assert lines[0] == "numbers: would rerun"
    assert "power@2, power@3: may rerun; cut off if what it reads comes out as before" in lines
    assert "studies/study: may rerun; cut off if what it reads comes out as before" in lines
    assert lines[-1] == "1 would rerun, 4 may follow, 0 restored from the cache."


def test_a_study_makes_no_stage_rerun(repo: Path) -> None:
    edit("studies/results/study.json")(repo)
    assert [w.stage.title for w in explain.explain(repo)] == ["studies/study"]


def test_a_clean_tree_says_so_and_the_exit_code_is_0(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("creditrisk.paths.ROOT", repo)
    import argparse

    assert explain.run(argparse.Namespace()) == 0
    assert capsys.readouterr().out.startswith("Nothing would rerun")


@pytest.mark.parametrize(
    "text", ["stages: [}", "stages: {a: 1}", "stages: {a: {cmd: x, deps: [{}]}}"]
)
@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock"])
def test_a_damaged_file_is_named(repo: Path, name: str, text: str) -> None:
    tiny.write(repo, name, text)
    with pytest.raises(UserError, match=name):
        explain.explain(repo)


def test_leaves_name_only_what_differs() -> None:
    old = {"a": {"b": 1, "c": [1, 2, 3]}, "d": [1], "gone": 0}
    new = {"a": {"b": 2, "c": [1, 5, 3]}, "d": [1, 2], "more": 0}
    assert changes.leaves(old, new, "s") == [
        ("s.a.b", 1, 2),
        ("s.a.c.1", 2, 5),
        ("s.d", [1], [1, 2]),
        ("s.gone", 0, changes.ABSENT),
        ("s.more", changes.ABSENT, 0),
    ]
