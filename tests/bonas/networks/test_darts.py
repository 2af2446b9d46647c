"""Networks of DARTS against the published numbers of parameters."""

import numpy as np
import pytest
import torch

from bonas.networks.builder import DartsBuilder, build_network, build_supernet
from spaces.architecture import Architecture
from spaces.darts import DARTS, Genotype, from_genotype
from spaces.space import connects, sample
from tests.spaces.test_darts import V2

SMALL = DartsBuilder(width=4, cells=3)
P_DARTS: Genotype = {  # Chen et al. (2019), figure 4: the cells found on CIFAR-10
    "normal": [
        *[("skip_connect", 0), ("dil_conv_3x3", 1), ("skip_connect", 0), ("sep_conv_3x3", 1)],
        *[("sep_conv_3x3", 1), ("sep_conv_3x3", 3), ("sep_conv_3x3", 0), ("dil_conv_5x5", 4)],
    ],
    "reduce": [
        *[("avg_pool_3x3", 0), ("sep_conv_5x5", 1), ("sep_conv_3x3", 0), ("dil_conv_5x5", 2)],
        *[("max_pool_3x3", 0), ("dil_conv_3x3", 1), ("dil_conv_3x3", 1), ("dil_conv_5x5", 3)],
    ],
}


def _drawn(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    drawn = (sample(DARTS, rng=rng) for _ in range(10 * count))
    return [a for a in drawn if connects(DARTS, a)][:count]


@pytest.mark.parametrize(
    ("genotype", "millions"),
    [pytest.param(V2, 3.3, id="DARTS, second order"), pytest.param(P_DARTS, 3.4, id="P-DARTS")],
)
def test_parameters_of_the_published_networks(genotype: Genotype, millions: float) -> None:
    with torch.device("meta"):
        network = build_network(
            DartsBuilder(width=36, cells=20, outputs=10), from_genotype(genotype), seed=0
        )
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("architecture", _drawn(3, seed=1), ids=range(3))
def test_the_supernet_holds_every_network(architecture: Architecture) -> None:
    supernet = build_supernet(SMALL, seed=1).eval()
    alone = build_network(SMALL, architecture, seed=0).eval()
    shared = supernet.state_dict()
    alone.load_state_dict({name: shared[name] for name in alone.state_dict()})
    images = torch.rand(3, 3, 32, 32)
    assert torch.allclose(supernet(images, architecture), alone(images, architecture), atol=1e-6)
