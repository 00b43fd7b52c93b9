"""A scorecard: weight of evidence by bin, a logistic regression, whole points.

It has a card for each segment of clients, all on one scale: who is months late is told
apart by other columns than who pays on time. The points of the tables are the model: they
are rounded before anything is scored, so a client's probability follows from the printed
table by addition alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.models.binning import Bins, fit_bins

Array = np.ndarray

STATES = (-2.0, -1.0, 0.0)
"""Status codes that are states and not months past due: a bin each, in no direction."""
SPECIAL = dict.fromkeys(schema.STATUS_COLUMNS, STATES)


def scale(*, pdo: float, anchor_points: float, anchor_odds: float) -> tuple[float, float]:
    """Return what turns log-odds into points: ``points = offset + factor · ln(odds)``.

    Parameters
    ----------
    pdo : float
        Points that double the odds.
    anchor_points, anchor_odds : float
        A client with these points has these odds of paying, good : bad.

    Returns
    -------
    factor, offset : float
        ``factor = pdo / ln 2``, ``offset = anchor_points − factor · ln(anchor_odds)``
        (Siddiqi, Credit Risk Scorecards, 2006, ch. 6).
    """
    factor = pdo / np.log(2)
    return float(factor), float(anchor_points - factor * np.log(anchor_odds))


@dataclass(frozen=True)
class Card:
    """The table of points of one segment.

    Attributes
    ----------
    columns : list of int
        Columns of ``X`` that are kept, by falling information value.
    bins : list of Bins
    weights : ndarray of float
        Coefficients of the weight of evidence for the log-odds of default, all below 0.
    points : list of ndarray of float
        Whole points of each bin of each kept column; 0 is neutral.
    start_points : float
        What every client of the segment starts with.
    dropped : list of (int, str)
        Columns that are not kept, and why.
    n, n_default : int
        Rows and defaults of the fit.
    """

    columns: list[int]
    bins: list[Bins]
    weights: Array
    points: list[Array]
    start_points: float
    dropped: list[tuple[int, str]]
    n: int
    n_default: int

    def total(self, X: Array) -> Array:
        """Return each client's points, shape (n,): start plus the points of its bins."""
        total = np.full(len(X), self.start_points)
        for j, bins, points in zip(self.columns, self.bins, self.points, strict=True):
            total += points[bins.index(X[:, j])]
        return total


class Scorecard(ClassifierMixin, BaseEstimator):
    """Points by bin, of the columns that inform, repeat no other and keep their sign.

    Each segment has a card, fitted on its clients alone; without a column that informs it
    has start points only. Columns enter by information value. One is dropped when it
    informs too little, when its weight of evidence follows that of a stronger one, or when
    its coefficient comes out with the wrong sign beside the others: a card that gives fewer
    points for a better bin would contradict its own table.

    Parameters
    ----------
    features : sequence of str, length k
        Names of the columns of ``X``.
    segments : mapping
        ``column`` is the name of the column that divides clients, ``edges`` the least
        value of each segment but the first, ascending; without edges there is one card.
    directions : mapping of str to sequence of str
        Direction (a key of :data:`~creditrisk.models.binning.TRENDS`) → the columns in
        which the default rate must keep it from the lowest bin to the highest.
    max_bins, max_prebins : int
    min_bin_share : float
        See :func:`~creditrisk.models.binning.fit_bins`.
    min_information_value : float
    max_correlation : float
        Of two columns' weight of evidence, absolute.
    C, tol, max_iter : float, float, int
        Of the logistic regression.
    pdo, anchor_points, anchor_odds : float
        See :func:`scale`.

    Attributes
    ----------
    cards_ : list of Card
        By ascending value of the segments' column.
    """

    def __init__(
        self,
        *,
        features: Sequence[str],
        segments: Mapping[str, Any],
        directions: Mapping[str, Sequence[str]],
        max_bins: int,
        max_prebins: int,
        min_bin_share: float,
        min_information_value: float,
        max_correlation: float,
        C: float,
        tol: float,
        max_iter: int,
        pdo: float,
        anchor_points: float,
        anchor_odds: float,
    ) -> None:
        self.features = features
        self.segments = segments
        self.directions = directions
        self.max_bins = max_bins
        self.max_prebins = max_prebins
        self.min_bin_share = min_bin_share
        self.min_information_value = min_information_value
        self.max_correlation = max_correlation
        self.C = C
        self.tol = tol
        self.max_iter = max_iter
        self.pdo = pdo
        self.anchor_points = anchor_points
        self.anchor_odds = anchor_odds

    def fit(self, X: Array, y: Array) -> Scorecard:
        """Divide; for each segment bin, select, weigh and give points.

        Raises
        ------
        ValueError
            When there is not one name for each column.
        UserError
            Naming a column without a direction, a segment that cannot have a card, or
            that no column is left.
        """
        if X.shape[1] != len(self.features):
            raise ValueError(f"{X.shape[1]} columns with {len(self.features)} names")
        self.classes_ = np.array([0, 1])
        segment = self.segment(X)
        self.cards_ = []
        for i in range(len(self.segments["edges"]) + 1):
            inside = segment == i
            if len(np.unique(y[inside])) < 2:
                raise UserError(
                    f"train.families.scorecard.segments.edges: segment {i + 1} lacks clients "
                    "who default or clients who pay; leave out an edge beside it"
                )
            self.cards_.append(self._card(X[inside], y[inside]))
        if not any(card.columns for card in self.cards_):
            raise UserError(
                "train.families.scorecard.min_information_value: no column reaches "
                f"{self.min_information_value:g} on any card; lower it"
            )
        return self

    def segment(self, X: Array) -> Array:
        """Return the number of each client's card, shape (n,); of a missing value the last."""
        column, edges = self.segments["column"], self.segments["edges"]
        if column not in self.features:
            raise UserError(f"train.families.scorecard.segments.column: no direction for {column}")
        return np.digitize(X[:, list(self.features).index(column)], edges)

    def points(self, X: Array) -> Array:
        """Return each client's points on the card of its segment, shape (n,)."""
        segment, total = self.segment(X), np.empty(len(X))
        for i, card in enumerate(self.cards_):
            total[segment == i] = card.total(X[segment == i])
        return total

    def odds(self, points: Array) -> Array:
        """Return the odds of paying, good : bad, that points stand for."""
        return self.anchor_odds * 2.0 ** ((points - self.anchor_points) / self.pdo)

    def predict_proba(self, X: Array) -> Array:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = 1.0 / (1.0 + self.odds(self.points(X)))
        return np.column_stack([1.0 - p, p])

    def predict(self, X: Array) -> Array:
        """Return the likelier class, shape (n,)."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(int)

    def direction(self, name: str) -> str:
        """Return the direction that is imposed on a column.

        Raises
        ------
        UserError
            Naming a column without one.
        """
        for direction, names in self.directions.items():
            if name in names:
                return direction
        raise UserError(f"train.families.scorecard.directions: none for column {name}")

    def scale(self) -> tuple[float, float]:
        """Return factor and offset of the points, see :func:`scale`."""
        return scale(pdo=self.pdo, anchor_points=self.anchor_points, anchor_odds=self.anchor_odds)

    def _card(self, X: Array, y: Array) -> Card:
        """Fit the card of one segment."""
        bins = [
            fit_bins(
                x,
                y,
                trend=self.direction(name),
                special=SPECIAL.get(name, ()),
                max_bins=self.max_bins,
                max_prebins=self.max_prebins,
                min_bin_share=self.min_bin_share,
            )
            for name, x in zip(self.features, X.T, strict=True)
        ]
        woe = np.column_stack([b.woe[b.index(x)] for b, x in zip(bins, X.T, strict=True)])
        informative, weak = self._informative(bins, woe)
        columns, wrong, intercept, weights = self._one_sign(woe, y, informative)
        factor, offset = self.scale()
        return Card(
            columns=columns,
            bins=[bins[j] for j in columns],
            weights=weights,
            # rounded here and nowhere else: what is printed is what scores; + 0 has no −0
            points=[
                np.round(-w * factor * bins[j].woe) + 0.0
                for w, j in zip(weights, columns, strict=True)
            ],
            start_points=float(np.round(offset - factor * intercept)),
            dropped=[*weak, *((j, "wrong sign beside the others") for j in wrong)],
            n=len(y),
            n_default=int(y.sum()),
        )

    def _informative(
        self, bins: Sequence[Bins], woe: Array
    ) -> tuple[list[int], list[tuple[int, str]]]:
        """Keep columns by falling information value that repeat no stronger one."""
        value = np.array([b.information_value for b in bins])
        kept: list[int] = []
        dropped: list[tuple[int, str]] = []
        for j in np.argsort(-value, kind="stable").tolist():
            if value[j] < self.min_information_value or value[j] == 0:  # 0: a single bin
                dropped.append((j, f"information value {value[j]:.3f}"))
                continue
            alike = [abs(np.corrcoef(woe[:, j], woe[:, i])[0, 1]) for i in kept]
            if alike and max(alike) > self.max_correlation:
                twin = self.features[kept[int(np.argmax(alike))]]
                dropped.append((j, f"correlation {max(alike):.2f} with {twin}"))
                continue
            kept.append(j)
        return kept, dropped

    def _one_sign(
        self, woe: Array, y: Array, kept: Sequence[int]
    ) -> tuple[list[int], list[int], float, Array]:
        """Fit, and drop the column with the most wrong sign until none has one."""
        from sklearn.linear_model import LogisticRegression

        kept, dropped = list(kept), list[int]()
        while kept:
            model: Any = LogisticRegression(
                C=self.C, tol=self.tol, max_iter=self.max_iter, solver="newton-cholesky"
            ).fit(woe[:, kept], y)
            weights = model.coef_[0]
            worst = int(np.argmax(weights))
            if weights[worst] < 0:
                return kept, dropped, float(model.intercept_[0]), weights
            dropped.append(kept.pop(worst))
        return kept, dropped, float(np.log(y.sum() / (len(y) - y.sum()))), np.empty(0)
