from dataclasses import replace

import numpy as np
import pytest

from bonas.data.synthetic.camera import Camera, develop, draw_camera, expose, sense
from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.portrait import Portrait, draw_portrait
from bonas.data.synthetic.take import Take, draw_take


def _portrait(seed: int, size: int = 96, **changes: float) -> Portrait:
    rng = np.random.default_rng(seed)
    face, take = draw_face(rng=rng), draw_take(rng=rng)
    return draw_portrait(face, replace(take, **changes), size)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_light_is_finite_and_never_negative(seed: int) -> None:
    light = _portrait(seed).light
    assert light.shape == (3, 96, 96)
    assert light.dtype == np.float32
    assert np.isfinite(light).all()
    assert light.min() >= 0


@pytest.mark.parametrize("yaw", [-0.55, 0.0, 0.55])
@pytest.mark.parametrize("pitch", [-0.22, 0.22])
def test_the_face_moves_with_the_pose_and_stays_on_the_head(yaw: float, pitch: float) -> None:
    head = _portrait(2, yaw=yaw, pitch=pitch, roll=0.0).head
    nearest = np.argmin(head.face_u**2 + (head.face_v - 0.1) ** 2)
    row, column = np.unravel_index(nearest, head.u.shape)
    assert head.skull[row, column] == 1
    assert np.sign(head.u[row, column].round(1)) == np.sign(yaw)


def test_scale_does_not_change_where_features_lie() -> None:
    """The same portrait at twice the size shows the same picture."""
    small, large = _portrait(5, 64).head, _portrait(5, 128).head
    assert abs(float(small.face_u.max() - large.face_u.max())) < 0.1
    assert abs(float(small.skull.mean() - large.skull.mean())) < 0.05


def _camera(seed: int) -> Camera:
    return draw_camera(64, rng=np.random.default_rng(seed))


def test_the_sensor_adds_noise_without_a_shift() -> None:
    camera, grey = _camera(0), np.full((3, 64, 64), 0.3, np.float32)
    noise = sense(grey, camera, rng=np.random.default_rng(0)) - grey
    assert 0 < noise.std() < 0.05
    assert abs(noise.mean()) < noise.std() / 10


@pytest.mark.parametrize("chroma", [0.1, 1.0])
def test_chroma_noise_is_what_the_camera_says(chroma: float) -> None:
    camera = replace(_camera(0), chroma_noise=chroma, read_noise=0.01, shot_noise=0.0)
    noise = sense(np.full((3, 64, 64), 0.3, np.float32), camera, rng=np.random.default_rng(0)) - 0.3
    assert np.std(noise[0] - noise[1]) == pytest.approx(0.01 * chroma * 2**0.5, rel=0.15)


def test_a_lens_keeps_the_mean_light() -> None:
    camera = replace(_camera(1), exposure=1.0, balance=(1.0, 1.0, 1.0))
    light = np.random.default_rng(0).uniform(0, 1, (3, 128, 128)).astype(np.float32)
    assert expose(light, camera).mean() == pytest.approx(light.mean(), rel=0.01)


def test_development_is_monotone() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (3, 64, 64))
    shown = develop(ramp, replace(_camera(2), sharpening=0.0))
    assert (np.diff(shown, axis=2) > 0).all()
    assert shown.min() >= 0
    assert shown.max() <= 255


def test_takes_of_one_seed_are_equal() -> None:
    first, second = (draw_take(rng=np.random.default_rng(9)) for _ in range(2))
    assert isinstance(first, Take)
    assert first == second
