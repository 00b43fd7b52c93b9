"""Tables that relate the champion to segments, and the tables behind DVC's plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.rates import wilson
from creditrisk.models.rows import Scored

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


def rates_by_label(labels: Sequence[Any], y: Array, p: Array) -> list[dict[str, Any]]:
    """Return observed and predicted default rate of each label.

    Parameters
    ----------
    labels : sequence of str or int, length n
    y : ndarray of int, shape (n,)
    p : ndarray of float, shape (n,)
        By fits that did not see the row.

    Returns
    -------
    list of dict
        ``label``, ``n``, ``observed`` with its 95 % Wilson interval ``low``, ``high``,
        ``predicted`` (mean probability) and ``inside``: whether the interval holds it.
        Highest observed rate first.
    """
    names, position = np.unique(np.asarray(labels), return_inverse=True)
    n = np.bincount(position)
    positives = np.bincount(position, weights=y)
    predicted = np.bincount(position, weights=p) / n
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
        }
        for i in range(len(names))
    ]
    return sorted(rows, key=lambda row: (-row["observed"], row["label"]))


def segment_rates(
    scored: Scored, champion: str, segments: pd.DataFrame, column: str, names: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return observed and predicted default rates of the segments of all clients.

    Parameters
    ----------
    scored : Scored
    champion : str
        Training rows have its out-of-fold, hold-out rows its hold-out probability.
    segments : DataFrame
        ID and ``column``.
    column : str
    names : sequence of str
        Names of the labels where they are numbers 0, 1, ….

    Returns
    -------
    list of dict
        See :func:`rates_by_label`.
    """
    ids = np.concatenate([scored.train_id, scored.holdout_id])
    y = np.concatenate([scored.train_y, scored.holdout_y])
    p = np.concatenate([scored.train[champion], scored.holdout[champion]])
    labels = segments.set_index(schema.KEY)[column].reindex(ids)
    known = labels.notna().to_numpy()
    shown = [names[int(v)] if len(names) else v for v in labels[known]]
    return rates_by_label(shown, y[known], p[known])


def plot_tables(
    results: Mapping[str, Any], champion: str, baseline: str
) -> dict[str, pd.DataFrame]:
    """Return the tables behind DVC's plots, by file stem.

    Parameters
    ----------
    results : mapping
        From :func:`evaluate`.
    champion, baseline : str

    Returns
    -------
    dict of DataFrame
        ``roc`` (false_positive_rate, champion, baseline), ``pr`` (recall, champion,
        baseline), ``calibration`` (bin, mean_probability and observed of both),
        ``confusion`` (outcome, actual, predicted, n).
    """
    import pandas as pd

    both = {"champion": results["curves"][champion], "baseline": results["curves"][baseline]}
    bins = {name: pd.DataFrame(c["reliability"]).set_index("bin") for name, c in both.items()}
    columns = ["mean_probability", "observed"]
    reliability = bins["champion"][columns].join(
        bins["baseline"][columns].add_prefix("baseline_"), how="outer"
    )
    served = results["decision"]["served"]
    outcomes = [
        ("caught default", "default", "flag", served["caught_defaults"]),
        ("missed detection", "default", "clear", served["missed_detections"]),
        ("false alarm", "no default", "flag", served["false_alarms"]),
        ("correctly clear", "no default", "clear", served["correctly_clear"]),
    ]
    fpr, recall = both["champion"]["fpr"], both["champion"]["recall"]
    return {
        "roc": pd.DataFrame({"false_positive_rate": fpr, **{n: c["tpr"] for n, c in both.items()}}),
        "pr": pd.DataFrame({"recall": recall, **{n: c["precision"] for n, c in both.items()}}),
        "calibration": reliability.reset_index(),
        "confusion": pd.DataFrame(outcomes, columns=["outcome", "actual", "predicted", "n"]),
    }
