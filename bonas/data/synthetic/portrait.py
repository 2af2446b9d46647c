"""A drawn portrait: the face's relief under the take's light, as the lens receives it."""

from dataclasses import dataclass

import numpy as np

from bonas.data.synthetic.backdrop import draw_backdrop
from bonas.data.synthetic.face import Face
from bonas.data.synthetic.features import (
    EYE_LEVEL,
    mouth_level,
    nose_level,
    paint_beard,
    paint_brows,
    paint_eyes,
    paint_glint,
    paint_mouth,
    paint_nose,
    paint_skin,
)
from bonas.data.synthetic.hair import SHOULDER_LENGTH, back_hair, front_hair, hair_light, strands
from bonas.data.synthetic.head import Head, Stage, place_head, set_stage
from bonas.data.synthetic.raster import Plane, bump, coverage, linear, paint
from bonas.data.synthetic.take import Light, Take


@dataclass(frozen=True, slots=True)
class Portrait:
    """Linear light `3 x n x n` on the lens, and where its parts are."""

    light: Plane
    stage: Stage
    head: Head
    hair: Plane  # coverage `n x n`
    backdrop: Plane  # `3 x n x n`, what the head stands before


def draw_portrait(face: Face, take: Take, size: int, *, backdrop: Plane | None = None) -> Portrait:
    """The portrait of `face` in `take`, `size` x `size` pixels.

    Args:
        face: whom to draw.
        take: how.
        size: pixels a side.
        backdrop: of another portrait of this size, to save drawing that of `take`.
    """
    stage = set_stage(take, size)
    head = place_head(face, take, stage)
    box = (slice(None), *stage.box)
    strand = strands(face, stage)
    locks = hair_light(face, take, stage, strand)
    behind, front = back_hair(face, take, stage, strand), front_hair(face, head, strand[stage.box])

    if backdrop is None:
        backdrop = draw_backdrop(take, stage)
    image = backdrop.copy()
    paint(image, locks * 0.8, behind)
    _paint_neck(image, stage, face, take)
    _paint_ears(image[box], head, face, take)
    skin = _lit_skin(face, take, head, front)
    paint(skin, locks[box], front)
    if face.glasses:
        _paint_glasses(skin, head, face)
    paint(image[box], skin, head.skull)
    image *= _tint(take.light)
    hair = np.where(stage.spread(head.skull) > 0.5, stage.spread(front), behind)
    return Portrait(image, stage, head, hair, backdrop)


def _lit_skin(face: Face, take: Take, head: Head, hair: Plane) -> Plane:
    albedo = paint_skin(head, face)
    paint_nose(albedo, head, face)
    paint_beard(albedo, head, face)
    paint_brows(albedo, head, face)
    paint_eyes(albedo, head, face, take)
    paint_mouth(albedo, head, face, take)
    diffuse, gloss = _shading(head.depth + _relief(head, face), take.light, head.pixel)
    shadow = 1 - 0.45 * np.roll(hair, max(1, int(0.06 / head.pixel)), axis=0)
    lit = albedo * (diffuse * shadow) + 0.1 * take.light.strength * gloss
    paint_glint(lit, head, face, take)
    return lit


def _relief(head: Head, face: Face) -> Plane:
    side, nose_side, v = np.abs(head.face_u), np.abs(head.face_u - 0.1 * head.turn), head.face_v
    nose, mouth, wide = nose_level(face), mouth_level(face), face.nose_width
    relief = 0.075 * bump(nose_side, v, (0, nose - 0.17), (0.055, 0.16))
    relief += 0.1 * bump(nose_side, v, (0, nose), (0.075 * wide, 0.065))
    relief += 0.04 * bump(nose_side, v, (0.085 * wide, nose + 0.02), (0.035, 0.035))
    relief -= 0.065 * bump(side, v, (face.eye_distance - 0.03, EYE_LEVEL), (0.15, 0.085))
    relief += 0.03 * bump(side, v, (face.eye_distance, EYE_LEVEL), (0.09, 0.05))
    relief += 0.025 * bump(side, v, (0.27, EYE_LEVEL - 0.16), (0.2, 0.05))
    relief += 0.05 * bump(side, v, (0.42, 0.18), (0.15, 0.12))
    relief += 0.04 * bump(side, v, (0, mouth), (0.22, 0.13))
    relief += 0.03 * bump(side, v, (0, mouth + 0.05), (0.13, 0.03))
    relief -= 0.025 * bump(side, v, (0, mouth + 0.13), (0.13, 0.035))
    relief += 0.05 * bump(side, v, (0, 0.84), (0.13, 0.09))
    return relief


def _shading(height: Plane, light: Light, pixel: float) -> tuple[Plane, Plane]:
    """Diffuse light and gloss `h x w` on the surface `height`."""
    down, right = np.gradient(height, pixel)
    norm = 1 / np.sqrt(right * right + down * down + 1)
    facing = (light.key[2] - right * light.key[0] - down * light.key[1]) * norm
    wrapped = np.maximum((facing + 0.25) * (1 / 1.25), 0)  # skin scatters light past the edge
    sky = light.ambient * (0.8 + 0.35 * down * norm * -1) * (0.55 + 0.45 * norm)
    x, y, z = light.key[0], light.key[1], light.key[2] + 1  # half-way to the viewer
    unit = (x * x + y * y + z * z) ** -0.5
    mirror = np.maximum((z - right * x - down * y) * (norm * unit), 0)
    squared = mirror * mirror
    return sky + light.strength * wrapped, (squared * squared) ** 4


def _paint_neck(image: Plane, stage: Stage, face: Face, take: Take) -> None:
    first = image.shape[-1] // 2
    u, v = stage.u[first:], stage.v[first:]
    across = (u - 0.06 * float(np.sin(take.yaw))) * (1 / (0.6 * face.width))
    side = np.abs(across)
    flare = np.maximum(v - 1.0, 0) ** 2 * 0.8
    inside = coverage((1 + flare - side) * 0.45, stage.pixel)
    inside = inside * coverage(1.3 - 0.25 * side * side - v, stage.pixel) * (v > 0.2)
    round_ = np.sqrt(np.maximum(1 - 0.8 * across * across, 0.1))
    light = take.light
    shade = light.ambient * 0.6 + light.strength * 0.5 * (round_ + 0.5 * across * light.key[0])
    under_chin = np.clip(0.25 + 2.4 * (v - 0.98), 0.3, 1)
    paint(image[:, first:], linear(face.skin) * (np.maximum(shade, 0.05) * under_chin), inside)


def _paint_ears(image: Plane, head: Head, face: Face, take: Take) -> None:
    if face.hair_length >= SHOULDER_LENGTH and not face.bald:
        return
    centre = face.width * 0.99 + 0.01
    for side in (-1, 1):
        hidden = 0.16 * max(0.0, side * head.turn)  # the far ear goes behind the head
        right = (head.u - side * (centre - hidden)) * (1 / 0.085)
        down = (head.v - 0.02) * (1 / 0.17)
        radius = np.sqrt(right * right + down * down)
        shade = take.light.ambient + take.light.strength * (0.45 + 0.3 * side * take.light.key[0])
        colour = linear(face.skin) * (shade * np.clip(0.55 + 0.5 * radius, 0.5, 1))
        paint(image, colour, coverage((1 - radius) * 0.085, head.pixel))
        if face.earrings:
            drop = bump(head.u, head.v, (side * (centre - hidden + 0.03), 0.22), (0.035, 0.05))
            paint(image, linear((165, 130, 70)), np.clip(1.6 * drop, 0, 1))


def _paint_glasses(image: Plane, head: Head, face: Face) -> None:
    across = np.abs(head.face_u) - face.eye_distance
    down = head.face_v - EYE_LEVEL - 0.02
    radius = (np.abs(across * (1 / 0.2)) ** 3 + np.abs(down * (1 / 0.15)) ** 3) ** (1 / 3)
    rim = coverage(0.014 - np.abs(1 - radius) * 0.17, head.pixel)
    bridge = coverage(0.012 - np.abs(down + 0.05), head.pixel) * (across < -0.19)
    temple = coverage(0.012 - np.abs(down + 0.04), head.pixel) * (across > 0.2)
    frame = np.maximum(np.maximum(rim, bridge), temple)
    paint(image, linear((46, 40, 40)), 0.9 * frame)


def _tint(light: Light) -> Plane:
    gains = 1 + 0.1 * light.warmth, 1, 1 - 0.16 * light.warmth
    return np.array(gains, np.float32).reshape(3, 1, 1)
