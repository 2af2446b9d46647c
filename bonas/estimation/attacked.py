"""Which images are attacked where attacking all would take too long."""

import numpy as np

from bonas.data.faces import Faces

ENOUGH = 2
"""Originals of each class below which an AUC has no interval."""


def attacked_faces(faces: Faces, limit: int) -> Faces:
    """At most `limit` images, of whole originals, both classes as equally as these allow.

    One original after the other is taken in the order of the data, always the next one with images
    of the class that has fewer so far, however the data are sorted and paired. Where not even two
    originals of each class fit, as with many frames of each, every second image of an original's
    class is left out, evenly, until they do; a limit below that is passed.

    Args:
        faces: `n`, both classes.
        limit: At least 1.
    """
    if len(faces) <= limit:
        return faces
    rows: dict[str, tuple[list[int], list[int]]] = {}
    for row, (original, label) in enumerate(
        zip(faces.originals, faces.labels.tolist(), strict=True)
    ):
        rows.setdefault(original, ([], []))[label].append(row)
    most = max(len(part) for parts in rows.values() for part in parts)
    while True:
        thinned = [(_evenly(real, most), _evenly(forged, most)) for real, forged in rows.values()]
        chosen = _first(thinned, limit)
        if most == 1 or _has_enough(chosen):
            break
        most = -(-most // 2)
    if not _has_enough(chosen):
        chosen = _fewest(thinned)
    return faces.select(sorted(row for parts in chosen for part in parts for row in part))


Parts = tuple[list[int], list[int]]
"""Positions of an original's real and forged images."""


def _first(originals: list[Parts], limit: int) -> list[Parts]:
    """The originals that are taken before one does not fit."""
    waiting = [[n for n, parts in enumerate(originals) if parts[label]] for label in (0, 1)]
    places, counts, taken = [0, 0], [0, 0], list[int]()
    known = set[int]()
    while True:
        for label in (0, 1):
            while places[label] < len(waiting[label]) and waiting[label][places[label]] in known:
                places[label] += 1
        left = [label for label in (0, 1) if places[label] < len(waiting[label])]
        if not left:
            break
        # Among equals the original that comes first, so that paired data keep their order.
        label = min(left, key=lambda y: (counts[y], waiting[y][places[y]]))
        number = waiting[label][places[label]]
        sizes = [len(part) for part in originals[number]]
        if sum(counts) + sum(sizes) > limit:
            break
        known.add(number)
        taken.append(number)
        counts = [a + b for a, b in zip(counts, sizes, strict=True)]
    return [originals[n] for n in taken]


def _has_enough(originals: list[Parts]) -> bool:
    return all(sum(bool(parts[y]) for parts in originals) >= ENOUGH for y in (0, 1))


def _fewest(originals: list[Parts]) -> list[Parts]:
    """The first originals that hold enough of each class."""
    held = {n for y in (0, 1) for n in [i for i, p in enumerate(originals) if p[y]][:ENOUGH]}
    return [originals[n] for n in sorted(held)]


def _evenly(rows: list[int], most: int) -> list[int]:
    """All rows, or so many of them, the first and the last included where there are two."""
    if len(rows) <= most:
        return rows
    places = np.linspace(0, len(rows) - 1, most).round().astype(int) if most > 1 else [0]
    return [rows[i] for i in places]
