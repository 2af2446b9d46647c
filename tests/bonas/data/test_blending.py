import pytest
import torch

from bonas.data.blending import self_blended, with_pseudo_forgeries, with_pseudo_regions
from bonas.data.faces import Faces
from bonas.data.regions import Regions


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


@pytest.mark.gpu
def test_a_seed_gives_nearly_the_same_pixels_on_cuda(faces: Faces) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    here, there = blended(faces.images)[0], blended(faces.images.cuda())[0].cpu()
    assert (here.int() - there.int()).abs().max() <= 1
