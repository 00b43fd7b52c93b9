"""The clients of a batch: valid at a glance, or looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from creditrisk import schema
from creditrisk.features.record import ClientRecord, from_mappings
from creditrisk.serving.failures import MAX_A_ROW, MAX_LISTED, describe, summarise
from creditrisk.serving.messages import Batch, Client, RowError
from creditrisk.serving.parsing import refuse

_client = TypeAdapter(Client)

BEHAVIOUR = (schema.LIMIT, *schema.STATUS_COLUMNS, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
NAMES = (*BEHAVIOUR, *schema.AUDIT_COLUMNS)
CODES = [NAMES.index(name) for name in schema.CODE_RANGES]
LOWEST, HIGHEST = np.array(list(schema.CODE_RANGES.values()), dtype=float).T


def read_clients(batch: Batch, required: Sequence[str]) -> tuple[ClientRecord, dict[int, RowError]]:
    """Return the clients of a batch as a record, and what is wrong with the others.

    Parameters
    ----------
    batch : Batch
    required : sequence of str
        Audit attributes that no client may lack; empty for a model without them.

    Returns
    -------
    record : ClientRecord, n clients
        The valid ones, in their order.
    errors : dict of int to RowError
        By position in the request; only with ``on_error: report``.

    Raises
    ------
    pydantic.ValidationError
        With ``reject``, naming row and field, up to a limit.
    """
    numbers = plain_numbers(batch.clients)
    lacking = [NAMES.index(name) for name in required]
    if numbers is not None and not np.isnan(numbers[:, lacking]).any():
        return _record(numbers), {}
    valid, errors = check_rows(batch, required)
    return from_mappings([vars(client) for client in valid]), errors


def plain_numbers(rows: Sequence[Any]) -> np.ndarray | None:
    """Return the numbers of clients that are valid at a glance.

    pydantic takes most of a batch's time, so it is asked only where something is out of
    the ordinary; whatever passes here passes there.

    Parameters
    ----------
    rows : sequence, length n

    Returns
    -------
    ndarray of float, shape (n, 23), or None
        Columns as in :data:`NAMES`; audit attributes are NaN where no client has one.
        None where a client needs a closer look, and be it for another spelling of a field.
    """
    try:
        names = NAMES if schema.AUDIT_COLUMNS[0] in rows[0] else BEHAVIOUR
        values = list(map(itemgetter(*names), rows))
        if any(len(row) - ("ID" in row) != len(names) for row in rows):
            return None
        if not {int, float}.issuperset(map(type, chain.from_iterable(values))):
            return None
        numbers = np.full((len(rows), len(NAMES)), np.nan)
        numbers[:, : len(names)] = values
    except (KeyError, TypeError, OverflowError):
        return None
    given = numbers[:, : len(names)]
    codes = numbers[:, CODES]
    in_range = (codes >= LOWEST) & (codes <= HIGHEST) & (codes == np.rint(codes))
    is_fine = in_range | np.isnan(codes)  # what is not given; a NaN that is given is not finite
    return (
        numbers if np.isfinite(given).all() and (given[:, 0] > 0).all() and is_fine.all() else None
    )


def _record(numbers: np.ndarray) -> ClientRecord:
    """Return the record of numbers in the order of :data:`NAMES`."""
    parts = (numbers[:, 0], numbers[:, 1:7], numbers[:, 7:13], numbers[:, 13:19])
    return ClientRecord(*parts, *numbers[:, 19:].T)


def check_rows(batch: Batch, required: Sequence[str]) -> tuple[list[Client], dict[int, RowError]]:
    """Check the clients of a batch one by one; see :func:`read_clients`."""
    valid: list[Client] = []
    errors: dict[int, RowError] = {}
    refused: list[InitErrorDetails] = []
    for index, row in enumerate(batch.clients):
        try:
            client = row if isinstance(row, Client) else _client.validate_python(row)
            require_one(client, required)
            valid.append(client)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            if batch.on_error == "report":
                listed = describe(details[:MAX_A_ROW])
                summary = summarise(listed, len(details))
                errors[index] = RowError(error=summary, errors=listed, index=index)
                continue
            for detail in details:
                kind = PydanticCustomError(detail["type"], detail["msg"])
                place = ("clients", index, *detail["loc"])
                refused.append(InitErrorDetails(type=kind, loc=place, input=None))
            if len(refused) >= MAX_LISTED:
                break
    if refused:
        raise refuse(refused[:MAX_LISTED], "Batch")
    return valid, errors


def require_one(client: Client, required: Sequence[str]) -> None:
    """Raise a validation error for each audit attribute that is needed and absent."""
    if required and (names := client.missing(required)):
        raise refuse([missing_detail((name,)) for name in names], "Client")


def missing_detail(location: tuple[str | int, ...]) -> InitErrorDetails:
    """Return the detail of a required field that is not there."""
    return InitErrorDetails(type="missing", loc=location, input=None)
