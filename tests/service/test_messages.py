"""What comes in is parsed once, says nothing twice, and costs little where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from creditrisk.serving import failures, messages
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
    assert [client.LIMIT_BAL for client in batch.clients] == [120_000, 120_000]
    assert Client.model_validate_json(json.dumps(rows[0]).encode()).PAY_0 == 0


@pytest.mark.parametrize(
    "text", [b"{", b"nul", b"\xff", b'{"a": 1} x', b'{"a": "\\ud800"}', b"[" * 9999]
)
def test_what_is_no_json_is_said_so(text: bytes) -> None:
    field, message = refusal(text)
    assert field == "body"
    assert message.startswith("Invalid JSON")


def test_the_number_of_fields_is_bounded() -> None:
    wide = json.dumps(dict.fromkeys(map(str, range(failures.MAX_FIELDS + 1)), 1)).encode()
    expected = ("body", "an object has at most 100 fields")
    assert refusal(wide, Client) == expected
    assert refusal(b'{"clients": [1, ' + wide + b"]}") == expected


def test_a_batch_with_a_wrong_client_is_left_unchecked_until_asked() -> None:
    """Finding what is wrong takes long and does not belong where others wait."""
    body = json.dumps({"clients": [EXAMPLE, {}, 3], "on_error": "report"}).encode()
    batch = Batch.model_validate_json(body)
    assert batch.clients == [EXAMPLE, {}, 3]
    rows = messages.check_rows(batch, ())
    assert isinstance(rows[0], Client)
    assert [row.index for row in rows[1:] if isinstance(row, RowError)] == [1, 2]
    assert rows[2].errors[0].message == "must be a JSON object"


def test_a_reported_client_lists_a_few_errors_and_counts_all() -> None:
    batch = Batch.model_validate_json(b'{"clients": [{}], "on_error": "report"}')
    (row,) = messages.check_rows(batch, ())
    assert isinstance(row, RowError)
    assert len(row.errors) == failures.MAX_A_ROW
    assert row.error == "LIMIT_BAL: is required (and 18 more)"


def test_a_good_batch_is_checked_at_once() -> None:
    batch = Batch.model_validate_json(json.dumps({"clients": [EXAMPLE] * 3}).encode())
    assert all(isinstance(row, Client) for row in batch.clients)
    assert messages.check_rows(batch, ()) == batch.clients
    with pytest.raises(ValidationError) as refused:
        messages.check_rows(batch, ("SEX",))
    fields = [e.field for e in failures.describe(refused.value.errors())]
    assert fields == [f"clients[{i}].SEX" for i in range(3)]
