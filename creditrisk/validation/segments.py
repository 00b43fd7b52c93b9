"""What the champion says of segments that were formed without it.

Clusters and RFM segments read neither the outcome nor the model, so they are an
independent look at its probabilities: are they right on average within each segment,
and does knowing the segment add anything to the probability?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from creditrisk import schema
from creditrisk.data.rates import wilson
from creditrisk.errors import UserError
from creditrisk.models.rows import Scored
from creditrisk.segments import embedding
from creditrisk.stats.samples import NotApplicableError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

BILL = schema.BILL_COLUMNS[0]
"""The newest bill, NT$: what is at stake next month, if nothing more is drawn."""


def rates_by_label(labels: Sequence[Any], y: Array, p: Array, bill: Array) -> list[dict[str, Any]]:
    """Return observed and predicted default rate of each label, and what is at stake.

    Parameters
    ----------
    labels : sequence of str or int, length n
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        By fits that did not see the row.
    bill : ndarray of float, shape (n,)
        Newest bill, NT$; a credit balance counts as nothing owed.

    Returns
    -------
    list of dict
        ``label``, ``n``, ``observed`` with its 95 % Wilson interval ``low``, ``high``,
        ``predicted`` (mean probability), ``inside``: whether the interval holds it, and
        ``exposure``: Σ probability · max(bill, 0), NT$, the exposure at next-month
        default. Nothing is assumed of recoveries or of further drawing (no LGD, no
        CCF). Highest observed rate first.
    """
    names, position = np.unique(np.asarray(labels), return_inverse=True)
    n = np.bincount(position)
    positives = np.bincount(position, weights=y)
    predicted = np.bincount(position, weights=p) / n
    exposure = np.bincount(position, weights=p * np.maximum(bill, 0.0))
    low, high = wilson(positives, n)
    rows = [
        {
            "label": str(names[i]),
            "n": int(n[i]),
            "observed": float(positives[i] / n[i]),
            "low": float(low[i]),
            "high": float(high[i]),
            "predicted": float(predicted[i]),
            "inside": bool(low[i] <= predicted[i] <= high[i]),
            "exposure": float(exposure[i]),
        }
        for i in range(len(names))
    ]
    return sorted(rows, key=lambda row: (-row["observed"], row["label"]))


def added_value(labels: Sequence[Any], y: Array, p: Array) -> dict[str, Any]:
    """Test whether a label adds to the log-odds of a probability.

    Two logistic regressions of the outcome are compared: on logit(p) with an intercept
    and a slope, and the same with an indicator of every label but one. Twice the
    difference of their log-likelihoods is χ² with (labels − 1) degrees of freedom when
    the label adds nothing (Wilks 1938). Rows count as independent.

    Parameters
    ----------
    labels : sequence of str or int, length n
        k different ones.
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        Between 0 and 1, by fits that did not see the row.

    Returns
    -------
    dict
        ``n``, ``statistic``, ``df`` (k − 1), ``p_value`` and ``delta_log_loss``: mean
        log loss with the label less that without, in the sample that both were fitted
        on, so never above 0.

    Raises
    ------
    UserError
        When a probability is missing or not between 0 and 1.
    NotApplicableError
        When there is one label only, all probabilities are equal, or a label holds
        defaults only or none: its coefficient would be infinite.
    """
    names, position = np.unique(np.asarray(labels), return_inverse=True)
    _check(names, position, y, p)
    score = special.logit(p)
    base = np.column_stack([np.ones(len(y)), (score - score.mean()) / score.std()])
    indicators = (position[:, None] == np.arange(1, len(names))).astype(float)
    without, with_label = (_log_likelihood(y, X) for X in (base, np.hstack([base, indicators])))
    statistic = max(2.0 * (with_label - without), 0.0)
    df = len(names) - 1
    return {
        "n": len(y),
        "statistic": float(statistic),
        "df": df,
        "p_value": float(stats.chi2.sf(statistic, df)),
        "delta_log_loss": float((without - with_label) / len(y)),
    }


def _check(names: Array, position: Array, y: Array, p: Array) -> None:
    """Refuse what the two regressions are not defined for."""
    if not np.all((p > 0) & (p < 1)):
        raise UserError("probability: a value is missing or not between 0 and 1: train again")
    if len(names) < 2:
        raise NotApplicableError("all clients have one label")
    if np.ptp(p) == 0:
        raise NotApplicableError("all probabilities are equal")
    rates = np.bincount(position, weights=y) / np.bincount(position)
    one_sided = names[(rates == 0) | (rates == 1)]
    if len(one_sided):
        raise NotApplicableError(f"{one_sided[0]}: all clients have the same outcome")


def _log_likelihood(y: Array, X: Array) -> float:
    """Return the largest log-likelihood of a logistic regression with these columns."""
    from statsmodels.discrete.discrete_model import Logit

    return float(Logit(y, X).fit(disp=0, tol=1e-10, maxiter=100).llf)


def describe(
    scored: Scored,
    champion: str,
    *,
    bills: pd.DataFrame,
    clusters: pd.DataFrame,
    rfm: pd.DataFrame,
    names: Sequence[str],
) -> dict[str, Any]:
    """Return all that relates the champion to clusters and RFM segments.

    Parameters
    ----------
    scored : Scored
    champion : str
        Training rows have its out-of-fold, hold-out rows its hold-out probability.
    bills : DataFrame
        ID and :data:`BILL` of every client.
    clusters : DataFrame
        ID, ``cluster_id`` and, for the map, ``tsne_1`` and ``tsne_2``.
    rfm : DataFrame
        ID and ``segment``.
    names : sequence of str
        Of the clusters, by number.

    Returns
    -------
    dict
        ``clusters`` and ``rfm``: see :func:`rates_by_label`, all clients that have a
        label; ``cluster_test`` and ``rfm_test``: see :func:`added_value`, training rows
        only, or ``{"applicable": False, "reason": …}``; ``map``: mean probability over
        the t-SNE map, see :func:`creditrisk.segments.embedding.grid_means`.
    """
    train = len(scored.train_id)
    ids = np.concatenate([scored.train_id, scored.holdout_id])
    y = np.concatenate([scored.train_y, scored.holdout_y])
    p = np.concatenate([scored.train[champion], scored.holdout[champion]])
    bill = bills.set_index(schema.KEY)[BILL].reindex(ids).to_numpy(dtype=float)
    by_cluster = clusters.set_index(schema.KEY).reindex(ids)
    labels = {
        "clusters": by_cluster["cluster_id"].map(dict(enumerate(names))),
        "rfm": rfm.set_index(schema.KEY)["segment"].reindex(ids),
    }
    known = {name: column.notna().to_numpy() for name, column in labels.items()}
    tables = {
        name: rates_by_label(column[k].tolist(), y[k], p[k], bill[k])
        for (name, column), k in zip(labels.items(), known.values(), strict=True)
    }
    tests = {}
    for key, name in (("cluster_test", "clusters"), ("rfm_test", "rfm")):
        rows = np.flatnonzero(known[name][:train])
        tests[key] = _added_value(labels[name].iloc[rows].tolist(), y[rows], p[rows])
    k = known["clusters"]
    places = by_cluster[["tsne_1", "tsne_2"]].to_numpy(dtype=float)
    return {**tables, **tests, "map": embedding.grid_means(places[k], p[k], embedding.COARSE)}


def _added_value(labels: Sequence[Any], y: Array, p: Array) -> dict[str, Any]:
    """Return the test, or why there is none."""
    try:
        return {"applicable": True, **added_value(labels, y, p)}
    except NotApplicableError as error:
        return {"applicable": False, "reason": str(error)}


def headline(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pages of the segments show of the champion.

    Parameters
    ----------
    described : mapping
        From :func:`describe`.

    Returns
    -------
    dict
        ``clusters`` and ``rfm``: lists of ``name``, ``n``, ``rate``, ``low``, ``high``,
        ``predicted`` and ``exposure`` (NT$); ``cluster_test`` and ``rfm_test`` as
        described.
    """
    renamed = {"name": "label", "rate": "observed"}
    shown = ("name", "n", "rate", "low", "high", "predicted", "exposure")
    tables = {
        key: [{name: row[renamed.get(name, name)] for name in shown} for row in described[key]]
        for key in ("clusters", "rfm")
    }
    return {**tables, **{key: described[key] for key in ("cluster_test", "rfm_test")}}
