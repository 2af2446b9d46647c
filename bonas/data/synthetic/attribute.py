"""Attribute change: hair, eyes, mouth or skin repainted by a generator, the rest left alone.

Inside the edit the picture is as smooth as an inpainted one, its noise is not the sensor's, and
the JPEG history of the frame is gone.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bonas.data.synthetic.face import Face, draw_face, draw_hair_colour, draw_iris
from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import Forged, blend, draw_strength, mismatch, regrain
from bonas.data.synthetic.raster import Plane, bump, coverage
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
    smooth = blur(redraw(shot, face), 0.5 + 0.8 * strength * rng.uniform(0.5, 1))
    grain = shot.noise * mismatch(0.8 * strength, rng=rng)
    cast = rng.standard_normal((3, 1, 1)).astype(np.float32)  # a generator's colours are its own
    smooth = smooth + 20 * strength * (cast - cast.mean())
    return blend(shot.frame, regrain(smooth, grain, 15 * strength, rng=rng), region)


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
    head = shot.portrait.head
    away = 1 - bump(head.face_u, head.face_v, (0, EYE_LEVEL - 0.05), (0.42, 0.19))
    return face, shot.portrait.stage.spread(coverage(0.55 - away, 0.12) * head.skull)


def _mouth(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    other = draw_face(rng=rng)
    beard = 0.0 if shot.face.beard else rng.uniform(0.2, 0.8)
    face = replace(shot.face, lips=other.lips, lip_height=other.lip_height, beard=beard)
    head = shot.portrait.head
    away = 1 - bump(head.face_u, head.face_v, (0, mouth_level(shot.face) + 0.05), (0.38, 0.27))
    return face, shot.portrait.stage.spread(coverage(0.55 - away, 0.12) * head.skull)


def _skin(shot: Shot, rng: np.random.Generator) -> tuple[Face, Plane]:
    other = draw_face(rng=rng)
    face = replace(
        shot.face,
        freckles=other.freckles if shot.face.freckles < 0.2 else 0.0,
        blush=other.blush,
        texture_seed=other.texture_seed,
    )
    head = shot.portrait.head
    away = 1 - bump(head.face_u, head.face_v, (0, 0.15), (0.52, 0.62))
    return face, shot.portrait.stage.spread(coverage(0.5 - away, 0.15) * head.skull)
