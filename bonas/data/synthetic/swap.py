"""Face swap: the inner face of somebody else, from another camera under another light.

The donor takes the target's pose, not quite: the target's brows and jaw show beside the donor's.
Colours are transferred by mean and deviation, not quite far enough, and a contour remains, across
which sharpness, noise and colour change (Li et al. 2020, Face X-ray).
"""

from dataclasses import replace

import numpy as np

from bonas.data.synthetic.camera import draw_camera
from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import (
    Forged,
    blend,
    cast,
    draw_strength,
    mismatch,
    regrain,
    seam,
)
from bonas.data.synthetic.raster import Plane, bump, coverage
from bonas.data.synthetic.resampling import blur
from bonas.data.synthetic.shot import SUPERSAMPLING, Shot, photograph
from bonas.data.synthetic.take import draw_light


def swap(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The picture of `shot` with a stranger's face."""
    strength = draw_strength(rng=rng)
    donor = _shoot_donor(shot, strength, rng=rng)
    region = shot.map(_inner_face(shot, rng.uniform(0.04, 0.09), rng=rng))
    if rng.random() < 0.6:  # through an autoencoder, which loses noise and fine detail
        grain = shot.noise * mismatch(strength, rng=rng)
        smooth = blur(donor.clean, 0.3 + 0.5 * strength)
        source = regrain(smooth, grain, shot.camera.chroma_noise, rng=rng)
    else:  # cut out of a photograph and sharpened
        source = donor.frame + 0.5 * strength * (donor.frame - blur(donor.frame, 0.8))
    source = _transfer_colour(source, shot.frame, region) + cast(16 * strength, rng=rng)
    ghost = strength * rng.uniform(0.5, 1.0) * shot.map(_brows_and_jaw(shot))
    source = source + ghost * (shot.frame - blur(shot.frame, 2.5))
    source = source + seam(region, 62 * strength)
    return blend(shot.frame, source, region)


def _shoot_donor(shot: Shot, strength: float, *, rng: np.random.Generator) -> Shot:
    size = shot.portrait.light.shape[-1] // SUPERSAMPLING
    right, down = rng.normal(0, 0.045 * strength, 2).tolist()
    take = replace(
        shot.take,
        light=draw_light(rng=rng),
        centre=(shot.take.centre[0] + right, shot.take.centre[1] + down),
        scale=shot.take.scale * float(1 + rng.normal(0, 0.05 * strength)),
    )
    noise = mismatch(strength, rng=rng)
    camera = replace(
        draw_camera(size, rng=rng),
        resolution=shot.camera.resolution,
        read_noise=shot.camera.read_noise * noise,
        shot_noise=shot.camera.shot_noise * noise,
    )
    backdrop = shot.portrait.backdrop  # only the inner face is used
    return photograph(draw_face(rng=rng), take, camera, size, rng=rng, backdrop=backdrop)


def _inner_face(shot: Shot, softness: float, *, rng: np.random.Generator) -> Plane:
    """Coverage `n x n` of brows to chin."""
    head, stage = shot.portrait.head, shot.portrait.stage
    top = EYE_LEVEL - rng.uniform(0.24, 0.34)
    bottom = mouth_level(shot.face) + rng.uniform(0.2, 0.28)
    across = head.face_u * (1 / rng.uniform(0.5, 0.6))
    down = (head.face_v - (top + bottom) / 2) * (2 / (bottom - top))
    power = rng.uniform(2.0, 3.5)
    away = 1 - (np.abs(across) ** power + np.abs(down) ** power) ** (1 / power)
    return stage.spread(coverage(away * 0.6, softness) * head.skull)


def _brows_and_jaw(shot: Shot) -> Plane:
    """Where edges of the target show through, `n x n` in 0..1."""
    head, face = shot.portrait.head, shot.face
    side = np.abs(head.face_u)
    brow = EYE_LEVEL - face.brow_height
    places = bump(side, head.face_v, (face.eye_distance, brow), (0.2, 0.08))
    places += bump(side, head.face_v, (0.35, mouth_level(face) + 0.15), (0.2, 0.12))
    return shot.portrait.stage.spread(np.clip(places, 0, 1))


def _transfer_colour(source: Plane, target: Plane, region: Plane) -> Plane:
    """`source` with the mean and deviation that `target` has in `region`."""
    weight = np.clip(region, 0, 1) / np.clip(region, 0, 1).sum()
    moments = []
    for image in (source, target):
        mean = (image * weight).sum(axis=(1, 2), keepdims=True)
        spread = np.sqrt((weight * (image - mean) ** 2).sum(axis=(1, 2), keepdims=True))
        moments.append((mean, np.maximum(spread, 1)))
    (mean, spread), (wanted_mean, wanted_spread) = moments
    matched: Plane = (source - mean) * np.clip(wanted_spread / spread, 0.5, 2) + wanted_mean
    return matched
