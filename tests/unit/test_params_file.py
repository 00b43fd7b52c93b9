"""params.yaml gets its comments and its layout back, with today's values."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from creditrisk import paths
from creditrisk.cli import params_file
from creditrisk.cli.records import revision
from creditrisk.errors import UserError

COMMITTED = """\
# a heading
a:
  depth: 3      # levels
  C: [0.00001, 0.1]   # of "#1"
  # comment after a list
  words: {x: null, y: 'it''s'}
  rows:
    - {id: one, n: 1}
    - {id: two, n: 2}
"""


def rewritten(text: str, **values: object) -> str:
    """Return what is left of a text when only its values are kept, some of them changed."""
    document = yaml.safe_load(text)
    document["a"] |= values
    return yaml.safe_dump(document)


def test_comments_and_layout_come_back_when_no_value_changed() -> None:
    assert params_file.restore(COMMITTED, rewritten(COMMITTED)) == COMMITTED


@pytest.mark.parametrize(
    ("values", "before", "after"),
    [
        ({"depth": 4}, "depth: 3 ", "depth: 4 "),
        ({"depth": None}, "depth: 3 ", "depth: null "),
        ({"C": [1e-05, 0.2]}, "0.1]", "0.2]"),
        ({"C": [0.5]}, "[0.00001, 0.1]", "[0.5]"),
        ({"words": {"x": "a: b", "y": "it's"}}, "x: null", "x: 'a: b'"),
        ({"rows": [{"id": "one", "n": 1}, {"id": "two", "n": 7}]}, "two, n: 2", "two, n: 7"),
    ],
)
def test_a_changed_value_is_put_where_the_old_one_stood(
    values: dict[str, object], before: str, after: str
) -> None:
    assert COMMITTED.count(before) == 1
    expected = COMMITTED.replace(before, after)
    assert params_file.restore(COMMITTED, rewritten(COMMITTED, **values)) == expected
    assert yaml.safe_load(expected)["a"] == yaml.safe_load(COMMITTED)["a"] | values


@pytest.mark.parametrize("values", [{"new": 1}, {"rows": [{"id": "one", "n": 1}]}])
def test_other_keys_and_entries_are_left_to_a_person(values: dict[str, object]) -> None:
    with pytest.raises(UserError, match="edit it by hand"):
        params_file.restore(COMMITTED, rewritten(COMMITTED, **values))


def test_a_comment_written_by_hand_is_never_lost() -> None:
    with pytest.raises(UserError, match="comments that HEAD has not"):
        params_file.restore(COMMITTED, COMMITTED + "# mine\n")


def test_a_mark_inside_a_word_is_no_comment() -> None:
    text = "a: {b: 'x # y'}\n"
    assert params_file.restore(text, "a:\n  b: 'x # z'\n") == "a: {b: 'x # z'}\n"


def test_the_parameters_of_the_repository_survive_what_dvc_makes_of_them(tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides

    committed = (paths.ROOT / paths.PARAMS).read_text(encoding="utf-8")
    file = tmp_path / "params.yaml"
    file.write_text(committed, encoding="utf-8")
    apply_overrides(file, ["train.families.xgboost.learning_rate=0.05"])
    today = file.read_text(encoding="utf-8")
    assert len(today.splitlines()) > len(committed.splitlines())  # or there is nothing to restore
    restored = params_file.restore(committed, today)
    changed = [
        (old.split("#")[0].strip(), new.split("#")[0].strip())
        for old, new in zip(committed.splitlines(), restored.splitlines(), strict=True)
        if old != new
    ]
    assert changed == [("learning_rate: 0.03", "learning_rate: 0.05")]


def test_the_command_says_what_differs_and_writes_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    head = type("Head", (), {"text": lambda self, path: COMMITTED})()
    monkeypatch.setattr(revision, "find", lambda name, root: head)
    file = tmp_path / "params.yaml"
    file.write_text(rewritten(COMMITTED, depth=5), encoding="utf-8")
    parser = argparse.ArgumentParser()
    params_file.add_arguments(parser)
    assert params_file.run(parser.parse_args([])) == 1
    assert "a.depth: 3 -> 5\nparams.yaml has lost" in capsys.readouterr().out
    assert params_file.run(parser.parse_args(["--write"])) == 0
    assert file.read_text(encoding="utf-8") == COMMITTED.replace("depth: 3", "depth: 5")
    assert params_file.run(parser.parse_args([])) == 0
