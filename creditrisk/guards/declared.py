"""What ``dvc.yaml`` declares of a stage: the files that it may read and write.

The entry is read straight from YAML, since importing DVC takes longer than most stages. Only
what the pipeline uses is understood: ``foreach`` over a list or a dict, and ``wdir: ..`` in
``studies/``, so that every path counts from the repository's root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from creditrisk.errors import UserError

NO_DEPENDENCIES = ("creditrisk/paths.py", "creditrisk/run.py", "creditrisk/guards")
"""Code that runs in every stage and is a dependency of none: the values of the path table stand
in ``dvc.yaml``, and the runner with its guards decides whether a result counts, not what it is."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Declared(NamedTuple):
    """A stage's entry, ``foreach`` resolved; paths are POSIX, from the repository's root."""

    name: str
    """As DVC addresses it, such as ``train@blend``."""
    pipeline: str
    """The file that holds the entry."""
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    """Outputs, metrics and plots."""
    metrics: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    """Parameter file → its keys."""
    item: str | None = None
    placeholder: str = ""
    """What stands for the item in the entry, such as ``${item}``."""

    def may_read(self, path: str) -> bool:
        """Say whether the stage may depend on a file."""
        return path in self.params or _is_under(path, (*self.deps, *self.outs, *NO_DEPENDENCIES))

    def may_write(self, path: str) -> bool:
        """Say whether a file is an output, or the temporary neighbour that becomes one."""
        return _is_under(path, self.outs) or any(
            fnmatchcase(path, str(PurePosixPath(out).parent / temporary_pattern(out)))
            for out in self.outs
        )

    def may_make(self, folder: str) -> bool:
        """Say whether a folder is, holds or lies in an output."""
        return _is_under(folder, self.outs) or any(_is_under(out, [folder]) for out in self.outs)

    def line(self, path: str) -> str:
        """Return the line of YAML that declares a path, indented as in the file."""
        indent = " " * (8 if self.item else 6)
        name = path
        if self.item:
            parts = PurePosixPath(path)
            if parts.stem == self.item:
                name = str(parts.with_name(self.placeholder + parts.suffix))
        return f"{indent}- {name}"


def temporary_pattern(out: str) -> str:
    """Return the pattern of the names that :func:`creditrisk.io.atomic` gives beside a file."""
    path = PurePosixPath(out)
    return f".{path.stem}-????????{path.suffix}"


def read(root: Path, pipeline: str, stage: str, item: str | None) -> Declared:
    """Read a stage's entry.

    Parameters
    ----------
    root : Path
        The repository's root.
    pipeline : str
        ``dvc.yaml`` or ``studies/dvc.yaml``.
    stage : str
        Name of the stage.
    item : str or None
        Member of a ``foreach`` group.

    Returns
    -------
    Declared

    Raises
    ------
    UserError
        When the file has no such stage, when the stage needs an item or takes none, or
        has no such item.
    """
    stages = yaml.load((root / pipeline).read_text(encoding="utf-8"), LOADER)["stages"]  # noqa: S506
    if stage not in stages:
        raise UserError(
            f"{pipeline} has no stage {stage}, so nothing says what it may read and write: add "
            f"it there, with `cmd: python -m creditrisk.run {stage}`"
        )
    entry = stages[stage]
    group = entry.get("foreach")
    if (group is None) != (item is None):
        known = "" if group is None else f" ({', '.join(map(str, group))})"
        raise UserError(f"stage {stage} {'takes no' if group is None else 'needs an'} item{known}")
    if group is None or item is None:
        return _declared(entry, stage, pipeline, item=None, placeholder="")
    if item not in group:
        raise UserError(f"no item {item!r} in {pipeline}; there are: {', '.join(map(str, group))}")
    fields = {"${key}": item, "${item}": item}
    if isinstance(group, dict):
        fields |= {f"${{item.{field}}}": str(value) for field, value in group[item].items()}
    return _declared(
        _filled(entry["do"], fields),
        f"{stage}@{item}",
        pipeline,
        item=item,
        placeholder="${key}" if isinstance(group, dict) else "${item}",
    )


def _declared(
    entry: Mapping[str, Any], name: str, pipeline: str, *, item: str | None, placeholder: str
) -> Declared:
    """Return an entry whose placeholders are filled in."""
    params: dict[str, tuple[str, ...]] = {}
    for keys in entry.get("params", ()):
        files = keys if isinstance(keys, dict) else {"params.yaml": [keys]}
        for file, names in files.items():
            params[file] = (*params.get(file, ()), *names)
    metrics = _paths(entry, "metrics")
    return Declared(
        name=name,
        pipeline=pipeline,
        deps=_paths(entry, "deps"),
        outs=(*_paths(entry, "outs"), *metrics, *_paths(entry, "plots")),
        metrics=metrics,
        params=params,
        item=item,
        placeholder=placeholder,
    )


def _paths(entry: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return the paths of a list whose members may carry options."""
    return tuple(next(iter(e)) if isinstance(e, dict) else e for e in entry.get(kind, ()))


def _filled(value: Any, fields: Mapping[str, str]) -> Any:
    """Return a value with the placeholders of all its texts filled in."""
    if isinstance(value, str):
        for placeholder, text in fields.items():
            value = value.replace(placeholder, text)
        return value
    if isinstance(value, list):
        return [_filled(v, fields) for v in value]
    if isinstance(value, dict):
        return {_filled(k, fields): _filled(v, fields) for k, v in value.items()}
    return value


def _is_under(path: str, tops: Iterable[str]) -> bool:
    """Say whether a path is one of the given paths or lies in one."""
    return any(path == top or path.startswith(f"{top}/") for top in tops)
