"""Reads what is served, and refuses a folder that is incomplete or was changed.

The folder is ``models/`` beside ``service.py`` unless the environment variable
``CREDIT_MODELS`` names another.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from creditrisk.errors import UserError
from creditrisk.models.reasons import groups_of
from creditrisk.models.trees import BoosterTrees, TableTrees, Trees
from creditrisk.scoring import Scorer
from creditrisk.serving.card import describe

MODELS_VARIABLE = "CREDIT_MODELS"
MANIFEST = "manifest.json"
SERVED = (
    "champion.ubj",
    "champion.npz",
    "champion.json",
    "feature_names.json",
    "card.json",
    "clusters.json",
    "rfm.json",
)
"""The files that a server reads; research artefacts lie beside them."""


def folder(root: Path) -> Path:
    """Return the folder with the models: ``CREDIT_MODELS``, or ``models`` under ``root``."""
    return Path(os.environ.get(MODELS_VARIABLE) or root / "models")


def read(models: Path) -> tuple[dict[str, bytes], str]:
    """Read the served files and check each model file against the manifest.

    Parameters
    ----------
    models : Path
        Folder with the files of :data:`SERVED` and ``manifest.json``.

    Returns
    -------
    files : dict of str to bytes
        The content of each served file, the very bytes that were checked.
    version : str
        12 hexadecimal digits, the same for the same served files.

    Raises
    ------
    UserError
        Naming the file that is absent, not in the manifest or not what the
        manifest says, and the remedy.
    """
    for name in (*SERVED, MANIFEST):
        if not (models / name).is_file():
            raise UserError(f"{_shown(models / name)} not found: run `dvc repro`")
    listed = _listed(models / MANIFEST)
    if unlisted := [name for name in SERVED if name not in listed]:
        raise UserError(
            f"{_shown(models / MANIFEST)} does not list {', '.join(unlisted)}: run `dvc repro`"
        )
    files = {}
    for name in sorted(listed):
        path = models / name
        if name not in SERVED and not path.is_file():
            continue  # a bento carries no research artefacts
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != listed[name]:
            raise UserError(
                f"{_shown(path)} is not the file that {_shown(models / MANIFEST)} describes: "
                "run `dvc repro`, or `dvc checkout` to bring the recorded one back"
            )
        if name in SERVED:
            files[name] = content
    digest = hashlib.sha256("".join(listed[name] for name in SERVED).encode("ascii"))
    return files, digest.hexdigest()[:12]


def _listed(manifest: Path) -> dict[str, str]:
    """Return SHA-256 by file name."""
    try:
        files = json.loads(manifest.read_bytes())["files"]
    except (ValueError, KeyError, TypeError):
        files = None
    if not isinstance(files, dict):
        raise UserError(f"{_shown(manifest)} is not a list of files and hashes: run `dvc repro`")
    return files


def load_scorer(models: Path) -> Scorer:
    """Return what scores, with the card that tells of it.

    Parameters
    ----------
    models : Path
        As for :func:`read`.

    Raises
    ------
    UserError
        As :func:`read` does, or when the files do not fit one another.
    """
    files, version = read(models)
    document = {
        name.removesuffix(".json"): json.loads(files[name])
        for name in SERVED
        if name.endswith(".json")
    }
    champion, clusters = document["champion"], document["clusters"]
    if document["feature_names"] != champion["features"]:
        raise UserError(
            f"{_shown(models / 'feature_names.json')} does not name the features of "
            "champion.json in their order: run `dvc repro`"
        )
    trees = _load_trees(files, champion["features"])
    card = describe(document["card"], champion, clusters, version=version)
    return Scorer(trees, champion, clusters, document["rfm"], version=version, card=card)


def _load_trees(files: dict[str, bytes], features: list[str]) -> Trees:
    """Return the trees: as tables, or by XGBoost where they are too deep for tables."""
    with np.load(io.BytesIO(files["champion.npz"]), allow_pickle=False) as arrays:
        tables = dict(arrays)
    groups = groups_of(features)
    n_features = int(tables["n_features"])
    if n_features != len(features):
        raise UserError(
            f"champion.json names {len(features)} features, but the model has {n_features}: "
            "run `dvc repro`"
        )
    if len(tables["output"]):
        return TableTrees(tables, groups)
    with without_estimators():
        import xgboost
    return BoosterTrees(xgboost.Booster(model_file=bytearray(files["champion.ubj"])), groups)


@contextmanager
def without_estimators() -> Iterator[None]:
    """Keep xgboost's import from pulling in scikit-learn, and pandas with it.

    xgboost does without where they are not installed, as in a bento. Where they
    are, they would cost a server three seconds at the start and 100 MB a worker.
    Nothing happens in a process that has already imported one of the two.
    """
    if "sklearn" in sys.modules or "xgboost" in sys.modules:
        yield
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # makes the import fail
    try:
        yield
    finally:
        del sys.modules["sklearn"]


def _shown(path: Path) -> str:
    """Return a path as the user knows it: relative to the working directory if below."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)
