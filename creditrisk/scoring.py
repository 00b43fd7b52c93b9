"""The façade that serves: a record of clients in, everything a reply holds out.

It works from saved numbers only (tables of the trees, and plain JSON), so nothing is
unpickled and neither scikit-learn nor pandas is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import ClientRecord
from creditrisk.models.refit_band import apply_band
from creditrisk.models.trees import Trees
from creditrisk.segments import rfm as rfm_segments
from creditrisk.segments.assignment import ClusterAssigner, is_typical, margin_confidence
from creditrisk.segments.placing import Placer
from creditrisk.validation.grades import assign_grades, grade_names

LARGEST = float(np.finfo(np.float32).max)
"""Trees compare in float32, which has no larger number, so features are held to its range."""

SPEND_TOLERANCE = 1000.0
"""NT$. An implied spend below its negative is no matter of rounding, interest or fees."""

FLAGS = {
    "out_of_distribution": "Unusual behaviour: farther from the centre of the nearest group than "
    "99 % of its members.",
    "out_of_range": "An amount beyond those of all clients behind the model, which cannot "
    "extrapolate.",
    "unknown_code": "A code that no client of the data had, or whose meaning is not documented.",
    "identity_break": "Bills and payments do not add up: in some month the bill fell by over "
    "NT$ 1,000 more than was paid.",
    "inactive": "No bill and no payment in six months: the score rests on the limit and the "
    "status codes.",
    "credit_balance": "A bill below 0 in some month: the bank owed the client money.",
}
"""What a reply can warn of: code and meaning."""


@dataclass(frozen=True)
class Scores:
    """What the model and the segments say of n clients.

    Attributes
    ----------
    log_odds : ndarray of float64, shape (n,)
    probability : ndarray of float64, shape (n,)
        Probability of next-month default, 0 to 1.
    interval : tuple of two ndarray of float64, shape (n,), or None
        Ends of the refit band, as probabilities; None where the model has none.
    grade : ndarray of int, shape (n,)
        0 for A (lowest risk) to 7 for H.
    contributions : ndarray of float64, shape (n, g), or None
        Log-odds, by group of :mod:`creditrisk.models.reasons`; None unless asked for.
    cluster_id : ndarray of int, shape (n,)
    cluster_confidence : ndarray of float, shape (n,)
        0 to 1.
    typical : ndarray of bool, shape (n,)
        Whether the client lies as near to the cluster's centre as 99 % of its members.
    position : ndarray of float, shape (n, 2), or None
        Place on the map of clients; None unless asked for or where the clusters come
        without a map, NaN where sums of absurd amounts are no number.
    rfm : dict of str to ndarray of shape (n,)
        As :func:`creditrisk.segments.rfm.score` returns it.
    flags : dict of str to ndarray of bool, shape (n,)
        For each code of :data:`FLAGS`, whether it is raised.
    """

    log_odds: np.ndarray
    probability: np.ndarray
    interval: tuple[np.ndarray, np.ndarray] | None
    grade: np.ndarray
    contributions: np.ndarray | None
    cluster_id: np.ndarray
    cluster_confidence: np.ndarray
    typical: np.ndarray
    position: np.ndarray | None
    rfm: dict[str, np.ndarray]
    flags: dict[str, np.ndarray]


class Scorer:
    """The served model with its companions.

    Parameters
    ----------
    trees : Trees
        Of a logistic objective; contributions by the groups of
        :func:`creditrisk.models.reasons.groups_of`.
    champion : mapping
        ``features`` (list of str, in the model's order), ``calibration`` (null, or
        ``slope`` and ``intercept`` applied to the log-odds), ``policy`` with ``grades``
        (seven bounds) and ``threshold``, whose ``value`` is a probability; where known,
        ``interval`` (a refit band) and ``ranges`` (lowest and highest amount of training
        clients by column).
    clusters : mapping
        Numbers for :class:`~creditrisk.segments.assignment.ClusterAssigner`.
    rfm : mapping
        Bands for :func:`creditrisk.segments.rfm.score`.
    version : str
        What replies name as ``model_version``.
    card : mapping, optional
        What is told of the model, see :func:`creditrisk.serving.card.describe`.

    Attributes
    ----------
    features : tuple of str
    audit_columns : tuple of str
        The columns among SEX, EDUCATION, MARRIAGE and AGE that the model uses.
    threshold : float
        Probability from which a client is flagged.
    grade_bounds : list of float
    grade_names : tuple of str
    interval_words : dict or None
        ``level`` and ``kind`` of the interval.
    base : float
        Log-odds that every client starts from: the mean over training clients.
    cluster_names : list of str
    landmarks : tuple of ndarray, or None
        Places (m, 2) and cluster numbers (m,) of the clients that stand for the map.
    """

    def __init__(
        self,
        trees: Trees,
        champion: Mapping[str, Any],
        clusters: Mapping[str, Any],
        rfm: Mapping[str, Any],
        *,
        version: str,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self._trees = trees
        self.features = tuple(champion["features"])
        self.audit_columns = audit_columns(self.features)
        calibration = champion.get("calibration") or {"slope": 1.0, "intercept": 0.0}
        self._slope = float(calibration["slope"])
        self._intercept = float(calibration["intercept"])
        self.base = self._slope * trees.bias + self._intercept
        band = champion.get("interval")
        self.interval_words = band and {k: band[k] for k in ("level", "kind")}
        self._band = band and {k: np.array(band[k]) for k in ("log_odds", "low", "high")}
        self.threshold = float(champion["policy"]["threshold"]["value"])
        self.grade_bounds = list(champion["policy"]["grades"])
        self.grade_names = grade_names(self.grade_bounds)
        self._ranges = _amount_ranges(champion.get("ranges", {}))
        self._assigner = ClusterAssigner(clusters)
        self.cluster_names: list[str] = list(self._assigner.names)
        self._placer = Placer(clusters["map"]) if "map" in clusters else None
        self.landmarks: tuple[np.ndarray, np.ndarray] | None = None
        if self._placer:
            nearest = self._assigner.to_centres(self._placer.points).argmin(axis=1)
            self.landmarks = (self._placer.coordinates, nearest)
        self._bands = dict(rfm)
        self.version = version
        self.card = dict(card or {})
        # One computation for both: what clusters read is mostly among the model's features.
        of_clusters = [f["name"] for f in self._assigner.features]
        together = tuple(dict.fromkeys((*self.features, *of_clusters)))
        self._compute = registry.compile_features(together)
        self._cluster_columns = [together.index(name) for name in of_clusters]

    def score(self, record: ClientRecord, *, explain: bool = True) -> Scores:
        """Score a batch of clients; one client alone gets the very same numbers.

        Parameters
        ----------
        record : ClientRecord, n clients
            The audit attributes in :attr:`audit_columns` must not be NaN.
        explain : bool
            Whether contributions and places on the map are wanted, which cost most.

        Returns
        -------
        Scores
        """
        # Any finite amount is allowed: sums of absurd ones overflow, a payment of −1 has no log.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = self._compute(record)
            log_odds, contributions = self._predict(values, explain=explain)
            probability = sigmoid(log_odds)
            points = self._assigner.scaled_values(values[:, self._cluster_columns])
            distances, limits = self._assigner.to_centres(points), self._assigner.limits
            typical = is_typical(distances, limits)
            rfm = rfm_segments.score(record, self._bands)
            rfm["monetary"] = finite(rfm["monetary"])
            return Scores(
                log_odds=log_odds,
                probability=probability,
                interval=self._interval(log_odds),
                grade=assign_grades(probability, self.grade_bounds),
                contributions=contributions,
                cluster_id=distances.argmin(axis=1),
                cluster_confidence=finite(margin_confidence(distances, limits)),
                typical=typical,
                position=self._place(points) if explain else None,
                rfm=rfm,
                flags={"out_of_distribution": ~typical, **self._flags(record)},
            )

    def _predict(self, values: np.ndarray, *, explain: bool) -> tuple[np.ndarray, Any]:
        """Return calibrated log-odds and contributions from the features."""
        X = values[:, : len(self.features)]
        X = np.minimum(np.maximum(X, -LARGEST), LARGEST)
        margin, contributions = self._trees.predict(X, explain=explain)
        if contributions is not None:
            contributions = self._slope * contributions
        return self._slope * margin + self._intercept, contributions

    def _interval(self, log_odds: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return both ends of the refit band as probabilities."""
        if self._band is None:
            return None
        low, high = apply_band(self._band, log_odds)
        return sigmoid(low), sigmoid(high)

    def _place(self, points: np.ndarray) -> np.ndarray | None:
        """Return where clients lie on the map, if there is one."""
        if self._placer is None:
            return None
        known = np.isfinite(points).all(axis=1)
        if known.all():
            return self._placer.place(points)
        places = np.full((len(points), 2), np.nan)
        places[known] = self._placer.place(points[known])
        return places

    def _flags(self, record: ClientRecord) -> dict[str, np.ndarray]:
        """Return the flags that need no cluster."""
        amounts = np.concatenate([record.limit[:, None], record.bill, record.paid], axis=1)
        low, high = self._ranges
        return {
            "out_of_range": ((amounts < low) | (amounts > high)).any(axis=1),
            "unknown_code": has_unknown_code(record, self.audit_columns),
            "identity_break": (record.spend < -SPEND_TOLERANCE).any(axis=1),
            "inactive": (amounts[:, 1:] == 0).all(axis=1),
            "credit_balance": (record.bill < 0).any(axis=1),
        }


def finite(values: np.ndarray) -> np.ndarray:
    """Return values with 0 for NaN and the largest number for infinity, which JSON lacks."""
    return values if np.isfinite(values).all() else np.nan_to_num(values)


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Return probabilities for log-odds."""
    return 1.0 / (1.0 + np.exp(-log_odds))


AMOUNTS = (schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)


def _amount_ranges(ranges: Mapping[str, Any]) -> np.ndarray:
    """Return lowest and highest amounts, shape (2, 13); no bound for an unnamed column."""
    return np.array([ranges.get(name, (-np.inf, np.inf)) for name in AMOUNTS], dtype=float).T


def has_unknown_code(record: ClientRecord, used: tuple[str, ...]) -> np.ndarray:
    """Return whose codes the data behind the model do not explain or hold.

    Parameters
    ----------
    record : ClientRecord, n clients
    used : tuple of str
        Audit columns that the model reads; of the others no reply says anything.

    Returns
    -------
    ndarray of bool, shape (n,)
        A status of 9 (documented, but the highest of any client is 8), or an
        undocumented code in a used one of EDUCATION and MARRIAGE.
    """
    unknown = (record.status == schema.STATUS_MAX).any(axis=1)
    for column, codes in (("EDUCATION", record.education), ("MARRIAGE", record.marriage)):
        if column in used:
            unknown |= ~np.isin(codes, schema.DOCUMENTED_CODES[column])
    return unknown


def audit_columns(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of SEX, EDUCATION, MARRIAGE and AGE some features are computed from."""
    wanted = set(features)
    sources = {s for f in registry.all_features() if f.name in wanted for s in f.sources}
    return tuple(column for column in schema.AUDIT_COLUMNS if column in sources)
