import pytest
import torch

from bonas.data import cross_blending as module
from bonas.data.blending import self_blended
from bonas.data.cross_blending import (
    cross_blended,
    donors,
    recoloured,
    with_cross_forgeries,
    with_cross_regions,
)
from bonas.data.faces import Faces
from bonas.data.regions import Regions


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_donor_is_always_of_another_original(faces: Faces, seed: int) -> None:
    chosen = donors(faces.images, faces.originals, generator=generator(seed)).tolist()
    assert all(faces.originals[i] != faces.originals[j] for i, j in enumerate(chosen))


def test_the_most_similar_of_those_offered_is_the_donor(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OFFERED", 1.0)
    # Each face once more, darker and flatter, under another name: like it but for the light.
    copies = (faces.images.float() * 0.7 + 10).to(torch.uint8)
    images = torch.cat([faces.images, copies])
    names = [f"{i}" for i in range(len(images))]
    chosen = donors(images, names, generator=generator())
    assert torch.equal(chosen, torch.arange(len(images)).roll(len(faces)))


def test_the_surroundings_keep_their_pixels_and_the_face_is_the_donors(faces: Faces) -> None:
    images, weight = cross_blended(faces.images, faces.originals, generator=generator())
    assert images.dtype == torch.uint8
    assert images.shape == faces.images.shape
    assert weight.shape == (40, 1, 32, 32)
    assert weight.min() >= 0
    assert weight.max() <= 1
    kept = (weight == 0).expand_as(images)
    assert kept.any()
    assert torch.equal(images[kept], faces.images[kept])
    chosen = donors(faces.images, faces.originals, generator=generator())
    plain = faces.images.float() / 255
    source = (recoloured(plain[chosen], plain, weight) * 255).round().to(torch.uint8)
    covered = (weight == 1).expand_as(images)
    assert covered.any()
    assert torch.equal(images[covered], source[covered])


def test_recoloured_faces_have_the_colours_of_what_they_cover() -> None:
    draw = torch.rand(2, 4, 3, 16, 16, generator=generator())
    source, target = 0.4 + 0.2 * draw[0], 0.3 + 0.3 * draw[1]
    weight = torch.rand(4, 1, 16, 16, generator=generator(1))
    moved = recoloured(source, target, weight)
    for image in (moved, target):
        assert image.min() > 0
        assert image.max() < 1
    for own, wanted in zip(module._moments(moved, weight), module._moments(target, weight)):  # noqa: B905
        assert torch.allclose(own, wanted, atol=1e-5)


def test_black_and_flat_faces_stay_finite() -> None:
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    images[2:] = 255
    blended, weight = cross_blended(images, list("abcd"), generator=generator())
    assert torch.isfinite(weight).all()
    # Colours are those of what is covered, so nothing is left of a flat donor.
    assert torch.equal(blended, images)


def test_images_of_one_original_are_blended_with_themselves(faces: Faces) -> None:
    images, _ = cross_blended(faces.images, ["one"] * 40, generator=generator())
    assert (images != faces.images).flatten(1).any(1).all()
    single, _ = cross_blended(faces.images[:1], ["one"], generator=generator())
    assert (single != faces.images[:1]).any()


def test_a_seed_repeats_and_torchs_own_generator_is_left_alone(faces: Faces) -> None:
    before = torch.random.get_rng_state()
    first, second, other = (
        cross_blended(faces.images, faces.originals, generator=generator(s))[0] for s in (3, 3, 4)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_pairs_keep_their_real_images_and_the_share_of_their_forged_ones(faces: Faces) -> None:
    pairs = faces.images.repeat(10, 1, 1, 1)
    names = faces.originals[0::2] * 10
    mixed = with_cross_forgeries(pairs, names, 0.3, generator=generator())
    assert torch.equal(mixed[0::2], pairs[0::2])
    changed = (mixed[1::2] != pairs[1::2]).flatten(1).any(1)
    assert 0.2 < changed.float().mean() < 0.4
    whole = with_cross_forgeries(pairs, names, 1.0, generator=generator(1))
    alone, _ = cross_blended(pairs[0::2], names, generator=generator(1))
    assert torch.equal(whole[1::2], alone)


def test_both_kinds_come_about_equally_often(faces: Faces) -> None:
    pairs = faces.images.repeat(10, 1, 1, 1)
    names = faces.originals[0::2] * 10
    mixed = with_cross_forgeries(pairs, names, 1.0, both=True, generator=generator())[1::2]
    again = generator()
    crossed, _ = cross_blended(pairs[0::2], names, generator=again)
    selves, _ = self_blended(pairs[0::2], generator=again)
    is_cross = (mixed == crossed).flatten(1).all(1)
    is_self = (mixed == selves).flatten(1).all(1)
    assert (is_cross ^ is_self).all()
    assert 0.35 < is_self.float().mean() < 0.65


def test_an_original_too_few_is_an_error(faces: Faces) -> None:
    with pytest.raises(ValueError, match="originals has 3 entries for 40 images"):
        cross_blended(faces.images, ["a", "b", "c"], generator=generator())


@pytest.mark.gpu
def test_a_seed_gives_nearly_the_same_pixels_on_cuda(faces: Faces) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    here, there = (
        cross_blended(images, faces.originals, generator=generator())[0].cpu()
        for images in (faces.images, faces.images.cuda())
    )
    assert (here.int() - there.int()).abs().max() <= 1


@pytest.mark.parametrize("both", [False, True])
def test_regions_are_those_of_the_blends_and_the_images_do_not_depend_on_them(
    faces: Faces, both: bool
) -> None:
    originals = list(faces.originals[0::2])
    before = Regions.none(faces.images, known=False)
    images, regions = with_cross_regions(
        faces.images, before, originals, 0.5, both=both, generator=generator(2)
    )
    alone = with_cross_forgeries(faces.images, originals, 0.5, both=both, generator=generator(2))
    assert torch.equal(images, alone)
    changed = (images != faces.images).flatten(1).any(1)
    assert torch.equal(regions.known, changed)
    assert torch.equal((regions.masks == 255).flatten(1).any(1), changed)
