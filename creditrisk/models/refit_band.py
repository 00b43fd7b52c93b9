"""The refit band over the score: how it is applied, by the study that builds it and by the service.

numpy only; :mod:`creditrisk.validation.refits` builds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray


def apply_band(band: Mapping[str, Any], log_odds: Array) -> tuple[Array, Array]:
    """Return both ends of the interval in log-odds, each of the shape of ``log_odds``.

    Beyond the outermost knots the offsets stay what they are there.
    """
    low, high = (np.interp(log_odds, band["log_odds"], band[end]) for end in ("low", "high"))
    return log_odds + low, log_odds + high
