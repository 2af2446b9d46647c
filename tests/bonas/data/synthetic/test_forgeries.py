"""Each type leaves its own trace, and only where its mask says so."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bonas.data.synthetic.attribute import change_attribute
from bonas.data.synthetic.camera import draw_camera
from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.forged import Forged
from bonas.data.synthetic.raster import Plane
from bonas.data.synthetic.reenactment import reenact
from bonas.data.synthetic.resampling import blur
from bonas.data.synthetic.shot import Shot, photograph, shoot
from bonas.data.synthetic.swap import swap
from bonas.data.synthetic.synthesis import synthesise
from bonas.data.synthetic.take import draw_take

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
        assert untouched.mean() > 0.1
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


def test_a_synthesised_head_carries_a_grid_of_pale_dots(shots: list[Shot]) -> None:
    """Bright spots of one pixel outweigh dark ones, which no photograph of a face does so much."""
    excess = []
    for seed, shot in enumerate(shots):
        forged = synthesise(shot, rng=np.random.default_rng(seed))
        excess.append(_skew(forged.image, forged.region) - _skew(shot.frame, forged.region))
    assert np.median(excess) > 0.2


def test_a_swapped_face_has_a_pale_contour(shots: list[Shot]) -> None:
    """Feathering alone would leave half the change of the inside there."""
    excess = []
    for seed, shot in enumerate(shots):
        forged = swap(shot, rng=np.random.default_rng(seed))
        change = (forged.image - shot.frame).mean(axis=0)
        rim = (forged.region > 0.35) & (forged.region < 0.65)
        inside = forged.region > 0.95
        excess.append(change[rim].mean() - 0.5 * change[inside].mean())
    assert np.median(excess) > 5


def test_an_inpainted_patch_has_lost_its_texture(shots: list[Shot]) -> None:
    for seed, shot in enumerate(shots):
        forged = change_attribute(shot, rng=np.random.default_rng(seed))
        inside = forged.region > 0.95
        fine = [
            np.std((image - blur(image, 1.0))[:, inside]) for image in (shot.frame, forged.image)
        ]
        assert fine[1] < 0.8 * fine[0]


def test_a_reenacted_face_is_less_symmetric_than_its_original() -> None:
    """Seen from the front under even light, where a face mirrors itself."""
    worse = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        face, take, camera = draw_face(rng=rng), draw_take(rng=rng), draw_camera(64, rng=rng)
        light = replace(take.light, key=(0.0, 0.0, 1.0))
        take = replace(take, yaw=0.0, roll=0.0, centre=(0.0, 0.0), gaze=(0.0, 0.0), light=light)
        shot = photograph(face, take, camera, 64, rng=rng)
        forged = reenact(shot, rng=rng)
        inside = (forged.region > 0.5) | (forged.region > 0.5)[:, ::-1]
        before, after = (
            np.abs(image - image[:, :, ::-1])[:, inside].mean()
            for image in (shot.frame, forged.image)
        )
        worse.append(after / before)
    assert np.median(worse) > 1.1


def test_a_stranger_looks_out_of_a_swapped_face(shots: list[Shot]) -> None:
    first, second = (swap(shots[0], rng=np.random.default_rng(seed)) for seed in (0, 1))
    inside = (first.region > 0.9) & (second.region > 0.9)
    assert np.abs(first.image - second.image)[:, inside].mean() > 3


def _skew(image: Plane, region: Plane) -> float:
    """Third standardised moment of fine detail inside `region`."""
    detail = (image - blur(image, 1.5))[:, region > 0.95]
    return float(np.mean((detail - detail.mean()) ** 3) / np.std(detail) ** 3)
