"""The pipeline's graph, read from ``dvc.yaml`` for the picture on the first page.

DVC refuses ``dvc.yaml`` as a dependency, so the graph is kept in
``docs/pipeline.json``, which a contract test holds to the file it was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from re import sub
from typing import Any


def read_graph(document: Mapping[str, Any]) -> dict[str, Any]:
    """Read the stages and what flows between them from a parsed ``dvc.yaml``.

    Parameters
    ----------
    document : mapping
        The file's content; a ``foreach`` group is one node.

    Returns
    -------
    dict
        ``nodes``: list of ``{"name", "desc", "items"}`` in the file's order, where
        ``items`` lists a group's members (empty for a single stage or when the
        file takes them from elsewhere); ``edges``: list of ``[from, to]``, sorted
        by node order. A stage leads to another when an output of the one is, holds
        or lies in a dependency of the other.
    """
    nodes, inputs, outputs = [], {}, {}
    for name, entry in document.get("stages", {}).items():
        group = entry.get("foreach")
        body = entry.get("do", entry)
        items = [str(i) for i in group] if isinstance(group, list | Mapping) else []
        nodes.append(
            {"name": name, "desc": body.get("desc", entry.get("desc", "")), "items": items}
        )
        inputs[name] = [_pattern(d) for d in body.get("deps", [])]
        outputs[name] = [
            _pattern(next(iter(o)) if isinstance(o, Mapping) else o)
            for kind in ("outs", "metrics", "plots")
            for o in body.get(kind, [])
        ]
    edges = [
        [source["name"], target["name"]]
        for source in nodes
        for target in nodes
        if source is not target
        and any(
            _meet(out, dep) for out in outputs[source["name"]] for dep in inputs[target["name"]]
        )
    ]
    return {"nodes": nodes, "edges": edges}


def _pattern(path: str) -> str:
    """Put ``*`` where a ``foreach`` group fills in its item."""
    return sub(r"\$\{[^}]*\}", "*", path)


def _meet(out: str, dep: str) -> bool:
    """Tell whether two paths, with ``*`` for a group's item, are one or nested."""
    pairs = ((out, dep), (dep, out))
    return any(fnmatchcase(a, b) or fnmatchcase(a, f"{b}/*") for a, b in pairs)
