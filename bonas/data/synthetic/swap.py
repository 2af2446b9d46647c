"""Face swap: the inner face of somebody else, from another camera under another light.

The donor takes the target's pose; colours are transferred by mean and deviation, not quite far
enough; the seam is soft. Noise, sharpness and light do not match (Li et al. 2020, Face X-ray).
"""

from dataclasses import replace

import numpy as np

from bonas.data.synthetic.camera import draw_camera
from bonas.data.synthetic.face import draw_face
from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import Forged, blend, draw_strength, mismatch, regrain
from bonas.data.synthetic.raster import Plane, coverage
from bonas.data.synthetic.resampling import blur
from bonas.data.synthetic.shot import SUPERSAMPLING, Shot, photograph
from bonas.data.synthetic.take import draw_light


def swap(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The picture of `shot` with a stranger's face."""
    strength = draw_strength(rng=rng)
    donor = _shoot_donor(shot, strength, rng=rng)
    region = shot.map(_inner_face(shot, rng.uniform(0.03, 0.1)))
    if rng.random() < 0.75:  # through an autoencoder, which loses noise and fine detail
        grain = shot.noise * mismatch(strength, rng=rng)
        source = regrain(blur(donor.clean, 0.4 + 0.6 * strength), grain, 10 * strength, rng=rng)
    else:  # cut out of a photograph and sharpened
        source = donor.frame + 0.9 * strength * (donor.frame - blur(donor.frame, 0.8))
    source = _transfer_colour(source, shot.frame, region, 1 - strength)
    rim = 4 * region * (1 - region)  # feathering leaves a rim, brighter or darker than both sides
    source = source + rim * (45 * strength * rng.uniform(-1, 1))
    return blend(shot.frame, source, region)


def _shoot_donor(shot: Shot, strength: float, *, rng: np.random.Generator) -> Shot:
    size = shot.portrait.light.shape[-1] // SUPERSAMPLING
    slip = rng.normal(0, 0.012, 2)
    centre = (shot.take.centre[0] + float(slip[0]), shot.take.centre[1] + float(slip[1]))
    take = replace(shot.take, light=draw_light(rng=rng), centre=centre)
    noise = mismatch(strength, rng=rng)
    camera = replace(
        draw_camera(size, rng=rng),
        resolution=shot.camera.resolution,
        read_noise=shot.camera.read_noise * noise,
        shot_noise=shot.camera.shot_noise * noise,
    )
    return photograph(draw_face(rng=rng), take, camera, size, rng=rng)


def _inner_face(shot: Shot, softness: float) -> Plane:
    """Coverage `n x n` of brows to chin."""
    head, stage = shot.portrait.head, shot.portrait.stage
    top, bottom = EYE_LEVEL - 0.3, mouth_level(shot.face) + 0.26
    across = head.face_u * (1 / 0.6)
    down = (head.face_v - (top + bottom) / 2) * (2 / (bottom - top))
    away = 1 - (np.abs(across) ** 2.5 + np.abs(down) ** 2.5) ** 0.4
    return stage.spread(coverage(away * 0.6, softness) * head.skull)


def _transfer_colour(source: Plane, target: Plane, region: Plane, share: float) -> Plane:
    """`source` moved by `share` of the way to the mean and deviation of `target` in `region`."""
    weight = np.clip(region, 0, 1) / np.clip(region, 0, 1).sum()
    moments = []
    for image in (source, target):
        mean = (image * weight).sum(axis=(1, 2), keepdims=True)
        spread = np.sqrt((weight * (image - mean) ** 2).sum(axis=(1, 2), keepdims=True))
        moments.append((mean, np.maximum(spread, 1)))
    (mean, spread), (wanted_mean, wanted_spread) = moments
    matched: Plane = (source - mean) * np.clip(wanted_spread / spread, 0.5, 2) + wanted_mean
    return matched + (1 - share) * 1.0 * (source - matched)
