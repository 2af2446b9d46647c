import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from bonas.data.cross_blending import Blend
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.builder import (
    DartsBuilder,
    ForgeryBuilder,
    NASBench201Builder,
    NetworkBuilder,
    build_network,
)
from bonas.networks.cells import Mixture
from bonas.networks.choice_relaxation import ChoiceRelaxation, averaged_slots
from bonas.networks.operations import CentralDifferenceConv2d
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.networks.wiring import wiring_of
from bonas.strategies.collapse import Collapse
from bonas.strategies.gradient import (
    GradientRecipe,
    halves,
    train_relaxed,
)
from bonas.strategies.progressive import (
    derive_capped,
    stages,
    strongest,
    train_progressive,
)
from bonas.strategies.strength_gradients import strength_gradients
from spaces.architecture import Choice
from spaces.cell import CellSpace
from spaces.darts import DARTS
from spaces.forgery import FORGERY, FORGERY_CASCADE, INPUTS
from spaces.graphs import NONE, SKIP
from spaces.nasbench201 import NASBENCH201
from spaces.pyramid import ADD, JOINS, STAGES, TOP_DOWN
from spaces.space import check, connects

FORGERY_BUILDER = ForgeryBuilder(width=4, level_width=8)
CASCADE = replace(FORGERY_BUILDER, space=FORGERY_CASCADE)
BUILDERS: list[NetworkBuilder] = [
    FORGERY_BUILDER,
    NASBench201Builder(width=4, cells=1),
    DartsBuilder(width=4, cells=3),
    CASCADE,
]
RECIPE = GradientRecipe(steps=3, batch_size=4)


def relaxed(builder: NetworkBuilder, seed: int = 0) -> RelaxedNetwork:
    return RelaxedNetwork(relaxation_of(builder), seed=seed)


def strengthen(network: RelaxedNetwork, slot: str, operation: Choice, by: float = 9.0) -> None:
    number = list(network.kept).index(slot)
    with torch.no_grad():
        network.strengths[number][network.kept[slot].index(operation)] += by


class Toy:
    """Losses of two weights and two strengths with known curvature."""

    def __init__(self) -> None:
        rng = torch.Generator().manual_seed(0)
        self.a = torch.randn(3, 2, generator=rng, dtype=torch.float64)
        self.b = torch.randn(3, 2, generator=rng, dtype=torch.float64)
        self.w = torch.tensor([0.4, -0.7], dtype=torch.float64, requires_grad=True)
        self.s = torch.tensor([0.2, 0.5], dtype=torch.float64, requires_grad=True)

    def train(self, w: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return ((self.a @ (w * torch.sigmoid(s))) - 1).square().sum() + 0.1 * (s * w).sum().cos()

    def validation(self, w: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return ((self.b @ (w + 0.3 * s)) + 0.5).square().sum()


@pytest.mark.parametrize("steps_before", [0, 3], ids=["at rest", "with momentum"])
def test_second_order_gradients_are_those_of_the_loss_one_step_ahead(steps_before: int) -> None:
    toy = Toy()
    rate, momentum, decay = 0.05, 0.9, 0.01
    optimiser = torch.optim.SGD([toy.w], lr=rate, momentum=momentum, weight_decay=decay)
    for _ in range(steps_before):
        optimiser.zero_grad()
        toy.train(toy.w, toy.s).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    toy.w.grad = toy.s.grad = None
    buffer = optimiser.state.get(toy.w, {}).get("momentum_buffer", torch.zeros(2))
    before = toy.w.detach().clone()

    def ahead(s: torch.Tensor) -> float:
        w = before.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(toy.train(w, s), w)
        moved = w - rate * (gradient + decay * w + momentum * buffer)
        return float(toy.validation(moved, s).detach())

    (found,) = strength_gradients(
        lambda: toy.train(toy.w, toy.s),
        lambda: toy.validation(toy.w, toy.s),
        [toy.w],
        [toy.s],
        optimiser,
        order=2,
    )
    h = 1e-5
    for number in range(2):
        unit = torch.eye(2, dtype=torch.float64)[number] * h
        difference = (ahead(toy.s.detach() + unit) - ahead(toy.s.detach() - unit)) / (2 * h)
        assert float(found[number]) == pytest.approx(difference, rel=2e-4)
    assert torch.equal(toy.w.detach(), before), "the weights were not put back"
    (first,) = strength_gradients(
        lambda: toy.train(toy.w, toy.s),
        lambda: toy.validation(toy.w, toy.s),
        [toy.w],
        [toy.s],
        optimiser,
        order=1,
    )
    (direct,) = torch.autograd.grad(toy.validation(toy.w, toy.s), toy.s)
    assert torch.equal(first, direct)
    assert not torch.allclose(first, found, rtol=1e-2), "the second order adds nothing here"


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.space.name)
def test_a_mixture_of_one_operation_is_that_operation(builder: NetworkBuilder) -> None:
    """With all the weight on one option per slot, up to the pools' normalisation.

    A relaxed node of `darts` adds all its edges and a derived one two: the others carry `none`.
    """
    network = relaxed(builder).eval()
    carried = ("cdc_3x3", "conv_3x3", "dil_conv_3x3")
    for slot, options in network.kept.items():
        chosen = next((o for o in carried if o in options), options[-1])
        if builder.space.name == "darts" and slot[-3] not in "01":
            chosen = NONE
        strengthen(network, slot, chosen, 200.0)
    images = torch.rand(2, 3, 32, 32)
    architecture = network.relaxation.derive(network.softmax())
    check(builder.space, architecture)
    assert NONE not in architecture.choices
    if builder is CASCADE:
        assert architecture.choices[18:] == ("rgb+bands", 0.9, 0.9, 0.9, ADD, ADD, ADD)
    alone = build_network(builder, architecture, seed=1).eval()
    shared = network.network.state_dict()
    alone.load_state_dict({name: shared[name] for name in alone.state_dict()})
    assert torch.allclose(network(images), alone(images, architecture), atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.space.name)
def test_a_search_ends_in_an_architecture_of_the_space(
    builder: NetworkBuilder, order: int, faces: Faces, cpu: Device
) -> None:
    network = relaxed(builder)
    before = {slot: dict(w) for slot, w in network.softmax().items()}
    told: list[int] = []
    train_relaxed(
        network,
        *halves(faces, seed=0),
        replace(RECIPE, order=order),
        cpu,
        seed=0,
        progress=lambda step, loss: told.append(step),
    )
    assert told == [1, 2, 3]
    assert network.softmax() != before, "the strengths did not move"
    architecture = network.relaxation.derive(network.softmax())
    check(builder.space, architecture)
    assert connects(builder.space, architecture)
    collapse = Collapse.of(network.relaxation, network.softmax(), architecture)
    assert collapse is not None
    assert collapse.found == collapse.chosen, "there was no cap"
    assert collapse.weight == pytest.approx(collapse.even, abs=0.02)


def test_every_decision_of_the_cascade_has_the_gradient_of_the_loss_one_step_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Theta, input and joins as well as operations, against the gradient through the step.

    In double precision, with so short a finite difference that it meets no kink of the network.
    """
    monkeypatch.setattr("bonas.strategies.strength_gradients.PERTURBATION", 1e-6)
    network = relaxed(CASCADE).double()
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(4, 3, 16, 16, generator=generator, dtype=torch.float64) for _ in range(2)]
    names = [name for name, p in network.network.named_parameters() if p.requires_grad]
    rate, decay = 0.02, 0.01

    def loss(number: int, weights: list[torch.Tensor] | None = None) -> torch.Tensor:
        own = weights or network.weights
        given = {f"network.{n}": w for n, w in zip(names, own, strict=True)}
        logits = torch.func.functional_call(network, given, (sides[number],))
        return functional.softplus(logits * torch.tensor([1, -1, 1, -1])).mean()

    strengths = list(network.strengths)
    inner = torch.autograd.grad(loss(0), network.weights, create_graph=True)
    ahead = [w - rate * (g + decay * w) for w, g in zip(network.weights, inner, strict=True)]
    expected = torch.autograd.grad(loss(1, ahead), strengths)
    optimiser = torch.optim.SGD(network.weights, lr=rate, weight_decay=decay)
    found, direct = (
        strength_gradients(
            lambda: loss(0), lambda: loss(1), network.weights, strengths, optimiser, order=order
        )
        for order in (2, 1)
    )
    assert {"input", *(f"{stage}/theta" for stage in STAGES), *JOINS, *TOP_DOWN} < set(network.kept)
    for slot, exact, second, first in zip(network.kept, expected, found, direct, strict=True):
        assert exact.abs().max() > 0, f"{slot} has no influence"
        scale = float(exact.abs().max())
        assert torch.allclose(second, exact, rtol=0, atol=1e-5 * scale), slot
        # A hundred times what the second order may be off.
        assert not torch.allclose(first, exact, rtol=0, atol=1e-3 * scale), f"{slot}: none added"


def test_a_mixture_of_thetas_is_one_convolution_of_their_mean() -> None:
    """Of convolutions, which are linear in theta; batch norms follow them."""
    convolution = CentralDifferenceConv2d(2, 3)
    images, weights = torch.randn(2, 2, 8, 8), torch.tensor([0.2, 0.5, 0.3])
    thetas = (0.0, 0.3, 0.9)
    choices = (*[NONE] * 18, "rgb", Mixture(dict(zip(thetas, weights, strict=True))))
    space = replace(FORGERY_CASCADE, theta_per_stage=False, joins=False, top_down=False)
    mean = wiring_of(space, choices).thetas[0]
    mixed = sum(w * convolution(images, t) for w, t in zip(weights, thetas, strict=True))
    assert torch.allclose(convolution(images, mean), mixed, atol=1e-6)


@pytest.mark.parametrize("target", [0.0, 0.3, 0.5, 0.7, 0.9])
def test_the_theta_that_was_learned_is_derived(target: float) -> None:
    """Its strengths alone would say 0 or 0.9: a loss of their mean drives the ends furthest."""
    network = relaxed(CASCADE)
    slot = f"{STAGES[0]}/theta"
    strength = network.strengths[list(network.kept).index(slot)]
    thetas = torch.tensor([float(t) for t in network.kept[slot]])
    optimiser = torch.optim.Adam([strength], lr=0.05)
    for _ in range(400):
        mean = (strength.softmax(0) * thetas).sum()
        optimiser.zero_grad()
        (mean - target).square().backward()
        optimiser.step()
    softmax = network.softmax()
    names = [d.name for d in FORGERY_CASCADE.decisions]
    derived = network.relaxation.derive(softmax)
    assert derived.choices[names.index(slot)] == target
    kept = strongest(softmax, dict.fromkeys(softmax, 3), averaged_slots(network.relaxation))[slot]
    assert target in kept
    assert list(kept) == sorted(kept)


def test_strengths_wait_while_weights_warm_up(faces: Faces, cpu: Device) -> None:
    network = relaxed(FORGERY_BUILDER)
    before = network.softmax()
    train_relaxed(network, *halves(faces, seed=0), replace(RECIPE, warmup=1.0), cpu, seed=0)
    assert network.softmax() == before


@pytest.mark.parametrize("kind", Blend)
def test_copies_of_real_faces_stand_in_for_forged_ones(
    faces: Faces, cpu: Device, kind: Blend
) -> None:
    """At a share of 1 no forged image is seen: that a half has others changes no bit."""
    forged = faces.labels.bool()
    images = torch.where(forged[:, None, None, None], 255 - faces.images, faces.images)
    found = []
    for share in (0.0, 1.0):
        recipe = replace(RECIPE, pseudo_forgeries=share, pseudo_forgery_kind=kind)
        networks = [relaxed(FORGERY_BUILDER), relaxed(FORGERY_BUILDER)]
        for network, seen in zip(networks, (faces, replace(faces, images=images)), strict=True):
            train_relaxed(network, *halves(seen, seed=0), recipe, cpu, seed=0)
        one, other = (network.state_dict() for network in networks)
        found.append(all(torch.equal(value, other[name]) for name, value in one.items()))
    assert found == [False, True]


def test_an_interrupted_search_continues_to_the_same_bits(
    faces: Faces, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonas.strategies.gradient.CHECKPOINT_EVERY", 2)
    recipe = replace(RECIPE, steps=5, skip_dropout=0.5, strength_rate=0.1)
    whole, parts = relaxed(FORGERY_BUILDER), halves(faces, seed=0)
    train_relaxed(whole, *parts, recipe, cpu, seed=0)

    class Killed(Exception):
        pass

    def kill(step: int, loss: float) -> None:
        if step == 4:
            raise Killed

    file = tmp_path / "relaxed.checkpoint"
    with pytest.raises(Killed):
        train_relaxed(
            relaxed(FORGERY_BUILDER), *parts, recipe, cpu, seed=0, checkpoint=file, progress=kill
        )
    again, steps = relaxed(FORGERY_BUILDER, seed=8), list[int]()
    train_relaxed(
        again, *parts, recipe, cpu, seed=0, checkpoint=file, progress=lambda s, _: steps.append(s)
    )
    assert steps[0] == 2, "it did not continue"
    expected = whole.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.state_dict().items())


def test_the_state_of_another_training_is_refused_and_named(
    faces: Faces, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonas.strategies.gradient.CHECKPOINT_EVERY", 2)
    file, (first, second) = tmp_path / "relaxed.checkpoint", halves(faces, seed=0)
    options = dict.fromkeys(relaxation_of(FORGERY_BUILDER).slots, (NONE, SKIP, "conv_3x3"))
    others = dict.fromkeys(options, (NONE, "conv_3x3", "avg_pool_3x3"))

    def resumed(kept: Mapping[str, Sequence[Choice]], *sides: Faces, seed: int = 0) -> None:
        network = RelaxedNetwork(relaxation_of(FORGERY_BUILDER), kept, seed=0)
        train_relaxed(network, *sides, RECIPE, cpu, seed=seed, checkpoint=file)

    resumed(options, first, second)
    resumed(options, first, second)
    with pytest.raises(ValueError, match=r"a training with other options\. Restore"):
        resumed(others, first, second)
    with pytest.raises(ValueError, match="other faces of the weights and faces of the strengths"):
        resumed(options, second, first)
    with pytest.raises(ValueError, match="other seed"):
        resumed(options, first, second, seed=1)


def test_a_progressive_search_killed_in_its_second_stage_ends_in_the_same_strengths(
    faces: Faces, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonas.strategies.gradient.CHECKPOINT_EVERY", 2)
    recipe, parts = replace(RECIPE, steps=9, strength_rate=0.1), halves(faces, seed=0)
    builder = NASBench201Builder(width=4, cells=1)
    whole, kept = train_progressive(builder, *parts, recipe, cpu, seed=0)

    class Killed(Exception):
        pass

    def kill(step: int, loss: float) -> None:
        if step == 5:
            raise Killed

    file = tmp_path / "relaxed.checkpoint"
    with pytest.raises(Killed):
        train_progressive(builder, *parts, recipe, cpu, seed=0, checkpoint=file, progress=kill)
    again, kept_again = train_progressive(builder, *parts, recipe, cpu, seed=0, checkpoint=file)
    assert kept_again == kept
    assert again.softmax() == whole.softmax()


def test_halves_share_no_original(faces: Faces) -> None:
    first, second = halves(faces, seed=3)
    assert len(first) + len(second) == len(faces)
    assert not set(first.originals) & set(second.originals)
    assert abs(len(set(first.originals)) - len(set(second.originals))) <= 1


def test_an_edge_keeps_its_strongest_operation_other_than_none() -> None:
    network = relaxed(FORGERY_BUILDER)
    strengthen(network, "stage1/0-1", "cdc_3x3")
    named = dict(
        zip(
            [d.name for d in FORGERY.decisions],
            network.relaxation.derive(network.softmax()).choices,
            strict=True,
        )
    )
    assert named["stage1/0-1"] == "cdc_3x3"
    for slot in network.kept:
        strengthen(network, slot, NONE, 30.0)
    architecture = network.relaxation.derive(network.softmax())
    assert connects(FORGERY, architecture)
    assert NONE not in architecture.choices


def test_a_darts_node_keeps_its_two_strongest_edges_without_none() -> None:
    network = relaxed(BUILDERS[2])
    for slot in network.kept:
        strengthen(network, slot, NONE, 3.0)
    strengthen(network, "normal/1-5", "sep_conv_5x5_twice")
    strengthen(network, "normal/3-5", SKIP)
    architecture = network.relaxation.derive(network.softmax())
    named = dict(zip([d.name for d in DARTS.decisions], architecture.choices, strict=True))
    assert named["normal/3/sources"] == "1-3"
    assert named["normal/3/first"] == "sep_conv_5x5_twice"
    assert named["normal/3/second"] == SKIP
    assert NONE not in architecture.choices


def test_a_space_without_operations_on_edges_is_refused() -> None:
    class Space:
        name, decisions = "own", (replace(FORGERY.decisions[0], options=("wide", "narrow")),)

    class Builder:
        space = Space()

    with pytest.raises(ValueError, match=r"gradient strategies need operations .* offers 'wide'"):
        relaxation_of(Builder())  # type: ignore[arg-type]


def test_the_stages_grow_and_shrink() -> None:
    plan = stages(DartsBuilder(width=4, cells=17), replace(RECIPE, steps=100))
    assert [s.builder.cells for s in plan] == [5, 11, 17]  # type: ignore[attr-defined]
    found = {
        options: [stage.operations(options) for stage in plan]
        for options in [DARTS.operations, NASBENCH201.operations, INPUTS, (NONE, ADD), (SKIP,)]
    }
    assert [*found.values()] == [[8, 5, 3], [5, 3, 3], [4, 2, 2], [2, 2, 2], [1, 1, 1]]
    assert sum(s.recipe.steps for s in plan) == 100
    assert [s.recipe.skip_dropout for s in plan] == [0.1, 0.4, 0.7]
    assert {s.recipe.strength_clip for s in plan} == {5.0}


def test_dropout_on_skips_restarts_when_the_strengths_begin_to_learn() -> None:
    stage = replace(RECIPE, steps=25, warmup=10 / 25, skip_dropout=0.5)
    # Chen et al.'s code, epoch by epoch: p (E - e - 1) / E, then p exp(-0.2 (e - 10)).
    published = [0.5 * (25 - e - 1) / 25 for e in range(10)]
    published += [0.5 * math.exp(-0.2 * (e - 10)) for e in range(10, 25)]
    assert [stage.dropped(step) for step in range(25)] == pytest.approx(published)
    assert [RECIPE.dropped(step) for step in range(3)] == [0, 0, 0]


def test_a_large_gradient_of_the_strengths_is_clipped(faces: Faces, cpu: Device) -> None:
    moved = []
    for clip in (math.inf, 1e-9):  # of Adam's first step only its floor is felt
        network = relaxed(FORGERY_BUILDER)
        before = [s.detach().clone() for s in network.strengths]
        recipe = replace(RECIPE, steps=1, strength_clip=clip, strength_decay=0.0)
        train_relaxed(network, *halves(faces, seed=0), recipe, cpu, seed=0)
        pairs = zip(network.strengths, before, strict=True)
        moved.append(max(float((s.detach() - b).abs().max()) for s, b in pairs))
    assert moved[1] < 0.5 * moved[0]


def test_the_second_order_is_computed_in_full_precision(faces: Faces, cpu: Device) -> None:
    coarse, found = replace(cpu, autocast=True), []
    for device, order in ((cpu, 2), (coarse, 2), (cpu, 1), (coarse, 1)):
        network = relaxed(FORGERY_BUILDER)
        recipe = replace(RECIPE, steps=1, order=order)
        train_relaxed(network, *halves(faces, seed=0), recipe, device, seed=0)
        found.append(torch.cat([s.detach() for s in network.strengths]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[2], found[3]), "bfloat16 makes no difference here"


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.space.name)
def test_batch_norms_have_no_learned_scale(
    builder: NetworkBuilder, faces: Faces, cpu: Device
) -> None:
    network = relaxed(builder)
    train_relaxed(network, *halves(faces, seed=0), RECIPE, cpu, seed=0)
    norms = [m for m in network.network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) > 3
    for norm in norms:
        assert torch.equal(norm.weight, torch.ones_like(norm.weight))
        assert torch.equal(norm.bias, torch.zeros_like(norm.bias))
    learned = {id(p) for p in network.weights}
    others = [p for p in network.network.parameters() if id(p) not in learned]
    assert len(others) == 2 * len(norms)


def test_dropout_spares_a_skip_that_is_a_convolution() -> None:
    network = relaxed(BUILDERS[2])
    edges = [c.edges["0-2"] for c in network.network.cells]  # type: ignore[union-attr]
    values = [torch.randn(2, channels, 8, 8) for channels in (4, 8, 16)]
    mixture = Mixture({SKIP: torch.tensor(1.0)}, skip_dropout=0.7)
    plain = Mixture({SKIP: torch.tensor(1.0)})
    changed = [
        not torch.allclose(mixture(edge, value), plain(edge, value))  # type: ignore[arg-type]
        for edge, value in zip(edges, values, strict=True)
    ]
    assert changed == [isinstance(edge[SKIP], nn.Identity) for edge in edges]
    assert set(changed) == {True, False}


def test_an_operation_is_derived_where_only_none_and_a_skip_are_left() -> None:
    relaxation = relaxation_of(BUILDERS[1])
    kept = dict.fromkeys(relaxation.slots, (NONE, SKIP))
    network = RelaxedNetwork(relaxation, kept, seed=0)
    for slot in kept:
        strengthen(network, slot, NONE)
    for most in (None, 2, 0):
        architecture = derive_capped(network, most)
        assert architecture.choices == (SKIP,) * 6


def test_one_operation_against_none_does_not_cut_all_paths() -> None:
    space = CellSpace("own", (NONE, "conv_3x3"))
    relaxation = ChoiceRelaxation(space, NASBench201Builder(width=4, cells=1).build)
    network = RelaxedNetwork(relaxation, seed=0)
    for slot in network.kept:
        strengthen(network, slot, NONE)
    assert relaxation.derive(network.softmax()).choices == ("conv_3x3",) * 6
    strengthen(network, "cell/0-3", "conv_3x3", 99.0)
    assert relaxation.derive(network.softmax()).choices == (*[NONE] * 3, "conv_3x3", NONE, NONE)


def test_a_space_without_skips_is_searched_and_none_of_its_operations_is_none() -> None:
    space = CellSpace("own", (NONE, "conv_1x1", "conv_3x3"))
    relaxation = ChoiceRelaxation(space, NASBench201Builder(width=4, cells=1).build)
    network = RelaxedNetwork(relaxation, seed=0)
    for slot in network.kept:
        strengthen(network, slot, NONE)
    architecture = relaxation.derive(network.softmax())
    assert NONE not in architecture.choices


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.space.name)
def test_a_progressive_search_keeps_ever_fewer_operations(
    builder: NetworkBuilder, faces: Faces, cpu: Device
) -> None:
    network, kept = train_progressive(builder, *halves(faces, seed=0), RECIPE, cpu, seed=0)
    offered = relaxation_of(builder).slots
    left = [
        {s: stage.operations(o) for s, o in offered.items()} for stage in stages(builder, RECIPE)
    ]
    assert [{s: len(o) for s, o in options.items()} for options in kept] == left
    assert network.kept == kept[-1]
    for most in (0, 1):
        architecture = derive_capped(network, most)
        check(builder.space, architecture)
        assert connects(builder.space, architecture)


def test_the_weakest_skips_of_a_cell_give_way_to_the_cap() -> None:
    network = relaxed(FORGERY_BUILDER)
    slots = [s for s in network.kept if s.startswith("stage2/")]
    for number, slot in enumerate(slots):
        strengthen(network, slot, SKIP, 5.0 + number)
    named = dict(
        zip(
            [d.name for d in FORGERY.decisions],
            derive_capped(network, 2).choices,
            strict=True,
        )
    )
    assert [s for s in slots if named[s] == SKIP] == slots[-2:]
    free = derive_capped(network, None)
    assert sum(c == SKIP for c in free.choices) >= 6


def test_the_strongest_operations_stay_in_their_order() -> None:
    kept = strongest({"e": {"a": 0.2, "b": 0.5, "c": 0.05, "d": 0.25}}, {"e": 2})
    assert kept == {"e": ("b", "d")}


def test_a_builder_of_ones_own_brings_its_relaxation_and_its_depths() -> None:
    class Own:
        """Networks of `nasbench201`; what they are made of is another builder's."""

        space, cells = NASBENCH201, 9

        def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
            return NASBench201Builder(width=4, cells=self.cells).build(options)

        def relaxation(self) -> ChoiceRelaxation:
            return own

        def shallower(self, share: float) -> "Own":
            smaller = Own()
            smaller.cells = int(share * self.cells)
            return smaller

    own = ChoiceRelaxation(NASBENCH201, Own().build)
    assert relaxation_of(Own()) is own
    assert [s.builder.cells for s in stages(Own(), RECIPE)] == [2, 5, 9]  # type: ignore[attr-defined]


def test_skips_of_a_reduction_cell_are_not_capped() -> None:
    network = relaxed(BUILDERS[2])
    for slot in network.kept:
        strengthen(network, slot, SKIP, 5.0)
    architecture = derive_capped(network, 1)
    half = len(architecture.choices) // 2
    assert architecture.choices[:half].count(SKIP) == 1
    assert architecture.choices[half:].count(SKIP) == 8


def test_joins_stay_away_when_none_is_the_strongest_everywhere() -> None:
    network = relaxed(CASCADE)
    for slot, options in network.kept.items():
        if NONE in options:
            strengthen(network, slot, NONE, 30.0)
    architecture = network.relaxation.derive(network.softmax())
    assert connects(FORGERY_CASCADE, architecture)
    assert NONE not in architecture.choices[:18]
    assert architecture.choices[-3:] == (NONE,) * 3


def test_an_order_that_is_none_is_refused_and_rates_fall() -> None:
    with pytest.raises(ValueError, match="order is 3"):
        GradientRecipe(steps=1, order=3)
    falls = [RECIPE.falling(s) for s in range(3)]
    assert falls[0] == 1
    assert falls == sorted(falls, reverse=True)
    assert RECIPE.falling(3) == pytest.approx(0)
    assert math.isfinite(float(np.sum(falls)))
