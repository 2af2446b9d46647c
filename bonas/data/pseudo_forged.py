"""Pseudo-forged faces: real ones beside self-blended copies, to score or to look at."""

import torch

from bonas.data.blending import self_blended
from bonas.data.faces import REAL, Faces
from bonas.data.regions import Regions, blended, joined

PSEUDO = "self-blended"


def pseudo_forged(faces: Faces, *, seed: int) -> Faces:
    """The real faces, each beside a self-blended copy of itself."""
    real = faces.of_domains([])
    generator = torch.Generator().manual_seed(seed)
    copies, weights = self_blended(real.images, hulls=real.hulls, generator=generator)
    known = torch.full((len(real),), True)
    return Faces(
        torch.cat([real.images, copies]),
        torch.cat([real.labels, torch.ones_like(real.labels)]),
        real.originals * 2,
        (REAL,) * len(real) + (PSEUDO,) * len(real),
        real.videos * 2,
        regions=joined(real.regions, Regions(blended(weights), known)),
    )
