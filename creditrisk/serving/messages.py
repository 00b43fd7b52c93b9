"""What the service takes, as pydantic models.

The rules for numbers stand here alone: amounts are any finite JSON number, codes
and AGE are whole numbers (30 or 30.0; not "30", not true), unknown fields are
refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

import jiter
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

from creditrisk import schema
from creditrisk.serving.failures import (
    MAX_A_ROW,
    MAX_CLIENTS,
    MAX_FIELDS,
    MAX_LISTED,
    Failure,
    describe,
    summarise,
)


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


def parse(body: str | bytes | bytearray, title: str) -> Any:
    """Return a JSON document none of whose objects says a thing twice.

    Parameters
    ----------
    body : bytes or str
    title : str
        Of the error.

    Raises
    ------
    pydantic.ValidationError
        Naming the field that stands twice, or the body.
    """
    text = body.encode() if isinstance(body, str) else body
    try:
        document = from_json(text)
        names, most = _count_texts(document)
        # Where each quotation mark belongs to a name or text that is there, none is lost.
        if text.count(b'"') != 2 * names:
            jiter.from_json(bytes(text), catch_duplicate_keys=True)
    except ValueError as error:
        raise refuse([unreadable(str(error))], title) from None
    if most > MAX_FIELDS:
        kind = PydanticCustomError("too_many", f"an object has at most {MAX_FIELDS} fields")
        raise refuse([InitErrorDetails(type=kind, loc=(), input=None)], title)
    return document


def _count_texts(document: Any) -> tuple[int, int]:
    """Return how many names and texts a usual request has, and the fields of its largest part."""
    if not isinstance(document, dict):
        return 0, 0
    rows = document.get("clients")
    sizes = [len(document)]
    if isinstance(rows, list):
        sizes += [len(row) for row in rows if isinstance(row, dict)]
    return sum(sizes) + isinstance(document.get("on_error"), str), max(sizes)


def unreadable(problem: str) -> InitErrorDetails:
    """Return the detail for what a parser says of a body; it repeats names, but no value."""
    location: tuple[str, ...] = ()
    if twice := re.match(r'Detected duplicate key "(.*)" at line', problem, re.DOTALL):
        known = twice[1] in FIELDS
        text = "stands more than once" if known else "holds a field more than once"
        location = (twice[1],) if known else ()
    else:
        text = f"Invalid JSON: {problem}"
    return InitErrorDetails(type=PydanticCustomError("json", text), loc=location, input=None)


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


_client = TypeAdapter(Client)


def refuse(details: list[InitErrorDetails], title: str) -> ValidationError:
    """Return an error that reaches the caller just as pydantic's own do."""
    return ValidationError.from_exception_data(title, details, hide_input=True)


def missing_detail(location: tuple[str | int, ...]) -> InitErrorDetails:
    """Return the detail of a required field that is not there."""
    return InitErrorDetails(type="missing", loc=location, input=None)


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
    clients: Annotated[list[Client], FailFast(), Field(min_length=1, max_length=MAX_CLIENTS)]

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read a batch; where a client is wrong, leave them all to :func:`check_rows`.

        Finding what is wrong with thousands of clients takes long, and this runs
        where every other request waits.
        """
        document = parse(json_data, cls.__name__)
        try:
            return cls.model_validate(document, **options)
        except ValidationError:
            return cls.model_construct(**vars(_Unchecked.model_validate(document)))


class _Unchecked(Message):
    """A batch whose clients may be anything."""

    model_config = ConfigDict(title="Batch")

    on_error: Literal["reject", "report"] = "reject"
    reasons: bool = Field(default=True, strict=True)
    clients: Annotated[list[Any], Field(min_length=1, max_length=MAX_CLIENTS)]


FIELDS = frozenset({*Client.model_fields, "PAY_1", *Batch.model_fields})
"""Names that an error may repeat."""


def check_rows(batch: Batch, required: Sequence[str]) -> list[Client | RowError]:
    """Check the clients of a batch: what is not yet valid, and what the served model needs.

    Parameters
    ----------
    batch : Batch
    required : sequence of str
        Audit attributes that no client may lack; empty for a model without them.

    Returns
    -------
    list of Client or RowError
        With ``on_error: report`` a bad client becomes a :class:`RowError` in its place.

    Raises
    ------
    pydantic.ValidationError
        With ``reject``, naming row and field, up to a limit.
    """
    rows: list[Client | RowError] = []
    refused: list[InitErrorDetails] = []
    for index, row in enumerate(batch.clients):
        if isinstance(row, Client) and not required:
            rows.append(row)
            continue
        try:
            client = row if isinstance(row, Client) else _client.validate_python(row)
            require_one(client, required)
            rows.append(client)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            if batch.on_error == "report":
                errors = describe(details[:MAX_A_ROW])
                summary = summarise(errors, len(details))
                rows.append(RowError(error=summary, errors=errors, index=index))
                continue
            for detail in details:
                kind = PydanticCustomError(detail["type"], detail["msg"])
                place = ("clients", index, *detail["loc"])
                refused.append(InitErrorDetails(type=kind, loc=place, input=None))
            if len(refused) >= MAX_LISTED:
                break
    if refused:
        raise refuse(refused[:MAX_LISTED], "Batch")
    return rows


def require_one(client: Client, required: Sequence[str]) -> None:
    """Raise a validation error for each audit attribute that is needed and absent."""
    if required and (names := client.missing(required)):
        raise refuse([missing_detail((name,)) for name in names], "Client")
