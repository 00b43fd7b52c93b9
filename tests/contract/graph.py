"""Which files of ours a file reaches through its imports, read from the syntax tree."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("creditrisk", "stages", "studies")


def module_file(name: str) -> Path | None:
    """Return the file of a first-party module, or None (packages have empty files)."""
    file = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    return file if file.is_file() else None


@cache
def imported_names(file: Path) -> frozenset[str]:
    """Return every dotted name that a file imports, at any depth, type-checking blocks excluded."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports are not used here"
            names.add(str(node.module))
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text(encoding="utf-8")))
    return frozenset(names)


def direct(file: Path) -> set[Path]:
    """Return the first-party files that a file imports itself."""
    ours = (name for name in imported_names(file) if name.split(".")[0] in PACKAGES)
    return {found for name in ours if (found := module_file(name))}


def closure(*files: Path) -> set[str]:
    """Return the given files and all first-party files behind them, as paths from the root."""
    seen: set[Path] = set()
    queue = list(files)
    while queue:
        file = queue.pop()
        if file not in seen:
            seen.add(file)
            queue.extend(direct(file))
    return {str(file.relative_to(ROOT).as_posix()) for file in seen}
