import pytest
import torch

from bonas.config import DataTable
from bonas.data.faces import Faces
from bonas.data.pseudo_forged import pseudo_forged
from bonas.data.regions import Regions, blended, joined
from bonas.data.source import load_search_data

MASKS = torch.arange(4, dtype=torch.uint8)[:, None, None].repeat(1, 2, 2)


def test_selecting_keeps_masks_beside_what_is_known() -> None:
    chosen = Regions(MASKS, torch.tensor([True, False, True, False])).select([3, 0])
    assert chosen.masks[:, 0, 0].tolist() == [3, 0]
    assert chosen.known.tolist() == [False, True]


@pytest.mark.parametrize(
    ("masks", "known", "message"),
    [
        (MASKS.float(), torch.ones(4, dtype=torch.bool), r"masks is torch.float32 of shape"),
        (MASKS[:, 0], torch.ones(4, dtype=torch.bool), r"shape \(4, 2\)"),
        (MASKS, torch.ones(3, dtype=torch.bool), r"known is .* must be bool, 4"),
        (MASKS, torch.ones(4), r"known is torch.float32"),
    ],
)
def test_masks_of_another_kind_are_an_error(
    masks: torch.Tensor, known: torch.Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Regions(masks, known)


def test_faces_have_a_region_each(faces: Faces) -> None:
    with pytest.raises(ValueError, match="'regions': 39"):
        Faces(
            faces.images,
            faces.labels,
            faces.originals,
            faces.domains,
            regions=Regions.none(faces.images[1:], known=True),
        )


def test_joined_regions_need_both() -> None:
    some = Regions(MASKS, torch.ones(4, dtype=torch.bool))
    both = joined(some, some)
    assert both is not None
    assert len(both) == 8
    assert joined(some, None) is None


def test_a_pixel_counts_as_manipulated_from_a_tenth_of_the_blend() -> None:
    weights = torch.tensor([0.0, 0.05, 0.2, 1.0]).reshape(1, 1, 2, 2)
    assert blended(weights).tolist() == [[[0, 0], [255, 255]]]


def test_drawn_faces_know_their_regions_and_are_the_same_faces_without() -> None:
    table = DataTable(layout="synthetic", identities=20, size=32)
    without, with_regions = (load_search_data(table, seed=0, regions=r) for r in (False, True))
    assert without.train.regions is None
    assert torch.equal(without.train.images, with_regions.train.images)
    assert without.train.digest() == with_regions.train.digest()
    regions = with_regions.train.regions
    assert regions is not None
    assert regions.known.all()
    manipulated = regions.masks.flatten(1).any(1)
    assert torch.equal(manipulated, with_regions.train.labels == 1)


def test_pseudo_forgeries_bring_regions_of_their_own(faces: Faces) -> None:
    real = Faces(
        faces.images,
        faces.labels,
        faces.originals,
        faces.domains,
        regions=Regions.none(faces.images, known=True),
    )
    forged = pseudo_forged(real, seed=0)
    assert forged.regions is not None
    assert forged.regions.known.all()
    assert torch.equal(forged.regions.masks.flatten(1).any(1), forged.labels == 1)
    assert pseudo_forged(faces, seed=0).regions is None
