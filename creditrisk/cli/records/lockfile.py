"""What ``dvc.yaml`` states and what ``dvc.lock`` recorded, read without DVC.

Commands that check DVC's work cannot lean on its code or on its database of file
states, so both files are parsed here. This repository has two pipelines: the root's
and that of ``studies/``, which works from the root by ``wdir: ..``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from creditrisk.errors import UserError

PIPELINES = (".", "studies")
"""Folders with a ``dvc.yaml``, from the root."""
ABSENT = "(absent)"
"""Stands for a parameter that its file does not have."""


@dataclass(frozen=True)
class Entry:
    """One file or folder as DVC records it; a folder's hash ends in ``.dir``."""

    md5: str
    size: int
    n_files: int | None = None


@dataclass(frozen=True)
class Description:
    """A stage as one of the two files has it; paths are from the root.

    ``deps`` and ``outs`` map to None in ``dvc.yaml``, which holds no hashes; ``params``
    maps file and dotted key to the value: today's, or the one that was recorded.
    """

    command: Any
    deps: dict[str, Entry | None] = field(default_factory=dict)
    outs: dict[str, Entry | None] = field(default_factory=dict)
    params: dict[tuple[str, str], Any] = field(default_factory=dict)
    uncached: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stage:
    """A stage by both files; None where one of them does not know it."""

    pipeline: str
    name: str
    stated: Description | None
    recorded: Description | None

    @property
    def title(self) -> str:
        """Return the name as ``dvc`` prints it from the root."""
        return self.name if self.pipeline == "." else f"{self.pipeline}/{self.name}"

    @property
    def lock(self) -> str:
        """Return the path of the lock file."""
        return posixpath.normpath(f"{self.pipeline}/dvc.lock")


def read_yaml(path: Path) -> Any:
    """Read YAML quickly, with 1e-06 a number as in YAML 1.2, which DVC writes.

    Raises
    ------
    UserError
        When the file cannot be read or parsed.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """A loader of its own, so that the resolver below stays here."""

    number = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789"))
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}: restore it from git") from None


def read_stages(root: Path) -> list[Stage]:
    """Return every stage of every pipeline, those first that ``dvc.yaml`` has.

    Parameters
    ----------
    root : Path
        The repository.

    Raises
    ------
    UserError
        When ``dvc.yaml`` or ``dvc.lock`` cannot be read, or a parameter file cannot.
    """
    stages = []
    for pipeline in PIPELINES:
        if (root / pipeline / "dvc.yaml").exists():
            try:
                stages += _read_pipeline(root, pipeline)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                if isinstance(error, UserError):
                    raise
                files = posixpath.normpath(f"{pipeline}/dvc.yaml") + " or dvc.lock beside it"
                raise UserError(f"{files} is damaged ({error!r}): restore it from git") from None
    return stages


def _read_pipeline(root: Path, pipeline: str) -> list[Stage]:
    folder = root / pipeline
    definitions = dict(unroll(read_yaml(folder / "dvc.yaml")))
    lock = read_yaml(folder / "dvc.lock") if (folder / "dvc.lock").exists() else {}
    entries = (lock or {}).get("stages", {})
    values = _Parameters(root)
    stages = []
    for name in [*definitions, *(n for n in entries if n not in definitions)]:
        base = posixpath.join(pipeline, definitions.get(name, {}).get("wdir", "."))
        stated = describe(definitions[name], base, values) if name in definitions else None
        recorded = recall(entries[name], base) if name in entries else None
        stages.append(Stage(pipeline, name, stated, recorded))
    return stages


def unroll(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and definition of every stage, a ``foreach`` group's members one by one.

    Raises
    ------
    UserError
        When a ``${...}`` is left that is neither the key nor the item of a group.
    """
    for name, body in document.get("stages", {}).items():
        if "foreach" not in body:
            yield name, _fill(body, {}, name)
            continue
        group = body["foreach"]
        for key in group:
            item = group[key] if isinstance(group, Mapping) else key
            inner = item.items() if isinstance(item, Mapping) else ()
            fields = {"key": key, "item": item} | {f"item.{k}": v for k, v in inner}
            yield f"{name}@{key}", _fill(body["do"], fields, name)


def _fill(value: Any, fields: Mapping[str, Any], stage: str) -> Any:
    """Put the fields of a group's member into every text of its definition."""
    if isinstance(value, Mapping):
        return {_fill(k, fields, stage): _fill(v, fields, stage) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill(v, fields, stage) for v in value]
    if not isinstance(value, str):
        return value
    for name, text in fields.items():
        value = value.replace("${" + name + "}", str(text))
    if "${" in value:
        raise UserError(
            f"dvc.yaml, stage {stage}: {value!r} holds a name that is not resolved here"
        )
    return value


def describe(body: Mapping[str, Any], base: str, values: _Parameters) -> Description:
    """Return a stage as ``dvc.yaml`` has it, with today's values of its parameters."""
    outs: dict[str, Mapping[str, Any]] = {}
    for entry in (e for kind in ("outs", "metrics", "plots") for e in body.get(kind, ())):
        path, options = next(iter(entry.items())) if isinstance(entry, Mapping) else (entry, {})
        outs[_from_root(base, path)] = options
    params: dict[tuple[str, str], Any] = {}
    for entry in body.get("params", ()):
        by_file = entry if isinstance(entry, Mapping) else {"params.yaml": [entry]}
        for file, keys in by_file.items():
            path = _from_root(base, file)
            params |= {(path, key): values.get(path, key) for key in keys}
    return Description(
        command=body["cmd"],
        deps={_from_root(base, path): None for path in body.get("deps", ())},
        outs=dict.fromkeys(outs),
        params=params,
        uncached=frozenset(path for path, o in outs.items() if o.get("cache") is False),
    )


def recall(body: Mapping[str, Any], base: str) -> Description:
    """Return a stage as ``dvc.lock`` has it."""

    def entries(kind: str) -> dict[str, Entry | None]:
        return {
            _from_root(base, e["path"]): Entry(e.get("md5", ""), e.get("size", 0), e.get("nfiles"))
            for e in body.get(kind, ())
        }

    params = {
        (_from_root(base, file), key): value
        for file, by_key in body.get("params", {}).items()
        for key, value in by_key.items()
    }
    return Description(body["cmd"], entries("deps"), entries("outs"), params)


def _from_root(base: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(base, path))


class _Parameters:
    """Today's values, each file read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.documents: dict[str, Any] = {}

    def get(self, file: str, key: str) -> Any:
        if file not in self.documents:
            self.documents[file] = read_yaml(self.root / file)
        value = self.documents[file]
        for part in key.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return ABSENT
            value = value[part]
        return value
