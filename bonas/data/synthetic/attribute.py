"""Attribute change: hair, eyes, mouth or skin repainted by a generator, the rest left alone.

The generator fills a box about the feature, or the hair. Inside it the picture is over-smooth, as
inpainted ones are, and greyer: pores, strands and the sensor's noise are lost, and a pale border
remains.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bonas.data.synthetic.face import Face, draw_face, draw_hair_colour, draw_iris
from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import (
    Forged,
    blend,
    cast,
    draw_strength,
    regrain,
    seam,
)
from bonas.data.synthetic.raster import Plane, coverage
from bonas.data.synthetic.resampling import blur
from bonas.data.synthetic.shot import Shot, redraw


def change_attribute(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The picture of `shot` with one feature of the face changed."""
    strength = draw_strength(rng=rng)
    edits: tuple[Callable[[Shot, np.random.Generator], tuple[Face, Plane]], ...]
    edits = (_hair, _eyes, _mouth, _skin)
    choice = rng.integers(1 if shot.face.bald else 0, len(edits))
    face, canvas = edits[choice](shot, rng)
    region = shot.map(canvas)
    smooth = blur(redraw(shot, face), 0.6 + 1.4 * strength * rng.uniform(0.5, 1))
    grain = shot.noise * max(0.0, 1 - strength) * rng.uniform(0, 1)
    source = regrain(smooth, grain, shot.camera.chroma_noise, rng=rng)
    # In doubt a generator paints the mean of what it has learnt, which is greyer than any skin.
    grey = source.mean(axis=0)
    source = source + 0.6 * strength * (grey - source) + cast(8 * strength, rng=rng)
    source = source + seam(region, 58 * strength)
    return blend(shot.frame, source, region)


def _hair(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    face = replace(shot.face, hair=draw_hair_colour(rng=rng))
    return face, blur(shot.portrait.hair, 2.0)


def _eyes(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    other = draw_face(rng=rng)
    face = replace(
        shot.face,
        iris=draw_iris(rng=rng),
        eye_height=other.eye_height,
        eye_tilt=other.eye_tilt,
        brow_weight=other.brow_weight,
        glasses=not shot.face.glasses if rng.random() < 0.4 else shot.face.glasses,
    )
    return face, _box(shot, (0, EYE_LEVEL - 0.05), (0.54, 0.2), rng=rng)


def _mouth(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    other = draw_face(rng=rng)
    beard = 0.0 if shot.face.beard else rng.uniform(0, 0.8)
    face = replace(shot.face, lips=other.lips, lip_height=other.lip_height, beard=beard)
    return face, _box(shot, (0, mouth_level(shot.face) + 0.03), (0.36, 0.22), rng=rng)


def _skin(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    other = draw_face(rng=rng)
    face = replace(
        shot.face,
        freckles=other.freckles if shot.face.freckles < 0.2 else 0.0,
        blush=other.blush,
        texture_seed=other.texture_seed,
    )
    centre = rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.45)
    return face, _box(shot, centre, (0.28, 0.26), rng=rng)


def _box(
    shot: Shot,
    centre: tuple[float, float],
    half: tuple[float, float],
    *,
    rng: np.random.Generator,
) -> Plane:
    """Coverage `n x n` of a box on the face, of about `half` the width and height."""
    head = shot.portrait.head
    wide, high = half[0] * rng.uniform(0.8, 1.15), half[1] * rng.uniform(0.8, 1.15)
    right, down = wide - np.abs(head.face_u - centre[0]), high - np.abs(head.face_v - centre[1])
    inside = coverage(np.minimum(right, down), rng.uniform(0.025, 0.05))
    return shot.portrait.stage.spread(inside * head.skull)
