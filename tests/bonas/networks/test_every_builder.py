"""The laws of networks, of all builders and of the example's."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from bonas.networks.builder import (
    DartsBuilder,
    ForgeryBuilder,
    MacroBuilder,
    NASBench201Builder,
    NetworkBuilder,
)
from spaces.forgery import FORGERY_CASCADE
from tests.bonas.networks.contract import BuilderLaws

FORGERY_NETWORKS = ForgeryBuilder(width=4, level_width=8)
BUILDERS: dict[str, NetworkBuilder] = {
    "forgery": FORGERY_NETWORKS,
    "folded": replace(FORGERY_NETWORKS, stem="folded"),
    "cascade": replace(FORGERY_NETWORKS, space=FORGERY_CASCADE),
    "nasbench201": NASBench201Builder(width=4, cells=1),
    "darts": DartsBuilder(width=4, cells=3),
    "macro": MacroBuilder(width=4),
}
EXAMPLE = Path(__file__).parents[3] / "examples" / "own_space.py"


@pytest.mark.parametrize("name", BUILDERS)
class TestBuilders(BuilderLaws):
    """Those that come with the project."""

    @pytest.fixture
    def builder(self, name: str) -> NetworkBuilder:
        return BUILDERS[name]


class TestExample(BuilderLaws):
    """The one that docs/spaces.md shows."""

    @pytest.fixture
    def builder(self) -> NetworkBuilder:
        builder: NetworkBuilder = runpy.run_path(str(EXAMPLE))["ChainBuilder"]()
        return builder
