"""What the findings of an audit hold for: which files, read how, judged by which limits."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bonas
from bonas.data.audit.finding import LEAK_AUC, PICTURE_LEAK_AUC, WARNING_AUC
from bonas.data.audit.measures import FRAMES
from bonas.data.audit.near_copies import COPY, LOOKALIKE
from bonas.data.audit.perceptual_hash import RADIUS
from bonas.data.audit.pictures import Picture
from bonas.data.used_files import UsedFile, root_of, used_by_split
from bonas.versions import versions


def audit_protocol(pictures: Sequence[Picture], *, fast: bool) -> dict[str, Any]:
    """Versions, limits, what was looked at and how it was read, as a JSON document.

    The digests are of listings: of each file its path below the data set, size, split, label,
    original and people; of a drawn face its pixels in place of path and size. They change with what
    an audit would see differently, short of an edit that keeps a file's size, and cost no reading.

    Args:
        pictures: All that were audited.
        fast: Whether nothing was decoded.

    Raises:
        OSError: a file that has gone.
    """
    members: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        members[picture.data_set].append(picture)
    readings = {those[0].data_set: those[0].reading for those in members.values()}
    return {
        "version": bonas.__version__,
        "versions": versions(),
        "reading": [terms.to_json() for terms in readings.values() if terms is not None],
        "fast": fast,
        "frames_per_video": 0 if fast else FRAMES,
        "limits": {
            "warning_auc": WARNING_AUC,
            "leak_auc": LEAK_AUC,
            "picture_leak_auc": PICTURE_LEAK_AUC,
            "hash_bits": RADIUS,
            "copy_correlation": COPY,
            "lookalike_correlation": LOOKALIKE,
        },
        "data": {name: _used(those) for name, those in members.items()},
    }


def _used(pictures: Sequence[Picture]) -> dict[str, dict[str, Any]]:
    root = root_of([p.source for p in pictures if isinstance(p.source, Path)])
    return used_by_split(
        UsedFile(*_identity(p, root), p.split.value, p.label, p.original, p.people)
        for p in pictures
    )


def _identity(picture: Picture, root: str) -> tuple[str, int | str]:
    if isinstance(picture.source, Path):
        below = picture.source.relative_to(root).as_posix()
        return below, picture.source.stat().st_size
    pixels = picture.source.cpu().numpy().tobytes()
    return picture.name, hashlib.sha256(pixels).hexdigest()
