"""The features of a whole table, and which of them models may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creditrisk import schema
from creditrisk.features.record import from_frame
from creditrisk.features.registry import all_features, compute, families, select

if TYPE_CHECKING:
    import pandas as pd


def feature_table(clients: pd.DataFrame) -> pd.DataFrame:
    """Compute every registered feature.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.

    Returns
    -------
    DataFrame, n rows
        ID and one float64 column a feature, in the registry's order.

    Raises
    ------
    ArithmeticError
        Naming the features that are not finite for some client.
    """
    import numpy as np
    import pandas as pd

    names = [feature.name for feature in all_features()]
    values = compute(from_frame(clients), names)
    if broken := [names[i] for i in np.flatnonzero(~np.isfinite(values).all(axis=0))]:
        raise ArithmeticError(f"not finite for some client: {', '.join(broken)}")
    table = pd.DataFrame(values, columns=names)
    table.insert(0, schema.KEY, clients[schema.KEY].to_numpy())
    return table


def model_features(*, audit_attributes: str) -> dict[str, Any]:
    """Return the features that models may use, by family.

    Parameters
    ----------
    audit_attributes : {"exclude", "include"}
        See :func:`creditrisk.features.registry.select`.

    Returns
    -------
    dict
        ``audit_attributes`` and ``families``: names of each family that keeps any.
    """
    chosen = {f: select([f], audit_attributes=audit_attributes) for f in families()}
    return {
        "audit_attributes": audit_attributes,
        "families": {family: names for family, names in chosen.items() if names},
    }


def summarize_features(allowed: dict[str, Any]) -> dict[str, Any]:
    """Return the counts that ``features`` reports.

    Parameters
    ----------
    allowed : dict
        From :func:`model_features`.

    Returns
    -------
    dict
        ``headline`` (``n_features``, ``n_families``, ``n_model_features``),
        ``audit_attributes``, ``families`` (a list of ``family``, ``n_features``,
        ``n_model_features``) and ``left_out``, the names under the audit rule.
    """
    registered = all_features()
    usable = {name for names in allowed["families"].values() for name in names}
    return {
        "headline": {
            "n_features": len(registered),
            "n_families": len(families()),
            "n_model_features": len(usable),
        },
        "audit_attributes": allowed["audit_attributes"],
        "families": [
            {
                "family": family,
                "n_features": sum(f.family == family for f in registered),
                "n_model_features": len(allowed["families"].get(family, [])),
            }
            for family in families()
        ],
        "left_out": [f.name for f in registered if f.name not in usable],
    }
