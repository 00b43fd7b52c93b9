"""The façade that serves: a record of clients in, everything a reply holds out.

It works from saved numbers only (an XGBoost model in its own binary form and plain
JSON), so nothing is unpickled and neither scikit-learn nor pandas is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.features.record import ClientRecord
from creditrisk.segments import rfm as rfm_segments
from creditrisk.segments.assignment import ClusterAssigner, is_typical, margin_confidence
from creditrisk.segments.placing import Placer

LARGEST = float(np.finfo(np.float32).max)
"""XGBoost works in float32 and refuses infinity, so features are held to its range."""


FLAGS = {
    "out_of_distribution": "Unusual behaviour: farther from the centre of the nearest group than "
    "99 % of its members.",
    "inactive": "No bill and no payment in six months: the score rests on the limit and the "
    "status codes.",
    "unknown_code": "A code that no client of the data had, or whose meaning is not documented.",
}
"""What a reply can warn of: code and meaning."""


@dataclass(frozen=True)
class Scores:
    """What the model and the segments say of n clients.

    Attributes
    ----------
    probability : ndarray of float64, shape (n,)
        Probability of next-month default, 0 to 1.
    cluster_id : ndarray of int, shape (n,)
    cluster_confidence : ndarray of float, shape (n,)
        0 to 1.
    typical : ndarray of bool, shape (n,)
        Whether the client lies as near to the cluster's centre as 99 % of its members.
    position : ndarray of float, shape (n, 2), or None
        Place on the map of clients; None where the clusters come without a map, NaN
        where sums of absurd amounts are no number.
    rfm : dict of str to ndarray of shape (n,)
        As :func:`creditrisk.segments.rfm.score` returns it.
    flags : dict of str to ndarray of bool, shape (n,)
        For each code of :data:`FLAGS`, whether it is raised.
    """

    probability: np.ndarray
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
    booster : bytes
        An XGBoost model as ``Booster.save_raw("ubj")`` or ``save_model("*.ubj")``
        writes it, with a logistic objective.
    champion : dict
        ``features`` (list of str, in the model's order), ``calibration`` (null, or
        ``slope`` and ``intercept`` applied to the log-odds) and ``policy``, whose
        ``threshold`` has a ``value`` (a probability).
    clusters : dict
        Numbers for :class:`~creditrisk.segments.assignment.ClusterAssigner`.
    rfm : dict
        Bands for :func:`creditrisk.segments.rfm.score`.
    version : str
        What replies name as ``model_version``.

    Attributes
    ----------
    features : tuple of str
    audit_columns : tuple of str
        The columns among SEX, EDUCATION, MARRIAGE and AGE that the model uses.
    threshold : float
        Probability from which a client is flagged.
    cluster_names : list of str
    landmarks : tuple of ndarray, or None
        Places (m, 2) and cluster numbers (m,) of the clients that stand for the map.

    Raises
    ------
    UserError
        When ``champion`` does not name as many features as the model has.
    """

    def __init__(
        self,
        booster: bytes,
        champion: Mapping[str, Any],
        clusters: Mapping[str, Any],
        rfm: Mapping[str, Any],
        version: str,
    ) -> None:
        import xgboost  # half a second that nobody pays who only reads the names here

        self._booster = xgboost.Booster(model_file=bytearray(booster))
        # A call for one row is over before a second thread has woken up.
        self._booster.set_param({"nthread": 1})
        self.features = tuple(champion["features"])
        if self._booster.num_features() != len(self.features):
            raise UserError(
                f"champion.json names {len(self.features)} features, but the model has "
                f"{self._booster.num_features()}: run `dvc repro`"
            )
        self._compute = registry.compile_features(self.features)
        calibration = champion.get("calibration") or {"slope": 1.0, "intercept": 0.0}
        self._slope = float(calibration["slope"])
        self._intercept = float(calibration["intercept"])
        self.threshold = float(champion["policy"]["threshold"]["value"])
        self.audit_columns = audit_columns(self.features)
        self._assigner = ClusterAssigner(dict(clusters))
        self.cluster_names: list[str] = list(self._assigner.names)
        self._placer = Placer(clusters["map"]) if "map" in clusters else None
        self.landmarks: tuple[np.ndarray, np.ndarray] | None = None
        if self._placer:
            nearest = self._assigner.to_centres(self._placer.points).argmin(axis=1)
            self.landmarks = (self._placer.coordinates, nearest)
        self._bands = dict(rfm)
        self.version = version

    def log_odds(self, record: ClientRecord) -> np.ndarray:
        """Return the calibrated log-odds of default, float64, shape (n,)."""
        features = np.minimum(np.maximum(self._compute(record), -LARGEST), LARGEST)
        margin = self._booster.inplace_predict(
            features, predict_type="margin", validate_features=False
        )
        return self._slope * np.asarray(margin, dtype=float) + self._intercept

    def probability(self, record: ClientRecord) -> np.ndarray:
        """Return the probability of default, float64, shape (n,)."""
        return 1.0 / (1.0 + np.exp(-self.log_odds(record)))

    def score(self, record: ClientRecord) -> Scores:
        """Score a batch of clients; one client alone gets the very same numbers.

        Parameters
        ----------
        record : ClientRecord, n clients
            The audit attributes in :attr:`audit_columns` must not be NaN.

        Returns
        -------
        Scores
        """
        # Any finite amount is allowed: sums of absurd ones overflow, a payment of −1 has no log.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            amounts = np.hstack([record.bill, record.paid])
            points = self._assigner.scaled(record)
            distances, limits = self._assigner.to_centres(points), self._assigner.limits
            typical = is_typical(distances, limits)
            rfm = rfm_segments.score(record, self._bands)
            return Scores(
                probability=self.probability(record),
                cluster_id=distances.argmin(axis=1),
                cluster_confidence=np.nan_to_num(margin_confidence(distances, limits)),
                typical=typical,
                position=self._place(points),
                rfm={k: np.nan_to_num(v) if v.dtype.kind == "f" else v for k, v in rfm.items()},
                flags={
                    "out_of_distribution": ~typical,
                    "inactive": (amounts == 0).all(axis=1),
                    "unknown_code": has_unknown_code(record, self.audit_columns),
                },
            )

    def _place(self, points: np.ndarray) -> np.ndarray | None:
        """Return where clients lie on the map, if there is one."""
        if self._placer is None:
            return None
        places = np.full((len(points), 2), np.nan)
        known = np.isfinite(points).all(axis=1)
        places[known] = self._placer.place(points[known])
        return places


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
