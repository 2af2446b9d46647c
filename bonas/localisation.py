"""Localisation: the loss of a second head, its predictions, and a picture of them.

The verdict and the region are learnt together (Liu et al. 2021): a mask says of every position what
a label says of the image. Where no mask is known a network learns from the label alone.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.detector import Detector
from bonas.region_quality import MANIPULATED

BATCH = 64
MOST = 500
"""Images whose regions are measured, at most: an estimate needs no more."""
EXAMPLES = 2
"""Forged faces of each type in the picture."""


def region_loss(logits: torch.Tensor, masks: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Cross entropy and Dice loss of the images whose region is known; 0 where none is.

    The mean binary cross entropy over all positions, of which few are manipulated, plus, of the
    images that have such, the mean of `1 - 2 sum(p t) / (sum(p) + sum(t))` (Milletari et al. 2016,
    section 3), in which a region counts the same whatever its size. A position's target t is the
    share of its pixels that were manipulated, p its probability.

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
    given = logits[known].float()
    entropy = functional.binary_cross_entropy_with_logits(given, target)
    area, probability = target.sum((1, 2)), given.sigmoid()
    overlap = 2 * (probability * target).sum((1, 2)) / (probability.sum((1, 2)) + area)
    # Of an image without a region it is 0 whatever the probabilities are: it says nothing.
    manipulated = area > 0
    dice = torch.where(manipulated, 1 - overlap, torch.zeros_like(overlap)).sum()
    return entropy + dice / manipulated.sum().clamp_min(1)


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
    regions = faces.require_regions()
    rows = torch.nonzero(regions.known & (faces.labels.cpu() == 1)).flatten()
    masks = regions.masks[rows.to(regions.masks.device)].float() / 255
    return masks.mean(0).cpu() if len(rows) else torch.zeros(regions.masks.shape[1:])


def some_faces(faces: Faces) -> Faces:
    """Faces to predict regions of, in their order: those to measure, and those of the picture.

    Measured are forged faces whose region is known, `MOST` at most: of every type equally many, of
    each from as many originals as there are.

    Raises:
        ValueError: the faces were read without regions.
    """
    known = faces.require_regions().known & (faces.labels.cpu() == 1)
    rows = _in_turns(torch.nonzero(known).flatten().tolist(), faces.originals)
    shown = [row for some in _examples(faces).values() for row in some]
    return faces.select(sorted({*_in_turns(rows, faces.domains)[:MOST], *shown}))


def _examples(faces: Faces) -> dict[str, list[int]]:
    """The rows of the picture by type, each of another original where there are several."""
    found = {}
    for domain in dict.fromkeys(faces.domains):
        rows = [i for i, d in enumerate(faces.domains) if d == domain]
        found[domain] = _in_turns(rows, faces.originals)[:EXAMPLES]
    return found


def _in_turns(rows: Sequence[int], groups: Sequence[str]) -> list[int]:
    """The rows with one of every group before a second of any, else in their order."""
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int]] = []
    for place, row in enumerate(rows):
        turns.append((seen[groups[row]], place))
        seen[groups[row]] += 1
    return [rows[place] for _, place in sorted(turns)]


def region_sheet(predicted: torch.Tensor, faces: Faces) -> tuple[Image.Image, tuple[str, ...]]:
    """A picture of a few faces in columns: the face, its mask and the predicted region below.

    A mask that is not known is left grey.

    Returns:
        The picture, and the type of each column.
    """
    regions = faces.require_regions()
    columns, names = [], []
    for domain, rows in _examples(faces).items():
        for row in rows:
            face = faces.images[row].cpu().permute(1, 2, 0).numpy()
            mask = regions.masks[row].cpu().numpy()
            mask = mask if regions.known[row] else np.full_like(mask, MANIPULATED)
            region = (predicted[row].numpy() * 255).round().astype(np.uint8)
            grey = [np.repeat(level[:, :, None], 3, axis=2) for level in (mask, region)]
            columns.append(np.concatenate([face, *grey]))
            names.append(domain)
    return Image.fromarray(np.concatenate(columns, axis=1)), tuple(names)
