"""What is behind the head: a wall, a room out of focus, or foliage; and clothes."""

import numpy as np

from bonas.data.synthetic.head import Stage
from bonas.data.synthetic.raster import Plane, coverage, paint
from bonas.data.synthetic.resampling import apply, cubic_matrix
from bonas.data.synthetic.take import Take
from bonas.data.synthetic.texture import fractal


def draw_backdrop(take: Take, stage: Stage) -> Plane:
    """A lit background with shoulders, `3 x n x n`."""
    rng = np.random.default_rng(take.backdrop_seed)
    size = stage.u.shape[0]
    image = apply(cubic_matrix(size // 2, size), _room(size // 2, rng=rng))
    # From a bare wall to foliage in focus: the noise of a scene varies more than any forgery's.
    grain = rng.uniform(0, 1) ** 2.5 * 0.06
    image *= 1 + _foliage(size, grain, rng.uniform(0, 1) ** 2, rng=rng)
    _paint_clothes(image, stage, rng=rng)
    return np.maximum(image, 0.002)


def _foliage(size: int, grain: float, colour: float, *, rng: np.random.Generator) -> Plane:
    """Fine texture `3 x n x n`, grey where `colour` is 0, and two-coloured at 1."""
    grey = fractal(size, ((36, 0.8 * grain), (72, grain), (144, 0.5 * grain)), rng=rng)
    hue = fractal(size, ((36, 0.8 * grain), (72, grain)), rng=rng)
    direction = rng.standard_normal((3, 1, 1)).astype(np.float32)
    texture: Plane = grey + colour * (direction - direction.mean()) * hue
    return texture


def _room(size: int, *, rng: np.random.Generator) -> Plane:
    """A wall with soft discs of light and perhaps an edge, `3 x n x n`."""
    image = _wall(size, rng=rng)
    for _ in range(rng.integers(0, 7)):
        _paint_disc(image, rng=rng)
    for _ in range(rng.integers(0, 3)):
        _paint_edge(image, rng=rng)
    return image


def _wall(size: int, *, rng: np.random.Generator) -> Plane:
    colour = rng.uniform(0.06, 0.5) * (1 + rng.uniform(-0.3, 0.3, (3, 1, 1)))
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    ramp = rng.uniform(-0.4, 0.4) * axis + rng.uniform(-0.4, 0.4) * axis[:, None]
    cloud = fractal(size, ((3, 0.15), (7, 0.1)), rng=rng)
    return colour.astype(np.float32) * np.maximum(1 + ramp + cloud, 0.1)


def _paint_disc(image: Plane, *, rng: np.random.Generator) -> None:
    axis = np.linspace(-1, 1, image.shape[-1], dtype=np.float32)
    centre, radius = rng.uniform(-1, 1, 2), rng.uniform(0.08, 0.35)
    right, down = axis - np.float32(centre[0]), axis[:, None] - np.float32(centre[1])
    away = np.sqrt(right * right + down * down)
    colour = rng.uniform(0.05, 0.6) * (1 + rng.uniform(-0.5, 0.5, (3, 1, 1)))
    alpha = rng.uniform(0.2, 0.6) * coverage(radius - away, rng.uniform(0.02, 0.15))
    paint(image, colour.astype(np.float32), alpha)


def _paint_edge(image: Plane, *, rng: np.random.Generator) -> None:
    axis = np.linspace(-1, 1, image.shape[-1], dtype=np.float32)
    along, across = (axis, axis[:, None]) if rng.random() < 0.3 else (axis[:, None], axis)
    distance = across - rng.uniform(-0.15, 0.15) * along - rng.uniform(-0.8, 0.8)
    shade = rng.uniform(0.5, 1.3)
    image *= 1 + (shade - 1) * coverage(distance, rng.uniform(0.01, 0.05))


def _paint_clothes(image: Plane, stage: Stage, *, rng: np.random.Generator) -> None:
    colour = rng.uniform(0.02, 0.5) * (1 + rng.uniform(-0.5, 0.5, (3, 1, 1)))
    first = int(image.shape[-1] * 0.7)  # shoulders never reach higher
    side, v = np.abs(stage.u[first:]), stage.v[first:]
    stripes = 1 + rng.uniform(0, 0.3) * np.sin(v * rng.uniform(20, 60))
    fold = stripes * (0.85 + 0.2 * np.cos(side * 4))
    shoulder = coverage(v - 1.1 - 0.22 * side * side, stage.pixel)
    paint(image[:, first:], colour.astype(np.float32) * fold, shoulder)
