"""Where the head is: picture coordinates to coordinates on the turned head.

    x, y          picture, -1..1, right and down
    u, v          the head's plane: centred, upright, half a head height is 1
    face_u, _v    the point of the head seen there, turned back to look straight ahead
    depth         towards the viewer, in the units of u and v

The head is a superellipsoid that narrows to the chin. A feature drawn at fixed (face_u, face_v)
therefore moves and foreshortens with the pose as on a solid head.
"""

from dataclasses import dataclass

import numpy as np

from bonas.data.synthetic.face import Face
from bonas.data.synthetic.raster import Plane, coverage
from bonas.data.synthetic.take import Take

DEPTH = 0.72


@dataclass(frozen=True, slots=True)
class Stage:
    """The whole picture in head coordinates, planes `n x n`; `pixel` is a pixel's size there."""

    u: Plane
    v: Plane
    pixel: float
    box: tuple[slice, slice]  # the part of the picture that the skull lies in

    def spread(self, inside: Plane) -> Plane:
        """`n x n` plane that is `inside` in the box and zero elsewhere."""
        whole = np.zeros_like(self.u)
        whole[self.box] = inside
        return whole


@dataclass(frozen=True, slots=True)
class Head:
    """The box around the skull, planes `h x w`."""

    u: Plane
    v: Plane
    face_u: Plane
    face_v: Plane
    backness: Plane  # how far behind the ears, positive behind
    depth: Plane
    skull: Plane  # coverage
    pixel: float
    turn: float  # sine of the yaw: what protrudes by d is seen at face_u + d * turn

    def band(self, low: float, high: float) -> tuple[slice, "Head"]:
        """The rows of the box that hold low <= face_v <= high somewhere, and the head there."""
        touched = np.flatnonzero(((self.face_v > low) & (self.face_v < high)).any(axis=1))
        rows = slice(int(touched[0]), int(touched[-1]) + 1) if touched.size else slice(0, 1)
        return rows, Head(
            u=self.u[rows],
            v=self.v[rows],
            face_u=self.face_u[rows],
            face_v=self.face_v[rows],
            backness=self.backness[rows],
            depth=self.depth[rows],
            skull=self.skull[rows],
            pixel=self.pixel,
            turn=self.turn,
        )


def set_stage(take: Take, size: int) -> Stage:
    """The coordinates of a picture of `size` x `size` pixels."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    x = ((axis - take.centre[0]) / take.scale)[None, :]
    y = ((axis - take.centre[1]) / take.scale)[:, None]
    cosine, sine = float(np.cos(take.roll)), float(np.sin(take.roll))
    rows = _span(take.centre[1], take.scale * 1.1, size)
    columns = _span(take.centre[0], take.scale * 0.98, size)
    return Stage(
        u=cosine * x + sine * y,
        v=cosine * y - sine * x,
        pixel=2 / (size * take.scale),
        box=(rows, columns),
    )


def place_head(face: Face, take: Take, stage: Stage) -> Head:
    """The skull of `face` in the pose of `take`."""
    u, v = stage.u[stage.box], stage.v[stage.box]
    radius = _radius(face, u, v)
    depth = DEPTH * np.sqrt(np.maximum(1 - radius * radius, 0))
    nod, turn = float(np.sin(take.pitch)), float(np.sin(take.yaw))
    upright = v * float(np.sqrt(1 - nod * nod)) - depth * nod
    front = v * nod + depth * float(np.sqrt(1 - nod * nod))
    return Head(
        u=u,
        v=v,
        face_u=u * float(np.cos(take.yaw)) - front * turn,
        face_v=upright,
        backness=-(u * turn + front * float(np.cos(take.yaw))),
        depth=depth,
        skull=coverage((1 - radius) * 0.85, stage.pixel),
        pixel=stage.pixel,
        turn=turn,
    )


def _radius(face: Face, u: Plane, v: Plane) -> Plane:
    lower = np.clip(v, 0, 1.2)
    half_width = face.width * (1 - face.jaw * lower * lower)
    power = face.squareness
    radius: Plane = (np.abs(u / half_width) ** power + np.abs(v) ** power) ** (1 / power)
    return radius


def _span(centre: float, half: float, size: int) -> slice:
    first = int((centre - half + 1) / 2 * size)
    last = int((centre + half + 1) / 2 * size) + 1
    return slice(max(first, 0), min(last, size))
