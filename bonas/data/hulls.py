"""Where faces are in their images: hulls of landmarks that come with a data set.

Pseudo-forgeries are blended through a mask of the face. Shiohara and Yamasaki (2022, section 3.2)
take the convex hull of its landmarks; so is it here for the 68 or 81 points of common detectors.
Five points (eyes, nose, corners of the mouth) lie inside the face, and their hull is no face: there
it is an ellipse by these rules, for which `u` leads from the middle of the eyes to that of the
mouth. Along `u` it reaches from half of it above the eyes, the brows, to 1.7 of it below, the chin;
across, 1.15 times the distance of the eyes to either side, and 0.8 times the length of `u` at
least, since eyes of a head in profile are near each other.

A hull is a fixed number of points in order.
"""

import numpy as np
import torch

POINTS = 32
"""Of a hull: an inscribed polygon of so many has 99 % of a circle's area."""
ABOVE, BELOW, ACROSS, NARROWEST = 0.5, 1.7, 1.15, 0.8
FIVE = 5
DENSE = (68, 81)


def face_hull(points: np.ndarray) -> np.ndarray:
    """A convex outline of the face, `POINTS x 2`.

    Args:
        points: `n x 2`; 5 in the order right eye, left eye, nose, right and left corner of the
            mouth, or 68 or 81 in any order.

    Raises:
        ValueError: another number of points.
    """
    if len(points) == FIVE:
        return _ellipse(points)
    if len(points) not in DENSE:
        raise ValueError(f"points has {len(points)} rows; landmarks are 5, 68 or 81.")
    return _spread(_convex(points))


def area(hull: np.ndarray) -> float:
    """Of an outline, `n x 2`, by the shoelace formula."""
    x, y = hull.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def clipped(hull: np.ndarray, margin: float) -> np.ndarray:
    """The part of a convex outline in a picture without its margin, by Sutherland and Hodgman.

    Args:
        hull: `n x 2`, as shares of width and height.
        margin: Of the picture, the same.

    Returns:
        `m x 2`; no points where it lies outside.
    """
    for axis in (0, 1):
        for inwards, bound in ((1, margin), (-1, 1 - margin)):
            depth = inwards * (hull[:, axis] - bound)
            after = np.roll(depth, -1)
            crosses = depth * after < 0
            share = np.divide(depth, depth - after, out=np.zeros_like(depth), where=crosses)
            borders = hull + share[:, None] * (np.roll(hull, -1, axis=0) - hull)
            # Each point, and behind it where the side that it begins meets the bound.
            hull = np.stack([hull, borders], axis=1)[np.stack([depth >= 0, crosses], axis=1)]
    return hull


def gauges(hulls: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """How far out places lie: 0 in a hull's middle, 1 on its outline, 2 twice as far out.

    The gauge of a convex set about its centre, `max_i n_i (p - c) / n_i (v_i - c)` over its edges,
    which are passed one by one so that memory does not grow with their number.

    Args:
        hulls: `n x POINTS x 2`, without NaN, on the device of the places.
        x: Places, `n x 1 x h x w`, as shares of the width.
        y: The same of the height.

    Returns:
        `n x 1 x h x w`.
    """
    centre = hulls.mean(1)
    sides = torch.roll(hulls, -1, dims=1) - hulls
    normals = torch.stack([sides[..., 1], -sides[..., 0]], dim=-1)
    offsets = (normals * (hulls - centre[:, None])).sum(-1)
    # Both signs turn together with the direction in which the outline is passed.
    normals = normals / torch.where(offsets.abs() < 1e-9, torch.inf, offsets)[..., None]
    right, below = x - centre[:, 0, None, None, None], y - centre[:, 1, None, None, None]
    found = torch.zeros_like(right + below)
    for number in range(hulls.shape[1]):
        across, along = (normals[:, number, axis, None, None, None] for axis in (0, 1))
        found = torch.maximum(found, across * right + along * below)
    return found


def _ellipse(points: np.ndarray) -> np.ndarray:
    right_eye, left_eye, _, right_mouth, left_mouth = points
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = mouth - eyes
    across = np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-9)
    eyes_apart = float(np.hypot(*(left_eye - right_eye)))
    half = max(ACROSS * eyes_apart, NARROWEST * float(np.hypot(*down)))
    centre = eyes + (BELOW - ABOVE) / 2 * down
    angle = 2 * np.pi * np.arange(POINTS)[:, None] / POINTS
    reach: np.ndarray = (BELOW + ABOVE) / 2 * down
    outline: np.ndarray = centre + np.cos(angle) * reach + np.sin(angle) * half * across
    return outline


def _convex(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull in order, by Andrew's monotone chain (1979)."""
    ordered = np.unique(points, axis=0)  # by x, then y
    chains = []
    for run in (ordered, ordered[::-1]):
        chain: list[np.ndarray] = []
        for point in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return np.array(chains)


def _turn(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> float:
    a, b = second - first, third - first
    return float(a[0] * b[1] - a[1] * b[0])


def _spread(corners: np.ndarray) -> np.ndarray:
    """Points at equal distances along the outline."""
    closed = np.concatenate([corners, corners[:1]])
    along = np.concatenate([[0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    at = along[-1] * np.arange(POINTS) / POINTS
    return np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)
