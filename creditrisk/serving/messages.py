"""What the service takes, as pydantic models.

The rules for numbers stand here: amounts are any finite JSON number, codes
and AGE are whole numbers (30 or 30.0; not "30", not true), unknown fields are
refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from creditrisk import schema
from creditrisk.serving.failures import MAX_CLIENTS, Failure
from creditrisk.serving.parsing import parse


def whole(value: float) -> float:
    """Refuse 2.5 where a code or an age is meant; 2.0 passes."""
    if value != int(value):
        raise PydanticCustomError("whole_number", "must be a whole number")
    return value


def in_range(column: str) -> Any:
    """Return the constraint of a whole-number column, as the schema states its range."""
    low, high = schema.CODE_RANGES[column]
    return Field(strict=True, ge=low, le=high)


def absent() -> float:
    """Return what stands for an attribute that the caller left out."""
    return math.nan


Amount = Annotated[float, Field(strict=True)]
Limit = Annotated[float, Field(strict=True, gt=0)]
Status = Annotated[float, in_range("PAY_0"), AfterValidator(whole)]
Sex = Annotated[float, in_range("SEX"), AfterValidator(whole)]
Education = Annotated[float, in_range("EDUCATION"), AfterValidator(whole)]
Marriage = Annotated[float, in_range("MARRIAGE"), AfterValidator(whole)]
Age = Annotated[float, in_range("AGE"), AfterValidator(whole)]


class Message(BaseModel):
    """Base of what comes in: unknown fields and non-finite numbers are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read a request's body.

        Parsed first: pydantic takes the last of two values with one name, and copies
        the whole of a document for each field that it misses.
        """
        return cls.model_validate(parse(json_data, cls.__name__), **options)


EXAMPLE: dict[str, Any] = {
    "LIMIT_BAL": 120000,
    **dict.fromkeys(schema.STATUS_COLUMNS, 0),
    **dict.fromkeys(schema.BILL_COLUMNS, 45000),
    **dict.fromkeys(schema.PAID_COLUMNS, 2500),
}
"""A client who revolves; for the documentation and for a first call."""


class Client(Message):
    """An existing cardholder: credit limit and six months, the newest first.

    Names are those of the Kaggle file: PAY_0, BILL_AMT1 and PAY_AMT1 belong to the
    newest month. PAY_1 may stand for PAY_0, but not beside it.
    """

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    ID: Any = Field(default=None, description="ignored")
    LIMIT_BAL: Limit = Field(description="credit limit, NT$")
    SEX: Sex = Field(default_factory=absent, description="1 male, 2 female")
    EDUCATION: Education = Field(
        default_factory=absent,
        description="1 graduate school, 2 university, 3 high school; 0 and 4 to 6 other",
    )
    MARRIAGE: Marriage = Field(
        default_factory=absent, description="1 married, 2 single, 3 others, 0 unknown"
    )
    AGE: Age = Field(default_factory=absent, description="years")
    PAY_0: Status = Field(
        validation_alias=AliasChoices("PAY_0", "PAY_1"),
        description="status of September: −2 no consumption, −1 paid in full, 0 revolving, "
        "1 to 9 months past due; PAY_1 is another name for it",
    )
    PAY_2: Status = Field(description="status of August")
    PAY_3: Status = Field(description="status of July")
    PAY_4: Status = Field(description="status of June")
    PAY_5: Status = Field(description="status of May")
    PAY_6: Status = Field(description="status of April")
    BILL_AMT1: Amount = Field(description="bill statement of September, NT$")
    BILL_AMT2: Amount = Field(description="bill statement of August, NT$")
    BILL_AMT3: Amount = Field(description="bill statement of July, NT$")
    BILL_AMT4: Amount = Field(description="bill statement of June, NT$")
    BILL_AMT5: Amount = Field(description="bill statement of May, NT$")
    BILL_AMT6: Amount = Field(description="bill statement of April, NT$")
    PAY_AMT1: Amount = Field(description="paid in September, NT$")
    PAY_AMT2: Amount = Field(description="paid in August, NT$")
    PAY_AMT3: Amount = Field(description="paid in July, NT$")
    PAY_AMT4: Amount = Field(description="paid in June, NT$")
    PAY_AMT5: Amount = Field(description="paid in May, NT$")
    PAY_AMT6: Amount = Field(description="paid in April, NT$")

    def missing(self, required: Iterable[str]) -> list[str]:
        """Return which audit attributes the served model needs and this client lacks."""
        return [name for name in required if math.isnan(getattr(self, name))]


class RowError(Failure):
    """A client of a batch that could not be scored (``on_error: report``)."""

    index: int = Field(ge=0, description="position in the request, from 0")


class Batch(Message):
    """Up to 10,000 clients."""

    on_error: Literal["reject", "report"] = Field(
        default="reject",
        description="reject refuses the whole batch for one bad client; report answers "
        "that client with its errors and scores the others",
    )
    reasons: bool = Field(
        default=True,
        strict=True,
        description="false leaves out reasons, base, other and the place on the map, and is faster",
    )
    clients: Annotated[list[Client], Field(min_length=1, max_length=MAX_CLIENTS)]

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read a batch and leave its clients to :func:`.batches.read_clients`.

        This runs where every other request waits; looking at thousands of clients need not.
        """
        unchecked = _Unchecked.model_validate(parse(json_data, cls.__name__), **options)
        return cls.model_construct(**vars(unchecked))


class _Unchecked(Message):
    """A batch whose clients may be anything."""

    model_config = ConfigDict(title="Batch")

    on_error: Literal["reject", "report"] = "reject"
    reasons: bool = Field(default=True, strict=True)
    clients: Annotated[list[Any], Field(min_length=1, max_length=MAX_CLIENTS)]
