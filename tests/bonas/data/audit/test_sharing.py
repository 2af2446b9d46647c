import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from bonas.data.audit.finding import Verdict
from bonas.data.audit.pictures import Picture
from bonas.data.audit.sharing import (
    TAIL,
    content_numbers,
    identical_findings,
    identical_pictures,
    shared_originals,
    shared_people,
)
from bonas.data.faces import Split
from tests.bonas.data.audit.conftest import verdicts


def pictures(folder: Path, contents: list[bytes]) -> list[Picture]:
    result = []
    for number, content in enumerate(contents):
        file = folder / f"{number}.jpg"
        file.write_bytes(content)
        result.append(Picture(file.name, "d", Split.TRAIN, 0, f"o{number}", "real", file))
    return result


def test_files_are_identical_exactly_when_all_bytes_are(tmp_path: Path) -> None:
    draw = random.Random(0)
    contents = [bytes([draw.randrange(3)]) * draw.choice([1, 2, TAIL, 2 * TAIL]) for _ in range(60)]
    contents += [b"a" + bytes(2 * TAIL), b"b" + bytes(2 * TAIL), b"a" + bytes(2 * TAIL), b"", b""]
    groups = identical_pictures(pictures(tmp_path, contents))
    numbers = content_numbers(groups, len(contents))
    for i, a in enumerate(contents):
        for j, b in enumerate(contents):
            assert (numbers[i] == numbers[j]) == (a == b)


def test_faces_in_memory_are_compared_by_shape_and_pixels() -> None:
    images = [
        torch.zeros(3, 4, 8, dtype=torch.uint8),
        torch.zeros(3, 8, 4, dtype=torch.uint8),
        torch.zeros(3, 4, 8, dtype=torch.uint8),
        torch.ones(3, 4, 8, dtype=torch.uint8),
    ]
    made = [
        Picture(f"{i}", "d", Split.TRAIN, 0, f"{i}", "real", image)
        for i, image in enumerate(images)
    ]
    assert identical_pictures(made) == [[0, 2]]


def test_copies_within_a_split_and_class_are_no_leak(tmp_path: Path) -> None:
    made = pictures(tmp_path, [b"same", b"same", b"other"])
    groups = identical_pictures(made)
    assert groups == [[0, 1]]
    assert verdicts(identical_findings(made, groups)) == {}


def test_a_picture_in_three_splits_is_one_finding_with_a_file_of_each(tmp_path: Path) -> None:
    made = pictures(tmp_path, [b"same"] * 4)
    splits = (Split.TRAIN, Split.TRAIN, Split.VAL, Split.TEST)
    made = [replace(p, split=s) for p, s in zip(made, splits, strict=True)]
    found = identical_findings(made, identical_pictures(made))[0]
    assert (found.number, found.count) == (1, 1)
    assert found.files == (("0.jpg", "2.jpg", "3.jpg"),)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("anna", "anna"), {"original in two data sets"}),
        (("anna", "bert"), set()),
        (("0017", "0017"), set()),  # a counter of each data set
    ],
)
def test_names_of_two_data_sets_are_compared_with_care(
    tmp_path: Path, names: tuple[str, str], expected: set[str]
) -> None:
    made = pictures(tmp_path, [b"1", b"2"])
    made = [
        replace(made[0], original=names[0]),
        replace(made[1], original=names[1], data_set="e", split=Split.TEST),
    ]
    assert set(verdicts(shared_originals(made))) == expected
    # In one split nothing is trained on and tested on.
    same = [made[0], replace(made[1], split=Split.TRAIN)]
    assert verdicts(shared_originals(same)) == {}


@pytest.mark.parametrize(("own", "verdict"), [(True, Verdict.LEAK), (False, Verdict.WARNING)])
def test_somebody_in_two_splits_is_a_leak_of_an_own_split_and_else_a_warning(
    tmp_path: Path, own: bool, verdict: Verdict
) -> None:
    made = pictures(tmp_path, [b"1", b"2", b"3"])
    assert not shared_people(made), "who is in them is not said"
    people = (("anna",), ("berta",), ("clara", "anna"))
    splits = (Split.TRAIN, Split.VAL, Split.TEST)
    told = [
        replace(p, people=who, split=split, own_split=own)
        for p, who, split in zip(made, people, splits, strict=True)
    ]
    (found,) = shared_people(told)
    assert (found.verdict, found.count) == (verdict, 1)
    assert found.files == (("anna", "0.jpg", "2.jpg"),)
    (sound,) = shared_people(told[:2])
    assert sound.verdict is Verdict.OK
    elsewhere = [told[0], replace(told[2], data_set="e")]
    assert shared_people(elsewhere)[0].verdict is Verdict.OK, "names of another data set"


def test_more_files_than_are_named_are_counted(tmp_path: Path) -> None:
    made = pictures(tmp_path, [b"%d" % (i // 2) for i in range(40)])
    made = [replace(p, split=(Split.TRAIN, Split.TEST)[i % 2]) for i, p in enumerate(made)]
    found = identical_findings(made, identical_pictures(made))[0]
    assert (found.number, found.count, len(found.files)) == (20, 20, 5)
    assert all(a < b for a, b in pairwise(int(f[0][:-4]) for f in found.files))
