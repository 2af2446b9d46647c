import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bonas.training
from bonas.checkpoint import Checkpoint, seconds_of
from bonas.data.augmentation import NO_AUGMENTATION, Augmentation
from bonas.data.cross_blending import Blend
from bonas.data.faces import Faces
from bonas.data.hulls import face_hull
from bonas.device import Device
from bonas.estimation.supernet import uniform_paths
from bonas.networks.builder import ForgeryBuilder, build_supernet
from bonas.networks.plain import PlainNetwork
from bonas.step_time import PLAIN
from bonas.training import Progress, Recipe, train
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from tests.bonas.data.test_hulls import FIVE

BUILDER = ForgeryBuilder(width=4, level_width=8)
RECIPE = Recipe(steps=12, batch_size=8, augmentation=Augmentation(degrade=0.5))


def trained(faces: Faces, device: Device, **where: object) -> nn.Module:
    network = build_supernet(BUILDER, seed=0)
    train(network, uniform_paths(FORGERY), faces, RECIPE, device, seed=4, **where)  # type: ignore[arg-type]
    return network


def assert_same_bits(first: nn.Module, second: nn.Module) -> None:
    other = second.state_dict()
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, other[name]), name


def test_the_same_seed_gives_the_same_weights_bit_for_bit(faces: Faces, cpu: Device) -> None:
    assert_same_bits(trained(faces, cpu), trained(faces, cpu))


def test_with_pseudo_forgeries_alone_no_forged_pixel_is_seen(faces: Faces, cpu: Device) -> None:
    def weights(share: float, given: Faces) -> nn.Module:
        network = build_supernet(BUILDER, seed=0)
        recipe = replace(RECIPE, pseudo_forgeries=share)
        train(network, uniform_paths(FORGERY), given, recipe, cpu, seed=4)
        return network

    black = faces.images * (1 - faces.labels[:, None, None, None]).to(torch.uint8)
    hidden = replace(faces, images=black)
    assert_same_bits(weights(1.0, faces), weights(1.0, hidden))
    some, none = weights(0.5, faces).state_dict(), weights(0.5, hidden).state_dict()
    assert any(not torch.equal(some[name], none[name]) for name in some)


@pytest.mark.parametrize("kind", list(Blend))
def test_blends_of_every_kind_stand_in_for_forged_faces(
    faces: Faces, cpu: Device, kind: Blend
) -> None:
    def weights(given: Faces) -> nn.Module:
        network = build_supernet(BUILDER, seed=0)
        recipe = replace(RECIPE, steps=4, pseudo_forgeries=1.0, pseudo_forgery_kind=kind)
        train(network, uniform_paths(FORGERY), given, recipe, cpu, seed=4)
        return network

    black = faces.images * (1 - faces.labels[:, None, None, None]).to(torch.uint8)
    assert_same_bits(weights(faces), weights(replace(faces, images=black)))


def test_the_kind_of_pseudo_forgery_draws_nothing_where_there_are_none(
    faces: Faces, cpu: Device
) -> None:
    networks = []
    for kind in Blend:
        networks.append(build_supernet(BUILDER, seed=0))
        recipe = replace(RECIPE, steps=4, pseudo_forgery_kind=kind)
        train(networks[-1], uniform_paths(FORGERY), faces, recipe, cpu, seed=4)
    assert_same_bits(networks[0], networks[1])
    assert_same_bits(networks[0], networks[2])


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("last", [4, 5, 9])
def test_interrupted_and_continued_training_equals_uninterrupted(
    faces: Faces, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    monkeypatch.setattr(bonas.training, "CHECKPOINT_EVERY", 4)
    checkpoint = Checkpoint(tmp_path / "state")

    def die(step: int, loss: float) -> None:
        if step > last:
            raise Killed

    with pytest.raises(Killed):
        trained(faces, cpu, checkpoint=checkpoint, progress=die)
    assert checkpoint.path.is_file()
    steps: list[int] = []
    resumed = trained(faces, cpu, checkpoint=checkpoint, progress=lambda s, _: steps.append(s))
    assert steps[0] == 4 * (last // 4)
    assert_same_bits(resumed, trained(faces, cpu))


def test_a_training_took_what_all_its_starts_took(
    faces: Faces, cpu: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bonas.training, "CHECKPOINT_EVERY", 4)
    checkpoint, now = Checkpoint(tmp_path / "state"), [0.0]
    monkeypatch.setattr(bonas.training.time, "perf_counter", lambda: now[0])

    def tick(step: int, loss: float) -> None:
        now[0] += 1.0

    def die(step: int, loss: float) -> None:
        tick(step, loss)
        if step > 6:
            raise Killed

    def took(progress: Progress) -> float:
        network = build_supernet(BUILDER, seed=0)
        draw = uniform_paths(FORGERY)
        return train(
            network, draw, faces, RECIPE, cpu, seed=4, checkpoint=checkpoint, progress=progress
        )

    assert seconds_of(checkpoint.path) == 0.0
    with pytest.raises(Killed):
        took(die)
    assert seconds_of(checkpoint.path) == 4.0
    now[0] = 1000.0  # the machine was off
    # One tick of progress tells from which step training goes on.
    assert took(tick) == 4.0 + 1.0 + RECIPE.steps - 4


def test_training_leaves_torchs_generator_alone(faces: Faces, cpu: Device) -> None:
    before = torch.random.get_rng_state()
    trained(faces, cpu)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_network_learns_what_can_be_seen(faces: Faces, cpu: Device) -> None:
    architecture = Architecture(FORGERY.name, ("conv_3x3",) * 18)
    network = build_supernet(BUILDER, seed=0)
    losses: list[float] = []
    recipe = Recipe(steps=40, batch_size=8, learning_rate=5e-3, augmentation=NO_AUGMENTATION)
    train(
        network,
        lambda rng: architecture,
        faces,
        recipe,
        cpu,
        seed=0,
        progress=lambda _, loss: losses.append(loss),
    )
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    assert not network.training


def test_the_rate_rises_to_its_peak_and_falls() -> None:
    recipe = Recipe(steps=200, learning_rate=1e-2, warmup=0.25)
    rates = [recipe.rate(step) for step in range(200)]
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert max(rates) == pytest.approx(1e-2)
    assert int(np.argmax(rates)) == 50
    assert all(a < b for a, b in itertools.pairwise(rates[:51]))
    assert all(a > b for a, b in itertools.pairwise(rates[50:]))
    assert rates[-1] < 1e-5


def test_a_loss_that_is_not_finite_is_named(faces: Faces, cpu: Device) -> None:
    wild = replace(RECIPE, learning_rate=float("inf"))
    network = build_supernet(BUILDER, seed=0)
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(network, uniform_paths(FORGERY), faces, wild, cpu, seed=0)


@pytest.mark.gpu
def test_a_seed_repeats_on_cuda(faces: Faces) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    from bonas.device import choose_device

    device = choose_device("cuda")
    on_gpu = faces.to(device.device)
    networks = [build_supernet(BUILDER, seed=0).cuda() for _ in range(2)]
    for network in networks:
        train(network, uniform_paths(FORGERY), on_gpu, RECIPE, device, seed=4)
    assert_same_bits(*networks)


@pytest.mark.parametrize("kind", list(Blend))
def test_outlines_of_faces_say_where_copies_are_blended(
    kind: Blend, faces: Faces, cpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outlines in a corner: that is where forged images of a step differ from their real ones."""
    hull = torch.from_numpy(face_hull(0.4 * FIVE)).float().repeat(len(faces), 1, 1)
    seen: list[torch.Tensor] = []
    recipe = Recipe(
        steps=1,
        batch_size=8,
        pseudo_forgeries=1.0,
        pseudo_forgery_kind=kind,
        augmentation=NO_AUGMENTATION,
    )
    for hulls in (None, hull):
        network = PlainNetwork((4, 4, 4, 4))
        network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        outlined = replace(faces, hulls=hulls)
        train(network, lambda rng: PLAIN, outlined, recipe, cpu, seed=0)
    assert torch.equal(seen[0][0::2], seen[1][0::2]), "real images stay what they are"
    assert not torch.equal(seen[0][1::2], seen[1][1::2])
    if kind is Blend.CROSS:  # of self-blended copies every second one changes its surroundings
        without, within = (
            (images[1::2] - images[0::2]).abs().amax(dim=(0, 1)) > 1e-6 for images in seen
        )
        corner = torch.zeros(32, 32, dtype=torch.bool)
        corner[:16, :16] = True
        assert bool((without & ~corner).any())
        assert not (within & ~corner).any()
