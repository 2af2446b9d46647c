"""Face synthesis: a head that comes out of a decoder instead of a camera.

A decoder draws the sides of a face apart: eyes, brows, lips and ear-rings do not match, pupils are
no discs and glints contradict the light (Matern et al. 2019). Its transposed convolutions overlap
unequally, which leaves patches of a grid (Odena et al. 2016), and detail melts into waves.
"""

from dataclasses import replace

import numpy as np

from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.features import EYE_LEVEL
from bonas.data.synthetic.forged import (
    Forged,
    blend,
    draw_strength,
    either_sign,
    mismatch,
    regrain,
)
from bonas.data.synthetic.raster import Plane, bump, coverage
from bonas.data.synthetic.resampling import warp
from bonas.data.synthetic.shot import Shot, redraw
from bonas.data.synthetic.texture import fractal

_TINT = np.array([0.5, 1.0, 0.9], np.float32).reshape(3, 1, 1)  # of the grid


def synthesise(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The head in `shot` as a decoder draws it, hair included."""
    strength = draw_strength(rng=rng)
    stage, face = shot.portrait.stage, shot.face
    across, down = stage.u / (face.width + 0.1), (stage.v + 0.03) / 1.04
    away = 1 - np.sqrt(across * across + down * down)
    region = shot.map(coverage(away, rng.uniform(0.06, 0.12)))
    picture = _uneven_sides(shot, strength, rng=rng)
    picture = picture + _false_eyes(shot, strength, rng=rng)
    picture = _melt(picture, 2.2 * strength, rng=rng)
    picture = picture + _grid(picture.shape[-1], 75 * strength, rng=rng)
    noise = shot.noise * mismatch(0.4 * strength, rng=rng)
    return blend(shot.frame, regrain(picture, noise, shot.camera.chroma_noise, rng=rng), region)


def _uneven_sides(shot: Shot, strength: float, *, rng: np.random.Generator) -> Plane:
    """`3 x s x s`, where one side of the face is another's as far as `strength` says."""
    other, take, head = draw_face(rng=rng), shot.take, shot.portrait.head
    face = replace(
        shot.face,
        iris=other.iris,
        eye_height=other.eye_height,
        eye_tilt=other.eye_tilt,
        brow_height=other.brow_height,
        brow_weight=other.brow_weight,
        lip_height=other.lip_height,
        mouth_width=other.mouth_width,
        earrings=other.earrings,
    )
    gaze = (
        take.gaze[0] + either_sign(0.5 * strength, rng=rng),
        take.gaze[1] + either_sign(0.3 * strength, rng=rng),
    )
    different = redraw(shot, face, replace(take, gaze=gaze, smile=rng.uniform(-0.35, 1.0)))
    side = float(rng.choice((-1.0, 1.0)))
    weight = shot.map(shot.portrait.stage.spread(coverage(side * head.face_u, 0.05)))
    return shot.clean + np.clip(weight, 0, 1) * (different - shot.clean)


def _false_eyes(shot: Shot, strength: float, *, rng: np.random.Generator) -> Plane:
    """Glints and frayed pupils to be added to display values, `s x s`."""
    head, marks = shot.portrait.head, np.zeros_like(shot.portrait.head.u)
    for side in (-1, 1):
        centre = side * shot.face.eye_distance + rng.normal(0, 0.04), EYE_LEVEL
        width = rng.uniform(0.025, 0.06), rng.uniform(0.025, 0.06)
        pupil = bump(head.face_u, head.face_v, centre, width)
        spot = centre[0] + rng.normal(0, 0.05), EYE_LEVEL + rng.normal(0, 0.03)
        glint = bump(head.face_u, head.face_v, spot, (0.03, 0.03))
        marks += strength * (150 * rng.uniform(0, 1) * glint - 90 * rng.uniform(0, 1) * pupil)
    return shot.map(shot.portrait.stage.spread(marks))


def _melt(picture: Plane, reach: float, *, rng: np.random.Generator) -> Plane:
    """`picture` with waves of up to about `reach` pixels, here and there."""
    size = picture.shape[-1]
    where = np.clip(fractal(size, ((5, 1.0),), rng=rng), 0, 1) * reach
    right, down = (where * fractal(size, ((14, 1.0),), rng=rng) for _ in range(2))
    return warp(picture, right, down)


def _grid(size: int, height: float, *, rng: np.random.Generator) -> Plane:
    """Patches `3 x s x s` of a lattice of pale dots, 4 to 6.5 pixels apart.

    Overlapping kernels add up and never cancel: the grid is brighter than what it lies on.
    """
    phase = rng.uniform(0, np.pi, 2)
    axis = np.arange(size, dtype=np.float32) * (np.pi / rng.uniform(4.0, 6.5))
    right, down = np.cos(axis + phase[0]) ** 6, np.cos(axis + phase[1])[:, None] ** 6
    where = np.clip(2 * fractal(size, ((6, 1.0),), rng=rng) - 0.5, 0, 1)
    grid: Plane = (height * where * right * down * _TINT).astype(np.float32)
    return grid
