"""Boxes around faces: which face of a video is meant, and what is cut out around it.

One face of a video is cut: the one whose boxes, summed over the frames, cover most. So a large
face that is seen throughout is preferred to a larger false alarm in one frame. A frame in which
it is not found, behind a hand or after a change of scene, has no box.

All squares of one video have the same size, from the median of its boxes, and where the face stays
within one square all of them are that square: boxes tremble from frame to frame, and crops that
tremble with them would hide or feign the flicker of forgeries.

Pixels are counted from the left upper edge of the picture, x to the right and y down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

SAME = 0.2
"""Least overlap of the boxes of one face in the next frame: frames lie parts of a second apart."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of a picture, which it may leave."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """x and y."""
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face in a picture.

    Attributes:
        box: Around it.
        landmarks: x and y of points in it, in the detector's order; empty without.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...] = ()


def overlap(first: Box, second: Box) -> float:
    """Intersection over union, in [0, 1]."""
    width = min(first.left + first.width, second.left + second.width)
    height = min(first.top + first.height, second.top + second.height)
    shared = max(0.0, width - max(first.left, second.left))
    shared *= max(0.0, height - max(first.top, second.top))
    union = first.area + second.area - shared
    return shared / union if union > 0 else 0.0


def main_face(found: Sequence[Sequence[FoundFace]]) -> list[FoundFace | None]:
    """The face of each frame that belongs to the face whose boxes cover most in all.

    Boxes of following frames belong together by their overlap, the greatest first; one that
    overlaps no earlier face begins another.
    """
    tracks: list[dict[int, FoundFace]] = []
    for frame, faces in enumerate(found):
        last = [track[max(track)] for track in tracks]
        pairs = sorted(
            product(range(len(last)), range(len(faces))),
            key=lambda pair: -overlap(last[pair[0]].box, faces[pair[1]].box),
        )
        free = set(range(len(faces)))
        for track, face in pairs:
            known = frame in tracks[track] or face not in free
            if not known and overlap(last[track].box, faces[face].box) >= SAME:
                tracks[track][frame] = faces[face]
                free.remove(face)
        tracks += [{frame: faces[face]} for face in sorted(free)]
    best = max(tracks, key=lambda track: sum(f.box.area for f in track.values()), default={})
    return [best.get(frame) for frame in range(len(found))]


def squares(
    faces: Sequence[FoundFace | None], sizes: Sequence[tuple[int, int]], enlarge: float
) -> list[Box | None]:
    """The whole-numbered square that is cut out of each frame; `None` where there is no face.

    A square that would leave the picture is moved inside, and made smaller where it does not fit:
    nothing is padded, since the border would be a sign of where the face was.

    Args:
        faces: Of one video, a face or none per frame.
        sizes: Width and height of each frame.
        enlarge: Edge of the square over the longer edge of the face's box.
    """
    boxes = [face.box for face in faces if face is not None]
    if not boxes:
        return [None] * len(faces)
    edge = enlarge * median(max(box.width, box.height) for box in boxes)
    x, y = (median(box.centre[axis] for box in boxes) for axis in (0, 1))
    steady = all(_within(box, Box(x - edge / 2, y - edge / 2, edge, edge)) for box in boxes)
    return [
        None if face is None else _fitted((x, y) if steady else face.box.centre, edge, size)
        for face, size in zip(faces, sizes, strict=True)
    ]


def _within(box: Box, place: Box) -> bool:
    return (
        box.left >= place.left
        and box.top >= place.top
        and box.left + box.width <= place.left + place.width
        and box.top + box.height <= place.top + place.height
    )


def _fitted(centre: tuple[float, float], edge: float, size: tuple[int, int]) -> Box:
    side = max(1, min(round(edge), *size))
    left, top = (
        min(max(0, round(middle - side / 2)), length - side)
        for middle, length in zip(centre, size, strict=True)
    )
    return Box(left, top, side, side)
