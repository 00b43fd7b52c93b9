"""The headline: which of all numbers stand in front, and the graph that made them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from re import sub
from typing import Any, Final

REQUIRED: Final = {
    "champion": (
        "family",
        "roc_auc",
        "roc_auc_low",
        "roc_auc_high",
        "gini",
        "ks",
        "pr_auc",
        "log_loss",
        "brier",
        "calibration_slope",
        "calibration_intercept",
        "ece",
    ),
    "champion_cv": ("roc_auc", "log_loss", "brier", "ece", "calibration_slope"),
    "clusters": ("k",),
    "data": ("rows", "default_rate", "sha256"),
}
OPTIONAL: Final = {
    "benchmark": ("mode", "r0f0_roc_auc", "r0_mean_roc_auc", "r0_mean_log_loss"),
    "public_split": ("roc_auc",),
    "clusters": ("min_jaccard",),
}
"""Taken where a stage reports them; never null, never a placeholder."""

ORDER: Final = ("champion", "champion_cv", "benchmark", "public_split", "clusters", "data")


def gather_headline(
    clean: Mapping[str, Any], evaluate: Mapping[str, Any], cluster: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Gather the headline numbers of the whole pipeline.

    Parameters
    ----------
    clean : mapping
        ``rows``, ``default_rate``, ``sha256``.
    evaluate : mapping
        ``champion``, ``champion_cv`` and, where computed, ``public_split`` and
        ``benchmark``, each a mapping.
    cluster : mapping
        ``k`` and, where computed, ``min_jaccard``.

    Returns
    -------
    dict
        Two levels, as ``reports/metrics/summary.json`` holds them.

    Raises
    ------
    KeyError
        Naming the number that is missing, as ``section.key``.
    """
    sources = {**evaluate, "clusters": cluster, "data": clean}
    headline: dict[str, dict[str, Any]] = {}
    for section in ORDER:
        source = sources.get(section, {})
        chosen = {}
        for key in REQUIRED.get(section, ()):
            if source.get(key) is None:
                raise KeyError(f"{section}.{key}")
            chosen[key] = source[key]
        for key in OPTIONAL.get(section, ()):
            if source.get(key) is not None:
                chosen[key] = source[key]
        if chosen:
            headline[section] = chosen
    return headline


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
