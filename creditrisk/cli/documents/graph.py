"""The pipeline's graph, read from ``dvc.yaml`` for the picture on the first page.

DVC refuses ``dvc.yaml`` as a dependency, so the graph is kept in
``docs/pipeline.json``, which a contract test holds to the file it was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        group = entry.get("foreach", {})
        body = entry.get("do", entry)
        items = {str(i): group[i] if isinstance(group, Mapping) else i for i in group}
        nodes.append({"name": name, "desc": _describe(body), "items": list(items)})
        outs = [
            next(iter(o)) if isinstance(o, Mapping) else o
            for kind in ("outs", "metrics", "plots")
            for o in body.get(kind, [])
        ]
        inputs[name] = _unroll(body.get("deps", []), items)
        outputs[name] = _unroll(outs, items)
    edges = [
        [source["name"], target["name"]]
        for source in nodes
        for target in nodes
        if source is not target
        and any(_meet(o, d) for o in outputs[source["name"]] for d in inputs[target["name"]])
    ]
    return {"nodes": nodes, "edges": edges}


def _describe(body: Mapping[str, Any]) -> str:
    """Return what a stage turns into what, in words for a group as a whole."""
    words = sub(r"\$\{key\}", "<page>", body.get("desc", ""))
    return sub(r"\$\{item\.(\w+)\}", r"<\1>", words)


def _unroll(paths: list[str], items: Mapping[str, Any]) -> set[str]:
    """Return the paths of all members of a group (of a single stage: as they are)."""
    found = set()
    for key, item in items.items() or [("", "")]:
        fields = {f"item.{k}": v for k, v in item.items()} if isinstance(item, Mapping) else {}
        values = {"key": key, "item": item} | fields
        for path in paths:
            filled = path
            for field, value in values.items():
                filled = filled.replace("${" + field + "}", str(value))
            found.add(filled)
    return found


def _meet(out: str, dep: str) -> bool:
    """Tell whether two paths are one, or one lies in the other."""
    return out == dep or out.startswith(f"{dep}/") or dep.startswith(f"{out}/")
