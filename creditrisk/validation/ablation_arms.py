"""The arms of the ablation: one base for each kind of model, and one change to it at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from creditrisk.features import registry
from creditrisk.features.record import ClientRecord
from creditrisk.models import families
from creditrisk.models.rows import TrainingRows
from creditrisk.validation.ideas import Idea, for_model

FAMILY_OF = {"trees": "xgboost", "logistic": "logistic_l2"}
"""Kind of model → the family whose recipe is the base, in the order of the document."""
AUDIT = "audit"
PROBED_ROWS = 1000
"""Rows on which a fitted step is tried to count the columns it returns."""


@dataclass(frozen=True)
class Arm:
    """One change: the matrix, the unfitted pipeline and what the document says of it."""

    facts: dict[str, Any]
    rows: TrainingRows
    pipeline: Any


@dataclass(frozen=True)
class Bench:
    """What every arm of one kind of model shares.

    Attributes
    ----------
    kind : {"logistic", "trees"}
    parameters : mapping
        Of the kind's family in :data:`FAMILY_OF`, with a single C; ``features`` names
        families of the registry.
    scaler : {"standard", "robust"}
    record : ClientRecord, n rows
        The training side, audit columns included.
    rows : TrainingRows, n rows
        Same rows; ``X`` is not read.
    """

    kind: str
    parameters: Mapping[str, Any]
    scaler: str
    record: ClientRecord
    rows: TrainingRows

    @property
    def used(self) -> list[str]:
        """Families of the recipe that keep a feature without audit attributes."""
        return [f for f in self.parameters["features"] if self.names([f])]

    def names(self, chosen: Iterable[str], *, audit: bool = False) -> list[str]:
        """Return the features of some families, in the registry's order."""
        return registry.select(chosen, audit_attributes="include" if audit else "exclude")

    def build(self) -> Any:
        """Return the recipe's unfitted pipeline."""
        return families.build(FAMILY_OF[self.kind], self.parameters, scaler=self.scaler)

    def family_arm(self, chosen: Sequence[str], *, audit: bool = False, **facts: Any) -> Arm:
        """Return the recipe on the features of some families."""
        names = self.names(chosen, audit=audit)
        rows = replace(self.rows, X=registry.compute(self.record, names))
        return Arm({**facts, "n_features": len(names)}, rows, self.build())

    def base(self) -> Arm:
        """Return the recipe as it is."""
        return self.family_arm(self.used, families=self.used, features=self.names(self.used))

    def family_arms(self) -> Iterator[Arm]:
        """Yield the recipe without each family, with each other one, with the audit attributes."""
        used = self.used
        for f in used:
            rest = [other for other in used if other != f]
            yield self.family_arm(rest, id=f, label=words(f), change="removed")
        for f in registry.families():
            if f not in used and self.names([f]):
                yield self.family_arm([*used, f], id=f, label=words(f), change="added")
        label = "audit attributes"
        yield self.family_arm([*used, AUDIT], audit=True, id=AUDIT, label=label, change="added")

    def idea_arm(self, idea: Idea) -> Arm:
        """Return the recipe with one idea."""
        names = self.names(self.used)
        X = registry.compute(self.record, names)
        if idea.columns:
            behind = np.asarray(idea.columns(self.record), dtype=float).reshape(len(X), -1)
            X = np.concatenate([X, behind], axis=1)
        pipeline = self.build()
        if idea.recipe:
            steps = pipeline.steps
            steps[-1] = ("model", idea.recipe(steps[-1][1], names))
        if idea.step:
            pipeline.steps.insert(0, ("idea", idea.step(len(names))))
        fit_row = idea.fit_rows(self.rows) if idea.fit_rows else self.rows.fit_row
        rows = replace(self.rows, X=X, fit_row=fit_row)
        change = "added" if idea.columns and not idea.recipe else "variant"
        facts = {"id": idea.id, "question": idea.question, "kind": idea.kind, "change": change}
        return Arm({**facts, "n_features": _width(pipeline, rows)}, rows, pipeline)

    def idea_arms(self) -> Iterator[Arm]:
        """Yield one arm for each idea that suits this kind of model."""
        return (self.idea_arm(idea) for idea in for_model(self.kind))


def words(family: str) -> str:
    """Return a name without underscores."""
    return family.replace("_", " ")


def _width(pipeline: Any, rows: TrainingRows) -> int:
    """Return how many columns the model gets."""
    if "idea" not in pipeline.named_steps:
        return int(rows.X.shape[1])
    from sklearn.base import clone

    step = clone(pipeline.named_steps["idea"])
    return int(step.fit_transform(rows.X[:PROBED_ROWS], rows.y[:PROBED_ROWS]).shape[1])
