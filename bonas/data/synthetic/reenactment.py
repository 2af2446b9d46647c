"""Re-enactment: the person's own face, moved to another expression by a flow.

The flow is smooth but for a crease between the lips, where the jaw parts from the rest (Thies et
al. 2016). Texture is stretched and squeezed, and interpolation flattens the sensor's noise.
"""

import numpy as np
from scipy.ndimage import map_coordinates

from bonas.data.synthetic.features import EYE_LEVEL, mouth_level
from bonas.data.synthetic.forged import Forged, blend, draw_strength, mismatch, regrain
from bonas.data.synthetic.raster import Plane, bump
from bonas.data.synthetic.resampling import blur
from bonas.data.synthetic.shot import Shot


def reenact(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The picture of `shot` with another expression."""
    strength = draw_strength(rng=rng)
    right, down = _flow(shot, strength, rng=rng)
    moved = np.sqrt(right * right + down * down)
    region = np.clip(blur(moved, 1.0) * 1.5 - 0.15, 0, 1)
    # The texture is learnt from many frames, whose noise averages out.
    clean = shot.clean
    average = clean + (1 - 0.8 * strength) * (shot.frame - clean)
    # The generator's grain sticks to the texture and is stretched with it.
    texture = regrain(average, 0.5 * shot.noise, 12 * strength, rng=rng)
    ghost = 0.4 * strength * rng.uniform(0, 1)  # of the old expression, shining through
    source = (1 - ghost) * _warp(texture, right, down) + ghost * shot.frame
    added = 0.6 * shot.noise * mismatch(strength, rng=rng)
    return blend(shot.frame, regrain(source, added, 2 * strength, rng=rng), region)


def _flow(shot: Shot, strength: float, *, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Where each pixel comes from, relative to itself, in camera pixels: two planes `s x s`."""
    head, stage = shot.portrait.head, shot.portrait.stage
    mouth = mouth_level(shot.face)
    u, v = head.face_u, head.face_v
    jaw = bump(u, v, (0, mouth + 0.12), (0.3, 0.24))
    crease = np.tanh((v - mouth) * 25)  # lips part, or are pressed together
    brows = bump(np.abs(u), v, (0.32, EYE_LEVEL - 0.12), (0.22, 0.14))
    cheeks = bump(np.abs(u), v, (0.28, mouth - 0.05), (0.16, 0.16)) * np.sign(u)
    turn = bump(u, v, (0, 0.15), (0.38, 0.42))
    reach = (0.5 + strength) * rng.uniform(0.7, 1.2, 4) * rng.choice((-1.0, 1.0), 4)
    reach = reach.astype(np.float32)
    down = 0.09 * reach[0] * jaw * (0.6 + 0.6 * crease) + 0.1 * reach[1] * brows
    right = 0.1 * reach[2] * cheeks + 0.11 * reach[3] * turn
    unit = shot.camera.resolution / 2 * shot.take.scale  # camera pixels in half a head height
    skull = head.skull * unit
    return shot.map(stage.spread(right * skull)), shot.map(stage.spread(down * skull))


def _warp(image: Plane, right: Plane, down: Plane) -> Plane:
    rows, columns = np.indices(right.shape, dtype=np.float32)
    places = [rows + down, columns + right]
    planes = [map_coordinates(plane, places, order=1, mode="nearest") for plane in image]
    warped: Plane = np.stack(planes)
    return warped
