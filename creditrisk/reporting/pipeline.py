"""The picture of the pipeline: a layered drawing of the stages, in own SVG.

Layers are longest paths from the sources; arrows that follow from others are left
out; long arrows bend around nodes by way of places reserved in each layer, which
the barycentre rule orders (Sugiyama, Tagawa and Toda 1981, "Methods for visual
understanding of hierarchical system structures").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from creditrisk.reporting.svg import Figure
from creditrisk.reporting.theme import variable

NODE_WIDTH, NODE_HEIGHT = 116, 42
GAP_X, GAP_Y = 18, 34
BEND_WIDTH = 16
"""Room for an arrow that passes a layer."""

SWEEPS = 12

Edges = set[tuple[str, str]]


def reduce_edges(edges: Edges) -> Edges:
    """Leave out every edge that a longer path implies (transitive reduction)."""
    after: dict[str, set[str]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)

    def reach(start: str) -> set[str]:
        found: set[str] = set()
        queue = list(after.get(start, ()))
        while queue:
            node = queue.pop()
            if node not in found:
                found.add(node)
                queue += after.get(node, ())
        return found

    return {(a, b) for a, b in edges if not any(b in reach(c) for c in after[a] - {b})}


def assign_layers(names: Sequence[str], edges: Edges) -> dict[str, int]:
    """Return each node's layer: the longest path that leads to it.

    Raises
    ------
    ValueError
        When the graph has a cycle.
    """
    layer = dict.fromkeys(names, 0)
    for _ in range(len(names) + 1):
        moved = False
        for a, b in edges:
            if layer[b] <= layer[a]:
                layer[b], moved = layer[a] + 1, True
        if not moved:
            return layer
    raise ValueError("the pipeline has a cycle")


def _split_long(layer: dict[str, int], edges: Edges) -> tuple[list[list[str]], list[list[str]]]:
    """Return the layers with bends added, and each edge as the chain it runs through."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name, i in layer.items():
        rows[i].append(name)
    chains = []
    for a, b in sorted(edges):
        bends = [f"{a}→{b}#{i}" for i in range(layer[a] + 1, layer[b])]
        for i, bend in enumerate(bends, layer[a] + 1):
            rows[i].append(bend)
        chains.append([a, *bends, b])
    return rows, chains


def _place(rows: list[list[str]], chains: list[list[str]]) -> tuple[dict[str, float], float]:
    """Order each layer by its neighbours' mean and return every x and the width."""
    near: dict[str, list[str]] = {}
    for chain in chains:
        for a, b in pairwise(chain):
            near.setdefault(a, []).append(b)
            near.setdefault(b, []).append(a)

    def spread(row: list[str]) -> tuple[dict[str, float], float]:
        x, at = {}, 0.0
        for name in row:
            own = BEND_WIDTH if "#" in name else NODE_WIDTH
            x[name] = at + own / 2
            at += own + GAP_X
        middle = (at - GAP_X) / 2
        return {name: value - middle for name, value in x.items()}, middle

    x = {name: value for row in rows for name, value in spread(row)[0].items()}
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            mean = {n: sum(x[m] for m in near.get(n, [n])) / len(near.get(n, [n])) for n in row}
            row.sort(key=lambda n: (mean[n], n))
            x |= spread(row)[0]
    half = max((spread(row)[1] for row in rows), default=0.0)
    return {name: value + half + 4 for name, value in x.items()}, 2 * half + 8


def _curve(points: list[tuple[float, float]]) -> str:
    """Return a smooth downward path through points."""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        half = (y0 + y1) / 2
        path.append(f"C{x0:.1f} {half:.1f} {x1:.1f} {half:.1f} {x1:.1f} {y1:.1f}")
    return "".join(path)


def draw(graph: Mapping, links: Mapping[str, str]) -> Figure:
    """Draw the pipeline from top to bottom.

    Parameters
    ----------
    graph : mapping
        ``nodes`` (list of ``{"name", "items", …}``) and ``edges`` (list of pairs).
    links : mapping
        Address of the page that shows a stage, by stage name.

    Returns
    -------
    Figure
        SVG whose nodes with a page are links that a keyboard reaches.
    """
    items = {node["name"]: len(node.get("items", [])) for node in graph["nodes"]}
    edges = reduce_edges({(a, b) for a, b in graph["edges"]})
    layer = assign_layers(list(items), edges)
    rows, chains = _split_long(layer, edges)
    x, width = _place(rows, chains)
    top = {n: i * (NODE_HEIGHT + GAP_Y) + 4 for i, row in enumerate(rows) for n in row}
    height = len(rows) * (NODE_HEIGHT + GAP_Y) - GAP_Y + 8
    arrows = "".join(_arrow(chain, x, top) for chain in chains)
    boxes = Markup("").join(
        _box(name, n, x[name], top[name], links.get(name)) for name, n in items.items()
    )
    alt = "The pipeline: " + "; ".join(f"{c[0]} leads to {c[-1]}" for c in chains) + "."
    head = Markup(
        '<svg viewBox="0 0 {} {}" role="group" aria-label="{}" class="pipeline" '
        'style="--width:{}px"><defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.6L7.4 4L0 7.4Z" '
        'style="fill:{}"/></marker></defs>'
    ).format(round(width), height, alt, round(width), variable("muted"))
    return Figure(head + Markup(arrows) + boxes + Markup("</svg>"), alt, round(width))  # noqa: S704


def _arrow(chain: list[str], x: Mapping[str, float], top: Mapping[str, int]) -> str:
    """Return the path of one edge, straight down past each layer that it crosses."""
    points = [(x[chain[0]], float(top[chain[0]] + NODE_HEIGHT))]
    for bend in chain[1:-1]:
        points += [(x[bend], float(top[bend])), (x[bend], float(top[bend] + NODE_HEIGHT))]
    points.append((x[chain[-1]], float(top[chain[-1]] - 1)))
    style = f"fill:none;stroke:{variable('muted')};stroke-width:1.2"
    return f'<path d="{_curve(points)}" style="{style}" marker-end="url(#arrow)"/>'


def _box(name: str, n_items: int, x: float, top: int, link: str | None) -> Markup:
    """Return one node: a box with the stage's name, a link where a page shows it."""
    fill, stroke = variable("panel"), variable("accent" if link else "grid")
    label = variable("accent" if link else "ink")
    left = round(x - NODE_WIDTH / 2, 1)
    body = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="6" style="fill:{};stroke:{}"/>'
        '<text x="{}" y="{}" style="font-size:13.5px;font-weight:600;text-anchor:middle;fill:{}">'
        "{}</text>"
    ).format(
        left, top, NODE_WIDTH, NODE_HEIGHT, fill, stroke, round(x, 1),
        top + (19 if n_items else 26), label, name,
    )  # fmt: skip
    if n_items:
        body += Markup(
            '<text x="{}" y="{}" style="font-size:11px;text-anchor:middle;fill:{}">{}</text>'
        ).format(round(x, 1), top + 34, variable("muted"), f"{n_items} items")
    return Markup('<a href="{}">{}</a>').format(link, body) if link else body
