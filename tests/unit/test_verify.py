"""``verify`` names each kind of damage, on a pipeline of a few files and on made-up pages."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from creditrisk import io, paths, schema
from creditrisk.cli import verify
from creditrisk.cli.checks import cache, tolerance
from creditrisk.cli.checks.findings import Finding
from creditrisk.errors import UserError
from tests.unit import tiny_pipeline as tiny


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make(tmp_path_factory.mktemp("tiny") / "repo")


@pytest.fixture
def repo(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "repo")


def findings(repo: Path, within: float | None = None) -> list[Finding]:
    found = [f for section in verify.sections(repo, within) for f in section.findings]
    return [f for f in found if "manifest.json" not in f.text]  # this pipeline serves no model


def texts(repo: Path, within: float | None = None) -> str:
    return "\n".join(map(str, findings(repo, within)))


def change(repo: Path, name: str, old: str, new: str) -> None:
    text = (repo / name).read_text()
    assert old in text
    tiny.write(repo, name, text.replace(old, new))


def test_an_intact_repository_passes(repo: Path) -> None:
    assert findings(repo) == []


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(0o444)  # what DVC trusts blindly


def test_one_flipped_byte_in_any_cache_object_is_named(repo: Path) -> None:
    objects = cache.objects(repo / ".dvc/cache")
    assert len(objects) == 6  # metrics that git keeps are remembered too
    for file in objects:
        before = file.read_bytes()
        flip(file)
        found = texts(repo)
        assert file.relative_to(repo).as_posix() in found
        assert "its content has md5" in found
        file.chmod(0o644)
        file.write_bytes(before)
    assert findings(repo) == []


def test_a_damaged_object_says_whose_it_is_and_an_old_one_that_it_is_old(repo: Path) -> None:
    old = repo / ".dvc/cache/files/md5/ab" / ("0" * 30)
    old.parent.mkdir(exist_ok=True)
    old.write_text("x")
    assert "(of an earlier run)" in texts(repo)
    for file in cache.objects(repo / ".dvc/cache"):
        flip(file)
    found = texts(repo)
    assert "(models/total.txt)" in found
    assert "(data/numbers.txt)" in found


def test_a_remembered_run_that_says_something_else_is_named(repo: Path) -> None:
    runs = sorted((repo / ".dvc/cache/runs").glob("??/*/*"))
    assert len(runs) == 4
    for run in runs:
        before = run.read_text()
        for damaged in (before.replace("md5: ", "md5: 0", 1), "outs: [", "5"):
            run.write_text(damaged)
            assert run.name in texts(repo)
        run.write_text(before)
    assert findings(repo) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("make.py", "// 100", "// 10", "make.py changed (md5 "),
        ("kit/words.py", '"n"', '"m"', "kit changed (md5 "),
        ("params.yaml", "unused: x", "unused: y", "params.yaml:powers.2 is not what power@2 ran"),
        ("dvc.yaml", "make.py total", "make.py all", "total ran as `python make.py total`, now"),
        (
            "dvc.yaml",
            "- data/power_2.txt\n    - data",
            "- data",
            "data/power_2.txt of total, which",
        ),
        ("dvc.yaml", "  total:", "  sum:", "dvc.lock still has total, which dvc.yaml does not"),
        ("dvc.yaml", "  total:", "  sum:", "sum is not in dvc.lock"),
        ("studies/dvc.yaml", "  study:", "  other:", "studies/dvc.lock still has studies/study"),
        ("models/total.txt", "3", "4", "models/total.txt is not what total wrote"),
        (
            "reports/metrics/power_2.json",
            "49",
            "48",
            "`git checkout -- reports/metrics/power_2.json`",
        ),
        ("studies/results/study.json", "7", "8", "study.json is not what studies/study wrote"),
        ("own.csv", "a", "c", "own.csv has sha256"),
    ],
)
def test_each_difference_is_named_with_a_remedy(
    repo: Path, name: str, old: str, new: str, expected: str
) -> None:
    change(repo, name, old, new)
    found = [str(f) for f in findings(repo) if expected in str(f)]
    assert len(found) == 1
    assert found[0].startswith("  WRONG   ")
    assert ": `" in found[0]


def test_an_edited_output_is_named_once_and_not_for_those_who_read_it(repo: Path) -> None:
    tiny.write(repo, "data/numbers.txt", "n 8")
    assert [f.text.split(" (")[0] for f in findings(repo)] == [
        "data/numbers.txt is not what numbers wrote"
    ]


def test_locks_that_contradict_themselves_are_seen_without_data(repo: Path) -> None:
    shutil.rmtree(repo / "data")
    shutil.rmtree(repo / ".dvc/cache")
    lock = yaml.safe_load((repo / "dvc.lock").read_text())
    lock["stages"]["power@3"]["deps"][0]["md5"] = "0" * 32
    assert lock["stages"]["power@3"]["deps"][0]["path"] == "data/numbers.txt"
    tiny.write(repo, "dvc.lock", lock)
    wrong = [f for f in findings(repo) if not f.is_absent]
    assert any(
        "power@3 run with another data/numbers.txt than was written" in f.text for f in wrong
    )


def run(repo: Path, monkeypatch: pytest.MonkeyPatch, *, everything: bool) -> int:
    monkeypatch.setattr("creditrisk.paths.ROOT", repo)
    return verify.run(argparse.Namespace(all=everything, tolerance=None))


def test_what_was_not_pulled_is_absent_and_fails_only_with_all(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("data", "models", ".dvc/cache"):
        shutil.rmtree(repo / folder)
    assert run(repo, monkeypatch, everything=False) == 0
    printed = capsys.readouterr().out
    assert "absent  models/total.txt (output of total): `dvc pull` or `dvc repro`" in printed
    assert "Nothing is wrong, 5 absent." in printed
    assert run(repo, monkeypatch, everything=True) == 1


def test_what_is_wrong_gives_exit_code_1_and_what_the_cache_has_is_said(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "models/total.txt").unlink()
    assert run(repo, monkeypatch, everything=False) == 0
    assert "models/total.txt (output of total): `dvc checkout`" in capsys.readouterr().out
    (repo / "reports/metrics/power_2.json").unlink()
    assert run(repo, monkeypatch, everything=False) == 1
    assert "is gone, and git should keep it" in capsys.readouterr().out


def test_the_raw_table_is_held_to_the_hash_that_params_give(tmp_path: Path) -> None:
    def check(**fetch: object) -> str:
        tiny.write(tmp_path, "params.yaml", {"fetch": fetch})
        section = verify.check_raw(tmp_path)
        return " ".join([section.looked_at, *map(str, section.findings)])

    assert "absent  data/raw/clients.csv" in check(source="uci", sha256=schema.CANONICAL_SHA256)
    tiny.write(tmp_path, "data/raw/clients.csv", "x")
    assert f"not {schema.CANONICAL_SHA256}" in check(source="uci", sha256="0" * 64)
    assert "held to no SHA-256" in check(source="data/raw/clients.csv", sha256=None)
    own = io.sha256(tmp_path / "data/raw/clients.csv")
    assert "WRONG" not in check(source="data/raw/clients.csv", sha256=own)


def test_the_models_are_held_to_their_manifest(tmp_path: Path) -> None:
    models = tmp_path / "models"
    tiny.write(models, "a.json", "a")
    tiny.write(models, "b.json", "b")
    files = {name: io.sha256(models / name) for name in ("a.json", "b.json")}
    tiny.write(models, "manifest.json", json.dumps({"files": files}))
    assert verify.check_models(tmp_path).findings == []
    tiny.write(models, "a.json", "c")
    (models / "b.json").unlink()
    wrong, absent = verify.check_models(tmp_path).findings
    assert wrong.text == "models/a.json is not the file that models/manifest.json lists"
    assert absent.text == "models/b.json"
    assert absent.is_absent
    tiny.write(models, "manifest.json", "{")
    with pytest.raises(UserError, match=r"models/manifest\.json"):
        verify.check_models(tmp_path)


def test_a_number_on_a_page_and_one_in_the_readme_are_held_to_the_metrics(tmp_path: Path) -> None:
    tiny.write(tmp_path, "reports/metrics/eda.json", '{"a": 0.25}')
    tiny.write(tmp_path, "reports/eda.html", '<data data-metric="eda:a" value="0.25">25 %</data>')
    tiny.write(tmp_path, "README.md", "<!--eda:a .2f-->0.25<!--/-->")
    assert verify.check_reports(tmp_path).findings == []
    assert verify.check_documents(tmp_path).findings == []
    tiny.write(tmp_path, "reports/metrics/eda.json", '{"a": 0.5}')
    (page,) = verify.check_reports(tmp_path).findings
    assert str(page).endswith(
        "reports/eda.html: eda:a: page 0.25, file 0.5: `dvc repro report@eda`"
    )
    (document,) = verify.check_documents(tmp_path).findings
    assert "README.md holds stale numbers: `make readme`" in str(document)
    tiny.write(tmp_path, "reports/metrics/eda.json", "{}")
    (lost,) = verify.check_documents(tmp_path).findings
    assert "cannot be found" in lost.text


def test_with_a_tolerance_outputs_may_differ_as_far_as_their_metrics_agree(repo: Path) -> None:
    tiny.write(repo, "models/total.txt", "other bytes")
    tiny.write(repo, "reports/metrics/power_2.json", '{"value": 49.0000001}')
    assert "is not what" in texts(repo)
    assert findings(repo, 1e-6) == []
    found = texts(repo, 1e-12)
    assert "reports/metrics/power_2.json: value was 49, is 49.0000001" in found
    tiny.write(repo, "make.py", tiny.MAKE + "\n")
    assert "make.py changed" in texts(repo, 1e-6)


@pytest.mark.parametrize("text", ['{"value": "49"}', '{"value": [49]}', "{}", '{"value": null}'])
def test_another_kind_of_value_is_no_near_one(repo: Path, text: str) -> None:
    tiny.write(repo, "reports/metrics/power_2.json", text)
    assert "reports/metrics/power_2.json: value" in texts(repo, 0.5)


def test_clusters_may_be_named_otherwise_but_hold_the_same_clients(tmp_path: Path) -> None:
    class Head:
        """Stands for a revision of which only the clusters are asked."""

        def output(self, path: Path) -> Path | None:
            file = tmp_path / "before.parquet"
            return file if file.exists() else None

    def table(name: str, labels: list[int]) -> None:
        keys = np.arange(len(labels))
        io.write_table(tmp_path / name, pd.DataFrame({schema.KEY: keys, "cluster_id": labels}))

    agree = tolerance._clusters_agree
    table(str(paths.CLUSTERS), [0, 0, 1, 2])
    assert agree(tmp_path, Head()) is None  # type: ignore[arg-type]
    table("before.parquet", [2, 2, 0, 1])
    assert agree(tmp_path, Head()) is True  # type: ignore[arg-type]
    for labels in ([2, 2, 0, 0], [2, 1, 0, 3], [2, 2, 0], [2, 2, 0, 1, 1]):
        table("before.parquet", labels)
        assert agree(tmp_path, Head()) is False  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0", "-1", "1", "nan"])
def test_a_tolerance_that_means_nothing_is_refused(text: str) -> None:
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    assert parser.parse_args(["--tolerance", "1e-6"]).tolerance == 1e-6
    with pytest.raises(SystemExit):
        parser.parse_args(["--tolerance", text])
