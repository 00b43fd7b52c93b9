"""What of the parameters the clusters depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

READ = ("random_state", "k_min", "k_max", "n_init", "silhouette_rows", "choice")


def recipe(section: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the section ``cluster`` the study depends on, for its fingerprint.

    Parameters
    ----------
    section : mapping
        Section ``cluster`` of params.yaml.

    Returns
    -------
    dict
        ``inputs`` (name, clip, transform of each feature; their words name clusters and
        change nothing here), range, rule and seeds.
    """
    inputs = [{key: f[key] for key in ("name", "clip", "transform")} for f in section["features"]]
    return {"inputs": inputs, **{key: section[key] for key in READ}}
