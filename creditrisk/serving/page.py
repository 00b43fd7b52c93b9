"""The page at ``/``: what is fixed for a model is filled in here, the rest is asked for by script."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk import schema

if TYPE_CHECKING:
    import numpy as np

GRADES = "ABCDEFGH"


@lru_cache(maxsize=4)
def render(web: Path, scorer: Any) -> str:
    """Fill the page with what is fixed for a model; a page is made once for each.

    Parameters
    ----------
    web : Path
        Folder with ``index.html``, a jinja2 template.
    scorer : Scorer
        Its ``card`` may lack any key: that part of the page is then left out.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from creditrisk.scoring import FLAGS

    environment = Environment(
        loader=FileSystemLoader(web), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["quantity"] = quantity
    months = zip(
        schema.MONTH_NAMES,
        schema.STATUS_COLUMNS,
        schema.BILL_COLUMNS,
        schema.PAID_COLUMNS,
        strict=True,
    )
    card = scorer.card
    return environment.get_template("index.html").render(
        months=list(months),
        status_codes=schema.STATUS_CODES,
        used=set(scorer.audit_columns),
        threshold=scorer.threshold,
        version=scorer.version,
        flags=FLAGS,
        card=card,
        bands=grade_bands(scorer.grade_bounds),
        clusters={cluster["id"]: cluster for cluster in card.get("clusters", [])},
        cluster_names=scorer.cluster_names,
        settings={key: card[key] for key in ("grades", "ranges") if key in card},
        map=draw_map(scorer.landmarks, scorer.cluster_names) if scorer.landmarks else None,
    )


def quantity(value: float, unit: str) -> str:
    """Return a number of the model card as a person reads it.

    Parameters
    ----------
    value : float
    unit : str
        As the feature registry names it: a ``ratio`` becomes a percentage.
    """
    if unit == "ratio":
        return f"{100 * value:.0f} %".replace("-", "−")
    if unit.startswith("NT$"):
        return f"{unit} {value:,.0f}".replace("-", "−")
    return f"{value:.1f}".removesuffix(".0").replace("-", "−")


def grade_bands(bounds: Sequence[float]) -> list[dict[str, Any]]:
    """Return where each grade lies on the gauge, in per cent of its width.

    Parameters
    ----------
    bounds : sequence of float, length 7
        Probabilities between the grades A to H.
    """
    edges = [0.0, *bounds, 1.0]
    return [
        {"grade": grade, "left": round(100 * low, 3), "width": round(100 * (high - low), 3)}
        for grade, (low, high) in zip(GRADES, pairwise(edges), strict=True)
    ]


def draw_map(landmarks: tuple[np.ndarray, np.ndarray], names: Sequence[str]) -> dict[str, Any]:
    """Return the background of the map: the landmarks of each cluster as one path.

    Parameters
    ----------
    landmarks : (ndarray of float, shape (m, 2), ndarray of int, shape (m,))
        Places in map units, whose vertical axis points up and not down as in SVG;
        cluster numbers.
    names : sequence of str
        By cluster number.

    Returns
    -------
    dict
        ``box`` (left, top, width, height), ``radius`` of the client's mark, and
        ``groups``: ``name`` and ``path``, a dot for each landmark.
    """
    places, clusters = landmarks
    x, y = places[:, 0], -places[:, 1]
    width, height = x.max() - x.min(), y.max() - y.min()
    margin = 0.04 * max(width, height)
    groups = [
        {
            "name": name,
            "path": "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x[own], y[own], strict=True)),
        }
        for name, own in ((name, clusters == c) for c, name in enumerate(names))
    ]
    box = (x.min() - margin, y.min() - margin, width + 2 * margin, height + 2 * margin)
    return {
        "box": [round(float(v), 1) for v in box],
        "radius": round(float(0.6 * margin), 2),
        "groups": groups,
    }
