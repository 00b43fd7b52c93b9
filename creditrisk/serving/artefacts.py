"""Reads what is served, and refuses a folder that is incomplete or was changed.

The folder is ``models/`` beside ``service.py`` unless the environment variable
``CREDIT_MODELS`` names another.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from creditrisk.errors import UserError

MODELS_VARIABLE = "CREDIT_MODELS"
MANIFEST = "manifest.json"
SERVED = ("champion.ubj", "champion.json", "feature_names.json", "clusters.json", "rfm.json")
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


def load_scorer(models: Path) -> Any:
    """Return the :class:`~creditrisk.scoring.Scorer` of a folder with models.

    Raises
    ------
    UserError
        As :func:`read` does, or when the files do not fit one another.
    """
    from creditrisk.scoring import Scorer

    files, version = read(models)
    document = {name: json.loads(files[name]) for name in SERVED if name.endswith(".json")}
    if document["feature_names.json"] != document["champion.json"]["features"]:
        raise UserError(
            f"{_shown(models / 'feature_names.json')} does not name the features of "
            "champion.json in their order: run `dvc repro`"
        )
    with without_estimators():
        return Scorer(
            files["champion.ubj"],
            document["champion.json"],
            document["clusters.json"],
            document["rfm.json"],
            version,
        )


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
