"""Everything that the statistics page shows, from one table and one set of declarations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.stats import bootstrap, context, contingency, distributions, estimation
from creditrisk.stats.declared import derived, questions, sensitivity
from creditrisk.stats.declared.headline import collect_headline

if TYPE_CHECKING:
    import pandas as pd


def compute(
    declared: Mapping[str, Any],
    clients: pd.DataFrame,
    *,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Return everything that the page shows, one key a section.

    Parameters
    ----------
    declared : mapping
        Section ``stats_report`` of the parameters.
    clients : pandas.DataFrame
        One row a client.
    n_jobs : int
        Threads; without effect on results.
    progress : callable
        Told what is computed next.

    Returns
    -------
    dict
        ``headline, sample, estimation, distributions, questions, sensitivity, chi_square``
        and ``context``.

    Raises
    ------
    UserError
        When a declaration does not fit the table.
    """
    target = clients[schema.TARGET]
    found: dict[str, Any] = {
        "sample": {
            "rows": len(clients),
            "default_rate": float(target.mean()),
            "alpha": declared["alpha"],
            "confidence": declared["confidence"],
        }
    }
    progress(f"mean of {declared['mean_column']}, {declared['n_bootstrap']} samples")
    found["estimation"] = estimate(declared, clients, n_jobs)
    drawn = distributions.Settings(
        n_bootstrap=declared["n_bootstrap"],
        confidence=declared["confidence"],
        random_state=declared["random_state"],
        n_jobs=n_jobs,
    )
    progress(f"{len(declared['distributions'])} bootstrap distributions")
    found["distributions"] = distributions.describe_all(declared["distributions"], clients, drawn)
    found |= answer(declared, derived.add_bands(clients, declared["columns"]), n_jobs, progress)
    columns = {name: clients[name] for name in declared["categorical_columns"]}
    found["chi_square"] = contingency.rank_columns(
        columns, target, confidence=declared["confidence"]
    )
    progress("power and the price of errors")
    found["context"] = explain_errors(declared, clients, n_jobs)
    return {"headline": collect_headline(found, declared["mean_column"]), **found}


def estimate(declared: Mapping[str, Any], clients: pd.DataFrame, n_jobs: int = 1) -> dict[str, Any]:
    """Return the mean of ``mean_column`` with its intervals."""
    name = declared["mean_column"]
    drawn = bootstrap.bootstrap_replicates(
        clients[name],
        n_replicates=declared["n_bootstrap"],
        random_state=declared["random_state"],
        statistic=bootstrap.mean_and_error,
        n_jobs=n_jobs,
        name=name,
    )
    means, errors = np.asarray(drawn).T
    found = estimation.estimate_mean(
        clients[name],
        means,
        standard_errors=errors,
        confidence=declared["confidence"],
        groups=clients[schema.GROUP],
        name=name,
    )
    return {"column": name, **found, "n_bootstrap": declared["n_bootstrap"]}


def answer(
    declared: Mapping[str, Any],
    clients: pd.DataFrame,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Return the declared questions, on all rows and on the declared selections of them."""
    asked, again = declared["questions"], declared["sensitivity"]

    def settings(n_permutations: int) -> questions.Settings:
        return questions.Settings(
            alpha=declared["alpha"],
            confidence=declared["confidence"],
            n_permutations=n_permutations,
            random_state=declared["random_state"],
            n_jobs=n_jobs,
        )

    progress(f"{len(asked)} declared questions")
    answers = questions.answer_all(asked, clients, settings(declared["n_permutations"]))
    progress(f"the same on {len(again['variants'])} selections of clients")
    variants = sensitivity.answer_variants(
        asked, clients, again["variants"], settings(again["n_permutations"])
    )
    return {
        "questions": answers,
        "sensitivity": {
            "variants": variants,
            "changes": sensitivity.list_changes(answers, variants),
        },
    }


def explain_errors(
    declared: Mapping[str, Any], clients: pd.DataFrame, n_jobs: int = 1
) -> dict[str, Any]:
    """Return Type I and Type II for the tests and for one-line classifiers, priced."""
    defaulted, costs, rule = clients[schema.TARGET], declared["costs"], declared["rule"]
    tests = context.describe_test_errors(
        clients[declared["mean_column"]],
        float(defaulted.mean()),
        alpha=declared["alpha"],
        n_questions=len(declared["questions"]),
        settings=declared["power"],
        random_state=declared["random_state"],
        n_jobs=n_jobs,
        name=declared["mean_column"],
    )
    return {
        "tests": tests,
        "price": context.price_tests(tests["sd"], float(defaulted.mean()), costs),
        "classifier": context.describe_classifier_errors(
            clients[rule["column"]],
            defaulted,
            column=rule["column"],
            at_least=rule["at_least"],
            costs=costs,
        ),
    }
