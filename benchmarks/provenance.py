"""The line under what a script prints: on which data, from which seeds, with which versions.

Not a script itself.
"""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

import bonas
from bonas.data.faces import Faces
from bonas.protocol import ImagesUsed
from bonas.run_folder import file_digest
from bonas.versions import versions


def provenance(
    *,
    table: Path | None = None,
    faces: Mapping[str, Faces] | None = None,
    **facts: object,
) -> str:
    """One line: the digests of a table and of images by their use, further facts, versions."""
    parts = [f"table {file_digest(table)}"] if table else []
    for role, images in (faces or {}).items():
        used = ImagesUsed.of(images)
        frames = used.frames_per_video
        span = f", {frames[0]} - {frames[1]} frames per video" if frames else ""
        parts.append(f"data {role} {used.digest} ({used.images} images{span})")
    parts += [f"{name} {value}" for name, value in facts.items()]
    computed_with = ", ".join(f"{name} {number}" for name, number in versions().items())
    return "; ".join([*parts, f"bonas {bonas.__version__} with {computed_with}"])


def machine() -> str:
    """Processor and cores, for what is measured in seconds."""
    return f"{platform.machine()}, {os.cpu_count()} cores"


def seeds(count: int) -> str:
    """The fact `seeds` of a script that takes so many from 0 on."""
    return "0" if count == 1 else f"0 to {count - 1}"
