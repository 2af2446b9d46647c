"""What a graph computes, if every operation were some smooth function of four numbers."""

import hashlib

import networkx as nx
import numpy as np

from spaces.graphs import INPUT, NONE, OUTPUT, PASSING, described

WIDTH = 4


def computed(graph: "nx.DiGraph[str]") -> np.ndarray:
    """The output for one fixed input, float64, `4`; zero where nothing reaches it.

    Operations of one name are one function, different ones are different; graphs of different
    functions then agree with probability zero.
    """
    values: dict[str, np.ndarray | None] = {}
    for node in nx.topological_sort(graph):
        attributes = graph.nodes[node]
        found = [v for p in graph.predecessors(node) if (v := values[p]) is not None]
        received = sum(found[1:], start=found[0]) if found else None
        operation = attributes["operation"]
        if operation == INPUT:
            values[node] = np.linspace(-1.0, 1.0, WIDTH)
        elif operation == NONE or received is None:
            values[node] = None
        else:
            values[node] = received if operation in PASSING else _apply(attributes, received)
    (end,) = (n for n, o in graph.nodes(data="operation") if o == OUTPUT)
    value = values[end]
    return np.zeros(WIDTH) if value is None else value


def _apply(attributes: dict[str, object], received: np.ndarray) -> np.ndarray:
    digest = hashlib.sha256(described(attributes).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    weights, bias = rng.normal(size=(WIDTH, WIDTH)), rng.normal(size=WIDTH)
    result: np.ndarray = np.sin(weights @ received + bias)  # does not saturate, as tanh would
    return result
