"""Random textures: fractal noise, and the skin map of a face."""

from collections.abc import Sequence

import numpy as np

from bonas.data.synthetic.raster import Plane
from bonas.data.synthetic.resampling import apply, cubic_matrix

SPAN = 1.3  # a texture covers [-SPAN, SPAN]^2 of head coordinates
_SKIN_CELLS = 144


def fractal(size: int, octaves: Sequence[tuple[int, float]], *, rng: np.random.Generator) -> Plane:
    """`size x size` noise: the sum over (cells, amplitude) of smooth noise of that many cells."""
    total = np.zeros((size, size), np.float32)
    for cells, amplitude in octaves:
        grid = rng.standard_normal((cells, cells), dtype=np.float32)
        enlarged = grid if cells == size else apply(cubic_matrix(cells, size), grid)
        total += amplitude * enlarged
    return total


def skin_map(freckles: float, *, rng: np.random.Generator) -> Plane:
    """`2 x n x n`: how much lighter (mottling, pores) and how much browner (freckles) skin is."""
    tone = fractal(_SKIN_CELLS, ((6, 0.035), (18, 0.03), (54, 0.025), (144, 0.02)), rng=rng)
    spots: Plane = np.zeros((_SKIN_CELLS, _SKIN_CELLS), np.float32)
    count = int(10 + 130 * freckles)
    # Freckles crowd on nose and cheeks; the few moles may sit anywhere.
    rows = ((rng.normal(0.12, 0.28, count) / SPAN + 1) / 2 * _SKIN_CELLS).astype(int)
    columns = ((rng.normal(0.0, 0.38, count) / SPAN + 1) / 2 * _SKIN_CELLS).astype(int)
    depth = rng.uniform(0.2, 1.0, count).astype(np.float32) * (0.15 + freckles)
    inside = (rows > 0) & (rows < _SKIN_CELLS - 1) & (columns > 0) & (columns < _SKIN_CELLS - 1)
    np.maximum.at(spots, (rows[inside], columns[inside]), depth[inside])
    spots = spots + 0.55 * np.maximum(np.roll(spots, 1, 0), np.roll(spots, 1, 1))
    return np.stack([tone, np.minimum(spots, 0.8)])


def look_up(texture: Plane, x: Plane, y: Plane) -> Plane:
    """`texture` `... x n x n` at head coordinates `x`, `y` `h x w`, bilinear, edges repeated."""
    size = texture.shape[-1]
    scale, last = (size - 1) / (2 * SPAN), np.float32(size - 1.001)
    column = np.clip((x + SPAN) * scale, 0, last)
    row = np.clip((y + SPAN) * scale, 0, last)
    left, top = column.astype(np.int32), row.astype(np.int32)
    right, down = column % 1, row % 1
    flat = texture.reshape(*texture.shape[:-2], -1)
    index = top * size + left
    upper = np.take(flat, index, -1) * (1 - right) + np.take(flat, index + 1, -1) * right
    index += size
    lower = np.take(flat, index, -1) * (1 - right) + np.take(flat, index + 1, -1) * right
    values: Plane = upper * (1 - down) + lower * down
    return values
