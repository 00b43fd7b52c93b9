"""The single values of metric files by name: of the working tree or of a revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from creditrisk import io, paths
from creditrisk.cli.records.revision import Revision
from creditrisk.errors import UserError


def of_revision(then: Revision) -> dict[str, Any]:
    """Return the metrics of a revision by name.

    Raises
    ------
    UserError
        When the revision has no metric file.
    """
    files = then.metrics()
    if not files:
        raise UserError(f"{then.label} has no {paths.METRICS.as_posix()}/*.json to compare with")
    return flatten(files)


def of_tree(root: Path) -> dict[str, Any]:
    """Return the metrics of the working tree by name.

    Raises
    ------
    UserError
        When there is none.
    """
    folder = root / paths.METRICS
    files = {
        file.relative_to(folder).with_suffix("").as_posix(): io.read_json(file)
        for file in sorted(folder.rglob("*.json"))
    }
    if not files:
        raise UserError(f"no {paths.METRICS.as_posix()}/*.json here: run `dvc repro`")
    return flatten(files)


def flatten(files: Mapping[str, Any]) -> dict[str, Any]:
    """Return the single values of metric files by name, those of the summary first.

    Parameters
    ----------
    files : mapping of str to mapping
        Content by file name, without suffix.

    Returns
    -------
    dict
        ``champion.roc_auc`` of the summary, ``evaluate:gate.promotable`` of another file.
        Lists are tables, not metrics, and left out, as ``dvc metrics`` does; so is what the
        summary repeats under the same key.
    """
    summary = dict(_leaves(files.get("summary", {})))
    others = (
        (f"{name}:{key}", value)
        for name, content in sorted(files.items())
        if name != "summary"
        for key, value in _leaves(content)
        if key not in summary
    )
    return dict(chain(summary.items(), others))


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the value of everything that is no mapping and no list."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif not isinstance(value, list):
        yield key, value
