"""Planes of a picture in linear light: soft edges, bumps and paint.

Pictures are planar, `3 x h x w` float32, because numpy broadcasts a `h x w` coverage over planes
two to three times faster than over interleaved pixels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.floating[Any]]

GAMMA = 2.2  # plain power law instead of the piecewise sRGB curve: the difference is not visible


def linear(colour: tuple[float, float, float]) -> Plane:
    """The colour `3 x 1 x 1` in linear light of display values in 0..255."""
    return ((np.array(colour, np.float32) / 255) ** GAMMA).reshape(3, 1, 1)


def coverage(distance: Plane, pixel: float) -> Plane:
    """Share of each pixel inside a shape, from the distance to its edge, positive inside."""
    share: Plane = np.clip(distance * (1 / (1.5 * pixel)) + 0.5, 0, 1)
    return share


def bump(x: Plane, y: Plane, centre: tuple[float, float], width: tuple[float, float]) -> Plane:
    """exp(-((x - cx) / wx)^2 / 2 - ((y - cy) / wy)^2 / 2), the shape of `x`."""
    across = (x - centre[0]) * (1 / width[0])
    along = (y - centre[1]) * (1 / width[1])
    return np.exp(-0.5 * (across * across + along * along))


def paint(image: Plane, colour: Plane, alpha: Plane) -> None:
    """Lay `colour` (`3 x 1 x 1` or `3 x h x w`) over `image` in place, where `alpha` `h x w`."""
    image += alpha * (colour - image)
