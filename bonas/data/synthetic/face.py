"""The lasting features of a person: what two portraits of the same identity share."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

# Display colours (0..255), from light to dark; a face lies anywhere between two neighbours.
_SKINS: tuple[Colour, ...] = (
    (244, 212, 192),
    (232, 188, 158),
    (212, 160, 124),
    (176, 122, 86),
    (132, 86, 60),
    (92, 60, 44),
)
_HAIRS: tuple[Colour, ...] = (
    (34, 28, 28),
    (58, 40, 32),
    (96, 64, 42),
    (136, 96, 58),
    (196, 160, 106),
    (150, 70, 36),
    (150, 146, 142),
)
_IRISES: tuple[Colour, ...] = (
    (70, 44, 28),
    (96, 62, 36),
    (104, 96, 52),
    (84, 120, 132),
    (92, 128, 96),
)


@dataclass(frozen=True, slots=True)
class Face:
    """One person. Lengths are in half head heights, colours are display values in 0..255."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: float  # 0..1, how red
    freckles: float  # 0..1
    blush: float  # 0..1
    width: float
    squareness: float  # exponent of the superellipse
    jaw: float  # how much the head narrows towards the chin
    eye_distance: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    brow_height: float
    brow_weight: float
    nose_length: float
    nose_width: float
    mouth_width: float
    lip_height: float
    hairline: float
    parting: float
    hair_volume: float
    hair_length: float  # 0 is short, above 0.5 reaches the shoulders
    bald: bool
    beard: float  # 0..1
    glasses: bool
    earrings: bool
    texture_seed: int


def draw_face(*, rng: np.random.Generator) -> Face:
    """A random person."""
    skin = _between(_SKINS, rng.uniform(0, len(_SKINS) - 1))
    hair_length = rng.uniform(0, 1)
    return Face(
        skin=skin,
        hair=_hair_for(skin, rng=rng),
        iris=_IRISES[0] if skin[0] < 195 else _IRISES[rng.integers(len(_IRISES))],
        lips=rng.uniform(0.15, 0.9),
        freckles=rng.uniform(0, 1) ** 3,
        blush=rng.uniform(0.1, 0.9),
        width=rng.uniform(0.70, 0.80),
        squareness=rng.uniform(2.0, 2.5),
        jaw=rng.uniform(0.02, 0.22),
        eye_distance=rng.uniform(0.29, 0.34),
        eye_width=rng.uniform(0.135, 0.165),
        eye_height=rng.uniform(0.055, 0.082),
        eye_tilt=rng.uniform(-0.12, 0.18),
        brow_height=rng.uniform(0.14, 0.2),
        brow_weight=rng.uniform(0.022, 0.045),
        nose_length=rng.uniform(0.26, 0.36),
        nose_width=rng.uniform(0.8, 1.3),
        mouth_width=rng.uniform(0.2, 0.29),
        lip_height=rng.uniform(0.035, 0.075),
        hairline=rng.uniform(-0.72, -0.5),
        parting=rng.uniform(-0.4, 0.4),
        hair_volume=rng.uniform(0.06, 0.2),
        hair_length=hair_length,
        bald=bool(rng.random() < 0.08),
        beard=max(0.0, rng.uniform(-1.4, 1)) if hair_length < 0.5 else 0.0,
        glasses=bool(rng.random() < 0.15),
        earrings=bool(rng.random() < 0.3),
        texture_seed=int(rng.integers(2**31)),
    )


def draw_hair_colour(*, rng: np.random.Generator) -> Colour:
    """A random colour of hair."""
    return _between(_HAIRS, rng.uniform(0, len(_HAIRS) - 1))


def draw_iris(*, rng: np.random.Generator) -> Colour:
    """A random colour of the iris."""
    return _IRISES[rng.integers(len(_IRISES))]


def _hair_for(skin: Colour, *, rng: np.random.Generator) -> Colour:
    if skin[0] < 170 and rng.random() < 0.85:  # dark skin mostly goes with dark hair
        return _between(_HAIRS[:2], rng.uniform(0, 1))
    return draw_hair_colour(rng=rng)


def _between(palette: tuple[Colour, ...], position: float) -> Colour:
    first = min(int(position), len(palette) - 2)
    share = position - first
    low, high = palette[first], palette[first + 1]
    return (
        low[0] + share * (high[0] - low[0]),
        low[1] + share * (high[1] - low[1]),
        low[2] + share * (high[2] - low[2]),
    )
