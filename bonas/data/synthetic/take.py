"""The passing circumstances of one portrait: pose, expression, light and backdrop."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Light:
    """A key light over an even one."""

    key: tuple[float, float, float]  # unit vector to the light: right, down, towards the viewer
    strength: float
    ambient: float
    warmth: float  # -1 is blue, 1 is yellow


@dataclass(frozen=True, slots=True)
class Take:
    """One sitting. Angles in radians, positions in half picture sizes."""

    yaw: float
    pitch: float
    roll: float
    scale: float  # half head height in half picture sizes
    centre: tuple[float, float]
    smile: float  # -1..1
    mouth_open: float  # 0..1
    eyes_open: float  # 0..1
    gaze: tuple[float, float]
    light: Light
    backdrop_seed: int


def draw_take(*, rng: np.random.Generator) -> Take:
    """A random sitting."""
    return Take(
        yaw=float(np.clip(rng.normal(0, 0.24), -0.55, 0.55)),
        pitch=float(np.clip(rng.normal(0, 0.1), -0.22, 0.22)),
        roll=float(np.clip(rng.normal(0, 0.08), -0.22, 0.22)),
        scale=rng.uniform(0.82, 0.94),
        centre=(rng.uniform(-0.05, 0.05), rng.uniform(-0.05, 0.03)),
        smile=rng.uniform(-0.35, 1.0),
        mouth_open=max(0.0, rng.uniform(-1.0, 1.0)),
        eyes_open=rng.uniform(0.75, 1.05),
        gaze=(rng.uniform(-0.35, 0.35), rng.uniform(-0.2, 0.2)),
        light=draw_light(rng=rng),
        backdrop_seed=int(rng.integers(2**31)),
    )


def draw_light(*, rng: np.random.Generator) -> Light:
    """A random key light from above and the sides, never from behind."""
    towards = np.array([rng.uniform(-0.9, 0.9), rng.uniform(-0.9, 0.15), rng.uniform(0.6, 1.1)])
    right, down, front = (towards / np.linalg.norm(towards)).tolist()
    return Light(
        key=(right, down, front),
        strength=rng.uniform(0.5, 0.95),
        ambient=rng.uniform(0.22, 0.5),
        warmth=rng.uniform(-0.7, 1.0),
    )
