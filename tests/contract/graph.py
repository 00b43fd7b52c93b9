"""Which files of ours a file reaches through its imports, read from the syntax tree.

``python -m tests.contract.graph`` says which dependencies in ``dvc.yaml`` and
``studies/dvc.yaml`` differ from the imports, and with ``--write`` puts them right.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from functools import cache
from pathlib import Path

import yaml

from creditrisk.guards.declared import NO_DEPENDENCIES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("creditrisk", "stages", "studies")
PAGE_FOLDERS = ROOT / "creditrisk/reporting/pages"
TEMPLATES = ROOT / "creditrisk/reporting/templates"
IS_CODE = re.compile(r"^(creditrisk|stages|studies)/(?!results/)")
NO_DEPENDENCY = set(NO_DEPENDENCIES)


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


def pages() -> list[str]:
    """Return the pages of the ``report`` stage: the folders that build one."""
    return sorted(folder.parent.name for folder in PAGE_FOLDERS.glob("*/build.py"))


def expected_code(folder: str, stage: str, item: str | None = None) -> set[str]:
    """Return the files of ours that an entry in ``dvc.yaml`` has to name.

    Parameters
    ----------
    folder : str
        ``stages`` or ``studies``.
    stage : str
        Name of the script.
    item : str or None
        Member of a ``foreach`` group, or what stands for it there, such as ``${key}``.
    """
    files = [ROOT / folder / f"{stage}.py"]
    extra = {"creditrisk/environment.py"}  # the runner applies it to every stage
    if (folder, stage) == ("stages", "report"):
        # Pages are found by name, which no syntax tree shows. What several of them share
        # is one kit, stated for all; what is a page's own lies in its folder.
        files += [PAGE_FOLDERS / page / "build.py" for page in pages()]
        extra |= {p.relative_to(ROOT).as_posix() for p in TEMPLATES.iterdir()}
        extra.add(f"creditrisk/reporting/pages/{item}")
    reached = closure(*files)
    own = {name for name in reached if name.startswith("creditrisk/reporting/pages/")}
    return ((reached - own) | extra) - NO_DEPENDENCY


def place(name: str) -> tuple[int, str]:
    """Return where a file of ours stands among the dependencies: script, modules, files, folders."""
    kinds = [name.startswith("stages/"), name.endswith(".py"), "." in name, True]
    return kinds.index(True), name


def repaired(text: str, folder: str) -> str:
    """Return a ``dvc.yaml`` whose code dependencies are the imports; all else keeps its bytes.

    Parameters
    ----------
    text : str
        The file, in this repository's form: one dependency a line.
    folder : str
        Where its scripts lie: ``stages`` or ``studies``.
    """
    lines: list[str] = []
    stages = yaml.safe_load(text)["stages"]
    code: list[str] | None = None  # of the list that is being read
    for line in text.splitlines():
        if found := re.fullmatch(r"  (\w+):", line):
            stage = found[1]
            group = stages[stage].get("foreach")
        is_entry = code is not None and re.fullmatch(r" +(- .+|#.*)", line)
        if line.strip() == "deps:":
            item = None if group is None else "${key}" if isinstance(group, dict) else "${item}"
            names = sorted(expected_code(folder, stage, item), key=place)
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            code = [f"{indent}- {name}" for name in names]
            lines.append(line)
        elif is_entry and IS_CODE.match(line.strip().removeprefix("- ")):
            continue  # the list's end brings what belongs there
        else:
            if code is not None and not is_entry:
                lines += code
                code = None
            lines.append(line)
    return "\n".join([*lines, *(code or [])]) + "\n"


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Compare both pipelines with the imports; return 1 when one differs and is left so."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract.graph", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the dependencies right")
    options = parser.parse_args(arguments)
    differ = False
    for name, folder in {"dvc.yaml": "stages", "studies/dvc.yaml": "studies"}.items():
        before = (root / name).read_text(encoding="utf-8")
        after = repaired(before, folder)
        if after != before:
            differ = True
            print(f"{name}: {'repaired' if options.write else 'differs from the imports'}")
            if options.write:
                (root / name).write_text(after, encoding="utf-8", newline="\n")
    return int(differ and not options.write)


if __name__ == "__main__":
    sys.exit(main())
