"""What the service gives: the form of replies as pydantic models, and scores put into it.

The models are what ``/docs.json`` states. Replies are built as plain dictionaries and
written as JSON at once: a thousand clients as models would cost more than scoring them.
Tests hold each reply to its model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, Field

from creditrisk.features.record import ClientRecord, from_mappings
from creditrisk.models import reasons
from creditrisk.serving.messages import EXAMPLE, Client, RowError

if TYPE_CHECKING:
    from creditrisk.scoring import Scorer, Scores

Code = Literal[
    "out_of_distribution",
    "out_of_range",
    "unknown_code",
    "identity_break",
    "inactive",
    "credit_balance",
]
"""The keys of :data:`creditrisk.scoring.FLAGS`, as a type."""
Flag = Annotated[
    Code,
    Field(
        description="a reason to read the score with care: `out_of_distribution`, farther from "
        "the centre of the nearest cluster than 99 % of its members; `out_of_range`, an amount "
        "beyond those of all training clients; `unknown_code`, a code that the model reads and "
        "that its data do not explain or hold; `identity_break`, bills and payments that do not "
        "add up; `inactive`, neither a bill nor a payment in six months; `credit_balance`, a "
        "bill below 0"
    ),
]


class Interval(BaseModel):
    """How far the probability would move had the model met other training clients."""

    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    level: float = Field(description="share of refits between both ends")
    kind: str


class Reason(BaseModel):
    """A group of features that moved the score, and what the client did."""

    code: str
    text: str
    contribution: float = Field(description="log-odds; above 0 raises the risk")


class Cluster(BaseModel):
    """The behavioural group that a client is nearest to."""

    id: int
    name: str
    confidence: float = Field(ge=0, le=1)
    typical: bool = Field(
        description="whether the client lies as near to the centre as 99 % of the members do"
    )
    position: tuple[float, float] | None = Field(
        default=None,
        exclude_if=lambda place: place is None,
        description="place on the map of clients, for a picture only; absent without a map",
    )


class Rfm(BaseModel):
    """Recency, frequency and monetary value of card use, by implied spend."""

    recency: int = Field(description="months since the last spend; 5 is none in five months")
    frequency: int = Field(description="months of five with spend")
    monetary: float = Field(description="spend of five months, NT$")
    recency_score: int = Field(ge=1, le=5)
    frequency_score: int = Field(ge=1, le=5)
    monetary_score: int = Field(ge=1, le=5)
    code: int
    segment: str


class Prediction(BaseModel):
    """The reply for one client.

    `base` + contributions of `reasons` + `other` = log-odds of `probability`. Of a batch
    with `reasons: false` the three are left out, and the place on the map.
    """

    probability: float = Field(ge=0, le=1, description="of missing next month's payment")
    interval: Interval | None = Field(
        default=None,
        exclude_if=lambda interval: interval is None,
        description="absent where the model comes without one",
    )
    grade: str = Field(description="A (lowest risk) to H, by fixed bounds of probability")
    decision: Literal["flag", "clear"]
    threshold: float = Field(description="probability from which a client is flagged")
    cluster: Cluster
    rfm: Rfm
    reasons: list[Reason] = Field(
        default=[],
        max_length=reasons.MAX_REASONS,
        description="what moved the score most, either way, largest first",
    )
    base: float = Field(default=0.0, description="log-odds that every client starts from")
    other: float = Field(default=0.0, description="log-odds of all that is not named")
    flags: list[Flag] = Field(description="what to keep in mind with this score; often empty")
    model_version: str


class Results(BaseModel):
    """The reply for a batch, in the order of the request."""

    results: list[Prediction | RowError]


Columns = dict[str, list[Any]]
"""Parts of replies, a list of length n each, in the order of :class:`Prediction`."""

CODES: tuple[Code, ...] = get_args(Code)
RFM = tuple(Rfm.model_fields)


def predictions(scores: Scores, record: ClientRecord, scorer: Scorer) -> list[dict[str, Any]]:
    """Return one reply a client, ready to be written as JSON.

    Parameters
    ----------
    scores : Scores, n clients
    record : ClientRecord, n clients
        What the scores were computed from; reasons speak of it.
    scorer : Scorer

    Returns
    -------
    list of dict, length n
        In the form of :class:`Prediction`.
    """
    n = len(scores.probability)
    probability = scores.probability.tolist()
    columns: Columns = {"probability": probability}
    if scores.interval is not None:
        columns["interval"] = _intervals(scores.interval, scorer.interval_words or {})
    columns |= {
        "grade": [scorer.grade_names[grade] for grade in scores.grade.tolist()],
        "decision": ["flag" if p >= scorer.threshold else "clear" for p in probability],
        "threshold": [scorer.threshold] * n,
        "cluster": _clusters(scores, scorer.cluster_names),
        "rfm": _rows(RFM, [scores.rfm[name].tolist() for name in RFM]),
    }
    if scores.contributions is not None:
        columns |= _reasons(scores.contributions, scores.log_odds, record, scorer.base)
    columns["flags"] = _flags(scores)
    columns["model_version"] = [scorer.version] * n
    return _rows(tuple(columns), list(columns.values()))


def example(scorer: Scorer) -> dict[str, Any]:
    """Return the reply to :data:`creditrisk.serving.messages.EXAMPLE`, for the documentation."""
    record = from_mappings([vars(Client.model_validate(EXAMPLE))])
    return predictions(scorer.score(record), record, scorer)[0]


def _rows(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return columns as one dictionary a client."""
    return [dict(zip(names, row, strict=False)) for row in zip(*columns, strict=True)]


def _intervals(
    ends: tuple[np.ndarray, np.ndarray], words: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return each client's interval."""
    both = zip(*(end.tolist() for end in ends), strict=True)
    return [{"low": low, "high": high, **words} for low, high in both]


def _reasons(
    contributions: np.ndarray, log_odds: np.ndarray, record: ClientRecord, base: float
) -> Columns:
    """Return reasons, base and the rest, which together make the log-odds."""
    named, other = [], []
    for chosen, client, total in zip(
        reasons.choose(contributions), reasons.behaviours(record), log_odds.tolist(), strict=True
    ):
        rest = total - base
        rows = []
        for group, contribution in chosen:
            reason = reasons.REASONS[group]
            text = reason.describe(client)
            rows.append({"code": reason.code, "text": text, "contribution": contribution})
            rest -= contribution
        named.append(rows)
        other.append(rest)
    return {"reasons": named, "base": [base] * len(named), "other": other}


def _clusters(scores: Scores, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return each client's cluster, with its place on the map where that is known."""
    columns = (scores.cluster_id, scores.cluster_confidence, scores.typical)
    clusters: list[dict[str, Any]] = [
        {"id": number, "name": names[number], "confidence": confidence, "typical": typical}
        for number, confidence, typical in zip(*(c.tolist() for c in columns), strict=True)
    ]
    if scores.position is not None:
        for cluster, (x, y) in zip(clusters, scores.position.tolist(), strict=True):
            if not math.isnan(x):
                cluster["position"] = (x, y)
    return clusters


def _flags(scores: Scores) -> list[list[Code]]:
    """Return the codes that are raised for each client."""
    raised = np.stack([scores.flags[code] for code in CODES], axis=1)
    flags: list[list[Code]] = [[] for _ in raised]
    for client, code in np.argwhere(raised).tolist():
        flags[client].append(CODES[code])
    return flags
