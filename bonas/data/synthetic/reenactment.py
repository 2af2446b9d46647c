"""Re-enactment: the person's own face, moved to another expression by a flow.

The flow moves one mouth corner, one eye or the jaw further than skin can follow (Thies et al.
2016): one side of the face no longer mirrors the other, texture is squeezed or drawn out until
dark cracks open in it, and of the old mouth and eyes a ghost remains.
"""

import numpy as np

from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import Forged, blend, draw_strength, either_sign, regrain
from bonas.data.synthetic.raster import Plane, bump
from bonas.data.synthetic.resampling import blur, warp
from bonas.data.synthetic.shot import Shot

_CRACK = np.array([0.4, 0.68, 0.62], np.float32).reshape(3, 1, 1)  # darkness: flesh, not ink


def reenact(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The picture of `shot` with another expression."""
    strength = draw_strength(rng=rng)
    right, down = _flow(shot, strength, rng=rng)
    moved = np.sqrt(right * right + down * down)
    region = np.clip(blur(moved, 1.0) * 1.5 - 0.15, 0, 1)
    ghost = 0.5 * strength * rng.uniform(0, 1)  # of the old expression, shining through
    source = (1 - ghost) * warp(shot.frame, right, down) + ghost * shot.frame
    source = source - source * (strength * _CRACK) * _cracks(right, down, rng=rng)
    grain = 0.4 * max(0.0, 1 - strength) * shot.noise
    return blend(shot.frame, regrain(source, grain, shot.camera.chroma_noise, rng=rng), region)


def _cracks(right: Plane, down: Plane, *, rng: np.random.Generator) -> Plane:
    """Dark gaps `s x s` in 0..1, where texture was drawn out: a mesh has no points to fill them."""
    stretch = np.maximum(-np.gradient(right, axis=1), 0), np.maximum(-np.gradient(down, axis=0), 0)
    rows, columns = np.indices(right.shape, dtype=np.float32)
    spacing = rng.uniform(3.5, 6.0)
    phases = rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
    gaps = np.zeros_like(right)
    for place, drawn_out, phase in zip((columns, rows), stretch, phases, strict=True):
        line = np.maximum(np.cos(place * (2 * np.pi / spacing) + phase), 0) ** 2
        gaps += line * np.clip(2 * drawn_out - 0.3, 0, 1)
    return np.clip(gaps, 0, 1)


def _flow(shot: Shot, strength: float, *, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Where each pixel comes from, relative to itself, in camera pixels: two planes `s x s`."""
    head, stage, face = shot.portrait.head, shot.portrait.stage, shot.face
    mouth, side = mouth_level(face), float(rng.choice((-1.0, 1.0)))
    u, v = head.face_u, head.face_v
    right, down = np.zeros_like(u), np.zeros_like(u)
    places = (
        ((side * face.mouth_width, mouth), (0.15, 0.12)),
        ((-0.3 * side * face.mouth_width, mouth + 0.14), (0.2, 0.11)),
        ((side * face.eye_distance, EYE_LEVEL), (0.16, 0.12)),
        ((-side * face.eye_distance, EYE_LEVEL - 0.12), (0.18, 0.11)),
    )
    for number, (centre, (wide, high)) in enumerate(places):
        if number and rng.random() < 0.25:  # a mouth corner moves in any case
            continue
        bulge = bump(u, v, centre, (wide, high))
        # The slope of a bump of height 1.65 times its width is 1: there one row fills the space.
        right += bulge * (either_sign(1.3 * strength, rng=rng) * wide)
        down += bulge * (either_sign(1.9 * strength, rng=rng) * high)
    jaw = bump(u, v, (0, mouth + 0.12), (0.3, 0.24)) * (0.5 + 0.5 * np.tanh((v - mouth) * 25))
    down -= 0.1 * strength * rng.uniform(0, 1) * jaw  # lips part
    unit = shot.camera.resolution / 2 * shot.take.scale  # camera pixels in half a head height
    skull = (head.skull * unit).astype(np.float32)
    return shot.map(stage.spread(right * skull)), shot.map(stage.spread(down * skull))
