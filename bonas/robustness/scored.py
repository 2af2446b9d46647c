"""Scored: a detector's scores of images with all that they are grouped by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bonas.robustness.placements import BoolArray, FloatArray

NOT_GIVEN = "not given"
"""The subgroup of images whose attribute is unknown."""

Attributes = Mapping[str, Mapping[str, str]]
"""Of each original its attributes, by their names."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores of `n` images or videos.

    Attributes:
        scores: `n`, higher means more likely forged.
        forged: `n`, true where forged.
        originals: `n`, the real face or video that it belongs to: what is independent.
        domains: `n`, the type of forgery, or that of the real ones.
        videos: `n`, the video that it is a frame of, empty where it is of none.
    """

    scores: FloatArray
    forged: BoolArray
    originals: tuple[str, ...]
    domains: tuple[str, ...]
    videos: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = [len(column) for column in (self.forged, self.originals, self.domains)]
        if {len(self.scores), len(self.videos), *lengths} != {len(self.scores)}:
            raise ValueError(
                f"scores, forged, originals, domains and videos must be of one length, got "
                f"{len(self.scores)}, {', '.join(map(str, lengths))} and {len(self.videos)}; "
                f"give one of each per image"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def clusters(self) -> np.ndarray:
        """Number of each image's original, `n`, from 0 in order of appearance."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(self.originals))}
        return np.array([numbers[name] for name in self.originals], dtype=np.intp)

    @property
    def frames_per_video(self) -> tuple[int, int] | None:
        """The fewest and the most frames of a video; `None` where no image is of a video."""
        if not any(self.videos):
            return None
        counts = np.bincount(self._video_numbers())
        return int(counts.min()), int(counts.max())

    def select(self, chosen: Sequence[bool]) -> "Scored":
        """The images that are chosen, in their order."""
        kept = np.flatnonzero(np.asarray(chosen, dtype=bool))
        return Scored(
            self.scores[kept],
            self.forged[kept],
            tuple(self.originals[i] for i in kept),
            tuple(self.domains[i] for i in kept),
            tuple(self.videos[i] for i in kept),
        )

    def by_video(self) -> "Scored":
        """One row per video: the mean of its frames' scores.

        Frames belong to one video when its name, their original and their domain are the same; an
        image of no video stays what it is.
        """
        place = self._video_numbers()
        _, first = np.unique(place, return_index=True)
        means = np.bincount(place, self.scores) / np.bincount(place)
        return Scored(
            means,
            self.forged[first],
            tuple(self.originals[i] for i in first),
            tuple(self.domains[i] for i in first),
            tuple(self.videos[i] for i in first),
        )

    def by_domain(self) -> dict[str, "Scored"]:
        """Each type of forgery beside all real images, by the type's name, sorted."""
        types = sorted({d for d, forged in zip(self.domains, self.forged, strict=True) if forged})
        return {name: self.select([d == name or not f for d, f in self._rows()]) for name in types}

    def by_subgroup(self, attributes: Attributes) -> dict[str, "Scored"]:
        """The images of each value of each attribute, by `attribute=value`, sorted.

        An original is in the subgroups of its own attributes with its forgeries, so that pairs stay
        together; where an attribute is unknown its images form the subgroup `not given`.
        """
        names = sorted({name for known in attributes.values() for name in known})
        groups = {}
        for name in names:
            values = [attributes.get(o, {}).get(name) or NOT_GIVEN for o in self.originals]
            for value in sorted(set(values)):
                groups[f"{name}={value}"] = self.select([v == value for v in values])
        return groups

    def _rows(self) -> list[tuple[str, bool]]:
        return list(zip(self.domains, self.forged.tolist(), strict=True))

    def _video_numbers(self) -> np.ndarray:
        """Number of each image's video, `n`, from 0 in order of appearance."""
        numbers: dict[tuple[object, ...], int] = {}
        keys = [
            (video, original, domain, forged) if video else (row,)
            for row, (video, original, domain, forged) in enumerate(
                zip(self.videos, self.originals, self.domains, self.forged.tolist(), strict=True)
            )
        ]
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)
