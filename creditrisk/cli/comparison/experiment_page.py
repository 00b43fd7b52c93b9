"""The page of ``experiments``: every experiment beside the commit that it started from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from creditrisk import paths
from creditrisk.cli.comparison import gates, metric_files
from creditrisk.cli.records.changes import leaves

QUESTION = "What did experiments change, and what came of it?"
UNMOVED = "no metric moved: was `summary` run?"
"""State of an experiment with other parameters and the commit's metrics to the last digit, which
is what a run of one family alone leaves."""


def page(shown: list[dict[str, Any]], settings: gates.Params, file: Path) -> str:
    """Return the page.

    Parameters
    ----------
    shown : list of dict
        What ``dvc exp show --json`` says: the working tree, then commits with their experiments.
    settings : gates.Params
        The gates choose the metrics and mark what breaks them.
    file : Path
        Where the page will lie; its links lead to the reports from there.

    Returns
    -------
    str
        Self-contained HTML.
    """
    from creditrisk.reporting import render

    workspace, *commits = shown
    bases = [
        table(commit, [("working tree", "", workspace)] if i == 0 else [], settings)
        for i, commit in enumerate(commits)
    ]
    n = sum(len(experiments(commit)) for commit in commits)
    n_fine = sum(base["n_within_gates"] for base in bases)
    entry = render.Page("Experiments", "", QUESTION)
    html = render.render_template(
        "experiments/page.html.j2",
        {
            "pages": render.PAGES | {"experiments": entry},
            "bases": bases,
            "verdict": f"Of {n} experiments {n_fine} finished and broke no gate beside the commit "
            "that they started from.",
        },
        page="experiments",
    )
    to_reports = Path(os.path.relpath(paths.ROOT / paths.REPORTS, file.parent)).as_posix()
    for name in render.PAGES:
        html = html.replace(f'href="{name}.html"', f'href="{to_reports}/{name}.html"')
    return html.replace('href="experiments.html"', f'href="{quote(file.name)}"')


def table(
    commit: Mapping[str, Any],
    more: list[tuple[str, str, Mapping[str, Any]]],
    settings: gates.Params,
) -> dict[str, Any]:
    """Return what the page shows of one commit and its experiments.

    Parameters
    ----------
    commit : mapping
        An entry of ``dvc exp show --json`` with its experiments.
    more : list of tuple
        Rows beside the experiments: name, state, entry.
    settings : gates.Params

    Returns
    -------
    dict
        ``id``, ``title``, ``heads`` (``label``, ``note``), ``rows`` (``name``, ``rev``,
        ``state``, ``cells``), the commit first, and ``n_within_gates``, which counts
        experiments that have metrics and break no gate.
    """
    entries = [*more, *experiments(commit)]
    base_params, base = _params(commit), _metrics(commit)
    changed = [_differences(base_params, _params(entry)) for _, _, entry in entries]
    keys = sorted({key for values in changed for key in values})
    first = {key: old for values in changed for key, (old, _) in values.items()}
    values = [first[key] for key in keys]
    rows = [_row(commit["name"] or "HEAD", "", commit, values, base=base, settings=settings)]
    for (name, state, entry), own in zip(entries, changed, strict=True):
        values = [own[key][1] if key in own else None for key in keys]
        row = _row(name, state, entry, values, base=base, settings=settings)
        if own and not state and not any(cell["difference"] for cell in row["cells"]):
            row["state"] = UNMOVED
        rows.append(row)
    finished = [row for row in rows[1 + len(more) :] if row["is_within_gates"]]
    short = commit["rev"][:7]
    heads = [{"label": "experiment", "note": ""}]
    heads += [{"label": key, "note": "parameter"} for key in keys]
    heads += [{"label": m, "note": _wanted(settings.goal(m))} for m in settings.gated()]
    return {
        "id": f"commit-{short}",
        "title": f"{commit['name']} ({short})" if commit["name"] else short,
        "heads": heads,
        "rows": rows,
        "n_within_gates": len(finished),
    }


def _row(
    name: str,
    state: str,
    entry: Mapping[str, Any],
    values: list[Any],
    *,
    base: Mapping[str, Any],
    settings: gates.Params,
) -> dict[str, Any]:
    """Return a row: what was changed, then each gated metric with its difference."""
    cells = [_cell("" if value is None else str(value), value) for value in values]
    own = _metrics(entry)
    compared = [r for r in gates.compare(base, own, settings, {}) if r.is_gated] if own else []
    by_name = {row.metric: row for row in compared}
    for metric in settings.gated():
        row = by_name.get(metric)
        number = row.new if row else None
        change = f"{row.difference:+.4g}" if row and row.difference else ""
        text = "" if number is None else f"{number:.6g}"
        cells.append(_cell(text, number, change, row.broken if row else ()))
    fine = bool(own) and not any(cell["broken"] for cell in cells)
    rev = entry["rev"][:7] if entry["rev"] != "workspace" else ""
    return {"name": name, "rev": rev, "state": state, "cells": cells, "is_within_gates": fine}


def _cell(
    text: str, value: Any, difference: str = "", broken: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a cell: what it shows, what it sorts by, the change, and which gates it breaks."""
    return {"text": text, "value": value, "difference": difference, "broken": broken}


def experiments(entry: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return name, state and last revision of a commit's experiments; no state: finished."""
    found = []
    for experiment in entry["experiments"] or ():
        last = experiment["revs"][0]
        state = (experiment["executor"] or {}).get("state", "")
        state = "" if state == "success" else state
        found.append((experiment["name"] or last["rev"][:7], state, last))
    return found


def _params(entry: Mapping[str, Any]) -> Any:
    """Return an entry's parameters as ``params.yaml`` has them."""
    files = (entry["data"] or {}).get("params") or {}
    return files.get(paths.PARAMS.as_posix(), {}).get("data", {})


def _metrics(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's metrics by the names that ``compare`` gives them."""
    folder = f"{paths.METRICS.as_posix()}/"
    files = (entry["data"] or {}).get("metrics") or {}
    return metric_files.flatten(
        {
            name.removeprefix(folder).removesuffix(".json"): content["data"]
            for name, content in files.items()
            if name.startswith(folder) and "data" in content
        }
    )


def _differences(base: Any, own: Any) -> dict[str, tuple[Any, Any]]:
    """Return the parameters that differ: dotted key → before, after."""
    return {key: (old, new) for key, old, new in leaves(base, own)} if own else {}


def _wanted(goal: str | float | None) -> str:
    """Return a direction in words."""
    if goal is None:
        return ""
    return f"{goal} is better" if isinstance(goal, str) else f"near {goal:g} is better"
