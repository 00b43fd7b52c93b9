"""How firm RFM segments are: bands read off other samples, and another month.

Both can move a client who goes on as before; each is varied alone. No model and no
outcome is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.features.record import ClientRecord
from creditrisk.segments import rfm

Array = np.ndarray

N_SPEND_MONTHS = schema.N_MONTHS - 1
N_WINDOW_MONTHS = N_SPEND_MONTHS - 1
"""Months of spend that five statements imply."""
CUTS = (0.2, 0.4, 0.6, 0.8)
KEPT = (*rfm.SCORES, "segment")


def derive_edges(values: Array, weights: Array, *, measure: str = "values") -> Array:
    """Read four band edges off a weighted sample.

    Edges are the quintiles (the smallest value that a fifth of the weight, two fifths …
    reach). Where ties make two of them coincide, every value is a band of its own at
    first, and the two neighbouring bands with the least weight are merged until five
    are left.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    weights : ndarray of float, shape (n,)
        Not negative, not all 0: how often each row was drawn.
    measure : str
        What the values are called in the error.

    Returns
    -------
    ndarray of float, shape (4,)
        Strictly ascending; a value on an edge belongs to the band above it.

    Raises
    ------
    UserError
        When there are fewer than five values, so that five bands cannot be.
    """
    levels, position = np.unique(values, return_inverse=True)
    return _cut(levels, np.bincount(position, weights=weights), measure)


def _cut(levels: Array, mass: Array, measure: str) -> Array:
    """Return the edges of :func:`derive_edges` from the weight of each distinct value."""
    if len(levels) <= len(CUTS):
        raise UserError(
            f"rfm.stability: {measure} takes {len(levels)} value(s) in the training rows; "
            f"{len(CUTS) + 1} bands need as many: take more clients"
        )
    reached = np.cumsum(mass)
    edges = levels[np.searchsorted(reached, np.array(CUTS) * reached[-1])]
    if edges[0] > levels[0] and np.all(np.diff(edges) > 0):
        return edges
    starts, band = list(levels), list(mass)
    while len(band) > len(CUTS) + 1:
        i = int(np.argmin(np.add(band[:-1], band[1:])))
        band[i : i + 2] = [band[i] + band[i + 1]]
        del starts[i + 1]
    return np.array(starts[1:], dtype=float)


def _labels(
    quantities: Mapping[str, Array],
    edges: Mapping[str, Sequence[float] | Array],
    rules: Sequence[Mapping[str, Any]],
) -> Array:
    """Return the three scores and the number of the segment, shape (4, n)."""
    measures = {name: quantities[name] for name in rfm.MEASURES}
    scored = rfm.add_scores(measures, {name: list(edge) for name, edge in edges.items()})
    position = rfm.first_rule({**scored, "activity": quantities["activity"]}, rules)
    names = segment_names(rules)
    code = np.array([names.index(rule["name"]) for rule in rules])
    return np.array([*(scored[name] for name in rfm.SCORES), code[position]])


def segment_names(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the segments in the order of the rules, each once."""
    return list(dict.fromkeys(rule["name"] for rule in rules))


def resample_bands(
    record: ClientRecord,
    bands: Mapping[str, Any],
    is_train: Array,
    groups: Array,
    *,
    n_replicates: int,
    random_state: int,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Read the bands of spend off bootstrap samples of the training rows; score everybody.

    Whole groups are drawn. A label is compared with two references: that of the same
    rule on the training rows themselves, so that only sampling differs, and that of
    the fixed bands, from which rounding and choice differ too.

    Parameters
    ----------
    record : ClientRecord, n clients
    bands : mapping
        What ``models/rfm.json`` holds.
    is_train : ndarray of bool, shape (n,)
    groups : ndarray of int, shape (n,)
        Rows with one value are one client, or may be.
    n_replicates, random_state : int
    n_jobs : int
        Threads. Each replicate has a seed of its own, so the result does not depend on it.

    Returns
    -------
    dict
        ``n_replicates``; ``edges``, by measure ``fixed``, ``derived``, ``low`` and
        ``high`` (5th and 95th percentile of the replicates); ``kept``, by reference
        (``derived``, ``fixed``) and by score and ``segment`` the ``mean`` and ``p5``
        of the share of clients that keep it; ``segments``, rows of ``name``, ``n`` and
        ``mean``, ``p5`` of the share of the fixed bands' members that keep the segment.
    """
    from joblib import Parallel, delayed

    quantities, rules = _quantities(record, bands), bands["segments"]
    table = {m: np.unique(quantities[m][is_train], return_inverse=True) for m in rfm.MEASURES}
    derived = _edges(table, np.ones(int(is_train.sum())))
    references = {
        "derived": _labels(quantities, derived, rules),
        "fixed": _labels(quantities, bands["spend"], rules),
    }
    segment = references["fixed"][-1]
    group = np.unique(groups[is_train], return_inverse=True)[1]

    def one(replicate: int) -> tuple[Array, Array, Array]:
        rng = np.random.default_rng([random_state, replicate])
        n = group.max() + 1
        edges = _edges(table, np.bincount(rng.integers(n, size=n), minlength=n)[group])
        drawn = _labels(quantities, edges, rules)
        same = [drawn == labels for labels in references.values()]
        kept = np.array([each.mean(axis=1) for each in same])
        within = np.bincount(segment, weights=same[-1][-1], minlength=len(rules))
        return np.array(list(edges.values())), kept, within

    parallel = Parallel(n_jobs=n_jobs, prefer="threads")
    replicates = parallel(delayed(one)(i) for i in range(n_replicates))
    edges, kept, within = (np.array(part) for part in zip(*replicates, strict=True))
    sizes = np.bincount(segment, minlength=len(rules))
    return {
        "n_replicates": n_replicates,
        "edges": _describe_edges(bands["spend"], derived, edges),
        "kept": {
            key: {name: _spread(kept[:, i, j]) for j, name in enumerate(KEPT)}
            for i, key in enumerate(references)
        },
        "segments": _by_segment(segment_names(rules), sizes, within),
    }


def _describe_edges(
    fixed: Mapping[str, Sequence[float]], derived: Mapping[str, Array], drawn: Array
) -> dict[str, dict[str, list[float]]]:
    """Return each measure's edges: fixed, derived and the middle 90 % of the replicates."""
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    return {
        measure: {
            "fixed": list(fixed[measure]),
            "derived": derived[measure].tolist(),
            "low": low[i].tolist(),
            "high": high[i].tolist(),
        }
        for i, measure in enumerate(rfm.MEASURES)
    }


def _edges(table: Mapping[str, tuple[Array, Array]], weights: Array) -> dict[str, Array]:
    """Return the edges of each measure from its distinct values and the rows' weights."""
    return {
        measure: _cut(levels, np.bincount(position, weights, len(levels)), measure)
        for measure, (levels, position) in table.items()
    }


def _quantities(record: ClientRecord, bands: Mapping[str, Any]) -> dict[str, Array]:
    """Return the measures of spend and the activity, as the service computes them."""
    measures = rfm.measure_spend(record, bands["spend_threshold"])
    return {**measures, "activity": rfm.activity(record)}


def _spread(shares: Array) -> dict[str, float]:
    """Return mean and 5th percentile of replicates of a share."""
    return {"mean": float(shares.mean()), "p5": float(np.quantile(shares, 0.05))}


def _by_segment(names: Sequence[str], sizes: Array, within: Array) -> list[dict[str, Any]]:
    """Return each segment's size and the share of its members that keep it."""
    rows = []
    for i, name in enumerate(names):
        spread = _spread(within[:, i] / sizes[i]) if sizes[i] else {"mean": None, "p5": None}
        rows.append({"name": name, "n": int(sizes[i]), **spread})
    return rows


def measure_window(
    record: ClientRecord, spend_threshold: float, *, newest: int
) -> dict[str, Array]:
    """Measure spend in a window of five statements, that is, four months of spend.

    Frequency and monetary value are multiplied by 5/4, so that the bands of five months
    apply: someone who spent in all four months counts as one of five out of five. No
    spend in the window counts as none, recency 5.

    Parameters
    ----------
    record : ClientRecord, n clients
    spend_threshold : float
        τ, NT$.
    newest : {0, 1}
        0 ends the window in September (statements May to September), 1 in August (April
        to August).

    Returns
    -------
    dict of ndarray, shape (n,)
        ``recency`` (0–3, 5 = none), ``frequency``, ``monetary`` (NT$ in five months)
        and ``activity``, NT$ billed or paid in the window.
    """
    spent = record.spend[:, newest : newest + N_WINDOW_MONTHS]
    months = slice(newest, newest + N_SPEND_MONTHS)
    active, scale = spent > spend_threshold, N_SPEND_MONTHS / N_WINDOW_MONTHS
    since = rfm.months_since(active)
    return {
        "recency": np.where(active.any(axis=1), since, N_SPEND_MONTHS),
        "frequency": active.sum(axis=1) * scale,
        "monetary": np.maximum(spent, 0.0).sum(axis=1) * scale,
        "activity": np.abs(record.bill[:, months]).sum(axis=1) + record.paid[:, months].sum(axis=1),
    }


def shift_month(record: ClientRecord, bands: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the segments of April to August with those of May to September.

    Both windows hold five statements and so four months of spend, three of them in
    common: what differs is the month, not the length.

    Parameters
    ----------
    record : ClientRecord, n clients
    bands : mapping
        What ``models/rfm.json`` holds.

    Returns
    -------
    dict
        ``names`` of the segments; ``counts``, segment in August × segment in September;
        ``kept_share`` of all clients, ``segments`` (``name``, ``n`` in August,
        ``kept_share``, None where there is nobody), ``kept_scores`` by score, and
        ``length_share``: clients whose segment is the same on the window to September
        as on all six statements.
    """
    rules, edges = bands["segments"], bands["spend"]
    tau = bands["spend_threshold"]
    before, after = (
        _labels(measure_window(record, tau, newest=newest), edges, rules) for newest in (1, 0)
    )
    served = _labels(_quantities(record, bands), edges, rules)
    names = segment_names(rules)
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (before[-1], after[-1]), 1)
    sizes = counts.sum(axis=1)
    return {
        "names": names,
        "counts": counts.tolist(),
        "kept_share": float((before[-1] == after[-1]).mean()),
        "kept_scores": {
            name: float((before[i] == after[i]).mean()) for i, name in enumerate(rfm.SCORES)
        },
        "segments": [
            {"name": name, "n": int(n), "kept_share": counts[i, i] / n if n else None}
            for i, (name, n) in enumerate(zip(names, sizes.tolist(), strict=True))
        ],
        "length_share": float((served[-1] == after[-1]).mean()),
    }
