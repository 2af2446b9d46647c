"""What a data folder holds, counted from its records: no image is opened for it."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from bonas.data.clips import is_video
from bonas.data.faces import REAL, Split
from bonas.data.layouts.records import Listing

SHOWN = 12
"""Lines of domains, and of notes, that fit a screen; what is left is counted."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of one domain in one split.

    Attributes:
        images: Image files.
        videos: Distinct ones, whole or as frames.
        originals: Distinct ones.
        identities: Distinct people who are seen; `None` where the data set does not say.
        masks: Files with a mask.
    """

    images: int
    videos: int
    originals: int
    identities: int | None
    masks: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found in a data folder.

    Attributes:
        name: Of the data set.
        layout: That it was read as.
        counts: For each domain, `real` first, and each split that has images of it.
        originals: Distinct ones; none lies in two splits.
        identities: Distinct people who are seen; `None` where the data set does not say.
        missing: Files that the data set names but lacks.
        notes: What the reader decided.
    """

    name: str
    layout: str
    counts: dict[str, dict[Split, Count]]
    originals: int
    identities: int | None
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, listing: Listing) -> "Contents":
        """The counts of a listing."""
        files: Counter[tuple[str, Split]] = Counter()
        masks: Counter[tuple[str, Split]] = Counter()
        videos: dict[tuple[str, Split], set[str]] = {}
        originals: dict[tuple[str, Split], set[str]] = {}
        people: dict[tuple[str, Split], set[str]] = {}
        for record in listing.records:
            key = (record.forgery, record.split)
            files[key] += not is_video(record.path)
            masks[key] += record.mask is not None
            videos.setdefault(key, set()).update({record.video} - {""})
            originals.setdefault(key, set()).add(record.original)
            people.setdefault(key, set()).update(record.people)
        domains = sorted({domain for domain, _ in originals}, key=lambda d: (d != REAL, d))
        counts = {
            domain: {
                split: Count(
                    files[key],
                    len(videos[key]),
                    len(originals[key]),
                    len(people[key]) or None,
                    masks[key],
                )
                for split in Split
                if (key := (domain, split)) in originals
            }
            for domain in domains
        }
        return cls(
            listing.name,
            listing.layout,
            counts,
            len(set().union(*originals.values())),
            len(set().union(*people.values())) or None,
            listing.missing,
            listing.notes,
        )

    def text(self) -> str:
        """One screen: a line per domain and split, then what the reader decided."""
        lines = [
            f"{self.name}: layout {self.layout}, {self.originals:,} originals"
            + (f", {self.identities:,} identities" if self.identities else ""),
            f"{'domain':<18} {'split':<5}" + "".join(f"{c:>11}" for c in Count.__slots__),
        ]
        rows = [(d, s, c) for d, of_split in self.counts.items() for s, c in of_split.items()]
        shown = rows if len(rows) <= 3 * SHOWN else rows[: 3 * SHOWN]
        for domain, split, count in shown:
            numbers = "".join(
                f"{'-' if n is None else f'{n:,}':>11}" for n in asdict(count).values()
            )
            lines.append(f"{domain:<18} {split.value:<5}{numbers}")
        if len(rows) > len(shown):
            lines.append(f"and {len(rows) - len(shown)} more")
        lines.extend(self.notes[:SHOWN])
        if self.missing:
            lines.append(f"left out: {self.missing[0]}; {len(self.missing)} in all")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same as values that JSON has."""
        return asdict(self)
