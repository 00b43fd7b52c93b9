"""Metrics of the working tree beside those of a revision: names, gates, intervals, text."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from creditrisk import io, params, paths, schema
from creditrisk.cli import compare
from creditrisk.cli.comparison import gates, metric_files, pairing
from creditrisk.cli.records import revision
from creditrisk.errors import UserError
from creditrisk.metrics import calibration, comparison

SECTION = {
    "metrics": {"*.roc_auc": "higher", "*.log_loss": "lower", "*.slope": 1},
    "gates": {
        "worse": {"a.roc_auc": 0.01, "a.log_loss": 0.01, "a.slope": 0.1},
        "bounds": {"a.ece": [0, 0.02]},
    },
}
FINE = {"a.roc_auc": 0.8, "a.log_loss": 0.4, "a.slope": 0.95, "a.ece": 0.01}
N = 400


def settings(section: dict[str, Any] = SECTION) -> gates.Params:
    return params.parse(gates.Params, section, "compare")


def broken(**changed: Any) -> dict[str, tuple[str, ...]]:
    rows = gates.compare(FINE, FINE | changed, settings(), {})
    return {row.metric: row.broken for row in rows if row.broken}


def test_the_summary_comes_first_and_is_not_repeated() -> None:
    files = {
        "evaluate": {"champion": {"roc_auc": 0.8}, "gate": {"promotable": True}, "rows": [1, 2]},
        "summary": {"champion": {"family": "xgboost", "roc_auc": 0.8}},
        "train/xgboost": {"cv": {"roc_auc": 0.7}},
    }
    assert metric_files.flatten(files) == {
        "champion.family": "xgboost",
        "champion.roc_auc": 0.8,
        "evaluate:gate.promotable": True,
        "train/xgboost:cv.roc_auc": 0.7,
    }
    assert next(iter(metric_files.flatten(files))) == "champion.family"


def test_the_first_pattern_that_fits_gives_the_direction() -> None:
    chosen = settings(SECTION | {"metrics": {"a.*": "lower", "*.slope": 1, "*": "higher"}})
    assert [chosen.goal(m) for m in ("a.slope", "b.slope", "c")] == ["lower", 1, "higher"]
    assert settings().goal("a.count") is None


@pytest.mark.parametrize(
    ("metric", "held", "too_far"),
    [
        ("a.roc_auc", 0.79, 0.7899),
        ("a.log_loss", 0.41, 0.4101),
        ("a.slope", 1.15, 1.1501),
        ("a.slope", 0.85, 0.8499),
        ("a.ece", 0.02, 0.0201),
    ],
)
def test_a_gate_holds_up_to_its_limit(metric: str, held: float, too_far: float) -> None:
    assert broken(**{metric: held}) == {}
    assert list(broken(**{metric: too_far})) == [metric]


def test_moving_towards_the_goal_breaks_nothing() -> None:
    assert broken(**{"a.roc_auc": 1.0, "a.log_loss": 0.0, "a.slope": 1.0, "a.ece": 0.0}) == {}


@pytest.mark.parametrize("metric", ["a.roc_auc", "a.ece"])
def test_a_gated_metric_that_is_gone_breaks_its_gate(metric: str) -> None:
    new = {name: value for name, value in FINE.items() if name != metric}
    rows = {row.metric: row for row in gates.compare(FINE, new, settings(), {})}
    assert rows[metric].broken == ("is not among the metrics any more",)


def test_a_metric_that_the_revision_had_not_is_held_to_its_bounds_alone() -> None:
    rows = gates.compare({}, FINE | {"a.ece": 0.5}, settings(), {})
    assert [row.metric for row in rows if row.broken] == ["a.ece"]


def test_worse_needs_a_direction() -> None:
    section = SECTION | {"metrics": {"*.roc_auc": "higher"}}
    with pytest.raises(UserError, match=r"a\.log_loss has no direction"):
        gates.compare(FINE, FINE, settings(section), {})


def shown(old: dict[str, Any], new: dict[str, Any], **options: bool) -> str:
    section = SECTION | {"gates": {"worse": {}, "bounds": {"a.ece": [0, 0.02]}}}
    rows = gates.compare(old, new, settings(section), {})
    flags = {"is_markdown": False, "is_all": False} | options
    return gates.text(rows, "main (1234567)", ["a note"], **flags)


def test_the_table_shows_what_changed_what_is_new_and_what_is_gone() -> None:
    old = {"same": 1, "a.ece": 0.01, "x.roc_auc": 0.8, "old": 3, "name": "a", "flag": True}
    new = {"same": 1, "a.ece": 0.01, "x.roc_auc": 0.79, "new": 4, "name": "b", "flag": False}
    lines = [line.split() for line in shown(old, new).splitlines()]
    assert ["x.roc_auc", "higher", "0.8", "0.79", "-0.01"] in lines
    assert ["a.ece", "0.01", "0.01", "0", "holds"] in lines
    assert ["name", "a", "b", "changed"] in lines
    assert ["flag", "true", "false", "changed"] in lines
    assert ["new", "4", "new"] in lines
    assert ["old", "3", "gone"] in lines
    assert not [line for line in lines if line[:1] == ["same"]]
    assert "2 of 7 metrics are the same\na note\n1 gated metrics, none broken" in shown(old, new)
    assert [line for line in shown(old, new, is_all=True).splitlines() if line.startswith("same")]


def test_markdown_is_a_table_of_github_with_what_is_broken_below() -> None:
    text = shown({"a.ece": 0.01}, {"a.ece": 0.05}, is_markdown=True)
    assert text.startswith("### Metrics beside `main (1234567)`\n\n| metric")
    assert "BROKEN |" in text
    assert "\n- gate broken: a.ece is 0.05, outside 0 to 0.02" in text


def test_an_interval_stands_beside_its_difference_in_the_words_of_the_reports() -> None:
    interval = {"low": -0.02, "high": -0.01, "verdict": "worse"}
    rows = gates.compare(FINE, FINE | {"a.roc_auc": 0.785}, settings(), {"a.roc_auc": interval})
    text = gates.text(rows, "main", [], is_markdown=False, is_all=False)
    assert "-0.0200 to -0.0100, worse" in text


def test_the_gates_of_the_repository_are_those_of_metrics_that_it_has() -> None:
    chosen = gates.read(paths.ROOT)
    here = metric_files.of_tree(paths.ROOT)
    assert set(chosen.gated()) <= set(here)
    assert all(any(chosen.goal(m) == goal for m in here) for goal in chosen.metrics.values())
    gates.compare(here, here, chosen, {})


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = ["git", *identity, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return result.stdout.strip()


def figures(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    ranking = comparison.weighted_ranking(y, p, np.ones((1, len(y))))
    loss = float(calibration.row_log_loss(y, p).mean())
    return {"roc_auc": float(ranking["roc_auc"][0]), "log_loss": loss}


class Repository:
    """A folder with git, one champion's files, and a cache of DVC's shape."""

    def __init__(self, root: Path) -> None:
        self.root = root
        rng = np.random.default_rng(0)
        self.ids = np.arange(1, N + 1)
        self.y = (rng.random(N) < 0.4).astype(int)
        self.noise = rng.normal(size=N)
        git(root, "init", "--quiet", "--initial-branch=main")
        evaluate = {"bootstrap": {"replicates": 100, "seed": 0}, "alpha": 0.05}
        limits = {"worse": {"champion.roc_auc": 0.01}, "bounds": {}}
        section = {"metrics": {"*.roc_auc": "higher"}, "gates": limits}
        text = yaml.safe_dump({"evaluate": evaluate, "compare": section})
        io.write_text(root / "params.yaml", text)
        table = {schema.KEY: self.ids, schema.TARGET: self.y, schema.GROUP: self.ids // 2}
        io.write_table(root / paths.CLIENTS, pd.DataFrame(table))

    def train(self, signal: float, ids: np.ndarray | None = None) -> None:
        """Write predictions, results and metrics of a model of some strength."""
        p = 1 / (1 + np.exp(-(signal * (self.y - 0.4) + self.noise)))
        ids = self.ids if ids is None else ids
        path = self.root / paths.family_predictions("xgboost")
        io.write_arrays(path, holdout_id=ids, holdout_probability=p)
        found = figures(self.y, p)
        folds = [
            {"repeat": 0, "fold": i, "n_train": 300, "n_test": 100, "brier": 0.2}
            | {name: value + 0.001 * i * signal for name, value in found.items()}
            for i in range(4)
        ]
        io.write_json(self.root / paths.results("train/xgboost"), {"folds": folds})
        summary = {"champion": {"family": "xgboost", **found}, "data": {"sha256": "abc"}}
        io.write_json(self.root / paths.metrics("summary"), summary)

    def commit(self) -> None:
        """Commit what git keeps, and put what DVC keeps into the cache."""
        outs = []
        for path in (paths.family_predictions("xgboost"), paths.results("train/xgboost")):
            data = (self.root / path).read_bytes()
            md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
            outs.append({"path": path.as_posix(), "hash": "md5", "md5": md5})
            target = self.cached(md5)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        io.write_text(self.root / "dvc.lock", yaml.safe_dump({"stages": {"train": {"outs": outs}}}))
        git(self.root, "add", "params.yaml", "dvc.lock", "reports")
        git(self.root, "commit", "--quiet", "--message", "trained")

    def cached(self, md5: str) -> Path:
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def paired(self) -> tuple[dict[str, Any], list[str]]:
        then = revision.find("HEAD", self.root)
        old, new = metric_files.of_revision(then), metric_files.of_tree(self.root)
        return compare.paired_intervals(then, self.root, old, new)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.train(signal=1.0)
    made.commit()
    return made


def test_a_stronger_model_is_better_on_the_same_clients_and_a_weaker_one_worse(
    repository: Repository,
) -> None:
    for signal, word in ((3.0, "better"), (0.2, "worse")):
        repository.train(signal=signal)
        found, notes = repository.paired()
        assert notes == []
        assert found["champion.roc_auc"]["verdict"] == word
        assert (found["champion.roc_auc"]["difference"] > 0) == (word == "better")
        assert found["champion_cv.log_loss"]["df"] == 3
        assert {k for k in found if k.startswith("champion.")} == {
            f"champion.{metric}" for metric in comparison.HIGHER_IS_BETTER
        }


def test_what_is_the_same_file_needs_no_interval(repository: Repository) -> None:
    found, notes = repository.paired()
    assert found == {}
    assert [note.partition(": ")[2] for note in notes] == ["both sides have the same file"] * 2


def test_other_clients_are_not_paired(repository: Repository) -> None:
    repository.train(signal=2.0, ids=repository.ids[::-1].copy())
    assert "the hold-outs are not the same clients" in repository.paired()[1][0]


def test_predictions_that_are_not_those_of_the_metrics_are_not_used(
    repository: Repository,
) -> None:
    repository.train(signal=2.0)
    file = repository.root / paths.metrics("summary")
    summary = io.read_json(file)
    summary["champion"]["roc_auc"] -= 0.01
    io.write_json(file, summary)
    assert "predictions and metrics of the working tree differ" in repository.paired()[1][0]


def test_other_folds_are_not_paired(repository: Repository) -> None:
    repository.train(signal=2.0)
    file = repository.root / paths.results("train/xgboost")
    io.write_json(file, {"folds": io.read_json(file)["folds"][:3]})
    assert repository.paired()[1] == ["no paired interval out of fold: the folds are not the same"]


def test_an_object_that_is_not_cached_any_more_is_said(repository: Repository) -> None:
    repository.train(signal=2.0)
    then = revision.find("HEAD", repository.root)
    repository.cached(then.hashes[paths.family_predictions("xgboost").as_posix()]).unlink()
    found, notes = repository.paired()
    assert "DVC's cache has no data/interim/predictions/xgboost.npz of HEAD" in notes[0]
    assert set(found) == {"champion_cv.roc_auc", "champion_cv.log_loss", "champion_cv.brier"}


def test_a_damaged_object_is_refused(repository: Repository) -> None:
    then = revision.find("HEAD", repository.root)
    file = repository.cached(then.hashes[paths.family_predictions("xgboost").as_posix()])
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match="is damaged: delete it"):
        then.output(paths.family_predictions("xgboost"))


def test_a_champion_without_a_name_is_not_paired(repository: Repository) -> None:
    then = revision.find("HEAD", repository.root)
    with pytest.raises(pairing.NotPairedError, match="name no champion"):
        pairing.on_holdout(then, repository.root, {}, {})


def test_revisions_and_experiments_are_found_by_name(repository: Repository) -> None:
    head = git(repository.root, "rev-parse", "HEAD")
    git(repository.root, "update-ref", "refs/exps/ab/cdef/tidy-fox", head)
    for name in ("main", head[:7], "tidy-fox"):
        assert revision.find(name, repository.root).commit == head
    assert revision.find(head[:9], repository.root).label == head[:9]
    assert revision.find("main", repository.root).label == f"main ({head[:7]})"


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~9", ""])
def test_an_unknown_revision_is_one_clear_line(repository: Repository, name: str) -> None:
    with pytest.raises(UserError, match="git knows no revision") as error:
        revision.find(name, repository.root)
    assert "\n" not in str(error.value)


def test_a_folder_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match="not a git repository"):
        revision.find("HEAD", tmp_path)


def test_a_revision_without_metrics_says_so(repository: Repository) -> None:
    git(repository.root, "rm", "--quiet", "-r", "--cached", "reports")
    git(repository.root, "commit", "--quiet", "--message", "no metrics")
    with pytest.raises(UserError, match=r"has no reports/metrics/\*\.json"):
        metric_files.of_revision(revision.find("HEAD", repository.root))


def test_the_command_ends_with_1_where_a_gate_is_broken(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compare.environment, "apply", lambda: None)  # numpy is imported here
    monkeypatch.setattr(paths, "ROOT", repository.root)
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    for signal, code in ((1.0, 0), (3.0, 0), (0.2, 1)):
        repository.train(signal=signal)
        assert compare.run(parser.parse_args(["HEAD"])) == code
        assert ("gate broken: champion.roc_auc" in capsys.readouterr().out) == bool(code)
