"""Face synthesis: a head that comes out of a decoder instead of a camera.

A decoder enlarges a small map by transposed convolutions. Their output phases overlap unequally,
which leaves a checkerboard and copies of the spectrum at half the sampling rate (Odena et al.
2016; Durall et al. 2020), and its grain is enlarged with the rest instead of coming from a sensor.
"""

from collections.abc import Callable

import numpy as np

from bonas.data.synthetic.forged import Forged, blend, draw_strength, mismatch, regrain
from bonas.data.synthetic.raster import Plane, coverage
from bonas.data.synthetic.resampling import apply, gaussian_matrix
from bonas.data.synthetic.shot import Shot

_COARSE, _FINE = 0.08, 0.16  # largest difference in gain of the layers that end at 1/2 and 1/1


def synthesise(shot: Shot, *, rng: np.random.Generator) -> Forged:
    """The head in `shot` as a decoder draws it, hair included."""
    strength = draw_strength(rng=rng)
    stage, face = shot.portrait.stage, shot.face
    across, down = stage.u / (face.width + 0.16), (stage.v + 0.03) / 1.12
    away = 1 - np.sqrt(across * across + down * down)
    region = shot.map(coverage(away, rng.uniform(0.03, 0.12)))
    noise = shot.noise * mismatch(0.4 * strength, rng=rng)
    return blend(shot.frame, _decode(shot.clean, noise, strength, rng=rng), region)


def _decode(clean: Plane, noise: float, strength: float, *, rng: np.random.Generator) -> Plane:
    """`clean` `3 x s x s` as two transposed convolutions and a layer of fine detail draw it."""
    size = clean.shape[-1]
    half, quarter = (size + 1) // 2, (size + 3) // 4
    colour = clean.mean(axis=(1, 2), keepdims=True)
    first = _transposed_convolution(quarter, half, colour, rng=rng)
    second = _transposed_convolution(half, size, colour, rng=rng)
    unevenness = _COARSE * strength, _FINE * strength
    low = apply(gaussian_matrix(size, quarter, 1.5), clean)
    middle = apply(gaussian_matrix(size, half, 0.7), clean)
    uneven_middle = middle + _enlarge(first(unevenness[0]), low) - _enlarge(first(0), low)
    picture = _enlarge(second(unevenness[1]), uneven_middle)
    fine = clean - _enlarge(second(0), middle)
    return regrain(picture + 0.95 * fine, noise, 2 * strength, rng=rng)


def _enlarge(matrices: Plane, image: Plane) -> Plane:
    return matrices @ image @ matrices.transpose(0, 2, 1)


def _transposed_convolution(
    source: int, target: int, colour: Plane, *, rng: np.random.Generator
) -> Callable[[float], Plane]:
    """Unevenness -> `3 x target x source` matrices of stride 2; even and odd rows differ in gain.

    Each output channel has a kernel of its own. Training removes the unevenness that shows, in
    brightness; what remains is a checkerboard of colours about the mean `colour`, `3 x 1 x 1`.
    """
    gain = rng.standard_normal((3, 1, 1)).astype(np.float32)
    gain -= 0.95 * (gain * colour).sum() / colour.sum()
    gain /= float(np.abs(gain).max())
    places = (np.arange(target, dtype=np.float32)[:, None] - 0.5) / 2
    taps = np.maximum(1 - np.abs(places - np.arange(source, dtype=np.float32)), 0)
    matrix = taps / taps.sum(axis=1, keepdims=True)
    sign = np.where(np.arange(target) % 2 == 0, 1, -1).astype(np.float32)[:, None]
    return lambda unevenness: matrix * (1 + unevenness * gain * sign)
