"""What the service gives, as pydantic models, and how scores become replies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import BaseModel, Field

from creditrisk.serving.messages import RowError

if TYPE_CHECKING:
    from creditrisk.scoring import Scores

Code = Literal["out_of_distribution", "inactive", "unknown_code"]
"""The keys of :data:`creditrisk.scoring.FLAGS`, as a type."""
Flag = Annotated[
    Code,
    Field(
        description="a reason to read the score with care: `out_of_distribution`, farther from "
        "the centre of the nearest cluster than 99 % of its members; `inactive`, neither a bill "
        "nor a payment in six months; `unknown_code`, a code that the model reads and that its "
        "data do not explain or hold"
    ),
]


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
    """The reply for one client."""

    probability: float = Field(ge=0, le=1, description="of missing next month's payment")
    decision: Literal["flag", "clear"]
    threshold: float = Field(description="probability from which a client is flagged")
    cluster: Cluster
    rfm: Rfm
    flags: list[Flag] = Field(description="what to keep in mind with this score; often empty")
    model_version: str


class Results(BaseModel):
    """The reply for a batch, in the order of the request."""

    results: list[Prediction | RowError]


def predictions(
    scores: Scores, cluster_names: Sequence[str], *, threshold: float, model_version: str
) -> list[Prediction]:
    """Return one reply a client.

    Parameters
    ----------
    scores : Scores, n clients
    cluster_names : sequence of str
        By cluster number.
    threshold : float
    model_version : str

    Returns
    -------
    list of Prediction, length n
    """
    rfm = zip(*(scores.rfm[name].tolist() for name in Rfm.model_fields), strict=True)
    return [
        Prediction(
            probability=probability,
            decision="flag" if probability >= threshold else "clear",
            threshold=threshold,
            cluster=cluster,
            rfm=Rfm(**dict(zip(Rfm.model_fields, values, strict=True))),
            flags=flags,
            model_version=model_version,
        )
        for probability, cluster, values, flags in zip(
            scores.probability.tolist(),
            _clusters(scores, cluster_names),
            rfm,
            _flags(scores),
            strict=True,
        )
    ]


def _clusters(scores: Scores, names: Sequence[str]) -> list[Cluster]:
    """Return each client's cluster."""
    columns = (scores.cluster_id, scores.cluster_confidence, scores.typical)
    return [
        Cluster(id=number, name=names[number], confidence=confidence, typical=typical, position=at)
        for number, confidence, typical, at in zip(
            *(column.tolist() for column in columns), _places(scores), strict=True
        )
    ]


def _places(scores: Scores) -> list[tuple[float, float] | None]:
    """Return each client's place on the map; None where there is none."""
    if scores.position is None:
        return [None] * len(scores.cluster_id)
    return [None if math.isnan(x) else (x, y) for x, y in scores.position.tolist()]


def _flags(scores: Scores) -> list[list[Code]]:
    """Return the codes that are raised for each client."""
    codes: tuple[Code, ...] = get_args(Code)
    raised = zip(*(scores.flags[code].tolist() for code in codes), strict=True)
    return [[code for code, up in zip(codes, row, strict=True) if up] for row in raised]
