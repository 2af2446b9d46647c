"""Blurring, shrinking and enlarging as products with one matrix per axis.

A separable linear filter of a small picture is two dense products; lens blur and shrinking, or
up-sampling with any kernel, become one step each, and a product is faster than a loop over taps.
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import map_coordinates

from bonas.data.synthetic.raster import Plane


def gaussian_matrix(source: int, target: int, sigma: float) -> Plane:
    """`target x source` matrix that blurs by `sigma` (in source pixels) and samples anew."""
    return _normalised(np.exp(-0.5 * (_offsets(source, target) / max(sigma, 1e-3)) ** 2))


@lru_cache(maxsize=64)
def cubic_matrix(source: int, target: int) -> Plane:
    """`target x source` matrix of Keys' cubic (a = -1/2), widened when it shrinks, as in Pillow."""
    distance = np.abs(_offsets(source, target)) / max(source / target, 1.0)
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    matrix = _normalised(np.where(distance < 1, near, np.where(distance < 2, far, 0)))
    matrix.flags.writeable = False  # it is shared through the cache
    return matrix


def apply(matrix: Plane, image: Plane) -> Plane:
    """The picture `... x target x target` of `image` `... x source x source`, both axes alike."""
    return matrix @ image @ matrix.T


def blur(image: Plane, sigma: float) -> Plane:
    """`image` `... x n x n` under a Gaussian of `sigma` pixels."""
    return apply(gaussian_matrix(image.shape[-1], image.shape[-1], sigma), image)


def warp(image: Plane, right: Plane, down: Plane) -> Plane:
    """`image` `3 x h x w` with each pixel fetched from `right` and `down` of it, `h x w`."""
    rows, columns = np.indices(right.shape, dtype=np.float32)
    places = [rows + down, columns + right]
    planes = [map_coordinates(plane, places, order=1, mode="nearest") for plane in image]
    return np.stack(planes)


def _offsets(source: int, target: int) -> Plane:
    centres = (np.arange(target, dtype=np.float32) + 0.5) * (source / target) - 0.5
    return np.arange(source, dtype=np.float32) - centres[:, None]


def _normalised(weights: Plane) -> Plane:
    matrix: Plane = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return matrix
