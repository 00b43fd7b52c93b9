"""What a stage declares is read from YAML as DVC resolves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from creditrisk.errors import UserError
from creditrisk.guards import declared

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = """
stages:
  plain:
    cmd: python -m creditrisk.run plain
    params: [plain, shared.key, {other.yaml: [there]}]
    deps: [in.csv, code]
    outs:
      - data/table.parquet
      - page.html: {cache: false}
    metrics:
      - metrics/plain.json:
          cache: false
    plots:
      - curve.csv: {x: a, y: b}
  listed:
    foreach: [one, two]
    do:
      cmd: python -m creditrisk.run listed ${item}
      params: ["listed.${item}"]
      deps: [in.csv]
      outs: ["models/${item}.joblib"]
  mapped:
    foreach:
      first: {stage: plain}
    do:
      cmd: python -m creditrisk.run mapped ${key}
      deps: ["results/${item.stage}.json"]
      outs:
        - "${key}.html": {cache: false}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    return tmp_path


def test_an_entry_with_options(root: Path) -> None:
    entry = declared.read(root, "dvc.yaml", "plain", None)
    assert entry.name == "plain"
    assert entry.deps == ("in.csv", "code")
    assert entry.outs == ("data/table.parquet", "page.html", "metrics/plain.json", "curve.csv")
    assert entry.metrics == ("metrics/plain.json",)
    assert entry.params == {"params.yaml": ("plain", "shared.key"), "other.yaml": ("there",)}


def test_items_of_a_list_and_of_a_mapping(root: Path) -> None:
    two = declared.read(root, "dvc.yaml", "listed", "two")
    assert (two.name, two.outs) == ("listed@two", ("models/two.joblib",))
    assert two.params == {"params.yaml": ("listed.two",)}
    first = declared.read(root, "dvc.yaml", "mapped", "first")
    assert first.deps == ("results/plain.json",)
    assert first.outs == ("first.html",)


@pytest.mark.parametrize(
    ("stage", "item", "words"),
    [
        ("absent", None, "dvc.yaml has no stage absent"),
        ("listed", None, r"stage listed needs an item \(one, two\)"),
        ("plain", "one", "stage plain takes no item"),
        ("listed", "three", "no item 'three' in dvc.yaml; there are: one, two"),
    ],
)
def test_what_is_not_there_is_said(root: Path, stage: str, item: str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        declared.read(root, "dvc.yaml", stage, item)


def test_reading_and_writing(root: Path) -> None:
    entry = declared.read(root, "dvc.yaml", "plain", None)
    allowed = ("in.csv", "code/a.py", "params.yaml", "page.html", "creditrisk/guards/lock.py")
    assert all(map(entry.may_read, allowed))
    assert not any(map(entry.may_read, ("in.csv2", "codes/a.py", "dvc.yaml")))
    assert entry.may_write("data/table.parquet")
    assert entry.may_write("data/.table-a1b2c3d4.parquet"), "the neighbour that becomes it"
    for other in ("data/.table-a1b2c3d4.csv", ".table-a1b2c3d4.parquet", "data/other.parquet"):
        assert not entry.may_write(other)
    assert entry.may_make("data")
    assert not entry.may_make("else")


def test_the_line_to_add_fits_the_entry(root: Path) -> None:
    assert declared.read(root, "dvc.yaml", "plain", None).line("a.py") == "      - a.py"
    listed = declared.read(root, "dvc.yaml", "listed", "one")
    assert listed.line("data/one.npz") == "        - data/${item}.npz"
    assert listed.line("data/ones.npz") == "        - data/ones.npz"
    mapped = declared.read(root, "dvc.yaml", "mapped", "first")
    assert mapped.line("pages/first") == "        - pages/${key}"


def test_every_stage_of_dvc_lock_is_understood_as_dvc_does() -> None:
    """The lock holds what DVC resolved."""
    import yaml

    for pipeline in ("dvc.yaml", "studies/dvc.yaml"):
        lock = yaml.safe_load((ROOT / pipeline).with_suffix(".lock").read_text(encoding="utf-8"))
        assert lock["stages"]
        for name, locked in lock["stages"].items():
            stage, _, item = name.partition("@")
            entry = declared.read(ROOT, pipeline, stage, item or None)
            assert entry.name == name
            assert set(entry.outs) == {out["path"] for out in locked["outs"]}
