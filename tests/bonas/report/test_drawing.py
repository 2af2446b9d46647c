import itertools
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

from bonas.report.cell_drawing import shown
from bonas.report.cell_lanes import lanes_of
from bonas.report.cell_rows import cell_rows
from bonas.report.drawing import draw_architecture
from bonas.report.stage_drawing import StageRow, stage_rows
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.graphs import INPUT, OUTPUT, live_decisions
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201
from spaces.pyramid import ADD
from spaces.space import Decision, SearchSpace, sample

SVG = "{http://www.w3.org/2000/svg}"
LARGE = CellSpace("large", ("none", "skip", "a_very_long_operation_name_5x5"), nodes=6)
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Chain:
    """A space without cells: a chain of chosen operations, and one that goes around them."""

    name: str = "chain"

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(Decision(f"layer{i}", ("conv_3x3", "<odd> & name")) for i in range(5))

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        for number, choice in enumerate(architecture.choices):
            decision = f"layer{number}"
            graph.add_node(decision, operation=str(choice), decision=decision)
        graph.add_node(OUTPUT, operation=OUTPUT)
        nx.add_path(graph, [INPUT, *(d.name for d in self.decisions), OUTPUT])
        graph.add_edge(INPUT, "layer4")
        return graph


def boxes(svg: str) -> list[Box]:
    """The grounds of labels and boxes: x, y, width, height."""
    root = ElementTree.fromstring(svg)
    keys = ("x", "y", "width", "height")
    found = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "ground"]
    return [tuple(float(str(e.get(k))) for k in keys) for e in found]  # type: ignore[misc]


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


SPACES: list[SearchSpace] = [FORGERY, FORGERY_CASCADE, NASBENCH201, LARGE, MACRO, Chain()]


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@pytest.mark.parametrize("seed", range(4))
def test_no_label_covers_another_or_leaves_the_picture(space: SearchSpace, seed: int) -> None:
    svg = draw_architecture(space, sample(space, rng=np.random.default_rng(seed)))
    root = ElementTree.fromstring(svg)
    width, height = float(str(root.get("width"))), float(str(root.get("height")))
    placed = boxes(svg)
    assert len(placed) >= 3
    for x, y, w, h in placed:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
    assert not any(overlap(a, b) for a, b in itertools.combinations(placed, 2))


@pytest.mark.parametrize("space", [FORGERY, FORGERY_CASCADE], ids=lambda s: s.name)
def test_the_forgery_spaces_are_legible_at_900_pixels(space: SearchSpace) -> None:
    svg = draw_architecture(space, sample(space, rng=np.random.default_rng(0)))
    assert float(str(ElementTree.fromstring(svg).get("width"))) <= 900


@pytest.mark.parametrize("seed", range(4))
def test_edges_are_coloured_if_and_only_if_they_are_live(seed: int) -> None:
    architecture = sample(FORGERY, rng=np.random.default_rng(seed))
    svg = draw_architecture(FORGERY, architecture)
    live = live_decisions(FORGERY.graph(architecture))
    edges = re.findall(r'class="edge (\w+)"', svg)
    assert len(edges) == 18
    assert sum(kind not in ("dead", "none") for kind in edges) == len(live)


def test_a_cell_is_read_as_states_and_edges() -> None:
    architecture = Architecture("forgery", ("conv_3x3",) * 6 + ("none",) * 12)
    rows = cell_rows(FORGERY.graph(architecture))
    assert rows is not None
    assert [(r.name, r.states, len(r.edges), r.live) for r in rows] == [
        ("stage1", 4, 6, True),
        ("stage2", 4, 6, False),
        ("stage3", 4, 6, False),
    ]
    assert rows[0].sources == ("entry",)
    assert rows[0].heads == ("level",)
    assert [r.follows for r in rows] == [False, True, True]


def test_what_is_chosen_around_the_cells_is_noted_where_it_enters_them() -> None:
    cells = ("skip",) * 5 + ("cdc_3x3",)
    frame = ("rgb+bands", 0.3, 0.5, 0.9, ADD, ADD, "none")
    rows = cell_rows(FORGERY_CASCADE.graph(Architecture("forgery_cascade", cells * 3 + frame)))
    assert rows is not None
    assert [(r.entering, r.merging) for r in rows] == [
        (("rgb+bands", "theta 0.3"), ()),
        (("theta 0.5",), ("+ stage3",)),
        (("+ stage1", "theta 0.9"), ()),
    ]
    assert [r.sources for r in rows] == [("entry",)] * 3
    assert [r.heads for r in rows] == [("level",)] * 3
    assert all(r.reaches_output for r in rows)


def test_what_is_chosen_and_not_used_is_not_noted() -> None:
    cells = ("skip",) * 6 + ("none",) * 12
    frame = ("residual", 0.3, 0.5, 0.9, ADD, ADD, ADD)
    rows = cell_rows(FORGERY_CASCADE.graph(Architecture("forgery_cascade", cells + frame)))
    assert rows is not None
    assert [(r.entering, r.merging) for r in rows] == [(("residual",), ()), ((), ()), ((), ())]


def test_edges_in_one_lane_do_not_overlap() -> None:
    rows = cell_rows(LARGE.graph(sample(LARGE, rng=np.random.default_rng(1))))
    assert rows is not None
    lanes = lanes_of(rows[0])
    assert len(lanes) == 15
    for (a, lane_a), (b, lane_b) in itertools.combinations(lanes.items(), 2):
        if lane_a == lane_b:
            assert a[1] <= b[0] or b[1] <= a[0]


def test_a_graph_without_cells_is_no_row_of_cells() -> None:
    space = Chain()
    architecture = sample(space, rng=np.random.default_rng(0))
    assert cell_rows(space.graph(architecture)) is None
    assert "architecture" in draw_architecture(space, architecture)


def test_a_chain_of_stages_is_read_and_drawn_row_by_row() -> None:
    stages = ("mbconv", 1, 0.5, 5, 3, "cdc", 3, 1.0, 3, 6, "conv", 2, 0.75, 3, 3)
    architecture = Architecture("macro", (*stages, "cdc", 1, 0.5, 3, 3))
    rows = stage_rows(MACRO.graph(architecture))
    assert rows == (
        StageRow("stage1", ("mbconv_5x5_e3_w0.5",)),
        StageRow("stage2", ("cdc_3x3_w1",) * 3),
        StageRow("stage3", ("conv_3x3_w0.75",) * 2),
        StageRow("stage4", ("cdc_3x3_w0.5",)),
    )
    svg = draw_architecture(MACRO, architecture)
    lines = sorted({y for _, y, _, _ in boxes(svg)})
    assert [sum(y == line for _, y, _, _ in boxes(svg)) for line in lines] == [1, 3, 2, 1]
    kinds = re.findall(r'class="pill (\w+)"', svg)
    assert kinds[1] == kinds[2] == kinds[3] == kinds[6]
    assert len(set(kinds)) == 3, "an operation has a colour of its own"
    assert stage_rows(FORGERY.graph(Architecture("forgery", ("skip",) * 18))) is None
    assert stage_rows(Chain().graph(Architecture("chain", ("conv_3x3",) * 5))) is None


def test_operations_are_written_as_people_do() -> None:
    assert shown("sep_conv_3x3") == "sep conv 3\N{MULTIPLICATION SIGN}3"
    assert shown("max_pool") == "max pool"
    assert shown("x") == "x"
