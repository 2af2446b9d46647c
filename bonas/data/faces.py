"""Faces: labelled images on one device, and the splits of a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import torch

from bonas.data.column_digest import column_digest
from bonas.data.errors import DataError as DataError  # of old imported from here
from bonas.data.reading_terms import ReadingTerms
from bonas.data.regions import Regions

REAL = "real"


class Split(StrEnum):
    """What the images may be used for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Faces:
    """Real and forged faces of one split.

    Attributes:
        images: uint8 RGB, `n x 3 x h x w`, on the device where they are used.
        labels: int64, `n`, 1 for forged; on the CPU.
        originals: For each image the real face or video it belongs to: groups never cross splits.
        domains: For each image `real` or the type of its forgery.
        videos: For each image the video that it is a frame of, or an empty name; none at all where
            the data name no videos.
        regions: Where the images were manipulated; `None` unless it was asked for.
        hulls: Outlines of the faces (`bonas.data.hulls`), float32 `n x points x 2` on the CPU, as
            shares of width and height, NaN where unknown; `None` where all are.
    """

    images: torch.Tensor
    labels: torch.Tensor
    originals: tuple[str, ...]
    domains: tuple[str, ...]
    videos: tuple[str, ...] = ()
    regions: Regions | None = None
    hulls: torch.Tensor | None = None

    def __post_init__(self) -> None:
        counts = {
            "images": len(self.images),
            "labels": len(self.labels),
            "originals": len(self.originals),
            "domains": len(self.domains),
        }
        if self.videos:
            counts["videos"] = len(self.videos)
        if self.regions is not None:
            counts["regions"] = len(self.regions)
        if self.hulls is not None:
            counts["hulls"] = len(self.hulls)
        if len(set(counts.values())) != 1:
            raise ValueError(f"the columns differ in length: {counts}.")
        if self.images.dtype != torch.uint8 or self.images.ndim != 4 or self.images.shape[1] != 3:
            raise ValueError(
                f"images is {self.images.dtype} of shape {tuple(self.images.shape)}; "
                "it must be uint8, n x 3 x h x w."
            )

    def __len__(self) -> int:
        return len(self.images)

    def select(self, positions: Sequence[int]) -> "Faces":
        """The images at these positions, in this order."""
        chosen = torch.as_tensor(positions, dtype=torch.int64)
        return Faces(
            images=self.images[chosen.to(self.images.device)],
            labels=self.labels[chosen],
            originals=tuple(self.originals[i] for i in positions),
            domains=tuple(self.domains[i] for i in positions),
            videos=tuple(self.videos[i] for i in positions) if self.videos else (),
            regions=None if self.regions is None else self.regions.select(chosen),
            hulls=None if self.hulls is None else self.hulls[chosen],
        )

    def to(self, device: torch.device) -> "Faces":
        """The same faces with images and regions on a device."""
        regions = None if self.regions is None else self.regions.to(device)
        return replace(self, images=self.images.to(device), regions=regions)

    def of_domains(self, domains: Sequence[str]) -> "Faces":
        """The real faces and the forgeries of these types."""
        named = zip(self.labels.tolist(), self.domains, strict=True)
        return self.select([i for i, (y, domain) in enumerate(named) if not y or domain in domains])

    def require_regions(self) -> Regions:
        """The regions.

        Raises:
            ValueError: the faces were read without.
        """
        if self.regions is None:
            raise ValueError("the faces have no regions; read them with regions=True.")
        return self.regions

    @property
    def forgeries(self) -> tuple[str, ...]:
        """The types of forgery present, sorted."""
        named = zip(self.labels.tolist(), self.domains, strict=True)
        return tuple(sorted({domain for label, domain in named if label}))

    def digest(self) -> str:
        """Of images, labels, groups and videos: what a score was computed on.

        Regions and hulls are left out: scores are the same with and without.
        """
        return column_digest(self.images, self.labels, self.originals, self.domains, self.videos)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A named data set.

    Attributes:
        name: Its.
        splits: Faces by split; one that the source lacks is absent.
        skipped: What was left out, with the reason.
        reading: How it was read; `None` for faces in memory.
    """

    name: str
    splits: Mapping[Split, Faces]
    skipped: tuple[str, ...] = ()
    reading: ReadingTerms | None = None

    def require(self, split: Split, purpose: str) -> Faces:
        """The faces of a split.

        Raises:
            DataError: the split is absent or has only one class.
        """
        faces = self.splits.get(split)
        if faces is None or not len(faces):
            present = ", ".join(s for s, f in self.splits.items() if len(f)) or "none"
            raise DataError(
                f"data set {self.name!r} has no images in the split {split.value!r}, needed for "
                f"{purpose}; splits with images: {present}. Assign images to {split.value!r}."
            )
        if len(set(faces.labels.tolist())) < 2:
            only = "forged" if int(faces.labels[0]) else "real"
            raise DataError(
                f"data set {self.name!r}: all {len(faces)} images of the split {split.value!r} are "
                f"{only}, needed for {purpose}. Real and forged images are both needed"
                + (", unless data.real_only is set." if only == "real" else ".")
            )
        return faces
