"""Networks of stages: what each decision changes, and how architectures share weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.supernet import recalibrate, uniform_paths
from bonas.networks.builder import (
    ForgeryBuilder,
    MacroBuilder,
    build_network,
    build_supernet,
    inherit,
)
from bonas.networks.cost import architecture_cost, network_cost
from bonas.networks.detector import Detector, normalise
from bonas.networks.macro import MacroNetwork
from bonas.networks.sliced import SlicedBatchNorm2d, SlicedConv2d
from bonas.training import Recipe, train
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.macro import MACRO
from spaces.space import neighbours, sample, unused
from spaces.stages import StageSpace

BUILDER = MacroBuilder(width=4)
SIZE = 32


def drawn(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [sample(MACRO, rng=rng) for _ in range(count)]


def images(count: int, seed: int = 0, size: int = SIZE) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalise(torch.rand(count, 3, size, size, generator=generator))


def trained_supernet() -> nn.Module:
    """A supernet whose batch norms have seen images along a few paths."""
    supernet = build_supernet(BUILDER, seed=3)
    for number, architecture in enumerate(drawn(8, seed=9)):
        supernet(images(8, number), architecture)
    return supernet.eval()


@pytest.mark.parametrize("architecture", drawn(8), ids=range(8))
def test_a_random_architecture_builds_trains_and_ignores_the_rest_of_the_batch(
    architecture: Architecture, faces: Faces, cpu: Device
) -> None:
    network = build_network(BUILDER, architecture, seed=0)
    before = [p.clone() for p in network.parameters()]
    train(network, lambda rng: architecture, faces, Recipe(steps=1, batch_size=8), cpu, seed=0)
    for old, new in zip(before, network.parameters(), strict=True):
        assert not torch.equal(old, new), "a parameter that is not used"
    detector = Detector(network, architecture).eval()
    pixels = torch.rand(5, 3, SIZE, SIZE)
    together = detector(pixels)
    assert together.shape == (5,)
    alone = torch.cat([detector(image[None]) for image in pixels])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("architecture", drawn(12, seed=1), ids=range(12))
def test_a_stand_alone_network_with_its_share_computes_what_the_supernet_does(
    architecture: Architecture,
) -> None:
    supernet = trained_supernet()
    alone = build_network(BUILDER, architecture, seed=0)
    inherit(BUILDER, alone, supernet)
    for training in (False, True):
        shared, own = supernet.train(training), alone.train(training)
        assert torch.equal(shared(images(4), architecture), own(images(4), architecture))


def test_inherited_weights_are_copies() -> None:
    supernet, (architecture,) = trained_supernet(), drawn(1)
    before = {n: t.clone() for n, t in supernet.state_dict().items()}
    alone = build_network(BUILDER, architecture, seed=0)
    inherit(BUILDER, alone, supernet)
    with torch.no_grad():
        for parameter in alone.parameters():
            parameter.add_(1)
    assert all(torch.equal(t, before[n]) for n, t in supernet.state_dict().items())


def test_builders_without_slices_inherit_whole_tensors() -> None:
    builder = ForgeryBuilder(width=4, level_width=8)
    architecture = uniform_paths(FORGERY)(np.random.default_rng(0))
    supernet, alone = build_supernet(builder, seed=3).eval(), build_network(
        builder, architecture, seed=0
    )  # fmt: skip
    inherit(builder, alone, supernet)
    assert torch.equal(alone.eval()(images(3), architecture), supernet(images(3), architecture))
    wider = build_supernet(replace(builder, width=8), seed=3)
    with pytest.raises(RuntimeError, match="size mismatch"):
        inherit(builder, alone, wider)


def test_recalibrated_statistics_of_a_supernet_are_those_of_the_stand_alone_network(
    faces: Faces, cpu: Device
) -> None:
    supernet, (architecture,) = trained_supernet(), drawn(1, seed=4)
    alone = build_network(BUILDER, architecture, seed=0)
    inherit(BUILDER, alone, supernet)
    recalibrate(Detector(supernet, architecture), faces, cpu)
    recalibrate(Detector(alone, architecture), faces, cpu)
    again = build_network(BUILDER, architecture, seed=0)
    inherit(BUILDER, again, supernet)
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, alone.state_dict()[name]), name


def _parameters(architecture: Architecture) -> int:
    return sum(p.numel() for p in build_network(BUILDER, architecture, seed=0).parameters())


def test_parameters_are_those_counted_by_hand() -> None:
    stages = [("mbconv", 2, 0.5, 5, 3), ("conv", 1, 1.0, 3, 3), ("cdc", 2, 0.75, 5, 6)]
    last = ("mbconv", 1, 1.0, 3, 6)
    architecture = Architecture("macro", tuple(c for s in (*stages, last) for c in s))
    stem = 9 * 3 * 4 + 9 * 4 + 4 * 4 + 2 * 4 + 2 * 4  # three convolutions, two batch norms
    first = _inverted(4, 4, 5, 3) + _inverted(4, 4, 5, 3)  # 8 channels at full width
    second = 9 * 4 * 16 + 2 * 16
    third = 25 * 16 * 18 + 2 * 18 + 25 * 18 * 18 + 2 * 18  # 24 at full width
    fourth = _inverted(18, 32, 3, 6)
    head = 32 * 32 + 2 * 32 + 32 + 1
    assert _parameters(architecture) == stem + first + second + third + fourth + head


def _inverted(channels_in: int, channels: int, kernel: int, expansion: int) -> int:
    hidden = expansion * channels_in
    norms = 2 * (hidden + hidden + channels)
    return channels_in * hidden + kernel**2 * hidden + hidden * channels + norms


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture("macro", ("mbconv", 2, 0.75, 3, 3) * 4),
        Architecture("macro", ("cdc", 1, 0.5, 5, 6) * 4),
    ],
    ids=["mbconv", "cdc"],
)
def test_every_option_of_every_decision_that_counts_changes_the_output(
    architecture: Architecture,
) -> None:
    supernet = trained_supernet()
    # At 32 pixels the last stage has 2 x 2, of which a 3x3 kernel sees all: 5x5 ones add nothing.
    pixels = images(2, size=48)
    own = supernet(pixels, architecture)
    dead = unused(MACRO, architecture)
    for near in neighbours(MACRO, architecture):
        changed = {
            d.name
            for d, a, b in zip(MACRO.decisions, architecture.choices, near.choices, strict=True)
            if a != b
        }
        assert torch.equal(supernet(pixels, near), own) == (changed <= dead), changed


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("operation", ["conv", "cdc", "mbconv"])
def test_depth_d_uses_the_first_d_layers(operation: str, depth: int) -> None:
    architecture = Architecture("macro", (operation, depth, 1.0, 3, 3) * 4)
    supernet, alone = trained_supernet(), build_network(BUILDER, architecture, seed=0)
    used = []
    for network in (supernet, alone):
        assert isinstance(network, MacroNetwork)
        used.append({n for n, m in network.named_modules() if isinstance(m, SlicedConv2d)})
    per_layer = 3 if operation == "mbconv" else 1
    assert len(used[1]) == 4 * depth * per_layer + 1  # and the head
    called: set[str] = set()
    for name, module in supernet.named_modules():
        if isinstance(module, SlicedConv2d):
            module.register_forward_hook(lambda _, __, ___, name=name: called.add(name))
    supernet(images(1), architecture)
    assert called == used[1] < used[0]
    layers = {name.split(".")[3] for name in called if name.startswith("stages")}
    assert layers == {str(number) for number in range(depth)}


def test_a_step_of_the_supernet_trains_the_part_that_its_path_uses() -> None:
    supernet = build_supernet(BUILDER, seed=0)
    architecture = Architecture("macro", ("conv", 1, 0.5, 3, 3) * 4)
    supernet(images(8), architecture).square().mean().backward()
    assert isinstance(supernet, MacroNetwork)
    weight = supernet.get_parameter("stages.1.layers.0.conv.convolution.weight")
    assert weight.shape == (16, 8, 5, 5)
    assert weight.grad is not None
    inside = torch.zeros_like(weight, dtype=torch.bool)
    inside[:8, :4, 1:4, 1:4] = True
    assert (weight.grad[inside] != 0).any()
    assert (weight.grad[~inside] == 0).all()
    assert supernet.get_parameter("stages.1.layers.1.conv.convolution.weight").grad is None


@pytest.mark.parametrize("architecture", drawn(3, seed=2), ids=range(3))
def test_costs_are_those_of_the_built_network(architecture: Architecture) -> None:
    real = Detector(build_network(BUILDER, architecture, seed=0), architecture)
    counted = architecture_cost(BUILDER, architecture, SIZE)
    assert counted == network_cost(real, SIZE)
    assert counted["parameters"] == _parameters(architecture)


def test_a_space_of_ones_own_has_networks() -> None:
    own = StageSpace(
        "own",
        stages=("only",),
        operations=("conv",),
        depths=(1, 2),
        widths=(1.0,),
        kernels=(3,),
        expansions=(1,),
    )
    builder = MacroBuilder(width=4, space=own)
    supernet = build_supernet(builder, seed=0).eval()
    for depth in (1, 2):
        architecture = Architecture("own", (depth,))
        alone = build_network(builder, architecture, seed=1).eval()
        inherit(builder, alone, supernet)
        assert torch.equal(alone(images(2), architecture), supernet(images(2), architecture))
    odd = replace(own, name="odd", operations=("conv", "pool"))
    with pytest.raises(ValueError, match="'odd' has the operations pool, of which there are no"):
        build_supernet(replace(builder, space=odd), seed=0)
    with pytest.raises(ValueError, match=r"'long' has 5 stages; networks have at most 4"):
        build_supernet(
            replace(builder, space=replace(own, name="long", stages=tuple("abcde"))), seed=0
        )


def test_another_spaces_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs to the space 'forgery'"):
        build_supernet(BUILDER, seed=0)(images(1), Architecture("forgery", ("skip",) * 18))


def test_modules_are_sliced_ones_where_a_decision_changes_their_shape() -> None:
    supernet = build_supernet(BUILDER, seed=0)
    plain = [m for m in supernet.modules() if type(m) is nn.BatchNorm2d]
    assert len(plain) == 3, "two of the stem, one of the head"
    assert any(isinstance(m, SlicedBatchNorm2d) for m in supernet.modules())
