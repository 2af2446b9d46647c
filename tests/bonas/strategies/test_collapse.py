import pytest

from bonas.networks.builder import DartsBuilder, ForgeryBuilder, NASBench201Builder, NetworkBuilder
from bonas.networks.choice_relaxation import ChoiceRelaxation, Relaxation, Strengths
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.strategies.collapse import Collapse, verdict
from bonas.strategies.progressive import derive_capped
from spaces.architecture import Choice
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP
from spaces.skips import SkipCount
from tests.bonas.strategies.test_gradient import strengthen

FORGERY = ForgeryBuilder(width=4, level_width=8)
CELL = NASBench201Builder(width=4, cells=1)
DARTS = DartsBuilder(width=4, cells=3)


def preferring(relaxation: Relaxation, wanted: dict[str, Choice]) -> Strengths:
    """Strengths of which one option of a slot has 0.9, by the beginning of the slot's name."""
    found = {}
    for slot, options in relaxation.slots.items():
        best = next((o for name, o in wanted.items() if slot.startswith(name)), options[-1])
        rest = 0.1 / (len(options) - 1)
        found[slot] = {o: 0.9 if o == best else rest for o in options}
    return found


def of(builder: NetworkBuilder, wanted: dict[str, Choice]) -> Collapse:
    relaxation = relaxation_of(builder)
    strengths = preferring(relaxation, wanted)
    found = Collapse.of(relaxation, strengths, relaxation.derive(strengths))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("builder", "wanted", "fallen"),
    [
        (FORGERY, {"": "conv_3x3"}, ()),
        (FORGERY, {"": SKIP}, ("stage1", "stage2", "stage3")),
        # One cell of three: a third of all operations, and a stage that learns nothing.
        (FORGERY, {"stage2": SKIP, "": "conv_3x3"}, ("stage2",)),
        (CELL, {"cell/0": SKIP, "": "conv_3x3"}, ()),  # three of six
        (CELL, {"cell/0": SKIP, "cell/1-2": SKIP, "": "conv_3x3"}, ("cell",)),
        # All but two cells of a network are normal cells; half of all operations skip.
        (DARTS, {"normal": SKIP, "reduction": "max_pool_3x3"}, ("normal",)),
        # From a reduction cell's inputs a skip is two convolutions.
        (DARTS, {"reduction/0": SKIP, "reduction/1": SKIP, "": "dil_conv_3x3"}, ()),
    ],
    ids=range(7),
)
def test_a_search_has_collapsed_where_a_cell_has_little_but_skips(
    builder: NetworkBuilder, wanted: dict[str, Choice], fallen: tuple[str, ...]
) -> None:
    found = of(builder, wanted)
    assert found.collapsed == fallen
    said = verdict(found.to_attribute())
    assert ("did not collapse" in said) == (not fallen)
    assert all(cell in said for cell in fallen)


def test_a_cap_on_skips_does_not_hide_the_collapse() -> None:
    network = RelaxedNetwork(relaxation_of(FORGERY), seed=0)
    for slot in network.kept:
        strengthen(network, slot, SKIP)
    capped = derive_capped(network, 2)
    found = Collapse.of(network.relaxation, network.softmax(), capped)
    assert found is not None
    assert len(found.collapsed) == 3
    assert found.chosen == SkipCount(18, 18)
    assert found.found == SkipCount(6, 18)
    assert found.weight > 0.99
    assert "33 % behind the cap" in verdict(found.to_attribute())


def test_the_weight_of_a_skip_stands_beside_that_of_equal_options() -> None:
    relaxation = relaxation_of(CELL)
    slots = list(relaxation.slots)
    # As P-DARTS keeps options: some slots have lost their skip.
    equal = {s: {SKIP: 0.5, "conv_3x3": 0.5} for s in slots[:3]}
    equal |= {s: {"conv_1x1": 0.5, "conv_3x3": 0.5} for s in slots[3:]}
    found = Collapse.of(relaxation, equal, relaxation.derive(equal))
    assert found is not None
    assert found.weight == found.even == 0.25
    names = {"reduction/0", "reduction/1"}
    inputs = [s for s in relaxation_of(DARTS).slots if s.split("-")[0] in names]
    assert len(inputs) == 8
    assert not set(inputs) & set(relaxation_of(DARTS).skipping)
    assert len(relaxation_of(DARTS).skipping) == 28 - 8


def test_a_space_without_skips_gets_no_verdict() -> None:
    space = CellSpace("own", (NONE, "conv_1x1", "conv_3x3"))
    relaxation = ChoiceRelaxation(space, CELL.build)
    strengths = preferring(relaxation, {"": "conv_3x3"})
    assert Collapse.of(relaxation, strengths, relaxation.derive(strengths)) is None
    assert verdict({"collapsed": None}) == "The space has no skip connections to collapse to."
