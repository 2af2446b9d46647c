"""What a forger hands on, and the steps that several forgeries share: grain, seam and blending."""

from dataclasses import dataclass

import numpy as np

from bonas.data.synthetic.raster import Plane


@dataclass(frozen=True, slots=True)
class Forged:
    """A manipulated picture `3 x s x s` in 0..255 and where, `s x s` in 0..1."""

    image: Plane
    region: Plane


def draw_strength(*, rng: np.random.Generator) -> float:
    """How plain the traces of one forgery are, 0.35 (careful) to 1.25 (careless)."""
    return rng.uniform(0.35, 1.25)


def mismatch(strength: float, *, rng: np.random.Generator) -> float:
    """Factor on noise or detail, above and below 1 equally often.

    One-sided, a forgery would always lower (or raise) the energy of high frequencies, and a
    picture's spectrum alone would tell; a network has to compare regions instead.
    """
    return float(np.exp(rng.choice((-1.0, 1.0)) * strength * rng.uniform(0.5, 1.0)))


def either_sign(largest: float, *, rng: np.random.Generator) -> float:
    """A number of half to the whole of `largest`, positive or negative."""
    return float(rng.choice((-1.0, 1.0)) * largest * rng.uniform(0.5, 1.0))


def cast(strength: float, *, rng: np.random.Generator) -> Plane:
    """An offset `3 x 1 x 1` of colour, brighter or darker: what colour transfer left over."""
    shift = either_sign(strength, rng=rng) + 0.5 * strength * rng.standard_normal((3, 1, 1))
    return shift.astype(np.float32)


def regrain(image: Plane, level: float, colour: float, *, rng: np.random.Generator) -> Plane:
    """`image` with new grain of standard deviation `level`; `colour` as `Camera.chroma_noise`."""
    size = image.shape[-1]
    grain = rng.standard_normal((size, size), dtype=np.float32)
    own = rng.standard_normal((3, size, size), dtype=np.float32)
    share = min(colour, 1.0)
    grained: Plane = image + level * (np.sqrt(1 - 0.5 * share) * grain + 0.5 * share * own)
    return grained


_PALE = np.array([0.6, 1.0, 1.1], np.float32).reshape(3, 1, 1)  # washes out the red of skin


def seam(region: Plane, height: float) -> Plane:
    """A pale line of `height` along the contour of `region`, `3 x s x s`.

    Where two faces are feathered into each other, neither one's texture and blood show fully.
    """
    alpha = np.clip(region, 0, 1)
    line: Plane = 4 * alpha * (1 - alpha) * height * _PALE
    return line


def blend(target: Plane, source: Plane, region: Plane) -> Forged:
    """`source` over `target` where `region`."""
    alpha = np.clip(region, 0, 1)
    return Forged(target + alpha * (source - target), alpha)
