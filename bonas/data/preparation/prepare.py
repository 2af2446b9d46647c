"""A data set of videos or pictures prepared: its faces, cut out, in the layout `metadata.csv`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bonas.data.attributes import table_of
from bonas.data.clips import is_video, require_decoder
from bonas.data.errors import DataError
from bonas.data.layouts.records import Listing
from bonas.data.preparation.cutting import Cut, Outcome, Skip
from bonas.data.preparation.detectors import MakeDetector
from bonas.data.preparation.ledger import Ledger, Value
from bonas.data.preparation.units import Source, sources_of
from bonas.data.preparation.workers import Job, outcomes

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file of which nothing was written."""

    path: Path
    forgery: str
    skip: Skip


@dataclass(frozen=True, slots=True)
class Share:
    """Of the files of one domain.

    Attributes:
        files: Videos and pictures.
        skipped: Those of which nothing was written.
        faces: Crops.
        lost: Frames of videos without the face that other frames show.
    """

    files: int
    skipped: int
    faces: int
    lost: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made of a data set.

    Attributes:
        shares: By domain, `real` first where there is any.
        skipped: In the order of the data set.
        missing: Files that the data set names but lacks.
        kept: Videos and pictures that an earlier start had done, as units.
    """

    shares: Mapping[str, Share]
    skipped: tuple[SkippedFile, ...]
    missing: tuple[str, ...]
    kept: int

    @property
    def faces(self) -> int:
        """Crops in all."""
        return sum(share.faces for share in self.shares.values())


def prepare(
    listing: Listing,
    root: Path,
    folder: Path,
    how: Cut,
    settings: Mapping[str, Value],
    tools: Mapping[str, str],
    *,
    make_detector: MakeDetector | None,
    jobs: int,
    progress: Progress | None = None,
) -> Prepared:
    """Cut the faces of a data set into a folder, or go on where that was interrupted.

    The folder's bytes depend on the data set and the settings: not on `jobs`, nor on how often it
    was interrupted. The tables are written when every file is done and has faces.

    Args:
        listing: The data set.
        root: Its folder, or a file in it.
        folder: Where the crops go.
        how: They are cut.
        settings: All that the crops depend on, for the folder to name.
        tools: Versions of what makes them, such as of OpenCV.
        make_detector: Called in every worker; `None` for whole pictures without landmarks.
        jobs: Worker processes.
        progress: Called with (units done, units in all, a note), first before any is begun.

    Raises:
        DataError: the folder cannot be used for this, or was begun with other versions; an extra is
            not installed.
        RuntimeError: a worker died or could not write.
    """
    _check_apart(root, folder)
    if any(is_video(record.path) for record in listing.records):
        require_decoder()
    sources = sources_of(listing, root, how.frames)
    ledger = Ledger.open(folder, settings, tools)
    done = ledger.done()
    kept = [source for source in sources if source.unit.state in done]
    left = [source for source in sources if source.unit.state not in done]
    if left:
        ledger.require_tools(tools, mixed=bool(kept))
    faces = sum(len(done[source.unit.state].crops) for source in kept)
    if left and progress is not None:
        progress(len(kept), len(sources), f"{faces} faces")
    job = Job(folder, how, make_detector)
    with closing(outcomes([source.unit for source in left], job, jobs)) as made:
        for number, (source, outcome) in enumerate(zip(left, made, strict=True), len(kept) + 1):
            ledger.add(source.unit, outcome)
            done[source.unit.state] = outcome
            faces += len(outcome.crops)
            if progress is not None:
                progress(number, len(sources), f"{faces} faces")
    results = [(source, done[source.unit.state]) for source in sources]
    if faces:
        # Its rows are by original, and the crops keep the originals' names.
        if (attributes := table_of(listing.folder)) is not None:
            ledger.bring(attributes)
        ledger.finish(
            (crop, source.records[crop.of]) for source, came in results for crop in came.crops
        )
    skipped = tuple(
        SkippedFile(source.records[skip.of].path, source.records[skip.of].forgery, skip)
        for source, came in results
        for skip in came.skips
    )
    return Prepared(_shares(results), skipped, listing.missing, len(kept))


def _check_apart(root: Path, folder: Path) -> None:
    """Refuse to write among what is read.

    Raises:
        DataError: one of the folders lies in the other.
    """
    source = (root if root.is_dir() else root.parent).resolve()
    dest = folder.resolve()
    if dest.is_relative_to(source) or source.is_relative_to(dest):
        raise DataError(
            f"DEST {str(folder)!r} and SOURCE {str(root)!r} lie in one another; crops would be "
            "taken for data. Name a folder elsewhere."
        )


def _shares(results: Iterable[tuple[Source, Outcome]]) -> dict[str, Share]:
    sums: dict[str, list[int]] = {}
    for source, came in results:
        total = sums.setdefault(source.records[0].forgery, [0, 0, 0, 0])
        counted = (len(source.records), len(came.skips), len(came.crops), came.lost)
        total[:] = [a + b for a, b in zip(total, counted, strict=True)]
    order = sorted(sums, key=lambda domain: (domain != "real", domain))
    return {domain: Share(*sums[domain]) for domain in order}
