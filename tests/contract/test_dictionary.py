"""The committed data dictionary says what the registry and the schema say."""

from __future__ import annotations

import csv
import io

from creditrisk import __main__ as command
from creditrisk import schema
from creditrisk.features import dictionary, registry


def test_committed_file_is_in_step_with_the_registry() -> None:
    committed = command.DICTIONARY.read_text(encoding="utf-8")
    assert committed == dictionary.dictionary_csv(), "run: python -m creditrisk dictionary --write"


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


def test_command_prints_the_dictionary(capsys) -> None:
    command.main(["dictionary"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows == dictionary.dictionary_rows()


def test_command_writes_the_file(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "DICTIONARY", tmp_path / "docs" / "dictionary.csv")
    command.main(["dictionary", "--write"])
    written = (tmp_path / "docs" / "dictionary.csv").read_text(encoding="utf-8")
    assert written == dictionary.dictionary_csv()
    assert capsys.readouterr().out == "wrote docs/dictionary.csv\n"
