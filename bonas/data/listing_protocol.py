"""What is read of a data folder without opening its images holds for: files, settings, versions."""

from collections.abc import Mapping
from typing import Any

import bonas
from bonas.data.layouts.records import Listing, Settings
from bonas.data.reading_terms import drawn_faces
from bonas.data.used_files import UsedFile, root_of, used_by_split
from bonas.protocol import read_copies
from bonas.versions import versions


def listing_protocol(listing: Listing, settings: Settings) -> dict[str, Any]:
    """Versions, how it was read, and a digest of each split's listing, as a JSON document.

    The digests are those of an audit of the same files (`bonas.data.audit.protocol`).

    Args:
        listing: What was read.
        settings: How.

    Raises:
        OSError: a file that has gone.
    """
    root = root_of([record.path for record in listing.records])
    files = [
        UsedFile(
            record.path.relative_to(root).as_posix(),
            record.path.stat().st_size,
            record.split.value,
            record.label,
            record.original,
            record.people,
        )
        for record in listing.records
    ]
    return {
        "version": bonas.__version__,
        "versions": versions(),
        "reading": [listing.terms(settings).to_json()],
        "data": {listing.name: used_by_split(files)},
    }


def listing_line(protocol: Mapping[str, Any]) -> str:
    """One line for the terminal: of a listing, or of its audit, digests, frames and version."""
    digests = [
        f"data {name} {split} {used['digest']}"
        for name, splits in protocol["data"].items()
        for split, used in splits.items()
    ]
    asked = {terms["frames_per_video"] for terms in protocol["reading"]} - {None}
    frames = [f"{count} frames per video at most" for count in sorted(asked)]
    drawn = [drawn_faces(terms["drawn"]) for terms in protocol["reading"] if terms["drawn"]]
    read = read_copies(protocol["reading"])
    return "; ".join([*digests, *drawn, *read, *frames, f"bonas {protocol['version']}"])
