"""Errors of the tests themselves → how often they raise false alarms and miss what is there.

Reads ``clients.parquet``; writes what shuffles and simulations say of every test: false
alarms of every declared question's own test and of probing cases, power on the data's own
shapes beside the closed form, and the errors of the family of declared questions with and
without correction. Params: section ``errors`` of ``studies/params.yaml``; questions, bands
and level of ``stats_report``. The work is done in :mod:`creditrisk.stats.simulation` by
``declared_alarms``, ``false_alarms``, ``power_simulation`` and ``family_errors``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from creditrisk import io, params, paths
from creditrisk.errors import UserError
from creditrisk.params import Params as Section
from creditrisk.stats.declared import derived
from creditrisk.stats.simulation import (
    declared_alarms,
    false_alarms,
    family_errors,
    many_tests,
    permutation_alarms,
    power_simulation,
)
from creditrisk.validation import fingerprint

READS = ("stats_report",)
N_JOBS = 2  # threads; results are the same for any number

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Sizes = Annotated[list[Annotated[int, Field(ge=20)]], Field(min_length=1)]
Test = Literal[(false_alarms.PERMUTATION, *many_tests.TESTS)]  # type: ignore[valid-type]


class Case(Section):
    """Columns that are compared between the same groups by the same tests."""

    values: Annotated[list[str], Field(min_length=1)]
    group: str
    tests: Annotated[list[Test], Field(min_length=1)]


class FalseAlarms(Section):
    """Tests on shuffled labels."""

    sizes: Sizes
    n_shuffles: Annotated[int, Field(ge=100, multiple_of=permutation_alarms.DATA_SETS)]
    n_reference: Annotated[int, Field(ge=19)]
    cases: Annotated[list[Case], Field(min_length=1)]


class Panel(Section):
    """Columns on which the power of one test is simulated."""

    kind: Literal[power_simulation.KINDS]  # type: ignore[valid-type]
    values: Annotated[list[str], Field(min_length=1)]
    group: str
    smallest_effect: Annotated[float, Field(gt=0, lt=0.5)]


class Power(Section):
    """Studies with a known effect."""

    sizes: Sizes
    n_effects: Annotated[int, Field(ge=2)]
    n_simulations: Annotated[int, Field(ge=100)]
    panels: Annotated[list[Panel], Field(min_length=1)]


class Family(Section):
    """All declared questions at once."""

    n: Annotated[int, Field(ge=20)]
    n_families: Annotated[int, Field(ge=100)]
    share_real: Share


class Params(params.Params):
    """Section ``errors`` of ``studies/params.yaml``, and section ``stats_report``."""

    random_state: Annotated[int, Field(ge=0)]
    false_alarms: FalseAlarms
    power: Power
    family: Family
    stats_report: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    results: Path = paths.study("errors"),
) -> None:
    """Measure false alarms, power and the errors of a family, and write them."""
    section = params.stats_report
    questions, alpha = section["questions"], section["alpha"]
    table = derived.add_bands(io.read_table(clients), section["columns"])
    check_columns(table, params)
    shared = {
        "alpha": alpha,
        "random_state": params.random_state,
        "n_jobs": N_JOBS,
        "progress": lambda line: print(f"errors: {line}", flush=True),
    }
    declared = measure_declared(params, table, shared)
    left_out = [row["id"] for row in declared["not_applicable"]]
    asked, others = family_errors.select_questions(
        [question for question in questions if question["id"] not in left_out]
    )
    recipe = family_errors.recipe(questions, alpha)
    document = {
        "fingerprint": fingerprint.fingerprint(table, recipe, []),
        "rows": len(table),
        "not_simulated": [{key: q[key] for key in ("id", "kind")} for q in others],
        "declared": declared,
        "false_alarms": measure_false_alarms(params.false_alarms, table, shared),
        "power": simulate_power(params.power, table, shared),
        "family": measure_family(params.family, asked, table, shared),
    }
    io.write_json(results, document)
    n_failed, n_asked = len(declared["gate"]), len(declared["rows"])
    print(f"errors: {n_failed} of {n_asked} declared tests fail their level", flush=True)


def check_columns(table: Any, params: Params) -> None:
    """Raise a UserError that lists the named columns which the table does not have."""
    read: list[Case | Panel] = [*params.false_alarms.cases, *params.power.panels]
    named = [name for part in read for name in (*part.values, part.group)]
    for question in params.stats_report["questions"]:
        named += declared_alarms.list_columns(question)
    missing = [name for name in dict.fromkeys(named) if name not in table]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)} in the table of clients; correct the name in "
            f"errors or stats_report, there are: {', '.join(table.columns)}"
        )


def measure_declared(params: Params, table: Any, shared: dict[str, Any]) -> Any:
    """Return how often each declared question's own test rejects a true null hypothesis."""
    section = params.false_alarms.model_dump(include={"n_shuffles", "n_reference"})
    return declared_alarms.measure(params.stats_report["questions"], table, **section, **shared)


def measure_false_alarms(section: FalseAlarms, table: Any, shared: dict[str, Any]) -> Any:
    """Return how often each test of each case rejects a true null hypothesis."""
    return false_alarms.measure(
        [
            false_alarms.Case(value, case.group, tuple(case.tests))
            for case in section.cases
            for value in case.values
        ],
        table,
        sizes=section.sizes,
        n_shuffles=section.n_shuffles,
        n_reference=section.n_reference,
        **shared,
    )


def simulate_power(section: Power, table: Any, shared: dict[str, Any]) -> Any:
    """Return simulated and closed-form power of each panel."""
    return power_simulation.simulate(
        [
            power_simulation.Panel(panel.kind, value, panel.group, panel.smallest_effect)
            for panel in section.panels
            for value in panel.values
        ],
        table,
        sizes=section.sizes,
        n_effects=section.n_effects,
        n_simulations=section.n_simulations,
        **shared,
    )


def measure_family(section: Family, asked: Any, table: Any, shared: dict[str, Any]) -> Any:
    """Return the errors of all declared questions at once, corrected or not."""
    return family_errors.measure(asked, table, **section.model_dump(), **shared)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "errors", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
