"""All checks of an audit over a list of pictures."""

from collections.abc import Callable, Sequence

from bonas.data.audit.detectors import one_feature_findings
from bonas.data.audit.finding import Finding, Verdict
from bonas.data.audit.measures import Measures, measured
from bonas.data.audit.missing import missing_files
from bonas.data.audit.near_copies import near_copies
from bonas.data.audit.pictures import Picture
from bonas.data.audit.sharing import (
    content_numbers,
    data_sets,
    identical_findings,
    identical_pictures,
    shared_originals,
    shared_people,
)

Counting = Callable[[str], Callable[[int, int], None]]
"""From the name of something long to what is told (done, in all) of it."""


def fast_findings(pictures: Sequence[Picture], counting: Counting | None = None) -> list[Finding]:
    """What needs no picture to be decoded: shared originals and people, identical pictures, gaps.

    Args:
        pictures: Of one or several data sets; splits are compared across all of them.
        counting: Makes a told-to for what takes long, from its name.

    Raises:
        OSError: a file that cannot be read.
    """
    return [
        *shared_originals(pictures),
        *shared_people(pictures),
        *identical_findings(pictures, _identical(pictures, counting)),
        missing_files(pictures),
    ]


def all_findings(pictures: Sequence[Picture], counting: Counting | None = None) -> list[Finding]:
    """The fast findings, near-copies between splits, and one-feature detectors of each data set.

    Every picture is read once, a face crop of 224 pixels in some 3 ms; about 3 kB of each are kept
    in memory. Of a video `measures.FRAMES` frames stand for all, and it is decoded up to the last
    of these.

    Args:
        pictures: Of one or several data sets; splits are compared across all of them.
        counting: Makes a told-to for what takes long, from its name.

    Raises:
        OSError: a file that cannot be read.
        DataError: there are videos, and PyAV is not installed.
    """
    groups = _identical(pictures, counting)
    numbers = content_numbers(groups, len(pictures))
    results = list(measured(pictures, progress=counting("pictures") if counting else None))
    read = [i for i, m in enumerate(results) if isinstance(m, Measures)]
    kept = [pictures[i] for i in read]
    measures = [m for m in results if isinstance(m, Measures)]
    findings = [
        *shared_originals(pictures),
        *shared_people(pictures),
        *identical_findings(pictures, groups),
        *near_copies(kept, measures, [numbers[i] for i in read]),
        missing_files(pictures),
        _unreadable(pictures, results),
    ]
    for name in dict.fromkeys(p.data_set for p in kept):
        rows = [i for i, picture in enumerate(kept) if picture.data_set == name]
        findings += one_feature_findings([kept[i] for i in rows], [measures[i] for i in rows])
    return findings


def _identical(pictures: Sequence[Picture], counting: Counting | None) -> list[list[int]]:
    return identical_pictures(pictures, progress=counting("comparing files") if counting else None)


def _unreadable(pictures: Sequence[Picture], results: Sequence[Measures | str]) -> Finding:
    problems = [
        (f"{picture.name}: {result}",)
        for picture, result in zip(pictures, results, strict=True)
        if isinstance(result, str)
    ]
    return Finding.of_files(
        "unreadable pictures",
        data_sets(pictures),
        problems,
        found=Verdict.WARNING,
        meaning="These files were left out of the audit. Repair or remove them.",
        otherwise="Every picture could be read.",
    )
