"""Hair behind and on the head, with strands and a band of gloss."""

import numpy as np

from bonas.data.synthetic.face import Face
from bonas.data.synthetic.head import Head, Stage
from bonas.data.synthetic.raster import Plane, coverage, linear
from bonas.data.synthetic.take import Take
from bonas.data.synthetic.texture import SPAN, fractal, look_up

SHOULDER_LENGTH = 0.5  # `Face.hair_length` from which hair hangs below the ears


def strands(face: Face, stage: Stage) -> Plane:
    """Noise `n x n` drawn out along hairs that fall from the parting."""
    rng = np.random.default_rng(face.texture_seed + 1)
    noise = fractal(160, ((12, 0.13), (40, 0.11), (120, 0.09)), rng=rng)
    fan = (stage.u - 0.5 * face.parting) / np.maximum(stage.v + 2.1, 0.5) * 1.2
    fall = (stage.u * stage.u + (stage.v + 1.2) ** 2) * 0.12 - 0.6
    return look_up(noise, np.clip(fan, -SPAN, SPAN), fall)


def hair_light(face: Face, take: Take, stage: Stage, strand: Plane) -> Plane:
    """Light `3 x n x n` that hair sends back wherever there is hair."""
    light, v = take.light, stage.v
    band = (v + 0.78 + 0.1 * strand) * (1 / 0.13)
    gloss = np.exp(-band * band) * (0.3 + 0.25 * strand) * light.strength
    side = stage.u * (light.key[0] * 0.35)
    shade = light.ambient + light.strength * np.clip(0.5 + side - 0.2 * v, 0.1, 1) + gloss
    lit: Plane = linear(face.hair) * (shade * (1 + strand)) + 0.02 * gloss
    return lit


def back_hair(face: Face, take: Take, stage: Stage, strand: Plane) -> Plane:
    """Coverage `n x n` of the hair seen around and below the head."""
    if face.bald:
        return np.zeros_like(stage.u)
    across = np.abs(stage.u + 0.1 * float(np.sin(take.yaw)))
    volume = face.hair_volume * (1 + 0.3 * strand)
    up = (stage.v + 0.04) / (0.98 + volume)
    across_top = across / (face.width + volume)
    top = 1 - np.sqrt(across_top * across_top + up * up)
    if face.hair_length < SHOULDER_LENGTH:
        return coverage(np.minimum(top, 0.05 + 0.15 * strand - stage.v), stage.pixel * 1.6)
    reach = 0.75 + 1.6 * (face.hair_length - SHOULDER_LENGTH) + 0.12 * strand - 0.35 * across
    sides = face.width + volume * (1 + 0.35 * stage.v) - across
    curtain = np.minimum(np.minimum(sides, reach - stage.v), stage.v + 0.05)
    return coverage(np.maximum(top * 0.9, curtain), stage.pixel * 1.6)


def front_hair(face: Face, head: Head, strand: Plane) -> Plane:
    """Coverage `h x w` of the hair on the head: above the hairline and behind the temples."""
    if face.bald:
        return np.zeros_like(head.u)
    side = head.face_u - 0.4 * face.parting
    fringe = face.hairline + 0.9 * side * side + 0.16 * strand
    above = fringe - head.face_v
    low = 0.12 if face.hair_length < SHOULDER_LENGTH else 0.75
    temples = np.minimum(head.backness + 0.16 + 0.08 * strand, np.abs(head.face_u) - 0.4)
    return coverage(np.maximum(above, np.minimum(temples, low - head.face_v)), head.pixel * 2)
