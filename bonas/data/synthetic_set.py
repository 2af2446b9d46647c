"""The built-in faces as a data set, people divided into splits as readers divide originals."""

from collections.abc import Callable

import torch

from bonas.data.faces import DataSet, Faces, Split
from bonas.data.layouts.splitting import SHARES
from bonas.data.reading_terms import ReadingTerms
from bonas.data.regions import Regions
from bonas.data.synthetic import draw_portraits

Progress = Callable[[int, int], None]


def synthetic_faces(
    identities: int,
    size: int,
    *,
    seed: int,
    progress: Progress | None = None,
    regions: bool = False,
) -> DataSet:
    """The built-in faces, identities divided 60 : 20 : 20 into train, val and test."""
    drawn = draw_portraits(
        range(identities),
        size,
        seed=seed,
        progress=None if progress is None else lambda done: progress(done, identities),
    )
    known = torch.full((len(drawn.labels),), True)
    faces = Faces(
        torch.from_numpy(drawn.images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(drawn.labels),
        drawn.originals,
        drawn.domains,
        regions=Regions(torch.from_numpy(drawn.masks), known) if regions else None,
    )
    order = list(dict.fromkeys(faces.originals))
    splits: dict[Split, Faces] = {}
    start = 0.0
    for split, share in SHARES.items():
        chosen = set(order[round(start * len(order)) : round((start + share) * len(order))])
        splits[split] = faces.select([i for i, o in enumerate(faces.originals) if o in chosen])
        start += share
    terms = ReadingTerms(
        name="synthetic",
        layout="synthetic",
        drawn={"seed": seed, "identities": identities, "size": size},
    )
    return DataSet("synthetic", splits, reading=terms)
