"""What a forger hands on, and the two steps that most forgeries end with: grain and blending."""

from dataclasses import dataclass

import numpy as np

from bonas.data.synthetic.raster import Plane
from bonas.data.synthetic.resampling import blur


@dataclass(frozen=True, slots=True)
class Forged:
    """A manipulated picture `3 x s x s` in 0..255 and where, `s x s` in 0..1."""

    image: Plane
    region: Plane


def draw_strength(*, rng: np.random.Generator) -> float:
    """How plain the traces of one forgery are, 0.45 (careful) to 1 (careless)."""
    return rng.uniform(0.45, 1.0)


def mismatch(strength: float, *, rng: np.random.Generator) -> float:
    """Factor on noise or detail, above and below 1 equally often.

    One-sided, a forgery would always lower (or raise) the energy of high frequencies, and a
    picture's spectrum alone would tell; a network has to compare regions instead.
    """
    return float(np.exp(rng.choice((-1.0, 1.0)) * strength * rng.uniform(0.5, 1.0)))


def regrain(image: Plane, grey: float, colour: float, *, rng: np.random.Generator) -> Plane:
    """`image` with the grain of a generator, of standard deviations `grey` and `colour`.

    No camera has smoothed its colour: it speckles, while a sensor's noise is nearly grey.
    """
    size = image.shape[-1]
    shared = rng.standard_normal((size, size), dtype=np.float32)
    speckle = blur(rng.standard_normal((3, size, size), dtype=np.float32), 0.6)
    speckle -= speckle.mean(axis=0)
    grain: Plane = grey * shared + speckle * (colour / float(np.std(speckle)))
    return image + grain


def blend(target: Plane, source: Plane, region: Plane) -> Forged:
    """`source` over `target` where `region`."""
    alpha = np.clip(region, 0, 1)
    return Forged(target + alpha * (source - target), alpha)
