"""How well predicted regions fit known ones, with intervals and by type of forgery."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from bonas.data.faces import Faces
from bonas.robustness.auc import auc

MANIPULATED = 128
"""Least level of a mask's pixel that counts as manipulated."""
RESAMPLES = 2_000
TAIL = 2.5  # percent on either side of an interval

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class RegionQuality:
    """How well regions of forged images are found; whether an image is forged is not asked.

    What was measured by an older version has no intervals, types and overlap of the mean mask.

    Attributes:
        auc: Mean over the images of the AUC of their pixels, manipulated against not.
        prior_auc: The same of one prediction for all images, the mean mask of training images:
            what is reached by knowing where in a picture forgeries lie.
        iou: Mean over the images of intersection over union, at probability 0.5.
        images: Forged ones whose region is known and is neither nothing nor everything.
        prior_iou: That of the mean mask, at one half.
        auc_interval: Of 95 %, by resampling originals.
        iou_interval: The same.
        lead_interval: Of `auc - prior_auc`: both are of the same images.
        by_type: The quality of each type of forgery, without types of its own.
    """

    auc: float
    prior_auc: float
    iou: float
    images: int
    prior_iou: float | None = None
    auc_interval: Interval | None = None
    iou_interval: Interval | None = None
    lead_interval: Interval | None = None
    by_type: Mapping[str, "RegionQuality"] = field(default_factory=dict)

    def describe(self) -> list[str]:
        """A line on all images, and one on each type of forgery."""
        interval, before = "", ""
        if self.auc_interval is not None:
            interval = " ({:.3f} to {:.3f})".format(*self.auc_interval)
        if self.prior_iou is not None:
            before = f" (mean mask {self.prior_iou:.2f})"
        own = (
            f"pixel AUC {self.auc:.3f}{interval}, the mean mask alone {self.prior_auc:.3f}; "
            f"overlap {self.iou:.2f}{before}; {self.images} images"
        )
        types = [f"  {name}: {q.describe()[0]}" for name, q in self.by_type.items()]
        return [f"manipulated regions: {own}" if types else own, *types]

    def to_json(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {"by_type": {name: q.to_json() for name, q in self.by_type.items()}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "RegionQuality":
        """What `to_json` wrote, now or before there were intervals."""
        given = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        for name in ("auc_interval", "iou_interval", "lead_interval"):
            if given.get(name) is not None:
                low, high = given[name]
                given[name] = (low, high)
        types = {name: cls.from_json(q) for name, q in given.pop("by_type", {}).items()}
        return cls(**given, by_type=types)


@dataclass(frozen=True, slots=True)
class _Image:
    """One image's numbers: AUC and overlap, of the prediction and of the mean mask."""

    original: str
    domain: str
    auc: float
    prior_auc: float
    iou: float
    prior_iou: float


def region_quality(
    predicted: torch.Tensor, faces: Faces, *, prior: torch.Tensor
) -> RegionQuality | None:
    """How well predictions of `predicted_regions` fit; `None` where no region is known.

    Args:
        predicted: `n x h x w`.
        faces: The images.
        prior: `h x w`, the `mean_mask` of those that were trained on.

    Raises:
        ValueError: the faces were read without regions.
    """
    regions, known = faces.require_regions(), prior.numpy()
    images = []
    for row in range(len(faces)):
        mask = (regions.masks[row] >= MANIPULATED).cpu().numpy()
        if not regions.known[row] or not mask.any() or mask.all():
            continue
        found = predicted[row].numpy()
        images.append(
            _Image(
                faces.originals[row],
                faces.domains[row],
                auc(found.ravel(), mask.ravel()),
                auc(known.ravel(), mask.ravel()),
                _overlap(found > 0.5, mask),
                _overlap(known > 0.5, mask),
            )
        )
    if not images:
        return None
    types = dict.fromkeys(image.domain for image in images)
    return _quality(
        images, {t: _quality([i for i in images if i.domain == t], {}) for t in sorted(types)}
    )


def _quality(images: Sequence[_Image], by_type: Mapping[str, RegionQuality]) -> RegionQuality:
    originals = [image.original for image in images]
    aucs, priors, ious = (
        [getattr(image, name) for image in images] for name in ("auc", "prior_auc", "iou")
    )
    leads = [found - before for found, before in zip(aucs, priors, strict=True)]
    return RegionQuality(
        auc=statistics.fmean(aucs),
        prior_auc=statistics.fmean(priors),
        iou=statistics.fmean(ious),
        images=len(images),
        prior_iou=statistics.fmean(image.prior_iou for image in images),
        auc_interval=mean_interval(aucs, originals),
        iou_interval=mean_interval(ious, originals),
        lead_interval=mean_interval(leads, originals),
        by_type=by_type,
    )


def mean_interval(values: Sequence[float], originals: Sequence[str]) -> Interval:
    """The 95 % interval of a mean by the percentile bootstrap over originals.

    Images of one original are drawn together: they are not independent.

    Args:
        values: Of each image.
        originals: Of each image.
    """
    groups: dict[str, list[float]] = {}
    for value, original in zip(values, originals, strict=True):
        groups.setdefault(original, []).append(value)
    sums = np.array([sum(members) for members in groups.values()])
    counts = np.array([len(members) for members in groups.values()])
    drawn = np.random.default_rng(0).integers(len(groups), size=(RESAMPLES, len(groups)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.percentile(means, [TAIL, 100 - TAIL])
    return float(low), float(high)


def _overlap(marked: np.ndarray, mask: np.ndarray) -> float:  # (h, w), bool
    return float((marked & mask).sum() / (marked | mask).sum())
