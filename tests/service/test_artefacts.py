"""A folder of models is served whole and unchanged, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from creditrisk.errors import UserError
from creditrisk.serving import artefacts
from tests.service import model_folder


@pytest.fixture
def folder(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(models, tmp_path / "models"))


@pytest.mark.parametrize("name", [*artefacts.SERVED, artefacts.MANIFEST])
def test_a_missing_file_is_named_with_the_remedy(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError) as caught:
        artefacts.read(folder)
    assert str(caught.value) == f"models/{name} not found: run `dvc repro`"


@pytest.mark.parametrize("name", artefacts.SERVED)
def test_a_changed_file_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=f"models/{name} is not the file"):
        artefacts.read(folder)


def test_a_served_file_outside_the_manifest_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["rfm.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UserError, match=r"does not list rfm\.json"):
        artefacts.read(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": []}', "3"])
def test_a_broken_manifest_is_named_with_the_remedy(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"models/manifest\.json is not a list .*dvc repro"):
        artefacts.read(folder)


def test_feature_names_in_another_order_are_refused(folder: Path) -> None:
    names = json.loads((folder / "feature_names.json").read_text(encoding="utf-8"))
    (folder / "feature_names.json").write_text(json.dumps(names[::-1]), encoding="utf-8")
    model_folder.seal(folder)
    with pytest.raises(UserError, match=r"models/feature_names\.json .*dvc repro"):
        artefacts.load_scorer(folder)


def test_research_artefacts_may_stay_away_but_not_be_changed(folder: Path) -> None:
    (folder / "research_model.joblib").write_bytes(b"research")
    model_folder.seal(folder)
    files, version = artefacts.read(folder)
    assert set(files) == set(artefacts.SERVED)
    (folder / "research_model.joblib").write_bytes(b"changed")
    with pytest.raises(UserError, match="research_model"):
        artefacts.read(folder)
    (folder / "research_model.joblib").unlink()
    assert artefacts.read(folder)[1] == version


def test_the_version_names_the_served_files(folder: Path) -> None:
    _, version = artefacts.read(folder)
    assert len(version) == 12
    bands = {**model_folder.BANDS, "spend_threshold": 900.0}
    (folder / "rfm.json").write_text(json.dumps(bands), encoding="utf-8")
    model_folder.seal(folder)
    assert artefacts.read(folder)[1] != version


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CREDIT_MODELS", raising=False)
    assert artefacts.folder(tmp_path) == tmp_path / "models"
    monkeypatch.setenv("CREDIT_MODELS", str(tmp_path / "other"))
    assert artefacts.folder(tmp_path) == tmp_path / "other"
