"""What comes in is parsed once, says nothing twice, and costs little where it is wrong."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from creditrisk.features.record import ClientRecord, from_mappings
from creditrisk.serving import batches, failures, messages, parsing
from creditrisk.serving.messages import EXAMPLE, Batch, Client, RowError


def refusal(text: bytes, model: type[messages.Message] = Batch) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(text)
    assert refused.value.title == model.__name__
    (error,) = failures.describe(refused.value.errors())
    return error.field, error.message


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b'{"PAY_0": 1, "PAY_0": 1}', "PAY_0"),
        (b'{"PAY_1": 1, "PAY_1": 2}', "PAY_1"),
        (b'{"PAY_0": 1, "\\u0050AY_0": 2}', "PAY_0"),
        (b'{"clients": [], "clients": []}', "clients"),
        (b'{"clients": [{"LIMIT_BAL": 1, "LIMIT_BAL": 2}]}', "LIMIT_BAL"),
        (b'{"on_error": "reject", "on_error": "reject"}', "on_error"),
        (b'{"secret": 1, "secret": 2}', "body"),
        (b'{"ID": {"secret": 1, "secret": 2}}', "body"),
        (b'{"ID": [{"secret": 1, "secret": 2}], "clients": [{"ID": "a"}]}', "body"),
        (b'{"a\\"b": 1, "a\\"b": 2}', "body"),
        (b'{"\\n": 1, "\\n": 2}', "body"),
    ],
)
@pytest.mark.parametrize("model", [Batch, Client])
def test_a_name_stands_once_in_an_object(
    text: bytes, field: str, model: type[messages.Message]
) -> None:
    named, message = refusal(text, model)
    assert named == field
    assert "more than once" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "ID", [7, "seven", '"quoted"', {"a": {"b": "c"}}, [{"a": 1}, {"a": 2}], None]
)
def test_names_may_stand_in_several_objects(ID: Any) -> None:
    rows = [{**EXAMPLE, "ID": ID}, EXAMPLE]
    batch = Batch.model_validate_json(json.dumps({"clients": rows, "on_error": "report"}))
    assert batches.read_clients(batch, ())[0].limit.tolist() == [120_000, 120_000]
    assert Client.model_validate_json(json.dumps(rows[0]).encode()).PAY_0 == 0


@pytest.mark.parametrize(
    "text", [b"{", b"nul", b"\xff", b'{"a": 1} x', b'{"a": "\\ud800"}', b"[" * 9999]
)
def test_what_is_no_json_is_said_so(text: bytes) -> None:
    field, message = refusal(text)
    assert field == "body"
    assert message.startswith("Invalid JSON")


def test_errors_may_repeat_the_names_of_the_models() -> None:
    assert {*Client.model_fields, "PAY_1", *Batch.model_fields} == parsing.FIELDS


def test_the_number_of_fields_is_bounded() -> None:
    wide = json.dumps(dict.fromkeys(map(str, range(failures.MAX_FIELDS + 1)), 1)).encode()
    expected = ("body", "an object has at most 100 fields")
    assert refusal(wide, Client) == expected
    assert refusal(b'{"clients": [1, ' + wide + b"]}") == expected


def read(
    rows: list[Any], on_error: str = "report", required: tuple[str, ...] = ()
) -> tuple[ClientRecord, dict[int, RowError]]:
    body = json.dumps({"clients": rows, "on_error": on_error}).encode()
    return batches.read_clients(Batch.model_validate_json(body), required)


def test_clients_are_left_unchecked_until_asked() -> None:
    """Looking at thousands takes long and does not belong where others wait."""
    body = json.dumps({"clients": [EXAMPLE, {}, 3], "on_error": "report"}).encode()
    batch = Batch.model_validate_json(body)
    assert batch.clients == [EXAMPLE, {}, 3]
    record, errors = batches.read_clients(batch, ())
    assert record.limit.tolist() == [EXAMPLE["LIMIT_BAL"]]
    assert [error.index for error in errors.values()] == [1, 2] == list(errors)
    assert errors[2].errors[0].message == "must be a JSON object"


def test_a_reported_client_lists_a_few_errors_and_counts_all() -> None:
    _, errors = read([{}])
    assert len(errors[0].errors) == failures.MAX_A_ROW
    assert errors[0].error == "LIMIT_BAL: is required (and 18 more)"


def test_what_the_model_needs_is_asked_of_everyone() -> None:
    with pytest.raises(ValidationError) as refused:
        read([EXAMPLE] * 3, "reject", ("SEX",))
    fields = [e.field for e in failures.describe(refused.value.errors())]
    assert fields == [f"clients[{i}].SEX" for i in range(3)]
    with_sex = [{**EXAMPLE, **PERSONAL}] * 2
    assert read(with_sex, "reject", ("SEX",))[0].sex.tolist() == [2.0, 2.0]


PERSONAL = {"SEX": 2, "EDUCATION": 0, "MARRIAGE": 3, "AGE": 18.0}


@pytest.mark.parametrize("extra", [{}, PERSONAL, {"ID": "x"}, {**PERSONAL, "ID": [1, {"a": 2}]}])
def test_at_a_glance_the_record_is_that_of_a_closer_look(extra: dict[str, Any]) -> None:
    rows = [{**EXAMPLE, **extra, "LIMIT_BAL": 1.5, "PAY_0": -2, "PAY_6": 9.0}, {**EXAMPLE, **extra}]
    numbers = batches.plain_numbers(rows)
    assert numbers is not None
    expected = from_mappings([vars(Client.model_validate(row)) for row in rows])
    for part in fields(ClientRecord):
        np.testing.assert_array_equal(
            getattr(batches._record(numbers), part.name), getattr(expected, part.name)
        )


def is_valid(row: Any) -> bool:
    try:
        Client.model_validate(row)
    except ValidationError:
        return False
    return True


ODD = [0, 1, -1, 1.5, -2, -3, 9, 10, 17, 18, 121, True, None, "1", "", [], {}, 1e308, 10**400]
ODD += [float("nan"), float("inf"), -0.0, 2.0000000001]


@pytest.mark.parametrize("name", [*batches.NAMES, "PAY_1", "ID", "income"])
def test_whatever_passes_at_a_glance_passes_a_closer_look(name: str) -> None:
    plain = {**EXAMPLE, **PERSONAL}
    passed = 0
    for value in ODD:
        row = {**plain, name: value}
        for rows in ([row], [plain, row], [row, plain]):
            if batches.plain_numbers(rows) is not None:
                passed += 1
                assert is_valid(row), (name, value)
    assert (passed > 0) == (name not in ("PAY_1", "income"))


@pytest.mark.parametrize(
    "rows",
    [
        [3],
        [None, EXAMPLE],
        [[]],
        ["SEX"],
        [EXAMPLE, {**EXAMPLE, **PERSONAL}],
        [{**EXAMPLE, **PERSONAL}, EXAMPLE],
        [{k: v for k, v in EXAMPLE.items() if k != "PAY_AMT6"}],
        [Client.model_validate(EXAMPLE)],
    ],
)
def test_what_is_out_of_the_ordinary_gets_a_closer_look(rows: list[Any]) -> None:
    assert batches.plain_numbers(rows) is None
