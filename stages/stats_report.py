"""Cleaned clients → estimates, tests and the errors that tests can make.

Reads the table of clients and two studies; writes everything that ``statistics.html``
shows and the headline numbers. The work is done by ``creditrisk.stats.declared.report``, which
composes the rest of that room: ``estimation`` and ``distributions`` (bootstrap and
intervals), ``questions`` (the declared questions), ``sensitivity`` (the same on other
selections of rows), ``contingency`` (categorical importance), ``context`` (Type I and II).

Inputs   data/interim/clients.parquet, studies/results/{coverage,errors}.json
Outputs  data/results/stats_report.json, reports/metrics/stats_report.json
Params   stats_report
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.errors import UserError
from creditrisk.stats import distributions
from creditrisk.stats.declared import kinds, questions, report
from creditrisk.stats.simulation import family_errors
from creditrisk.studies import read_study
from creditrisk.validation import fingerprint

N_JOBS = 2  # threads; results are the same for any number

Share = Annotated[float, Field(gt=0, lt=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Question(params.Params):
    """One declared question."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    question: str
    h0: str
    h1: str
    kind: Literal[tuple(kinds.KINDS)]  # type: ignore[valid-type]
    value: str
    group: str
    second: str | None = Field(None, alias="and")
    within: list[str] = Field(default_factory=list)
    assumptions: Annotated[list[str], Field(min_length=1)]
    smallest_effect: Share

    @model_validator(mode="after")
    def has_the_fields_of_its_kind(self) -> Question:
        """Hold that what the kind needs is given, and nothing that it has no use for."""
        try:
            kinds.check_question(self.declared())
        except UserError as error:
            raise ValueError(str(error)) from None
        return self

    def declared(self) -> dict[str, Any]:
        """Return the question as the library takes it: the fields that were given."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Distribution(params.Params):
    """A bootstrap distribution: of a column, or of its difference between two groups."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    statistic: Literal[distributions.STATISTICS]  # type: ignore[valid-type]
    value: str
    group: str | None = None
    first: int | str | None = None
    second: int | str | None = None

    @model_validator(mode="after")
    def compares_two_levels(self) -> Distribution:
        """Hold that a group goes with two different levels, and no level without a group."""
        levels = (self.first, self.second)
        if (self.group is None) != (levels == (None, None)):
            raise ValueError("group, first and second go together: all three, or none")
        if self.group is not None and (None in levels or self.first == self.second):
            raise ValueError("first and second must be two levels of group")
        return self


class Bands(params.Params):
    """A column cut into bands."""

    source: str
    edges: Annotated[list[float], Field(min_length=1)]


class Variant(params.Params):
    """One selection of clients."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    exclude: list[str] = Field(default_factory=list)
    one_row_per: str | None = None


class Sensitivity(params.Params):
    """The selections on which all questions are asked again."""

    n_permutations: Annotated[int, Field(ge=99)]
    variants: list[Variant]


class Power(params.Params):
    """Of the comparison of ``mean_column`` between defaulters and the others."""

    sample_sizes: Annotated[list[Annotated[int, Field(ge=20)]], Field(min_length=1)]
    largest_difference: Annotated[float, Field(gt=0)]
    n_steps: Count
    targets: Annotated[list[Share], Field(min_length=1)]
    n_simulations: Annotated[int, Field(ge=100)]
    check_differences: Annotated[list[Amount], Field(min_length=1)]

    @field_validator("check_differences")
    @classmethod
    def includes_zero(cls, value: list[float]) -> list[float]:
        """Hold that the false-alarm rate is measured too."""
        if 0 not in value:
            raise ValueError("must contain 0, where the false-alarm rate is measured")
        return value


class Costs(params.Params):
    """Assumed amounts, NT$."""

    test_false_alarm: Amount
    test_missed_detection: Amount
    prior_real: Share
    test_clients: Annotated[int, Field(ge=20)]
    test_difference: Amount
    alphas: Annotated[list[Share], Field(min_length=1)]
    client_false_alarm: Annotated[float, Field(gt=0)]
    client_missed_detection: Annotated[float, Field(gt=0)]


class Rule(params.Params):
    """One-line classifiers."""

    column: str
    at_least: Annotated[list[float], Field(min_length=1)]


class Params(params.Params):
    """Section ``stats_report`` of params.yaml."""

    random_state: Annotated[int, Field(ge=0)]
    alpha: Share
    confidence: Share
    mean_column: str
    n_bootstrap: Annotated[int, Field(ge=100)]
    n_permutations: Annotated[int, Field(ge=99)]
    categorical_columns: Annotated[list[str], Field(min_length=1)]
    power: Power
    costs: Costs
    rule: Rule
    distributions: list[Distribution]
    columns: dict[str, Bands]
    sensitivity: Sensitivity
    questions: Annotated[list[Question], Field(min_length=1)]

    @field_validator("questions")
    @classmethod
    def ids_differ(cls, value: list[Question]) -> list[Question]:
        """Hold that each question can be referred to."""
        ids = [question.id for question in value]
        if len(set(ids)) != len(ids):
            raise ValueError(f"ids repeat: {sorted({i for i in ids if ids.count(i) > 1})}")
        return value

    def declared(self) -> dict[str, Any]:
        """Return the section as the library takes it; of questions the fields that were given."""
        asked = [question.declared() for question in self.questions]
        return self.model_dump(exclude={"questions"}) | {"questions": asked}


def read_studies(
    params: Params, table: Any, places: Callable[[str], Path]
) -> dict[str, dict[str, Any]]:
    """Return both studies' documents, and in words what they speak of that is not today's."""
    recipe = family_errors.recipe(params.declared()["questions"], params.alpha)
    today = fingerprint.fingerprint(table, recipe, [])
    clients = {"clients": today["clients"]}
    return {
        "coverage": read_study(places("coverage"), clients),
        "errors": read_study(places("errors"), today, recipe="other questions, or another level"),
    }


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    studies: Callable[[str], Path] = paths.study,
    results: Path = paths.results("stats_report"),
    metrics: Path = paths.metrics("stats_report"),
) -> None:
    """Read the clients, compute, write the results and the headline numbers."""
    table = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    questions.require_columns(
        table,
        [
            params.mean_column,
            params.rule.column,
            *params.categorical_columns,
            *(one.value for one in params.distributions),
            *(one.group for one in params.distributions if one.group is not None),
        ],
    )
    beside = read_studies(params, table, studies)
    found = report.compute(
        params.declared(),
        table,
        n_jobs=N_JOBS,
        progress=lambda line: print(f"stats_report: {line}", flush=True),
    )
    settings = params.model_dump(exclude={"questions"})
    io.write_json(results, found | {"studies": beside, "provenance": {"parameters": settings}})
    io.write_json(metrics, found["headline"])


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "stats_report", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
