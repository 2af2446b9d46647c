"""Which images are attacked, for every arrangement of the data."""

import pytest
import torch

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.attacked import attacked_faces
from bonas.estimation.evaluation import Evaluation, Protocol


def arranged(labels: list[int], originals: list[str]) -> Faces:
    """Images that differ in one pixel value, with these labels and originals."""
    images = torch.arange(len(labels)).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    domains = tuple("swap" if y else "real" for y in labels)
    return Faces(images.contiguous(), torch.tensor(labels), tuple(originals), domains)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(count)]


ARRANGEMENTS = {
    "pairs": arranged([0, 1] * 60, [f"o{i // 2}" for i in range(120)]),
    "pairs by class": arranged([0] * 60 + [1] * 60, names("o", 60) * 2),
    "sorted by class, no pairs": arranged([0] * 60 + [1] * 60, names("r", 60) + names("f", 60)),
    "forged first, no pairs": arranged([1] * 60 + [0] * 60, names("f", 60) + names("r", 60)),
    "few real": arranged([1] * 110 + [0] * 10, names("f", 110) + names("r", 10)),
    "clips without pairs": arranged(
        [0] * 60 + [1] * 60, [f"{'rf'[y]}{i // 6}" for y in (0, 1) for i in range(60)]
    ),
    "originals larger than the limit": arranged(
        ([0] * 10 + [1] * 30) * 3, [f"o{i // 40}" for i in range(120)]
    ),
}


def per_class(faces: Faces) -> tuple[int, int]:
    forged = int(faces.labels.sum())
    return len(faces) - forged, forged


@pytest.mark.parametrize("limit", [12, 31, 50])
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_the_limit_holds_and_both_classes_have_two_originals(name: str, limit: int) -> None:
    faces = ARRANGEMENTS[name]
    chosen = attacked_faces(faces, limit)
    assert 0 < len(chosen) <= limit
    for label in (0, 1):
        pairs = zip(chosen.originals, chosen.labels.tolist(), strict=True)
        assert len({o for o, y in pairs if y == label}) >= 2


@pytest.mark.parametrize("name", [n for n in ARRANGEMENTS if "larger" not in n])
def test_originals_are_whole_and_classes_as_equal_as_they_allow(name: str) -> None:
    faces = ARRANGEMENTS[name]
    chosen = attacked_faces(faces, 50)
    for original in set(chosen.originals):
        assert chosen.originals.count(original) == faces.originals.count(original)
    real, forged = per_class(chosen)
    largest = max(faces.originals.count(o) for o in set(faces.originals))
    assert len(chosen) > 50 - largest
    assert abs(real - forged) <= largest or (name == "few real" and real == 10)


def test_images_keep_their_order_and_pairs_that_come_first_are_taken_first() -> None:
    faces = ARRANGEMENTS["pairs"]
    chosen = attacked_faces(faces, 11)
    assert chosen.originals == faces.originals[:10]
    assert torch.equal(chosen.images, faces.images[:10])
    assert attacked_faces(faces, 120) is faces


def test_frames_are_left_out_evenly_where_originals_are_too_large() -> None:
    faces = ARRANGEMENTS["originals larger than the limit"]
    chosen = attacked_faces(faces, 50)
    assert len(set(chosen.originals)) >= 2
    firsts = [faces.originals.index(o) for o in dict.fromkeys(chosen.originals)]
    shown = chosen.images[:, 0, 0, 0].tolist()
    for first in firsts:
        assert first in shown, "the first frame"
        assert first + 39 in shown, "the last frame"


def test_no_limit_leaves_fewer_than_an_interval_needs() -> None:
    assert per_class(attacked_faces(ARRANGEMENTS["forged first, no pairs"], 1)) == (2, 2)


def test_other_attacked_images_are_another_condition_set_and_all_images_the_same(
    cpu: Device,
) -> None:
    faces = ARRANGEMENTS["pairs"]

    def digest(limit: int) -> str:
        protocol = Protocol(corruptions=(), attack_images=limit)
        return Evaluation.of(faces, {}, protocol, cpu).conditions.digest

    assert digest(20) != digest(40)
    assert digest(20) == digest(21), "the same ten pairs"
    assert digest(120) == digest(1000), "all images"
