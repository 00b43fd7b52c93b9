"""Libraries that open files below Python's sight are made to say so when they are imported."""

from __future__ import annotations

import functools
import importlib.machinery
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]

FILES = {
    # module: (function or method, position of the path, how it opens it)
    "pyarrow.parquet.core": (
        ("read_schema", 0, os.O_RDONLY),
        ("read_metadata", 0, os.O_RDONLY),
        ("ParquetFile.__init__", 1, os.O_RDONLY),
        ("ParquetDataset.__init__", 1, os.O_RDONLY),
        ("ParquetWriter.__init__", 1, os.O_WRONLY),
    ),
    "xgboost.core": (
        ("Booster.load_model", 1, os.O_RDONLY),
        ("Booster.save_model", 1, os.O_WRONLY),
    ),
}


class AfterImport:
    """A finder that finds nothing itself, and runs an action when a module has been imported."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self.actions = dict(actions)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the usual spec of a module that an action waits for, with the action added."""
        action = self.actions.pop(name, None)
        if action is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            action(module)

        spec.loader.exec_module = execute_and_act  # type: ignore[method-assign]
        return spec


def install(extra: Mapping[str, Action]) -> None:
    """Make :data:`FILES` tell the audit hooks of paths, and run further actions after imports.

    Parameters
    ----------
    extra : mapping
        Module → action; nothing may have imported these modules or those of :data:`FILES` yet.
    """
    tellers = {name: functools.partial(_tell, doors) for name, doors in FILES.items()}
    sys.meta_path.insert(0, AfterImport({**tellers, **extra}))


def _tell(doors: Sequence[tuple[str, int, int]], module: ModuleType) -> None:
    """Let functions raise the audit event that Python's own ``open`` raises."""
    for door, position, flags in doors:
        owner, _, name = door.rpartition(".")
        place = getattr(module, owner) if owner else module
        setattr(place, name, _telling(getattr(place, name), position, flags))


def _telling(inner: Callable[..., Any], position: int, flags: int) -> Callable[..., Any]:
    @functools.wraps(inner)
    def telling(*arguments: Any, **named: Any) -> Any:
        given = next(iter((*arguments[position:], *named.values())), None)
        for path in given if isinstance(given, list | tuple) else [given]:
            if isinstance(path, str | os.PathLike):
                sys.audit("open", os.fspath(path), None, flags)
        return inner(*arguments, **named)

    return telling
