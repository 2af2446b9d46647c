"""A layered drawing of any architecture's graph, after Sugiyama et al. (1981).

Nodes lie in layers by their longest path from the input, edges that pass a layer get a place in it,
and places are ordered by the mean place of their neighbours, so that lines cross little and pass
beside the boxes.
"""

from collections.abc import Mapping, Sequence

import networkx as nx

from bonas.report.cell_drawing import label_width, shown
from bonas.report.markup import Markup
from bonas.report.svg import WIDTH, path, picture, rectangle, text

LAYER, BOX, MARGIN = 64.0, 28.0, 12.0
THROUGH = 26.0  # width of a place that a line passes through
SWEEPS = 8

Places = dict[str, tuple[float, float]]


def draw_layers(
    graph: "nx.DiGraph[str]", kinds: Mapping[str, str], *, title: str, style: Markup
) -> Markup:
    """The graph from top to bottom, a box for each operation.

    Args:
        graph: With an `operation` on every node.
        kinds: The style class of each operation; others are drawn plainly.
        title: What is shown, for those who hear it.
        style: The style sheet that goes with the classes.
    """
    dense, chains = _with_places(graph)
    layers = _ordered(dense)
    widths = {n: _width(dense, n) for n in dense}
    width = max([WIDTH, *(sum(widths[n] + MARGIN for n in layer) for layer in layers)])
    places = _coordinates(layers, widths, width)
    parts = [style, *(path(_curve([places[n] for n in chain]), "wire") for chain in chains)]
    for node in graph:
        parts += _node(graph, node, places[node], widths[node], kinds)
    return picture(width, len(layers) * LAYER + 16, parts, title=title, kind="architecture")


def _with_places(
    graph: "nx.DiGraph[str]",
) -> tuple["nx.DiGraph[str]", list[list[str]]]:
    """The graph with a node in every layer that an edge passes, and each edge as a chain."""
    layer = {n: i for i, ns in enumerate(nx.topological_generations(graph)) for n in ns}
    dense: nx.DiGraph[str] = nx.DiGraph()
    for node, data in graph.nodes(data=True):
        dense.add_node(node, layer=layer[node], **data)
    chains = []
    for number, (source, target) in enumerate(graph.edges):
        passed = [f"\0{number}/{i}" for i in range(layer[source] + 1, layer[target])]
        for place, at in zip(passed, range(layer[source] + 1, layer[target]), strict=True):
            dense.add_node(place, layer=at)
        chain = [source, *passed, target]
        nx.add_path(dense, chain)
        chains.append(chain)
    return dense, chains


def _ordered(dense: "nx.DiGraph[str]") -> list[list[str]]:
    count = 1 + max(layer for _, layer in dense.nodes(data="layer"))
    layers: list[list[str]] = [[] for _ in range(count)]
    for node, layer in dense.nodes(data="layer"):
        layers[layer].append(node)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer_nodes in layers if down else reversed(layers):
            _reorder(layer_nodes, layers, dense, down=down)
    return layers


def _reorder(
    nodes: list[str], layers: Sequence[Sequence[str]], dense: "nx.DiGraph[str]", *, down: bool
) -> None:
    share = {n: (i + 0.5) / len(layer) for layer in layers for i, n in enumerate(layer)}

    def centre(node: str) -> float:
        near = list(dense.predecessors(node) if down else dense.successors(node))
        return sum(share[n] for n in near) / len(near) if near else share[node]

    nodes.sort(key=centre)


def _width(dense: "nx.DiGraph[str]", node: str) -> float:
    operation = dense.nodes[node].get("operation")
    return THROUGH if operation is None else max(56.0, label_width(_label(operation)))


def _coordinates(
    layers: Sequence[Sequence[str]], widths: Mapping[str, float], width: float
) -> Places:
    places: Places = {}
    for number, layer in enumerate(layers):
        free = width - sum(widths[n] for n in layer)
        gap = min(60.0, free / (len(layer) + 1))
        x = (width - sum(widths[n] for n in layer) - gap * (len(layer) - 1)) / 2
        for node in layer:
            places[node] = (x + widths[node] / 2, 16 + number * LAYER + BOX / 2)
            x += widths[node] + gap
    return places


def _curve(points: Sequence[tuple[float, float]]) -> str:
    x, y = points[0]
    commands = f"M{x:.1f},{y + BOX / 2:.1f}"
    y += BOX / 2
    for number, (to_x, centre) in enumerate(points[1:], start=1):
        to_y = centre - BOX / 2
        half = (y + to_y) / 2
        commands += f"C{x:.1f},{half:.1f} {to_x:.1f},{half:.1f} {to_x:.1f},{to_y:.1f}"
        if number < len(points) - 1:
            to_y += BOX
            commands += f"V{to_y:.1f}"
        x, y = to_x, to_y
    return f"{commands}M{x - 4:.1f},{y - 7:.1f}L{x:.1f},{y:.1f}L{x + 4:.1f},{y - 7:.1f}"


def _label(operation: object) -> str:
    return shown(str(operation).rpartition("/")[2])


def _node(
    graph: "nx.DiGraph[str]",
    node: str,
    place: tuple[float, float],
    width: float,
    kinds: Mapping[str, str],
) -> list[Markup]:
    operation = str(graph.nodes[node]["operation"])
    kind = kinds.get(operation)
    x, y = place
    box = (x - width / 2, y - BOX / 2, width, BOX)
    styles = ("box", "box-name") if kind is None else (f"pill {kind}", f"name {kind}")
    return [
        rectangle(*box, "ground", radius=6),
        rectangle(*box, styles[0], radius=6),
        text(x, y + 4, _label(operation), styles[1], anchor="middle"),
    ]
