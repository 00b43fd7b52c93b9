"""The fetch stage: its parameters and what it writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from creditrisk import params, schema
from stages import fetch
from tests.generated import raw_clients

DEFAULT = {"source": "uci", "sha256": schema.CANONICAL_SHA256, "columns": {}}


def parse(**changes: object) -> fetch.Params:
    return params.parse(fetch.Params, DEFAULT | changes, "fetch")


def test_an_own_table_is_written_in_the_canonical_form_and_again_the_same(tmp_path: Path) -> None:
    own, raw = tmp_path / "mine.csv", tmp_path / "raw" / "clients.csv"
    table = raw_clients(30)
    table.rename(columns={"AGE": "years"}).astype(float).to_csv(own, index=False)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    chosen = parse(source=str(own), sha256=digest, columns={"years": "AGE"})
    fetch.main(chosen, raw=raw)
    assert raw.read_bytes() == table.to_csv(index=False, lineterminator="\n").encode()
    before = raw.read_bytes()
    fetch.main(chosen, raw=raw)
    assert raw.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": " "}, r"fetch\.source: .*data/raw/my_dataset\.csv"),
        ({"sha256": "abc"}, r"fetch\.sha256: .*64 hexadecimal digits"),
        ({"sha256": None}, schema.CANONICAL_SHA256),
        ({"sha256": "0" * 64}, schema.CANONICAL_SHA256),
        ({"columns": {"years": "AGE"}}, "only for a table of your own"),
        (
            {"source": "a.csv", "columns": {"years": "AEG"}},
            r"fetch\.columns: .*no such column: AEG",
        ),
        ({"url": "x"}, r"fetch\.url"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        parse(**changes)


def test_the_parameters_of_the_repository_are_accepted() -> None:
    section = params.read_section(Path(__file__).resolve().parents[2] / "params.yaml", "fetch")
    assert params.parse(fetch.Params, section, "fetch").source == section["source"]
