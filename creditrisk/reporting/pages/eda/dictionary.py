"""The data dictionary: what each raw column means, may hold and does hold."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt

Row = dict[str, Any]

MEANINGS = {"other_unknown": "other or unknown"}


def build(columns: list[Row]) -> Row:
    """Return the tables of the dictionary and the numbers of its words.

    Parameters
    ----------
    columns : list of dict
        ``eda.json``'s ``dictionary``.
    """
    codes = [(column["name"], code) for column in columns for code in column["codes"]]
    odd = [(name, code) for name, code in codes if not code["documented"]]
    return {
        "n_columns": len(columns),
        "roles": count_roles(columns),
        "n_codes": len(codes),
        "undocumented": sorted({name for name, _ in odd}),
        "n_odd_values": sum(code["n"] for _, code in odd),
        "unseen": unseen_codes(codes),
        "rows": [column_row(column) for column in columns],
        "codes": [code_row(name, code) for name, code in codes],
    }


def count_roles(columns: list[Row]) -> dict[str, int]:
    """Return how many columns have each role, in the order of appearance."""
    counts: dict[str, int] = {}
    for column in columns:
        counts[column["role"]] = counts.get(column["role"], 0) + 1
    return counts


def unseen_codes(codes: list[tuple[str, Row]]) -> list[str]:
    """Return the documented codes that no client has: ``9 (PAY_0, PAY_2)``."""
    columns: dict[int, list[str]] = {}
    for name, code in codes:
        if not code["n"]:
            columns.setdefault(code["code"], []).append(name)
    return [f"{fmt.integer(code)} in {', '.join(names)}" for code, names in columns.items()]


def column_row(column: Row) -> list[Any]:
    """Return one column of the raw table as a row of the dictionary."""
    observed = fmt.interval(column["min"], column["max"], "integer")
    odd = [
        f"{fmt.integer(code['code'])} ({fmt.integer(code['n'])})"
        for code in column["codes"]
        if not code["documented"]
    ]
    return [
        Markup("{}").format(column["name"]).replace(".", Markup(".<wbr>")),
        column["meaning"],
        fmt.whole(column["role"]),
        column["unit"],
        column["allowed"].replace("-", "−"),
        str(observed),
        ", ".join(odd) or fmt.NONE,
    ]


def code_row(name: str, code: Row) -> list[Any]:
    """Return one code of a column: meaning, source of the meaning, clients."""
    meaning = MEANINGS.get(code["meaning"], code["meaning"].replace("_", " "))
    source = "documented" if code["documented"] else "inferred or unknown"
    return [name, fmt.integer(code["code"]), meaning, source, fmt.integer(code["n"])]
