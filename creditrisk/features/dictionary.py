"""The data dictionary: every raw column and every feature, printed from the registry."""

from __future__ import annotations

import csv
import io
from typing import Final

from creditrisk import schema
from creditrisk.features.registry import all_features

COLUMNS: Final = ("name", "unit", "family", "sources", "audit", "meaning", "codes")

NOT_FEATURES: Final = {
    schema.KEY: ("code", "key", "row number of the source; a key, never a feature"),
    schema.RAW_TARGET: ("flag", "target", "1: the payment of October 2005 was missed"),
}
"""Raw columns that no model may read: unit, family, meaning."""

CODE_BOOKS: Final = {
    "SEX": schema.SEX_CODES,
    "EDUCATION": schema.EDUCATION_CODES,
    "MARRIAGE": schema.MARRIAGE_CODES,
    **dict.fromkeys(schema.STATUS_COLUMNS, schema.STATUS_CODES),
}


def dictionary_rows() -> list[dict[str, str]]:
    """Return the dictionary: raw columns in their order, then derived features.

    Returns
    -------
    list of dict
        Keys as :data:`COLUMNS`. ``sources`` are raw columns, separated by spaces;
        ``audit`` is ``yes`` where a legally sensitive attribute is among them;
        ``codes`` spells out a code book, ``inferred`` marking what the source does
        not document.
    """
    features = {feature.name: feature for feature in all_features()}
    derived = [name for name in features if name not in schema.RAW_COLUMNS]
    rows = []
    for name in (*schema.RAW_COLUMNS, *derived):
        if name in NOT_FEATURES:
            unit, family, meaning = NOT_FEATURES[name]
            sources, is_audit = [name], False
        else:
            feature = features[name]
            unit, family, meaning = feature.unit, feature.family, feature.meaning
            sources, is_audit = list(feature.sources), feature.is_audit
        values = (
            name,
            unit,
            family,
            " ".join(sources),
            "yes" if is_audit else "no",
            meaning,
            describe_codes(name),
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def describe_codes(column: str) -> str:
    """Return a code column's book as text, empty for other columns."""
    documented = schema.DOCUMENTED_CODES.get(column, ())
    return "; ".join(
        f"{code} = {meaning}{'' if code in documented else ' (inferred)'}"
        for code, meaning in CODE_BOOKS.get(column, {}).items()
    )


def dictionary_csv() -> str:
    """Return the dictionary as CSV text with a header and Unix line ends."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dictionary_rows())
    return text.getvalue()
