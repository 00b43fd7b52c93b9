"""Cleaned clients → estimates, tests and the errors that tests can make.

Reads the table of clients; writes everything that ``statistics.html`` shows and the
headline numbers. All work is done by ``creditrisk.stats``: ``questions.answer_all``
(the declared questions), ``estimation.estimate_mean`` (bootstrap and intervals),
``association.rank_categoricals`` and ``context`` (Type I and Type II).

Inputs   data/interim/clients.parquet
Outputs  data/results/stats_report.json, reports/metrics/stats_report.json
Params   stats_report
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from creditrisk import io, params, paths, schema
from creditrisk.stats import association, context, estimation, questions

N_JOBS = 2  # threads; results are the same for any number
N_BINS = 60

Share = Annotated[float, Field(gt=0, lt=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Question(params.Params):
    """One declared question."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    question: str
    h0: str
    h1: str
    kind: Literal[questions.KINDS]  # type: ignore[valid-type]
    value: str
    group: str
    smallest_effect: Share


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
    questions: Annotated[list[Question], Field(min_length=1)]

    @field_validator("questions")
    @classmethod
    def ids_differ(cls, value: list[Question]) -> list[Question]:
        """Hold that each question can be referred to."""
        ids = [question.id for question in value]
        if len(set(ids)) != len(ids):
            raise ValueError(f"ids repeat: {sorted({i for i in ids if ids.count(i) > 1})}")
        return value


def estimate(params: Params, values: Any, groups: Any) -> dict[str, Any]:
    """Return the mean of ``mean_column`` with its bootstrap distribution and intervals."""
    replicates = estimation.bootstrap_replicates(
        values,
        n_replicates=params.n_bootstrap,
        random_state=params.random_state,
        n_jobs=N_JOBS,
        name=params.mean_column,
    )
    found = estimation.estimate_mean(
        values,
        replicates,
        confidence=params.confidence,
        groups=groups,
        name=params.mean_column,
    )
    bins = estimation.count_in_bins(replicates, N_BINS)
    return {"column": params.mean_column, **found, "n_bootstrap": params.n_bootstrap, **bins}


def explain_errors(params: Params, values: Any, signal: Any, defaulted: Any) -> dict[str, Any]:
    """Return Type I and Type II for the tests and for one-line classifiers, priced."""
    costs = params.costs.model_dump()
    default_rate = float(defaulted.mean())
    tests = context.describe_test_errors(
        values,
        default_rate,
        alpha=params.alpha,
        n_questions=len(params.questions),
        settings=params.power.model_dump(),
        random_state=params.random_state,
        n_jobs=N_JOBS,
        name=params.mean_column,
    )
    return {
        "tests": tests,
        "price": context.price_tests(tests["sd"], default_rate, costs),
        "classifier": context.describe_classifier_errors(
            signal,
            defaulted,
            column=params.rule.column,
            at_least=params.rule.at_least,
            costs=costs,
        ),
    }


def collect_headline(found: dict[str, Any], mean_column: str) -> dict[str, Any]:
    """Return the few numbers that are versioned and compared between experiments."""
    mean = found["estimation"]
    interval = next(i for i in mean["intervals"] if i["method"] == "t")
    verdicts = [row["verdict"] for row in found["questions"]]
    study = found["context"]["tests"]["studies"][-1]
    false_alarms = next(row for row in study["simulated"] if row["difference"] == 0)
    headline = {
        "rows": found["sample"]["rows"],
        "mean": {"estimate": mean["mean"], "low": interval["low"], "high": interval["high"]},
        "questions": {
            "asked": sum(v != "not_applicable" for v in verdicts),
            "significant": sum(v in ("matters", "unclear", "negligible") for v in verdicts),
            "matters": verdicts.count("matters"),
            "negligible": verdicts.count("negligible"),
        },
        "false_alarm_rate": false_alarms["share"],
    }
    if study["detectable"][0]["difference"] is not None:
        headline["detectable_difference"] = study["detectable"][0]["difference"]
    if found["chi_square"] and "cramers_v" in found["chi_square"][0]:
        headline["top_cramers_v"] = found["chi_square"][0]["cramers_v"]
    for row in found["questions"]:
        compares_limit = (row["value"], row["group"]) == (mean_column, schema.TARGET)
        if row["applicable"] and compares_limit and row["effect_name"] == "g":
            headline["difference"] = {
                "estimate": row["estimate"],
                "low": row["estimate_low"],
                "high": row["estimate_high"],
                "hedges_g": row["effect"],
            }
            break
    return headline


def compute(params: Params, table: Any) -> dict[str, Any]:
    """Return everything that the page shows, one key a section."""
    target, values = table[schema.TARGET], table[params.mean_column]
    settings = questions.Settings(
        alpha=params.alpha,
        confidence=params.confidence,
        n_permutations=params.n_permutations,
        random_state=params.random_state,
        n_jobs=N_JOBS,
    )
    found: dict[str, Any] = {
        "sample": {
            "rows": len(table),
            "default_rate": float(target.mean()),
            "alpha": params.alpha,
            "confidence": params.confidence,
        }
    }
    print(f"stats_report: mean of {params.mean_column}, {params.n_bootstrap} samples", flush=True)
    found["estimation"] = estimate(params, values, table[schema.GROUP])
    print(f"stats_report: {len(params.questions)} declared questions", flush=True)
    asked = [question.model_dump() for question in params.questions]
    found["questions"] = questions.answer_all(asked, table, settings)
    found["chi_square"] = association.rank_categoricals(
        {name: table[name] for name in params.categorical_columns},
        target,
        confidence=params.confidence,
    )
    print("stats_report: power and the price of errors", flush=True)
    found["context"] = explain_errors(params, values, table[params.rule.column], target)
    return {"headline": collect_headline(found, params.mean_column), **found}


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    results: Path = paths.results("stats_report"),
    metrics: Path = paths.metrics("stats_report"),
) -> None:
    """Read the clients, compute, write the results and the headline numbers."""
    table = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    questions.require_columns(
        table, [params.mean_column, params.rule.column, *params.categorical_columns]
    )
    found = compute(params, table)
    io.write_json(results, found)
    io.write_json(metrics, found["headline"])


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "stats_report", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
