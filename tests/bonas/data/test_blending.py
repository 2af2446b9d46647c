import pytest
import torch

from bonas.data.blending import (
    FACE_CENTRE,
    SCALE,
    SHIFT,
    face_masks,
    moved,
    self_blended,
    with_pseudo_forgeries,
    with_pseudo_regions,
)
from bonas.data.faces import Faces
from bonas.data.hulls import face_hull
from bonas.data.regions import Regions
from tests.bonas.data.test_hulls import FIVE


def blended(images: torch.Tensor, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return self_blended(images, generator=torch.Generator().manual_seed(seed))


def test_images_keep_their_type_and_shape_and_masks_are_weights(faces: Faces) -> None:
    images, mask = blended(faces.images)
    assert images.shape == faces.images.shape
    assert images.dtype == torch.uint8
    assert mask.shape == (40, 1, 32, 32)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert (mask.amax((1, 2, 3)) >= 0.25 - 1e-6).all()


def test_every_image_is_changed_and_the_mean_change_is_small(faces: Faces) -> None:
    smooth = torch.nn.functional.avg_pool2d(faces.images.float(), 5, 1, 2).to(torch.uint8)
    images, _ = blended(smooth)
    difference = (images.float() - smooth.float()).abs().mean((1, 2, 3))
    assert (difference > 0).all()
    assert difference.mean() < 20


def test_a_blend_mixes_its_two_sides_only(faces: Faces) -> None:
    flat = torch.full_like(faces.images, 128)
    images, mask = blended(flat)
    inside = images.float()[mask.expand_as(images) == 1]
    assert inside.numel() > 0
    assert (images.float() - 128).abs().max() <= 0.05 * 255 + 1


def test_a_seed_repeats(faces: Faces) -> None:
    assert torch.equal(blended(faces.images, 3)[0], blended(faces.images, 3)[0])
    assert not torch.equal(blended(faces.images, 3)[0], blended(faces.images, 4)[0])


def test_pairs_keep_their_real_images_and_the_share_of_their_forged_ones(faces: Faces) -> None:
    pairs = faces.images.repeat(10, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    mixed = with_pseudo_forgeries(pairs, 0.3, generator=generator)
    assert torch.equal(mixed[0::2], pairs[0::2])
    changed = (mixed[1::2] != pairs[1::2]).flatten(1).any(1)
    assert 0.2 < changed.float().mean() < 0.4
    whole = with_pseudo_forgeries(pairs, 1.0, generator=torch.Generator().manual_seed(1))
    blended_alone, _ = blended(pairs[0::2], seed=1)
    assert torch.equal(whole[1::2], blended_alone)


def test_regions_are_those_of_the_copies_and_the_images_do_not_depend_on_them(
    faces: Faces,
) -> None:
    before = Regions.none(faces.images, known=False)
    first, second = (torch.Generator().manual_seed(2) for _ in range(2))
    images, regions = with_pseudo_regions(faces.images, before, 0.5, generator=first)
    assert torch.equal(images, with_pseudo_forgeries(faces.images, 0.5, generator=second))
    replaced = (images != faces.images).flatten(1).any(1)
    assert torch.equal(regions.known, replaced)
    assert not before.known.any(), "what was given is left as it was"
    assert regions.masks[replaced].flatten(1).any(1).all()
    everywhere = torch.Generator().manual_seed(1)
    whole = with_pseudo_regions(faces.images, before, 1.0, generator=everywhere)[1]
    _, weights = blended(faces.images[0::2], seed=1)
    assert torch.equal(whole.masks[1::2] == 255, weights[:, 0] > 0.1)
    assert not whole.masks[0::2].any()


def test_shift_and_scale_reach_their_limits_and_no_further() -> None:
    """Of an image whose levels are its columns: the middle tells the shift, the slope the scale."""
    edge = 64
    place = (torch.arange(edge) + 0.5) / edge
    columns = place.expand(3, edge, edge)[None].repeat(400, 1, 1, 1)
    for images in (columns, columns.transpose(2, 3)):
        found = moved(images.contiguous(), torch.Generator().manual_seed(0))
        along = found[:, 0, edge // 2] if images is columns else found[:, 0, :, edge // 2]
        low, high = along[:, edge // 4], along[:, 3 * edge // 4 - 1]
        shift, scale = (low + high) / 2 - 0.5, (high - low) / (0.5 - 1 / edge)
        assert float(shift.abs().max()) <= SHIFT + 1e-4
        assert float(shift.abs().max()) > 0.9 * SHIFT
        assert float(scale.min()) >= SCALE[0] - 1e-4
        assert float(scale.max()) <= SCALE[1] + 1e-4
        assert float(scale.max() - scale.min()) > 0.9 * (SCALE[1] - SCALE[0])


def middle(masks: torch.Tensor) -> torch.Tensor:
    """The mean place of the weights, `n x 2`, as shares of width and height."""
    place = (torch.arange(masks.shape[-1]) + 0.5) / masks.shape[-1]
    total = masks.sum((1, 2, 3))
    return (
        torch.stack([(masks.sum((1, 2)) @ place), (masks.sum((1, 3)) @ place)], 1) / total[:, None]
    )


def test_masks_lie_on_the_face_and_leave_the_corners() -> None:
    images = torch.zeros(300, 3, 32, 32)
    masks = face_masks(images, None, torch.Generator().manual_seed(0))
    assert torch.allclose(middle(masks).mean(0), torch.tensor(FACE_CENTRE), atol=0.02)
    assert bool((masks[:, 0, 16, 16] > 0.9).all())
    assert not masks[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert not torch.equal(masks[0], masks[1])


def test_masks_follow_the_outlines_of_faces_where_they_are_known() -> None:
    images = torch.zeros(200, 3, 48, 48)
    hull = torch.from_numpy(face_hull(0.4 * FIVE)).float()
    hulls = hull.repeat(200, 1, 1)
    hulls[100:] = hull + torch.tensor([0.4, 0.3])
    hulls[::10] = torch.nan
    known = ~hulls.isnan().flatten(1).any(1)
    masks = face_masks(images, hulls, torch.Generator().manual_seed(0))
    without = face_masks(images, None, torch.Generator().manual_seed(0))
    assert torch.equal(masks[~known], without[~known]), "where there is none, it is the ellipse"
    found = middle(masks)
    for half, centre in ((slice(0, 100), hull.mean(0)), (slice(100, 200), hulls[101].mean(0))):
        assert torch.allclose(found[half][known[half]].mean(0), centre, atol=0.02)
    area = float((hull[:, 0].max() - hull[:, 0].min()) * (hull[:, 1].max() - hull[:, 1].min()))
    assert 0.4 * area < float(masks[known].mean()) < 0.9 * area


def test_copies_are_blended_within_the_outline(faces: Faces) -> None:
    hull = torch.from_numpy(face_hull(0.4 * FIVE)).float().repeat(len(faces), 1, 1)
    generator = torch.Generator().manual_seed(0)
    _, weights = self_blended(faces.images, hulls=hull, generator=generator)
    assert not weights[:, :, 16:, 16:].any()
    pairs, share = faces.images, torch.Generator().manual_seed(1)
    mixed = with_pseudo_forgeries(pairs, 1.0, hulls=hull[0::2], generator=share)
    again = self_blended(pairs[0::2], hulls=hull[0::2], generator=torch.Generator().manual_seed(1))
    assert torch.equal(mixed[1::2], again[0])


@pytest.mark.gpu
def test_a_seed_gives_nearly_the_same_pixels_on_cuda(faces: Faces) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    here, there = blended(faces.images)[0], blended(faces.images.cuda())[0].cpu()
    assert (here.int() - there.int()).abs().max() <= 1
