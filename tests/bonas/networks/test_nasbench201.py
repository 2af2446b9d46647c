"""Networks of NAS-Bench-201 against the published numbers of parameters."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from bonas.networks.builder import NASBench201Builder, build_network, build_supernet
from spaces.architecture import Architecture
from spaces.nasbench201 import NASBENCH201, from_arch_str
from spaces.space import connects, sample

TABLE = Path(__file__).parents[4] / "shared" / "benchmarks" / "nasbench201.csv.gz"
SMALL = NASBench201Builder(width=4, cells=1)


def _drawn(count: int) -> list[Architecture]:
    rng = np.random.default_rng(0)
    drawn = (sample(NASBENCH201, rng=rng) for _ in range(10 * count))
    return [a for a in drawn if connects(NASBENCH201, a)][:count]


@pytest.mark.skipif(not TABLE.is_file(), reason=f"needs the table {TABLE.name}")
def test_parameters_are_the_published_ones() -> None:
    with gzip.open(TABLE, "rt") as lines:
        rows = list(csv.DictReader(lines))
    builder = NASBench201Builder(outputs=10)
    for number in np.random.default_rng(0).choice(len(rows), size=200, replace=False):
        architecture = from_arch_str(rows[number]["arch_str"])
        with torch.device("meta"):
            # The published networks keep the operations of dead edges, which `build_network` drops.
            network = builder.build(
                {
                    d.name: (choice,)
                    for d, choice in zip(NASBENCH201.decisions, architecture.choices, strict=True)
                }
            )
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        assert millions == pytest.approx(float(rows[number]["params_M"]), abs=1e-4)


@pytest.mark.parametrize("architecture", _drawn(3), ids=str)
def test_the_supernet_holds_every_network(architecture: Architecture) -> None:
    supernet = build_supernet(SMALL, seed=1).eval()
    alone = build_network(SMALL, architecture, seed=0).eval()
    shared = supernet.state_dict()
    alone.load_state_dict({name: shared[name] for name in alone.state_dict()})
    images = torch.rand(3, 3, 32, 32)
    assert torch.allclose(supernet(images, architecture), alone(images, architecture), atol=1e-6)


def test_several_outputs_are_a_column_each_and_a_dead_cell_is_refused() -> None:
    alive, dead = _drawn(1)[0], Architecture("nasbench201", ("none",) * 6)
    many = NASBench201Builder(width=4, cells=1, outputs=10)
    assert build_network(many, alive, seed=0)(torch.rand(2, 3, 32, 32), alive).shape == (2, 10)
    with pytest.raises(ValueError, match="connects its input to nothing"):
        build_network(SMALL, dead, seed=0)(torch.rand(1, 3, 32, 32), dead)
