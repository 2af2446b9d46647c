"""Localisation: the loss of a second head, how well it finds manipulated regions, and a picture.

The verdict and the region are learnt together (Liu et al. 2021): a mask says of every position what
a label says of the image. Where no mask is known a network learns from the label alone.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from bonas.data.faces import Faces
from bonas.data.regions import Regions
from bonas.device import Device
from bonas.networks.detector import Detector
from bonas.robustness.auc import auc

BATCH = 64
MOST = 500
"""Images of which regions are predicted, the first ones: an estimate needs no more."""
MANIPULATED = 128
"""Least level of a mask's pixel that counts as manipulated."""
EXAMPLES = 2
"""Forged faces of each type in the picture."""


@dataclass(frozen=True, slots=True)
class RegionQuality:
    """How well regions of forged images are found; whether an image is forged is not asked.

    Attributes:
        auc: Mean over the images of the AUC of their pixels, manipulated against not.
        prior_auc: The same of one prediction for all images, the mean mask of training images:
            what is reached by knowing where in a picture forgeries lie.
        iou: Mean over the images of intersection over union, at probability 0.5.
        images: Forged ones whose region is known and is neither nothing nor everything.
    """

    auc: float
    prior_auc: float
    iou: float
    images: int

    def to_json(self) -> dict[str, float]:
        """As `metrics.json` holds it."""
        return {
            "auc": self.auc,
            "prior_auc": self.prior_auc,
            "iou": self.iou,
            "images": self.images,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "RegionQuality":
        """What `to_json` wrote."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})


def region_loss(logits: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean binary cross entropy over the positions of images whose region is known; else 0.

    A position's target is the share of its pixels that were manipulated.

    Args:
        logits: `n x h' x w'`, coarser than the images.
        masks: In [0, 1], `n x h x w`.
        known: bool, `n`.
    """
    known = known.to(logits.device)
    if not bool(known.any()):
        return logits.new_zeros(())
    height, width = logits.shape[-2:]
    target = functional.adaptive_avg_pool2d(masks[known], (height, width))
    return functional.binary_cross_entropy_with_logits(logits[known].float(), target)


def predicted_regions(detector: Detector, images: torch.Tensor, device: Device) -> torch.Tensor:
    """The probability that a pixel was manipulated, float32 `n x h x w` on the CPU.

    Args:
        detector: On the device, in evaluation mode, with a second head.
        images: uint8, `n x 3 x h x w`.
        device: Where, and in which precision.

    Raises:
        ValueError: the detector has no head for regions.
    """
    found = []
    for batch in images.split(BATCH):
        with torch.inference_mode(), device.mixed_precision():
            found.append(detector.regions(batch.to(device.device).float() / 255).float().cpu())
    return torch.cat(found) if found else torch.empty(0, *images.shape[-2:])


def mean_mask(faces: Faces) -> torch.Tensor:
    """The mean of the known masks of forged images, in [0, 1], `h x w`; zeros where none is.

    Raises:
        ValueError: the faces were read without regions.
    """
    regions = _regions_of(faces)
    rows = torch.nonzero(regions.known & (faces.labels.cpu() == 1)).flatten()
    masks = regions.masks[rows.to(regions.masks.device)].float() / 255
    return masks.mean(0).cpu() if len(rows) else torch.zeros(regions.masks.shape[1:])


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
    regions = _regions_of(faces)
    aucs, priors, ious = [], [], []
    for row in range(len(faces)):
        mask = (regions.masks[row] >= MANIPULATED).cpu().numpy()
        if not regions.known[row] or not mask.any() or mask.all():
            continue
        probability = predicted[row].numpy()
        aucs.append(auc(probability.ravel(), mask.ravel()))
        priors.append(auc(prior.numpy().ravel(), mask.ravel()))
        marked = probability > 0.5
        ious.append(float((marked & mask).sum() / (marked | mask).sum()))
    if not aucs:
        return None
    mean = statistics.fmean
    return RegionQuality(mean(aucs), mean(priors), mean(ious), len(aucs))


def some_faces(faces: Faces) -> Faces:
    """The first faces, `MOST` at most, but of every type the first `EXAMPLES`."""
    rows = set(range(min(MOST, len(faces))))
    for domain in dict.fromkeys(faces.domains):
        rows |= set([i for i, d in enumerate(faces.domains) if d == domain][:EXAMPLES])
    return faces.select(sorted(rows))


def region_sheet(predicted: torch.Tensor, faces: Faces) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture of a few faces in columns: the face, its mask and the predicted region below.

    A mask that is not known is left grey.

    Returns:
        The picture, and the type of each column.
    """
    regions = _regions_of(faces)
    columns, names = [], []
    for domain in dict.fromkeys(faces.domains):
        for row in [i for i, d in enumerate(faces.domains) if d == domain][:EXAMPLES]:
            face = faces.images[row].cpu().permute(1, 2, 0).numpy()
            mask = regions.masks[row].cpu().numpy()
            mask = mask if regions.known[row] else np.full_like(mask, MANIPULATED)
            region = (predicted[row].numpy() * 255).round().astype(np.uint8)
            grey = [np.repeat(level[:, :, None], 3, axis=2) for level in (mask, region)]
            columns.append(np.concatenate([face, *grey]))
            names.append(domain)
    return Image.fromarray(np.concatenate(columns, axis=1)), tuple(names)


def _regions_of(faces: Faces) -> Regions:
    if faces.regions is None:
        raise ValueError("the faces have no regions; read them with regions=True.")
    return faces.regions
