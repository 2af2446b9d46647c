"""Each type leaves its own trace, and only where its mask says so."""

from collections.abc import Callable

import numpy as np
import pytest

from bonas.data.synthetic.attribute import change_attribute
from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.forged import Forged
from bonas.data.synthetic.reenactment import reenact
from bonas.data.synthetic.shot import Shot, shoot
from bonas.data.synthetic.swap import swap
from bonas.data.synthetic.synthesis import synthesise

Forger = Callable[..., Forged]
FORGERS: tuple[Forger, ...] = (synthesise, swap, change_attribute, reenact)


@pytest.fixture(scope="module")
def shots() -> list[Shot]:
    rngs = [np.random.default_rng(seed) for seed in range(4)]
    return [shoot(draw_face(rng=rng), 64, rng=rng) for rng in rngs]


@pytest.mark.parametrize("forge", FORGERS)
def test_nothing_changes_outside_the_region(shots: list[Shot], forge: Forger) -> None:
    for seed, shot in enumerate(shots):
        forged = forge(shot, rng=np.random.default_rng(seed))
        untouched = forged.region == 0
        assert untouched.mean() > 0.2
        np.testing.assert_array_equal(forged.image[:, untouched], shot.frame[:, untouched])


@pytest.mark.parametrize("forge", FORGERS)
def test_something_changes_inside_the_region(shots: list[Shot], forge: Forger) -> None:
    for seed, shot in enumerate(shots):
        forged = forge(shot, rng=np.random.default_rng(seed))
        inside = forged.region > 0.5
        assert np.abs(forged.image - shot.frame)[:, inside].mean() > 1
        assert np.isfinite(forged.image).all()


@pytest.mark.parametrize("forge", FORGERS)
def test_forging_is_repeatable_and_leaves_the_shot_alone(shots: list[Shot], forge: Forger) -> None:
    before = shots[0].frame.copy()
    first, second = (forge(shots[0], rng=np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(shots[0].frame, before)


def test_synthesis_leaves_a_lattice_at_half_the_sampling_rate(shots: list[Shot]) -> None:
    """Alternate columns of a synthesised head differ; those of a photographed one do not."""
    lattices = []
    for seed, shot in enumerate(shots):
        forged = synthesise(shot, rng=np.random.default_rng(seed))
        sign = np.where(np.arange(shot.camera.resolution) % 2 == 0, 1, -1)
        inside = forged.region > 0.9
        strengths = [
            np.abs((image * sign * inside).sum(axis=(1, 2)) / inside.sum()).max()
            for image in (shot.frame, forged.image)
        ]
        lattices.append(strengths[1] / strengths[0])
    assert np.median(lattices) > 3


def test_a_stranger_looks_out_of_a_swapped_face(shots: list[Shot]) -> None:
    first, second = (swap(shots[0], rng=np.random.default_rng(seed)) for seed in (0, 1))
    inside = (first.region > 0.9) & (second.region > 0.9)
    assert np.abs(first.image - second.image)[:, inside].mean() > 3
