"""Rows of ``compare``: a metric then and now, which way it should go, and its gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from creditrisk import params, paths
from creditrisk.errors import UserError

HEADS = ("metric", "goal", "{then}", "now", "difference", "paired interval", "gate")


class Gates(params.Params):
    """What may not happen: how far to the worse, and beyond which values."""

    worse: dict[str, float]
    bounds: dict[str, tuple[float, float]]


class Params(params.Params):
    """The section ``compare``."""

    metrics: dict[str, Literal["higher", "lower"] | float]
    gates: Gates

    def goal(self, metric: str) -> str | float | None:
        """Return the direction of a metric: the first pattern that fits, or None."""
        return next((goal for p, goal in self.metrics.items() if fnmatchcase(metric, p)), None)

    def gated(self) -> list[str]:
        """Return the metrics that have a gate."""
        return list(dict.fromkeys(chain(self.gates.worse, self.gates.bounds)))


def read(root: Path) -> Params:
    """Return the section ``compare`` of a repository's ``params.yaml``.

    Raises
    ------
    UserError
        When the section does not fit.
    """
    return params.parse(Params, params.read_section(root / paths.PARAMS, "compare"), "compare")


@dataclass(frozen=True)
class Row:
    """One metric then and now; ``None`` is a metric that is not there."""

    metric: str
    goal: str | float | None
    old: Any
    new: Any
    interval: Mapping[str, Any] | None = None
    is_gated: bool = False
    broken: tuple[str, ...] = ()

    @property
    def difference(self) -> float | None:
        """Return new less old where both are numbers; the noise of floating point is cut."""
        return round(self.new - self.old, 9) if _numbers(self.old, self.new) else None


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    settings: Params,
    intervals: Mapping[str, Mapping[str, Any]],
) -> list[Row]:
    """Return a row for each metric of either side and each gate, those last that are gone.

    Parameters
    ----------
    old, new : mapping of str to value
        What :mod:`~creditrisk.cli.comparison.metric_files` returned.
    settings : Params
    intervals : mapping of str to mapping
        Rows of :func:`~creditrisk.metrics.comparison.holm` with their ``verdict``, by metric.

    Raises
    ------
    UserError
        When a gate speaks of *worse* for a metric without direction.
    """
    for metric in settings.gates.worse:
        if settings.goal(metric) is None:
            raise UserError(
                f"compare.gates.worse: {metric} has no direction; add one to compare.metrics"
            )
    gated = settings.gated()
    return [
        Row(
            metric,
            goal=settings.goal(metric),
            old=old.get(metric),
            new=new.get(metric),
            interval=intervals.get(metric),
            is_gated=metric in gated,
            broken=tuple(_broken(metric, old.get(metric), new.get(metric), settings)),
        )
        for metric in dict.fromkeys(chain(new, old, gated))
    ]


def text(rows: list[Row], then: str, notes: list[str], *, is_markdown: bool, is_all: bool) -> str:
    """Return the table, what is broken, and the notes.

    Parameters
    ----------
    rows : list of Row
    then : str
        What the other revision is called.
    notes : list of str
    is_markdown : bool
        A table for GitHub instead of one for a terminal.
    is_all : bool
        Rows without a change as well; those with a gate are always shown.
    """
    from tabulate import tabulate

    shown = [row for row in rows if is_all or row.is_gated or row.old != row.new]
    heads = [head.format(then=then) for head in HEADS]
    table = tabulate(
        [_cells(row) for row in shown],
        heads,
        tablefmt="github" if is_markdown else "simple",
        disable_numparse=True,
        colalign=["left", "left", "right", "right", "right", "left", "left"] if shown else None,
    )
    n_same = sum(row.old == row.new for row in rows)
    broken = [f"gate broken: {row.metric} {what}" for row in rows for what in row.broken]
    gated = sum(row.is_gated for row in rows)
    closing = broken or ([f"{gated} gated metrics, none broken"] if gated else [])
    lines = [f"{n_same} of {len(rows)} metrics are the same", *notes, *closing]
    mark = "- " if is_markdown else ""
    title = [f"### Metrics beside `{then}`", ""] if is_markdown else []
    return "\n".join([*title, table, "", *(mark + line for line in lines)])


def _numbers(*values: Any) -> bool:
    """Tell whether all values are numbers; true and false are words here."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _worsening(old: float, new: float, goal: str | float) -> float:
    """Return by how much a metric went away from its goal; below 0: towards it."""
    if isinstance(goal, str):
        return round((old - new) if goal == "higher" else (new - old), 9)
    return round(abs(new - goal) - abs(old - goal), 9)


def _broken(metric: str, old: Any, new: Any, settings: Params) -> Iterator[str]:
    """Yield what is wrong with a metric by its gates, in words."""
    limit, bounds = settings.gates.worse.get(metric), settings.gates.bounds.get(metric)
    if limit is None and bounds is None:
        return
    if not _numbers(new):
        yield "is not among the metrics any more"
        return
    goal = settings.goal(metric)
    if limit is not None and goal is not None and _numbers(old):
        distance = _worsening(old, new, goal)
        if distance > limit:
            yield f"is worse by {distance:.4g}, more than {limit:g}"
    if bounds is not None and not bounds[0] <= new <= bounds[1]:
        yield f"is {new:g}, outside {bounds[0]:g} to {bounds[1]:g}"


def _cells(row: Row) -> list[str]:
    """Return a row as text."""
    goal = f"near {row.goal:g}" if isinstance(row.goal, float) else row.goal or ""
    if row.difference is not None:
        change = f"{row.difference:+.4g}" if row.difference else "0"
    elif row.old == row.new:
        change = ""
    else:
        change = "new" if row.old is None else "gone" if row.new is None else "changed"
    interval = row.interval
    paired = (
        f"{interval['low']:+.4f} to {interval['high']:+.4f}, {interval['verdict']}"
        if interval
        else ""
    )
    gate = ("BROKEN" if row.broken else "holds") if row.is_gated else ""
    return [row.metric, goal, _value(row.old), _value(row.new), change, paired, gate]


def _value(value: Any) -> str:
    """Return a value as a table shows it; a long word, such as a hash, is cut."""
    if _numbers(value):
        return f"{value:.6g}"
    word = {None: "", True: "true", False: "false"}.get(value, str(value))
    return word if len(word) <= 16 else f"{word[:15]}…"
