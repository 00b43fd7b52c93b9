"""From the raw table to clean clients: one row a client, checked, flagged and split.

Nothing of the source is lost: codes stay as they are beside their groups, doubtful
rows are flagged and grouped instead of dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data import audit, groups
from creditrisk.data import missing as missing_values
from creditrisk.data.contract import check_columns, find_failures, raise_failures, to_numbers
from creditrisk.data.holdout import draw_holdout
from creditrisk.data.outliers import treat_outliers
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

AMOUNT_COLUMNS = (*schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
_COLUMNS = [
    schema.KEY,
    *schema.FEATURE_COLUMNS,
    schema.TARGET,
    "sex_group",
    "education_group",
    "marriage_group",
    schema.GROUP,
    schema.SPLIT,
    schema.FIT_ROW,
    *audit.FLAGS,
]


def clean_clients(
    raw: pd.DataFrame,
    *,
    missing: Mapping[str, str],
    outliers: Mapping[str, Any],
    twins: Mapping[str, Any],
    holdout: Mapping[str, Any],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Clean the raw table.

    Parameters
    ----------
    raw : DataFrame, n rows
        ``schema.RAW_COLUMNS`` in any order, rows in any order.
    missing : mapping
        Policy of each column; see :data:`creditrisk.data.missing.POLICIES`.
    outliers, twins, holdout : mapping
        Keywords of :func:`creditrisk.data.outliers.treat_outliers` and of
        :func:`creditrisk.data.groups.find_twins`; see :func:`split_rows`.

    Returns
    -------
    clients : DataFrame
        As :func:`creditrisk.schema.clients_contract` states, sorted by ID. The same
        whatever the order of the raw rows.
    findings : dict
        Plain numbers: ``headline``, ``missing``, ``twins``, ``flags``,
        ``n_conflict_groups``, ``split``, ``outliers``.

    Raises
    ------
    UserError
        Naming the columns that are missing or unexpected; or every broken rule with
        its column and count of rows; or a parameter that is not allowed.
    """
    clients, filled = check_and_fill(raw, missing)
    pairs = groups.find_twins(clients, **twins)
    clients, n_conflict_groups = relate_rows(clients, pairs)
    clients, is_train = split_rows(clients, **holdout)
    clients, learned = missing_values.fill_learned(clients, is_train, missing)
    clients = flag_semantics(decode(clients))
    treated, bounds = treat_outliers(clients, is_train, **outliers)
    findings = {
        "missing": filled | {"learned": learned},
        "twins": audit.describe_twins(clients, pairs, twins["min_distinct"]),
        "flags": audit.describe_flags(treated),
        "n_conflict_groups": n_conflict_groups,
        "split": audit.describe_split(treated),
        "outliers": _describe_outliers(clients, treated, bounds, outliers),
    }
    return treated[_COLUMNS], {"headline": _headline(treated, findings)} | findings


def check_and_fill(
    raw: pd.DataFrame, policies: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Hold the raw table to its contract and apply the missing-value policy's first half.

    Parameters
    ----------
    raw : DataFrame, n rows
    policies : mapping
        See :data:`creditrisk.data.missing.POLICIES`.

    Returns
    -------
    clients : DataFrame
        Float columns, sorted by ID, without the rows that the policy drops; gaps
        remain only where a median or mode fills them.
    filled : dict
        ``policies``, ``n_by_column`` (columns with gaps only), ``n_rows_dropped``
        and ``n_cells_filled``.

    Raises
    ------
    UserError
        See :func:`clean_clients`.
    """
    missing_values.check_policies(policies)
    check_columns(raw)
    numbers, is_text = to_numbers(raw.reset_index(drop=True))
    is_missing = numbers.isna() & ~is_text
    dropped = missing_values.rows_to_drop(is_missing, policies)
    if dropped.all():
        raise UserError("no row is left: every row of the raw table lacks a value it needs")
    raise_failures(find_failures(numbers[~dropped], is_text[~dropped], policies))
    clients = missing_values.fill_constants(numbers[~dropped], policies)
    by_column = is_missing.sum()
    return clients.sort_values(schema.KEY, ignore_index=True), {
        "policies": dict(policies),
        "n_by_column": {str(c): int(n) for c, n in by_column.items() if n},
        "n_rows_dropped": int(dropped.sum()),
        "n_cells_filled": int(is_missing[~dropped].to_numpy().sum()),
    }


def relate_rows(clients: pd.DataFrame, pairs: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Say which rows belong together, before any learned value makes rows alike.

    Parameters
    ----------
    clients : DataFrame, n rows
    pairs : DataFrame
        See :func:`creditrisk.data.groups.find_twins`.

    Returns
    -------
    clients : DataFrame
        With ``group_id``, ``is_duplicate``, ``has_label_conflict`` and ``is_twin``.
    n_conflict_groups : int
        Sets of rows that share all features and not the target.
    """
    profiles = groups.number_profiles(clients)
    target = clients[schema.RAW_TARGET].to_numpy()
    in_conflict = groups.flag_conflicts(profiles, target)
    related = clients.assign(
        **{
            schema.GROUP: groups.assign_groups(profiles, pairs),
            "is_duplicate": groups.flag_duplicates(profiles, target),
            "has_label_conflict": in_conflict,
            "is_twin": groups.flag_twins(pairs, len(clients)),
        }
    )
    return related, len(np.unique(profiles[in_conflict]))


def split_rows(
    clients: pd.DataFrame, *, share: float, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Hold out a share of the groups; see :func:`creditrisk.data.holdout.draw_holdout`.

    Returns
    -------
    clients : DataFrame, n rows
        With ``split``.
    is_train : ndarray of bool, shape (n,)
    """
    is_holdout = draw_holdout(
        clients[schema.GROUP].to_numpy(),
        clients[schema.RAW_TARGET].to_numpy().astype(int),
        share=share,
        random_state=seed,
    )
    side = np.where(is_holdout, schema.HOLDOUT, schema.TRAIN)
    return clients.assign(**{schema.SPLIT: side}), ~is_holdout


def decode(clients: pd.DataFrame) -> pd.DataFrame:
    """Give each column its type and the code columns their groups.

    Parameters
    ----------
    clients : DataFrame, n rows
        Raw columns without gaps.

    Returns
    -------
    DataFrame
        ID, codes and AGE int64, amounts float64, the target under its short name,
        and ``sex_group``, ``education_group``, ``marriage_group`` beside the codes.
    """
    whole = [schema.KEY, *schema.CODE_RANGES, schema.RAW_TARGET]
    typed = clients.astype(dict.fromkeys(whole, "int64"))
    typed = typed.rename(columns={schema.RAW_TARGET: schema.TARGET})
    return typed.assign(
        sex_group=typed["SEX"].map(schema.SEX_CODES).astype("str"),
        education_group=typed["EDUCATION"].map(schema.EDUCATION_CODES).astype("str"),
        marriage_group=typed["MARRIAGE"].map(schema.MARRIAGE_CODES).astype("str"),
    )


def flag_semantics(clients: pd.DataFrame) -> pd.DataFrame:
    """Flag rows whose amounts say something of their own; a new frame.

    ``is_inactive``: all bills and payments are 0. ``is_over_limit``: the September
    bill is above the limit. ``has_credit_balance``: any bill is negative.
    """
    bills = clients[list(schema.BILL_COLUMNS)]
    return clients.assign(
        is_inactive=(clients[list(AMOUNT_COLUMNS)] == 0).all(axis=1),
        is_over_limit=clients[schema.BILL_COLUMNS[0]] > clients[schema.LIMIT],
        has_credit_balance=(bills < 0).any(axis=1),
    )


def _describe_outliers(
    clients: pd.DataFrame,
    treated: pd.DataFrame,
    bounds: Mapping[str, Mapping[str, tuple[float, float]]],
    outliers: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the rules, their bounds and how many training rows they flag and change."""
    is_train = (clients[schema.SPLIT] == schema.TRAIN).to_numpy()
    columns = list(outliers["columns"])
    changed = (clients[columns].to_numpy() != treated[columns].to_numpy()).any(axis=1)
    return {
        **{key: outliers[key] for key in ("columns", "rule", "z", "iqr_factor", "treatment")},
        "bounds": {rule: {c: list(b) for c, b in each.items()} for rule, each in bounds.items()},
        "n_train": {
            rule: int((treated[f"is_outlier_{rule}"].to_numpy() & is_train).sum())
            for rule in ("zscore", "iqr")
        },
        "n_removed": int((~treated[schema.FIT_ROW]).sum()),
        "n_winsorised": int(changed.sum()),
    }


def _headline(clients: pd.DataFrame, findings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers that are versioned in git."""
    flags, split = findings["flags"], findings["split"]
    return {
        "rows": len(clients),
        "default_rate": float(clients[schema.TARGET].mean()),
        "n_groups": int(clients[schema.GROUP].nunique()),
        "n_twin_pairs": findings["twins"]["n_strict_pairs"],
        "n_twin_rows": flags["is_twin"]["n"],
        "n_duplicates": flags["is_duplicate"]["n"],
        "n_conflict_groups": findings["n_conflict_groups"],
        "n_inactive": flags["is_inactive"]["n"],
        "n_missing_filled": findings["missing"]["n_cells_filled"],
        "n_missing_dropped": findings["missing"]["n_rows_dropped"],
        "n_outliers_removed": findings["outliers"]["n_removed"],
        "n_holdout": split[schema.HOLDOUT]["n"],
        "holdout_default_rate": split[schema.HOLDOUT]["default_rate"],
    }
