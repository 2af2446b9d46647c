import pytest

from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.darts import DARTS, from_genotype
from spaces.forgery import FORGERY
from spaces.graphs import NONE, SKIP
from spaces.nasbench201 import NASBENCH201
from spaces.skips import SkipCount, all_skips, offers_skips, skips_by_cell

DARTS_V2 = {  # Liu et al. (2019), figures 4 and 5
    "normal": [
        ("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
        ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2),
    ],
    "reduce": [
        ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
        ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1),
    ],
}  # fmt: skip


def test_the_skips_of_a_published_cell_are_counted() -> None:
    assert skips_by_cell(DARTS, from_genotype(DARTS_V2)) == {
        "normal": SkipCount(2, 8),
        "reduction": SkipCount(3, 8),
    }


def test_a_skip_that_halves_the_resolution_is_a_convolution() -> None:
    halving = [("skip_connect", s) for _ in range(4) for s in (0, 1)]
    found = skips_by_cell(DARTS, from_genotype(DARTS_V2 | {"reduce": halving}))
    assert found["reduction"] == SkipCount(0, 8)
    assert found["normal"] == SkipCount(2, 8)


def test_what_no_path_uses_and_none_do_not_count() -> None:
    # The edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3 of one cell; nothing leaves its third node.
    cell = Architecture(NASBENCH201.name, (SKIP, SKIP, SKIP, "conv_3x3", SKIP, NONE))
    assert all_skips(skips_by_cell(NASBENCH201, cell)) == SkipCount(2, 3)


def test_cells_are_counted_by_themselves() -> None:
    choices = [SKIP] * 6 + ["conv_3x3"] * 12
    counts = skips_by_cell(FORGERY, Architecture(FORGERY.name, tuple(choices)))
    assert [(c.skips, c.operations) for c in counts.values()] == [(6, 6), (0, 6), (0, 6)]
    assert all_skips(counts).share == pytest.approx(1 / 3)


def test_a_space_without_skips_has_none() -> None:
    space = CellSpace("own", (NONE, "conv_3x3"))
    assert not offers_skips(space)
    assert offers_skips(NASBENCH201)
    assert skips_by_cell(space, Architecture("own", ("conv_3x3",) * 6)) == {}
