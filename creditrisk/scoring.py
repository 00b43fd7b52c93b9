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
from creditrisk.segments.assignment import ClusterAssigner

LARGEST = float(np.finfo(np.float32).max)
"""XGBoost works in float32 and refuses infinity, so features are held to its range."""


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
    rfm : dict of str to ndarray of shape (n,)
        As :func:`creditrisk.segments.rfm.score` returns it.
    """

    probability: np.ndarray
    cluster_id: np.ndarray
    cluster_confidence: np.ndarray
    rfm: dict[str, np.ndarray]


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
        # Any finite amount is allowed; sums of absurd ones may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            cluster_id, confidence = self._assigner.assign(record)
            rfm = rfm_segments.score(record, self._bands)
            return Scores(
                self.probability(record),
                cluster_id,
                np.nan_to_num(confidence),
                {k: np.nan_to_num(v) if v.dtype.kind == "f" else v for k, v in rfm.items()},
            )


def audit_columns(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of SEX, EDUCATION, MARRIAGE and AGE some features are computed from."""
    wanted = set(features)
    sources = {s for f in registry.all_features() if f.name in wanted for s in f.sources}
    return tuple(column for column in schema.AUDIT_COLUMNS if column in sources)
