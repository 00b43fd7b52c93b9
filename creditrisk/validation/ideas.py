"""The catalogue of ideas beyond the registry: what was asked, and how it is put into a fit.

An idea adds columns to the base recipe, learns columns inside the fit, changes the
recipe or changes the rows that enter the fit. Each is measured alone, against the
same base on the same folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from creditrisk.features.record import ClientRecord
from creditrisk.models.rows import TrainingRows
from creditrisk.validation import idea_columns as c
from creditrisk.validation import idea_recipes as recipes
from creditrisk.validation import idea_steps as steps

Array = np.ndarray

BOTH = ("trees", "logistic")
TREES, LOGISTIC = ("trees",), ("logistic",)


@dataclass(frozen=True)
class Idea:
    """One idea.

    Attributes
    ----------
    id : str
    question : str
        One sentence.
    columns : callable, optional
        Record → columns behind those of the base, shape (n, k).
    step : callable, optional
        Number of base columns → unfitted first step of the pipeline.
    recipe : callable, optional
        Unfitted model, names of the base columns → unfitted model.
    fit_rows : callable, optional
        Training rows → which of them enter a fit.
    models : tuple of str
        Kinds of model for which the idea makes sense.
    """

    id: str
    question: str
    columns: Callable[[ClientRecord], Array] | None = None
    step: Callable[[int], Any] | None = None
    recipe: Callable[[Any, Sequence[str]], Any] | None = None
    fit_rows: Callable[[TrainingRows], Array] | None = None
    models: tuple[str, ...] = BOTH

    @property
    def kind(self) -> str:
        """``columns``, ``fitted``, ``recipe`` or ``rows``, by what the idea changes."""
        if self.fit_rows:
            return "rows"
        if self.step:
            return "fitted"
        return "recipe" if self.recipe else "columns"


COLUMNS = (
    Idea("exact_payments", "Do payments equal to the bill, or to a fixed share of it, mark a habit?", c.exact_payments),
    Idea("rounding_habits", "Do round payments and bills mark a habit?", c.rounding_habits),
    Idea("months_since_payment", "Does the time since the last payment add to the ratios paid?", c.months_since_payment),
    Idea("payment_gap", "Does the gap between the payment due and the payment made add anything?", c.payment_gap),
    Idea("unpaid_with_debt", "Do months with a debt and no payment say more than months without payment?", c.unpaid_with_debt),
    Idea("payment_over_current_bill", "Does a payment set against the bill of its own month add anything?", c.payment_over_current_bill),
    Idea("newest_against_own_past", "Does September set against the client's own past add anything?", c.newest_against_own_past),
    Idea("cash_flow_coverage", "Does payment less spend, month by month, add anything?", c.cash_flow_coverage),
    Idea("spend_volatility", "Is irregular spend a sign of risk?", c.spend_volatility),
    Idea("utilization_acceleration", "Does the acceleration of utilization add to its level and slope?", c.utilization_acceleration),
    Idea("bill_growth", "Do growth ratios of bills add to their differences?", c.bill_growth),
    Idea("signed_logs", "Do logarithms of every bill and payment add anything?", c.signed_logs),
    Idea("debt_in_dollars", "Do free limit, unpaid rest and least payment in NT$ add to the ratios?", c.debt_in_dollars),
    Idea("credit_balances", "Do credit balances mark careful clients?", c.credit_balances),
    Idea("over_limit", "Do months over the limit, and their run, add to utilization?", c.over_limit),
    Idea("inactivity", "Do flags of unused cards add anything?", c.inactivity),
    Idea("status_differences", "Do changes of status from month to month add to the codes?", c.status_differences),
    Idea("september_surprise", "Does September's delay mean more when August gave no sign of it?", c.september_surprise),
    Idea("revolving_runs", "Do long runs of revolving credit add to their count?", c.revolving_runs),
    Idea("fading_delay", "Should past delay fade faster than linearly?", c.fading_delay),
    Idea("contradictions", "Do months whose status contradicts the amounts say anything?", c.contradictions),
    Idea("delay_by_utilization", "Does delay weigh more on a full card?", c.delay_by_utilization),
)  # fmt: skip
FITTED = (
    Idea("status_path", "Do target-encoded paths of the last two and three codes beat single codes?", c.status_path, steps.appended(steps.path_encoder)),
    Idea("peer_differences", "Does a client's distance from peers of a like limit add anything?", c.peer_inputs, steps.appended(steps.PeerDifferences)),
    Idea("september_model", "Does the surprise over a model of September's delay add anything?", c.september_inputs, steps.appended(steps.september_model)),
    Idea("stacked_logistic", "Does a logistic regression's probability help the trees?", c.linear_inputs, steps.appended(steps.stacked_logistic), models=TREES),
    Idea("weight_of_evidence", "Is weight of evidence a better input than the value?", step=steps.evidence),
    Idea("quantiles", "Do evenly spread inputs suit the line better?", step=steps.quantiles, models=LOGISTIC),
    Idea("splines", "Does a bend in every column suffice, without interactions?", step=steps.splines, models=LOGISTIC),
)  # fmt: skip
RECIPES = (
    Idea("another_seed", "Control: what does another seed change, which is luck alone?", recipe=recipes.settings(random_state=1), models=TREES),
    Idea("four_seeds", "Does the mean of four fits with other seeds pay?", recipe=recipes.four_seeds, models=TREES),
    Idea("blend_with_logistic", "Does an average with a logistic regression pay?", c.linear_inputs, recipe=recipes.blend_with_logistic, models=TREES),
    Idea("monotone_delay", "May the risk be kept from falling where delay grows, at no cost?", recipe=recipes.monotone_delay, models=TREES),
    Idea("no_status_by_amount", "What do interactions of status with amounts give?", recipe=recipes.status_apart_from_amounts, models=TREES),
    Idea("depth_1", "What do interactions give at all?", recipe=recipes.settings(max_depth=1), models=TREES),
    Idea("depth_2", "Are shallower trees enough?", recipe=recipes.settings(max_depth=2), models=TREES),
    Idea("depth_4", "Do deeper trees find more?", recipe=recipes.settings(max_depth=4), models=TREES),
    Idea("depth_5", "Do still deeper trees find more?", recipe=recipes.settings(max_depth=5), models=TREES),
    Idea("max_bin_32", "Are 32 bins a column enough?", recipe=recipes.settings(max_bin=32), models=TREES),
    Idea("max_bin_256", "Do finer bins find more?", recipe=recipes.settings(max_bin=256), models=TREES),
    Idea("half_rate", "Do twice the rounds at half the learning rate pay?", recipe=recipes.scaled_settings(learning_rate=0.5, n_estimators=2), models=TREES),
    Idea("weaker_penalty", "Is ten times the C better for the line?", recipe=recipes.scaled_settings(C=10.0), models=LOGISTIC),
    Idea("all_rows", "Should the rows under the outlier rule enter the fit?", fit_rows=recipes.all_rows),
    Idea("one_row_per_group", "Should twins and duplicates count once?", fit_rows=recipes.one_row_per_group),
)  # fmt: skip
ALL = (*COLUMNS, *FITTED, *RECIPES)
"""Every idea, in the order of the document."""


def for_model(kind: str) -> list[Idea]:
    """Return the ideas that make sense for ``trees`` or ``logistic``."""
    return [idea for idea in ALL if kind in idea.models]
