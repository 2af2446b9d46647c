"""Pairs of a batch with blended copies of their real faces in the places of forged ones."""

import numpy as np
import torch

from bonas.data.blending import with_pseudo_forgeries, with_pseudo_regions
from bonas.data.cross_blending import Blend, with_cross_forgeries, with_cross_regions
from bonas.data.faces import Faces
from bonas.data.regions import Regions


def blended_pairs(
    faces: Faces,
    rows: np.ndarray,
    regions: Regions | None,
    *,
    share: float,
    kind: Blend,
    generator: torch.Generator,
) -> tuple[torch.Tensor, Regions | None]:
    """The images of some rows, some of the forged ones replaced, and their regions if asked for.

    Args:
        faces: A data set.
        rows: Positions of pairs, real and forged in turns, `n`.
        regions: Of these rows; `None` if they are not needed.
        share: Of the forged images that a copy of their pair's real image stands in for; at 0
            nothing is drawn.
        kind: What that copy is blended with.
        generator: On the CPU.

    Returns:
        Images, uint8 `n x 3 x h x w` on their device, and regions.
    """
    positions = torch.from_numpy(rows)
    pairs = faces.images[positions.to(faces.images.device)]
    if not share:
        return pairs, regions
    hulls = None if faces.hulls is None else faces.hulls[positions[0::2]]
    if kind is Blend.SELF:
        if regions is None:
            return with_pseudo_forgeries(pairs, share, hulls=hulls, generator=generator), None
        return with_pseudo_regions(pairs, regions, share, hulls=hulls, generator=generator)
    originals, either = [faces.originals[i] for i in rows[0::2]], kind is Blend.BOTH
    if regions is None:
        images = with_cross_forgeries(
            pairs, originals, share, both=either, hulls=hulls, generator=generator
        )
        return images, None
    return with_cross_regions(
        pairs, regions, originals, share, both=either, hulls=hulls, generator=generator
    )
