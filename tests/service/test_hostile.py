"""Hundreds of hostile bodies: each is refused in the agreed shape, and none leaves a trace."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from creditrisk import schema
from creditrisk.serving.messages import EXAMPLE
from tests.service.conftest import post
from tests.service.test_api import failure

MARK = "918273"
"""Stands in most bodies; no reply and no log may repeat it."""
CLIENT = {**EXAMPLE, "SEX": 1, "EDUCATION": 2, "MARRIAGE": 1, "AGE": 40}
GOOD = json.dumps(CLIENT)
TOKENS = [
    *[f'"{MARK}"', f"[{MARK}]", f'{{"x": {MARK}}}', "true", "false", "null", '""', '"0"', '" 1"'],
    *["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4000, "-" + "9" * 4000, "9" * 5000],
    *['"NaN"', '"Infinity"', "nan", "+1", "01", "-", "--1", "1.", ".5", "1e", "1_000", "0x1F"],
    *["1n", "1/2", "1,5", "0b1", "１２", '"１２"', '"\\u0661"', f'"{MARK}\\u202e"', '"\\u0000"'],
    *['"\\ud800"', '"\\udc00\\ud800"', '"\\x41"', "'1'", "None", "undefined", "True", "{}", "[]"],
    *["[[[1]]]", '{"$gt": 0}', '{"__proto__": 1}', "function(){}", "${1}", "\u00a01", "\ufeff1"],
]
"""What stands in place of a number; the marks that are no JSON are among them."""
NAMES = [
    *["__proto__", "constructor", "prototype", "toString", "__class__", "__dict__", "__init__"],
    *["model_config", "model_fields", "missing", "self", "", " ", "LIMIT_BAL ", "limit_bal"],
    *["LIMIT_BAL\x00", "LIMIT_BAL\u200b", "ＬＩＭＩＴ_BAL", "\u202eLAB_TIMIL", "PAY_1", "PAY_7"],
    *["PAY_00", "BILL_AMT0", "BILL_AMT7", "PAY_AMT7", "default.payment.next.month", "clients"],
    *["on_error", "reasons", "client", "$where", "../../etc/passwd", "a.b", "a[0]", "a" * 10_000],
    *["😀", "';--", "<script>", "{{7*7}}", "%s%n", "\\u0041", "\r\nX-Injected: 1"],
]
NOT_JSON = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    **{c: GOOD.encode(c) for c in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037")},
    "gzip": gzip.compress(GOOD.encode()),
    "deflate": zlib.compress(GOOD.encode()),
    "pickle": pickle.dumps(CLIENT),
    "msgpack": b"\x81\xa9LIMIT_BAL\xce\x00\x0e\x02\xf1",
    "cbor": b"\xa1iLIMIT_BAL\x1a\x00\x0e\x02\xf1",
    "form": f"LIMIT_BAL={MARK}&PAY_0=0".encode(),
    "multipart": f'--x\r\ncontent-disposition: form-data; name="ID"\r\n\r\n{MARK}\r\n--x--'.encode(),
    "xml": f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///x">]><a>{MARK}</a>'.encode(),
    "yaml": f"LIMIT_BAL: {MARK}\nPAY_0: 0".encode(),
    "csv": f"LIMIT_BAL,PAY_0\n{MARK},0".encode(),
    "html": b"<!doctype html><script>alert(1)</script>",
    "single quotes": GOOD.replace('"', "'").encode(),
    "no quotes": GOOD.replace('"', "").encode(),
    "line comment": f"{GOOD} // {MARK}".encode(),
    "block comment": f"/* {MARK} */ {GOOD}".encode(),
    "hash comment": f"# {MARK}\n{GOOD}".encode(),
    "trailing comma": GOOD.replace("}", ",}").encode(),
    "leading comma": GOOD.replace("{", "{,").encode(),
    "no colon": GOOD.replace(":", "", 1).encode(),
    "equals": GOOD.replace(":", "=").encode(),
    "trailing garbage": f"{GOOD}{MARK}".encode(),
    "two documents": f"{GOOD}\n{GOOD}".encode(),
    "record separator": b"\x1e" + GOOD.encode(),
    "anti-hijacking prefix": b")]}'\n" + GOOD.encode(),
    "padding": b"for(;;);" + GOOD.encode(),
    "NUL before": b"\x00" + GOOD.encode(),
    "NUL after": GOOD.encode() + b"\x00",
    "NUL within": GOOD.replace(" ", "\x00", 1).encode(),
    "vertical tab": GOOD.replace(" ", "\x0b", 1).encode(),
    "no-break space": GOOD.replace(" ", "\u00a0", 1).encode(),
    "raw newline in a name": GOOD.replace("LIMIT_BAL", "LIMIT\nBAL").encode(),
    "bad utf-8 in a name": b'{"\xff\xfe": 1}',
    "overlong utf-8": b'{"ID": "\xc0\x80"}',
    "surrogate in utf-8": b'{"ID": "\xed\xa0\x80"}',
    "latin-1": '{"ID": "é"}'.encode("latin-1"),
    "lone surrogate in a name": b'{"\\ud800": 1}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"ID":' * 100_000,
    "deep but closed": b"[" * 50_000 + b"]" * 50_000,
    "deep in ID": b'{"ID":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "one huge number": b"9" * 5_000_000,
    "one huge string": b'"' + b"a" * 5_000_000,
    "only spaces": b" " * 1_000_000,
    "only a quote": b'"',
    "words": b"null null",
    **{f"cut after {n}": GOOD[:n].encode() for n in range(1, len(GOOD), 23)},
}
TOPS = {
    **{t: t.encode() for t in ("null", "true", "0", f'"{MARK}"', "[]", "[[]]", "[null]", "NaN")},
    "a list of clients": f"[{GOOD}]".encode(),
    "a wrapped client": f'{{"client": {GOOD}}}'.encode(),
    "data": f'{{"data": {GOOD}}}'.encode(),
    "a client as text": json.dumps(GOOD).encode(),
    "no field": b"{}",
    "wide": json.dumps({f"f{i}": int(MARK) for i in range(200_000)}).encode(),
    "wide ID": b'{"ID": [' + b"[]," * 400_000 + b"1]}",
}


def as_batch(*clients: str, **options: str) -> bytes:
    extra = "".join(f', "{name}": {text}' for name, text in options.items())
    return f'{{"clients": [{", ".join(clients)}]{extra}}}'.encode()


BATCHES = {
    **{f"clients {t}": f'{{"clients": {t}}}'.encode() for t in [*TOKENS[:9], "{}", "[]", "[[]]"]},
    **{
        f"row {t}": as_batch(GOOD, t) for t in ("null", "3", "true", f'"{MARK}"', "[]", "{}", "NaN")
    },
    **{
        f"on_error {t}": as_batch(GOOD, on_error=t) for t in ("null", "1", '"Report"', '["report"]')
    },
    **{f"reasons {t}": as_batch(GOOD, reasons=t) for t in ("null", "1", '"true"', "[]", "2.0")},
    **{
        f"option {n[:20]!r}": as_batch(GOOD, **{n: "1"})
        for n in ("__proto__", "x", "threads", "ID")
    },
    "clients twice": b'{"clients": [], "clients": [' + GOOD.encode() + b"]}",
    "clients as object": f'{{"clients": {{"0": {GOOD}}}}}'.encode(),
    "batch in batch": as_batch(as_batch(GOOD).decode()),
    "one client": GOOD.encode(),
    "client beside clients": f'{{"clients": [{GOOD}], {GOOD[1:]}'.encode(),
    "10,001 clients": as_batch(*[GOOD] * 10_001),
    "20,000 clients": as_batch(*[GOOD] * 20_000),
    "the last is wrong": as_batch(*[GOOD] * 999, f'{{"LIMIT_BAL": {MARK}}}'),
    "all are empty": as_batch(*["{}"] * 10_000),
    "a wide row": as_batch(GOOD, TOPS["wide"].decode()),
    "millions of lists": b'{"clients": [' + b"[]," * 2_000_000 + b"1]}",
    "millions of objects": b'{"clients": [' + b"{}," * 2_000_000 + b"1]}",
}


def replaced(field: str, token: str) -> str:
    """Return a good client with one value replaced by a text that need not be JSON."""
    return json.dumps({**CLIENT, field: "@@"}).replace('"@@"', token)


def outside(field: str) -> list[str]:
    """Return numbers that the field does not allow."""
    if field == schema.LIMIT:
        return ["0", "-0", "-0.0", "-1", f"-{MARK}", "-1e-300"]
    low, high = schema.CODE_RANGES.get(field, (None, None))
    if low is None:
        return []
    return [str(low - 1), str(high + 1), f"{high}.0000001", f"{low}.5", MARK, f"-{MARK}", "1e300"]


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Yield name, path and body of every hostile request."""
    for field in schema.FEATURE_COLUMNS:
        for token in [*TOKENS, *outside(field)]:
            yield f"{field} = {token[:30]}", "/predict", replaced(field, token).encode()
        yield f"{field} twice", "/predict", (GOOD[:-1] + f', "{field}": 1}}').encode()
        if field not in schema.AUDIT_COLUMNS:
            less = json.dumps({k: v for k, v in CLIENT.items() if k != field})
            yield f"no {field}", "/predict", less.encode()
    for token in [*TOKENS, *outside("PAY_0")]:
        yield (
            f"a row's PAY_0 = {token[:30]}",
            "/predict_batch",
            as_batch(GOOD, replaced("PAY_0", token)),
        )
    for name in NAMES:
        yield f"field {name[:30]!r}", "/predict", json.dumps({**CLIENT, name: int(MARK)}).encode()
    for name, body in [*NOT_JSON.items(), *TOPS.items()]:
        yield name, "/predict", body
        yield name, "/predict_batch", body
    for name, body in BATCHES.items():
        yield name, "/predict_batch", body


def test_every_hostile_body_is_refused(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen = set()
    with caplog.at_level(logging.DEBUG):
        for name, path, body in bodies():
            seen.add((path, body))
            response = post(api, path, body)
            assert 400 <= response.status_code < 500, (name, path, response.status_code)
            failure(response, response.status_code)
            assert MARK not in response.text, (name, path)
            assert len(response.content) < 30_000, (name, path)
    assert len(seen) >= 1000
    assert MARK not in caplog.text
    assert "Traceback" not in caplog.text
    assert {r.name.partition(".")[0] for r in caplog.records} <= {"httpx", "asyncio"}
