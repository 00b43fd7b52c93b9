"""The map of all clients as the page shows it: panels, how far to believe it, new clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from creditrisk import schema
from creditrisk.segments import embedding, map_quality, placing
from creditrisk.segments.cluster_tables import Labels
from creditrisk.segments.segmentation import Prepared


def describe_map(
    data: Prepared,
    labels: Labels,
    landmarks: Mapping[str, Any],
    *,
    tsne: Mapping[str, Any],
    n_neighbours: int,
    quality_rows: int,
    seed_rows: int,
    random_state: int,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Return the panels of the t-SNE map and what was measured of it.

    Parameters
    ----------
    data : Prepared, n clients
    labels : Labels
        Of all clients; ``tsne`` are their places on the map.
    landmarks : mapping
        From :func:`creditrisk.segments.placing.fit_landmarks`.
    tsne : mapping
        Settings of the map, see :func:`creditrisk.segments.embedding.fit_tsne`.
    n_neighbours, quality_rows, seed_rows : int
        See :mod:`creditrisk.segments.map_quality`.
    random_state, n_jobs : int

    Returns
    -------
    dict
        ``grids`` (:func:`creditrisk.segments.embedding.draw_grids`) and ``quality``:
        ``map``, ``seeds``, and ``placing`` of the hold-out, which gave no landmark.
    """
    held = (data.clients[schema.SPLIT] != schema.TRAIN).to_numpy()
    k = {"k": n_neighbours, "random_state": random_state}
    placed = placing.Placer(landmarks).place(data.points[held])
    return {
        "grids": embedding.draw_grids(
            labels.tsne,
            kmeans=labels.cluster_id,
            dbscan=labels.dbscan,
            pay_0=data.clients[schema.STATUS_COLUMNS[0]].to_numpy(),
            outcome=data.clients[schema.TARGET].to_numpy(),
        ),
        "quality": {
            "map": map_quality.measure_map(
                data.points, labels.tsne, labels.cluster_id, n_rows=quality_rows, **k
            ),
            "seeds": map_quality.seed_sensitivity(
                data.points, tsne=tsne, n_rows=seed_rows, n_jobs=n_jobs, **k
            ),
            "placing": map_quality.measure_placing(
                placed,
                labels.tsne[held],
                labels.cluster_id[held],
                coordinates=labels.tsne[data.fit],
                map_labels=labels.cluster_id[data.fit],
            )
            | {"n_landmarks": len(landmarks["points"])}
            | {key: landmarks[key] for key in ("n_nearest", "radius")},
        },
    }
