"""The tables behind DVC's plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


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
