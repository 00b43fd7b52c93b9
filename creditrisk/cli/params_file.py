"""``python -m creditrisk params``: what differs from the committed parameters, layout restored.

``dvc exp run -S`` and ``dvc exp apply`` write ``params.yaml`` anew: every list becomes a block
of lines and the comments after it are lost. The committed text has both, so today's values
are put into it where they stand, and nothing else of it is touched.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from typing import Any

from creditrisk import io, paths
from creditrisk.errors import UserError

Edit = tuple[int, int, str]
"""Start and end of a value in a text, and what takes its place."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--write",
        action="store_true",
        help="write params.yaml with the comments and the layout of HEAD and today's values",
    )


def run(options: argparse.Namespace) -> int:
    """Print the values that differ from HEAD; 1 where the layout differs too and is not written.

    Raises
    ------
    UserError
        When the file has comments or keys that HEAD has not: they were written by hand.
    """
    import yaml

    from creditrisk.cli.records import revision
    from creditrisk.cli.records.changes import leaves

    file = paths.ROOT / paths.PARAMS
    committed = revision.find("HEAD", paths.ROOT).text(paths.PARAMS.as_posix())
    today = file.read_text(encoding="utf-8")
    for key, old, new in leaves(yaml.safe_load(committed), yaml.safe_load(today)):
        print(f"{key}: {old} -> {new}")
    restored = restore(committed, today)
    if restored == today:
        return 0
    if options.write:
        io.write_text(file, restored)
        print("params.yaml has its comments and its layout again")
        return 0
    print("params.yaml has lost comments or layout: `python -m creditrisk params --write`")
    return 1


def restore(committed: str, today: str) -> str:
    """Return a text of parameters with the values of another.

    Parameters
    ----------
    committed : str
        YAML with comments and layout.
    today : str
        The same keys, other values.

    Raises
    ------
    UserError
        When ``today`` has comments that ``committed`` has not, or other keys.
    """
    import yaml

    if added := _comments(today) - _comments(committed):
        raise UserError(
            f"params.yaml has comments that HEAD has not ({min(added)}): it was edited by hand "
            "and stays as it is"
        )
    root = yaml.compose(committed, Loader=yaml.SafeLoader)
    old, new = yaml.safe_load(committed), yaml.safe_load(today)
    text = committed
    for start, end, value in sorted(_edits(root, old, new, ""), reverse=True):
        text = text[:start] + value + text[end:]
    if yaml.safe_load(text) != new:
        raise UserError("params.yaml cannot be restored by values alone: edit it by hand")
    return text


def _edits(node: Any, old: Any, new: Any, where: str) -> Iterator[Edit]:
    """Yield where the text of a node must change for its value to be ``new``."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and set(old) == set(new):
        for key_node, inner in node.value:
            key = next(k for k in old if str(k) == key_node.value)
            yield from _edits(inner, old[key], new[key], f"{where}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, inner in enumerate(node.value):
            yield from _edits(inner, old[i], new[i], f"{where}.{i}")
    elif isinstance(old, dict | list) and not node.flow_style:
        raise UserError(f"params.yaml: {where} has other entries than HEAD: edit it by hand")
    else:
        yield node.start_mark.index, node.end_mark.index, _inline(new)


def _inline(value: Any) -> str:
    """Return a value as YAML on one line."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _comments(text: str) -> set[str]:
    """Return the comments of a text, however far from their values they stand."""
    import yaml

    tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
    found = set()
    for before, after in itertools.pairwise(tokens):
        gap = text[before.end_mark.index : after.start_mark.index]
        found |= {line.strip() for line in gap.splitlines() if line.strip().startswith("#")}
    return found
