"""Skin, eyes, brows, nose, mouth and beard, painted as albedo in coordinates of the face.

Both sides are painted at once in (|face_u|, face_v); only the gaze tells left from right.
"""

import numpy as np

from bonas.data.synthetic.face import Face
from bonas.data.synthetic.head import Head
from bonas.data.synthetic.raster import Plane, bump, coverage, linear, paint
from bonas.data.synthetic.take import Take
from bonas.data.synthetic.texture import fractal, look_up, skin_map

EYE_LEVEL = -0.06


def nose_level(face: Face) -> float:
    """Height of the tip of the nose, in face coordinates."""
    return EYE_LEVEL + face.nose_length


def mouth_level(face: Face) -> float:
    """Height of the line between the lips, in face coordinates."""
    return nose_level(face) + 0.27


def paint_skin(head: Head, face: Face) -> Plane:
    """Albedo `3 x h x w` of bare skin: mottled, freckled, red on cheeks and nose."""
    texture = skin_map(face.freckles, rng=np.random.default_rng(face.texture_seed))
    tone, brown = look_up(texture, head.face_u, head.face_v)
    albedo: Plane = linear(face.skin) * (1 + tone)
    side = np.abs(head.face_u)
    red = bump(side, head.face_v, (0.42, 0.2), (0.16, 0.14)) * (0.35 * face.blush)
    red += bump(side, head.face_v, (0.0, nose_level(face)), (0.09, 0.08)) * (0.3 * face.blush)
    albedo[1] *= 1 - 0.55 * red
    albedo[2] *= 1 - 0.5 * red
    paint(albedo, linear(face.skin) * linear((205, 165, 140)), 0.8 * brown)
    return albedo


def paint_eyes(albedo: Plane, head: Head, face: Face, take: Take) -> None:
    """Eyeball, iris, pupil, lids and lashes."""
    rows, head = head.band(EYE_LEVEL - 0.22, EYE_LEVEL + 0.2)
    albedo = albedo[:, rows]
    across = (np.abs(head.face_u) - face.eye_distance) * (1 / face.eye_width)
    down = head.face_v - EYE_LEVEL + face.eye_tilt * 0.12 * across
    arc = np.maximum(1 - across * across, 0)
    upper = face.eye_height * take.eyes_open * np.sqrt(arc) * (0.55 + 0.45 * arc)
    lower = 0.62 * face.eye_height * arc
    paint(albedo, linear(face.skin) * 0.55, 0.5 * bump(across, down, (0, -0.1), (0.9, 0.035)))
    paint(albedo, linear(face.skin) * 0.6, 0.35 * bump(across, down, (0, 0.1), (0.7, 0.035)))
    opening = coverage(np.minimum(down + upper, lower - down), head.pixel) * (arc > 0)
    white = linear((232, 226, 222)) * np.clip(0.62 + 6 * (down + upper), 0.5, 1)
    paint(albedo, white, opening)
    _paint_iris(albedo, head, face, take, opening)
    rim = np.abs(down + upper) - 0.012 - 0.012 * np.maximum(across, 0)
    lid = coverage(-rim, head.pixel) * (np.abs(across) < 1.06)
    paint(albedo, linear((30, 20, 18)), 0.85 * lid)
    lash = coverage(0.008 - np.abs(down - lower), head.pixel) * (arc > 0)
    paint(albedo, linear(face.skin) * 0.4, 0.5 * lash)


def _paint_iris(albedo: Plane, head: Head, face: Face, take: Take, opening: Plane) -> None:
    side = np.where(head.face_u < 0, -1, 1).astype(np.float32)
    right = head.face_u - side * face.eye_distance - take.gaze[0] * 0.14
    down = head.face_v - EYE_LEVEL + 0.008 - take.gaze[1] * 0.08
    radius = np.sqrt(right * right + down * down)
    rim = coverage(radius - 0.058, head.pixel)
    ring = np.clip(1.25 + 5 * radius - 0.9 * rim, 0.3, 2)  # pale inside, dark rim
    colour = linear(face.iris) * ring
    paint(albedo, colour, opening * coverage(0.07 - radius, head.pixel))
    paint(albedo, linear((12, 10, 10)), opening * coverage(0.03 - radius, head.pixel))


def paint_glint(light: Plane, head: Head, face: Face, take: Take) -> None:
    """The key light's reflection in both eyes, on the lit face."""
    rows, head = head.band(EYE_LEVEL - 0.12, EYE_LEVEL + 0.1)
    side = np.where(head.face_u < 0, -1, 1).astype(np.float32)
    right = head.face_u - side * face.eye_distance - take.gaze[0] * 0.14 - 0.04 * take.light.key[0]
    down = head.face_v - EYE_LEVEL + 0.03 - 0.015 * take.light.key[1]
    alpha = coverage(0.016 - np.sqrt(right * right + down * down), head.pixel)
    light[:, rows] += 0.9 * alpha


def paint_brows(albedo: Plane, head: Head, face: Face) -> None:
    """Eyebrows: arcs that thin out towards the temples."""
    rows, head = head.band(EYE_LEVEL - 0.4, EYE_LEVEL)
    across = (np.abs(head.face_u) - face.eye_distance - 0.01) * (1 / 0.2)
    level = EYE_LEVEL - face.brow_height - 0.035 * (1 - (across - 0.3) ** 2)
    weight = face.brow_weight * np.clip(1.05 - 0.55 * across, 0.2, 1.2)
    alpha = coverage(weight - np.abs(head.face_v - level), head.pixel * 2.5)
    alpha = alpha * coverage(1.0 - np.abs(across), 0.15)
    paint(albedo[:, rows], linear(face.hair) * 0.75, 0.8 * alpha)


def paint_nose(albedo: Plane, head: Head, face: Face) -> None:
    """Nostrils and the folds beside them; the form of the nose comes from the relief."""
    level = nose_level(face)
    rows, head = head.band(level - 0.15, level + 0.2)
    side = np.abs(head.face_u - 0.1 * head.turn)
    wide = face.nose_width
    nostril = bump(side, head.face_v, (0.05 * wide, level + 0.062), (0.026 * wide, 0.014))
    fold = bump(side, head.face_v, (0.118 * wide, level + 0.02), (0.014, 0.04))
    under = bump(side, head.face_v, (0.0, level + 0.085), (0.1 * wide, 0.03))
    dark = linear(face.skin) * linear((150, 95, 85))
    paint(albedo[:, rows], dark, np.clip(1.1 * nostril + 0.4 * fold + 0.35 * under, 0, 1))


def paint_mouth(albedo: Plane, head: Head, face: Face, take: Take) -> None:
    """Lips, the line between them, and teeth where the mouth is open."""
    rows, head = head.band(mouth_level(face) - 0.2, mouth_level(face) + 0.25)
    albedo = albedo[:, rows]
    across = head.face_u * (1 / (face.mouth_width * (1 + 0.15 * take.smile)))
    square = across * across
    arc = np.maximum(1 - square, 0)
    down = head.face_v - mouth_level(face) + 0.05 * take.smile * (square - 0.3)
    gap = 0.055 * take.mouth_open * arc
    upper = gap + face.lip_height * 0.95 * (1 - 0.3 * np.exp(-square * 40)) * arc**0.8
    lower = gap + face.lip_height * 1.25 * arc
    lips = coverage(np.minimum(down + upper, lower - down), head.pixel * 1.3) * (arc > 0)
    paint(albedo, _lip_colour(face) * (1.05 - 0.23 * (down < 0).astype(np.float32)), 0.9 * lips)
    paint(albedo, linear((52, 18, 18)), coverage(gap - np.abs(down), head.pixel) * (gap > 0.004))
    teeth = coverage(gap * 0.35 - np.abs(down + gap * 0.5), head.pixel) * (arc > 0.12)
    paint(albedo, linear((226, 220, 208)), teeth * (gap > 0.012))
    line = coverage(0.009 - np.abs(down), head.pixel) * (arc > 0) * (gap < 0.012)
    paint(albedo, linear((70, 30, 28)), 0.75 * line)
    corner = bump(np.abs(across), down, (1.0, 0.0), (0.07, 0.02))
    paint(albedo, linear(face.skin) * 0.4, 0.6 * corner)


def _lip_colour(face: Face) -> Plane:
    red = linear((196 - 20 * face.lips, 110 - 46 * face.lips, 104 - 34 * face.lips))
    skin = linear(face.skin)
    lips: Plane = red * (0.35 + 0.65 * skin) ** 0.9 + 0.25 * skin
    return lips


def paint_beard(albedo: Plane, head: Head, face: Face) -> None:
    """Stubble to full beard on jaw, chin and upper lip."""
    if face.beard == 0:
        return
    mouth = mouth_level(face)
    rows, head = head.band(mouth - 0.35, 2.0)
    hairs = fractal(144, ((48, 0.15), (144, 0.3)), rng=np.random.default_rng(face.texture_seed))
    side = np.abs(head.face_u)
    jaw = coverage(head.face_v - 0.76 + 0.72 * side, 0.12)
    lips = bump(side, head.face_v, (0, mouth + 0.01), (face.mouth_width * 0.75, 0.065))
    moustache = bump(side, head.face_v, (0.1, mouth - 0.1), (0.13, 0.03))
    alpha = np.clip(np.maximum(jaw, moustache) - 1.3 * lips, 0, 1) * (0.3 + 0.7 * face.beard)
    dense = np.clip(alpha * (0.8 + look_up(hairs, head.face_u, head.face_v)), 0, 0.92)
    paint(albedo[:, rows], linear(face.hair) * 0.6 + linear(face.skin) * 0.1, dense)
