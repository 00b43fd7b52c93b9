"""The headline: which of all numbers stand in front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

REQUIRED: Final = {
    "champion": (
        "family",
        "roc_auc",
        "roc_auc_low",
        "roc_auc_high",
        "gini",
        "ks",
        "pr_auc",
        "log_loss",
        "brier",
        "calibration_slope",
        "calibration_intercept",
        "ece",
    ),
    "champion_cv": ("roc_auc", "log_loss", "brier", "ece", "calibration_slope"),
    "clusters": ("k",),
    "data": ("rows", "default_rate", "sha256"),
}
OPTIONAL: Final = {
    "benchmark": (
        "mode",
        "r0f0_roc_auc",
        "r0_mean_roc_auc",
        "r0_mean_log_loss",
        "champion_r0_mean_roc_auc",
        "champion_r0_mean_log_loss",
        "served_r0_mean_roc_auc",
    ),
    "public_split": ("roc_auc",),
    "clusters": ("min_jaccard",),
}
"""Taken where a stage reports them; never null, never a placeholder."""

ORDER: Final = ("champion", "champion_cv", "benchmark", "public_split", "clusters", "data")


def gather_headline(
    clean: Mapping[str, Any], evaluate: Mapping[str, Any], cluster: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Gather the headline numbers of the whole pipeline.

    Parameters
    ----------
    clean : mapping
        ``rows``, ``default_rate``, ``sha256``.
    evaluate : mapping
        ``champion``, ``champion_cv`` and, where computed, ``public_split`` and
        ``benchmark``, each a mapping.
    cluster : mapping
        ``k`` and, where computed, ``min_jaccard``.

    Returns
    -------
    dict
        Two levels, as ``reports/metrics/summary.json`` holds them.

    Raises
    ------
    KeyError
        Naming the number that is missing, as ``section.key``.
    """
    sources = {**evaluate, "clusters": cluster, "data": clean}
    headline: dict[str, dict[str, Any]] = {}
    for section in ORDER:
        source = sources.get(section, {})
        chosen = {}
        for key in REQUIRED.get(section, ()):
            if source.get(key) is None:
                raise KeyError(f"{section}.{key}")
            chosen[key] = source[key]
        for key in OPTIONAL.get(section, ()):
            if source.get(key) is not None:
                chosen[key] = source[key]
        if chosen:
            headline[section] = chosen
    return headline
