"""The space of NAS-Bench-201 (Dong and Yang 2020): 5 operations on 6 edges, 15,625 cells."""

import re

from spaces.architecture import Architecture
from spaces.cell import CellSpace, cell_edges
from spaces.graphs import NONE, SKIP

NASBENCH201 = CellSpace(
    "nasbench201",
    operations=(NONE, SKIP, "conv_1x1", "conv_3x3", "avg_pool_3x3"),
    as_published=True,  # its tables have a value for each of the published classes
)

_PUBLISHED = {  # our name -> the name in the benchmark's own notation
    NONE: "none",
    SKIP: "skip_connect",
    "conv_1x1": "nor_conv_1x1",
    "conv_3x3": "nor_conv_3x3",
    "avg_pool_3x3": "avg_pool_3x3",
}
_OURS = {published: ours for ours, published in _PUBLISHED.items()}
_EDGE = re.compile(r"([a-z0-9_]+)~(\d)")


def to_arch_str(architecture: Architecture) -> str:
    """The benchmark's notation: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, a block per node."""
    blocks: dict[int, list[str]] = {}
    for (i, j), choice in zip(cell_edges(4), architecture.choices, strict=True):
        blocks.setdefault(j, []).append(f"{_PUBLISHED[str(choice)]}~{i}")
    return "+".join(f"|{'|'.join(block)}|" for block in blocks.values())


def from_arch_str(text: str) -> Architecture:
    """The architecture that the benchmark's notation describes.

    Raises:
        ValueError: the text is not in that notation, naming the text and what is wrong.
    """
    edges = _EDGE.findall(text)
    choices = tuple(_OURS.get(operation, "") for operation, _ in edges)
    architecture = Architecture(NASBENCH201.name, choices)
    if len(edges) != 6 or "" in choices or to_arch_str(architecture) != text:
        raise ValueError(
            f"{text!r} is no NAS-Bench-201 architecture; expected "
            "'|op~0|+|op~0|op~1|+|op~0|op~1|op~2|' with op one of " + ", ".join(_OURS) + "."
        )
    return architecture
