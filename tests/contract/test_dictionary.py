"""The committed data dictionary says what the registry and the schema say."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from creditrisk import __main__ as command
from creditrisk import schema
from creditrisk.features import dictionary, registry


def test_committed_documents_are_in_step_with_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["docs"])
    assert capsys.readouterr().out == "", "run `make docs`"


def test_every_raw_column_and_feature_has_one_row() -> None:
    names = [row["name"] for row in dictionary.dictionary_rows()]
    features = [feature.name for feature in registry.all_features()]
    assert names[: len(schema.RAW_COLUMNS)] == list(schema.RAW_COLUMNS)
    assert sorted(names) == sorted({*schema.RAW_COLUMNS, *features})


def test_every_row_is_complete() -> None:
    for row in dictionary.dictionary_rows():
        for column in dictionary.COLUMNS[:-1]:
            assert row[column].strip(), (row["name"], column)
        assert set(row["sources"].split()) <= set(schema.RAW_COLUMNS), row["name"]


def test_audit_rows_are_those_made_with_sensitive_attributes() -> None:
    audit = {row["name"] for row in dictionary.dictionary_rows() if row["audit"] == "yes"}
    assert audit == {*schema.AUDIT_COLUMNS, "limit_over_age"}


def test_inferred_codes_are_marked() -> None:
    assert "-2 = no consumption (inferred)" in dictionary.describe_codes("PAY_3")
    assert "-1 = paid in full;" in dictionary.describe_codes("PAY_3")
    assert "5 = other_unknown (inferred)" in dictionary.describe_codes("EDUCATION")
    assert dictionary.describe_codes("BILL_AMT1") == ""


def test_stale_documents_are_named_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(command.ROOT / "dvc.yaml", tmp_path)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="make docs"):
        command.main(["docs"])
    assert "stale: docs/data-dictionary.csv" in capsys.readouterr().out
    command.main(["docs", "--write"])
    written = (tmp_path / "docs/data-dictionary.csv").read_text(encoding="utf-8")
    assert list(csv.DictReader(io.StringIO(written))) == dictionary.dictionary_rows()
    assert '"train"' in (tmp_path / "docs/pipeline.json").read_text(encoding="utf-8")
