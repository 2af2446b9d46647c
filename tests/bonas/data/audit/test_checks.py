"""Every planted leak is found, and nothing else; sound data raise no alarm."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from bonas.data.audit import (
    Verdict,
    all_findings,
    fast_findings,
    pictures_in_memory,
    pictures_of_folder,
)
from bonas.data.faces import DataSet, Faces, Split
from bonas.data.synthetic_set import synthetic_faces
from tests.bonas.data.audit.conftest import Line, forged_only, verdicts, with_image, write
from tests.conftest import striped_faces

Plant = Callable[[list[Line]], list[Line]]


def audited(folder: Path) -> dict[str, Verdict]:
    return verdicts(all_findings(pictures_of_folder(folder)))


def at(lines: list[Line], split: str, label: str) -> Line:
    """The first line of a split and class."""
    return next(x for x in lines if x.split == split and x.label == label)


def replaced(lines: list[Line], old: Line, new: Line) -> list[Line]:
    return [new if x is old else x for x in lines]


def test_sound_data_raise_no_alarm(tmp_path: Path, lines: list[Line]) -> None:
    findings = all_findings(pictures_of_folder(write(tmp_path / "d", lines)))
    assert verdicts(findings) == {}
    assert {f.name for f in findings} >= {"file size", "JPEG tables", "power spectrum"}


def original_in_two_splits(lines: list[Line]) -> list[Line]:
    train, test = at(lines, "train", "FAKE"), at(lines, "test", "FAKE")
    return replaced(lines, test, replace(test, original=train.original))


def same_picture(lines: list[Line]) -> list[Line]:
    train, test = at(lines, "train", "REAL"), at(lines, "test", "REAL")
    # Its forgery looks like it too, and is not what is planted here.
    kept = [x for x in lines if x.original != train.original or x is train]
    return replaced(kept, test, replace(test, image=train.image))


def two_labels(lines: list[Line]) -> list[Line]:
    real, forged = at(lines, "train", "REAL"), at(lines, "train", "FAKE")
    return replaced(lines, forged, replace(forged, image=real.image))


def smaller_copy(lines: list[Line]) -> list[Line]:
    train, val = at(lines, "train", "REAL"), at(lines, "val", "REAL")
    small = train.image.resize((48, 48), Image.Resampling.BILINEAR)
    return replaced(lines, val, replace(val, image=ImageEnhance.Brightness(small).enhance(0.9)))


def mirrored_copy(lines: list[Line]) -> list[Line]:
    train, test = at(lines, "train", "REAL"), at(lines, "test", "REAL")
    return replaced(lines, test, replace(test, image=ImageOps.mirror(train.image)))


def another_frame(lines: list[Line]) -> list[Line]:
    """The picture with a trace of another: about what two frames of one take differ in."""
    train, test = at(lines, "train", "REAL"), at(lines, "test", "REAL")
    return replaced(lines, test, replace(test, image=Image.blend(train.image, test.image, 0.15)))


@pytest.mark.parametrize(
    ("plant", "name", "verdict"),
    [
        (original_in_two_splits, "original in two splits", Verdict.LEAK),
        (same_picture, "same picture in two splits", Verdict.LEAK),
        (two_labels, "same picture with two labels", Verdict.LEAK),
        (smaller_copy, "near-copy in two splits", Verdict.LEAK),
        (mirrored_copy, "near-copy in two splits", Verdict.LEAK),
        (another_frame, "look-alike in two splits", Verdict.WARNING),
    ],
)
def test_what_two_splits_share_is_found(
    tmp_path: Path, lines: list[Line], plant: Plant, name: str, verdict: Verdict
) -> None:
    pictures = pictures_of_folder(write(tmp_path / "d", plant(lines)))
    findings = all_findings(pictures)
    assert verdicts(findings) == {name: verdict}
    (found,) = (f for f in findings if f.name == name)
    assert found.count == len(found.files) == 1
    first, second = found.files[0]
    assert first != second
    if name not in ("near-copy in two splits", "look-alike in two splits"):
        assert verdicts(fast_findings(pictures)) == {name: verdict}


ENCODING = {"file size": Verdict.LEAK, "bytes per pixel": Verdict.LEAK}


def as_png(line: Line) -> Line:
    return replace(line, path=line.path.replace("jpg", "png"))


def narrower(line: Line) -> Line:
    # One column less: seen by a comparison of dimensions, hardly by one of file sizes.
    return with_image(line, lambda image: image.crop((0, 0, image.width - 1, image.height)))


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (forged_only(as_png), {"file format": Verdict.LEAK} | ENCODING),
        (forged_only(narrower), {"dimensions": Verdict.LEAK}),
    ],
)
def test_a_container_that_tells_the_class_is_a_leak(
    tmp_path: Path, lines: list[Line], plant: Plant, expected: dict[str, Verdict]
) -> None:
    assert audited(write(tmp_path / "d", plant(lines))) == expected


def test_longer_forged_files_are_a_leak(tmp_path: Path, lines: list[Line]) -> None:
    folder = write(tmp_path / "d", lines)
    for line in lines:
        if line.label == "FAKE":
            with (folder / line.path).open("ab") as file:
                file.write(bytes(4_000))
    assert audited(folder) == ENCODING


def test_jpeg_tables_of_the_same_quality_tell_encoders_apart(
    tmp_path: Path, lines: list[Line]
) -> None:
    folder = write(tmp_path / "d", lines)
    with Image.open(folder / lines[0].path) as image:
        assert image.quantization  # type: ignore[attr-defined]
        tables = {k: list(v) for k, v in image.quantization.items()}  # type: ignore[attr-defined]
    tables[0][63] += 1  # the highest frequency: no visible change, and no other estimated quality
    for line in lines:
        if line.label == "FAKE":
            line.image.save(folder / line.path, qtables=tables, subsampling=2)
    assert audited(folder) == {"JPEG tables": Verdict.LEAK}


def test_quality_by_class_is_a_leak(tmp_path: Path, lines: list[Line]) -> None:
    folder = write(tmp_path / "d", lines)
    for line in lines:
        if line.label == "FAKE":
            line.image.save(folder / line.path, quality=60)
    findings = all_findings(pictures_of_folder(folder))
    assert verdicts(findings)["JPEG tables"] is Verdict.LEAK
    (found,) = (f for f in findings if f.name == "JPEG tables")
    assert found.number == 1.0
    assert found.count == 60
    assert all(name.endswith("_b.jpg") for (name,) in found.files)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda i: i.point([*range(256), *(min(v + 30, 255) for v in range(256)), *range(256)]),
         "mean colour"),
        (lambda i: i.point(lambda v: v + 40), "brightness"),
        (lambda i: i.point(lambda v: 127 + (v - 127) // 2), "contrast"),
        (lambda i: i.filter(ImageFilter.GaussianBlur(1)), "power spectrum"),
    ],
)  # fmt: skip
def test_a_picture_that_tells_the_class_is_a_leak_and_one_that_often_does_a_warning(
    tmp_path: Path, lines: list[Line], change: Callable[[Image.Image], Image.Image], name: str
) -> None:
    planted = forged_only(lambda line: with_image(line, change))(lines)
    folder = write(tmp_path / "d", planted)
    assert verdicts(all_findings(pictures_of_folder(folder)))[name] is Verdict.LEAK
    often = [
        p if i // 2 % 7 < 5 else x for i, (x, p) in enumerate(zip(lines, planted, strict=True))
    ]
    folder = write(tmp_path / "often", often)
    found = verdicts(all_findings(pictures_of_folder(folder)))
    assert found[name] is Verdict.WARNING
    container = {"file size", "bytes per pixel"}  # less contrast and detail take fewer bytes
    assert {n for n, v in found.items() if v is Verdict.LEAK} <= container


def test_a_shortcut_of_one_type_of_forgery_is_found_and_named(
    tmp_path: Path, lines: list[Line]
) -> None:
    planted = [narrower(x) if x.forgery == "swap" else x for x in lines]
    findings = all_findings(pictures_of_folder(write(tmp_path / "d", planted)))
    assert verdicts(findings) == {"dimensions": Verdict.LEAK}
    (found,) = (f for f in findings if f.name == "dimensions")
    assert "(of swap)" in found.meaning
    assert found.number == 1.0


def test_a_torn_file_is_named_and_left_out(tmp_path: Path, lines: list[Line]) -> None:
    folder = write(tmp_path / "d", lines)
    (folder / lines[0].path).write_bytes(b"\xff\xd8 torn")
    findings = all_findings(pictures_of_folder(folder))
    assert verdicts(findings) == {"unreadable pictures": Verdict.WARNING}
    (found,) = (f for f in findings if f.name == "unreadable pictures")
    assert lines[0].path in found.files[0][0]


def test_a_retouched_picture_counts_only_across_splits(tmp_path: Path, lines: list[Line]) -> None:
    """A forgery is close to its original by nature."""
    close = []
    for real, forged in zip(lines[::2], lines[1::2], strict=True):
        image = Image.blend(real.image, forged.image, 0.05)
        close += [real, replace(forged, image=image)]
    assert audited(write(tmp_path / "same", close)) == {}
    test = at(close, "test", "FAKE")
    moved = replaced(close, test, replace(test, split="val"))
    assert audited(write(tmp_path / "moved", moved)) == {
        "original in two splits": Verdict.LEAK,
        "near-copy in two splits": Verdict.LEAK,
    }


@pytest.mark.parametrize("label", ["REAL", "FAKE"])
def test_data_of_one_class_are_said_not_to_be_measured(
    tmp_path: Path, lines: list[Line], label: str
) -> None:
    folder = write(tmp_path / "d", [x for x in lines if x.label == label])
    assert audited(folder) == {"one-feature detectors": Verdict.WARNING}


def test_two_data_sets_are_compared_with_each_other(tmp_path: Path, lines: list[Line]) -> None:
    train = [x for x in lines if x.split == "train"]
    test = [replace(x, split="test", original="x" + x.original) for x in train]
    one, other = write(tmp_path / "one", train), write(tmp_path / "other", test)
    pictures = pictures_of_folder(one) + pictures_of_folder(other)
    found = verdicts(all_findings(pictures))
    assert [n for n, v in found.items() if v is Verdict.LEAK] == ["same picture in two splits"]


def test_faces_in_memory_have_pictures_and_no_container() -> None:
    faces = striped_faces(40)
    data = DataSet("memory", {Split.TRAIN: faces.select(range(40)),
                              Split.TEST: faces.select(range(40, 80))})  # fmt: skip
    findings = all_findings(pictures_in_memory(data))
    # The brighter square of the forged ones is seen, as it should.
    assert set(verdicts(findings).values()) == {Verdict.LEAK}
    pictures = {"mean colour", "brightness", "contrast", "power spectrum"}
    assert verdicts(findings).keys() <= pictures
    assert not {"file size", "bytes per pixel", "file format"} & {f.name for f in findings}


def test_a_face_in_memory_that_lies_in_two_splits_is_found() -> None:
    faces = striped_faces(4)
    data = DataSet("memory", {Split.TRAIN: faces, Split.TEST: faces.select([0])})
    assert verdicts(fast_findings(pictures_in_memory(data))) == {
        "original in two splits": Verdict.LEAK,
        "same picture in two splits": Verdict.LEAK,
    }


def test_flat_pictures_are_neither_copies_nor_an_error() -> None:
    images = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(8, 3, 32, 32) * 20
    labels = torch.arange(8) % 2
    names = tuple(f"p{i}" for i in range(8))
    faces = Faces(images.contiguous(), labels, names, ("real", "swap") * 4)
    data = DataSet("flat", {Split.TRAIN: faces.select(range(4)),
                            Split.TEST: faces.select(range(4, 8))})  # fmt: skip
    found = verdicts(all_findings(pictures_in_memory(data)))
    assert set(found.values()) <= {Verdict.TOO_FEW}, "eight pictures tell nothing"


def test_nothing_is_found_in_the_built_in_faces() -> None:
    assert verdicts(all_findings(pictures_in_memory(synthetic_faces(100, 48, seed=0)))) == {}


def test_progress_counts_every_picture(tmp_path: Path, lines: list[Line]) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    folder = write(tmp_path / "d", lines[:20])
    all_findings(
        pictures_of_folder(folder),
        lambda name: lambda done, total: seen.setdefault(name, []).append((done, total)),
    )
    assert seen["pictures"] == [(i, 20) for i in range(1, 21)]


def test_real_faces_share_one_picture_between_splits(shared: Path) -> None:
    """One real face stands under two originals, in train and in test; nothing else is shared."""
    findings = fast_findings(pictures_of_folder(shared / "data" / "dfdc"))
    assert verdicts(findings) == {"same picture in two splits": Verdict.LEAK}
    (same,) = (f for f in findings if f.name == "same picture in two splits")
    assert [[Path(name).stem for name in group] for group in same.files] == [
        ["gfffgtnndr", "nedavsdhgw"]
    ]


@pytest.mark.slow
def test_real_faces_have_one_leak_six_look_alikes_and_nothing_else(shared: Path) -> None:
    findings = {f.name: f for f in all_findings(pictures_of_folder(shared / "data" / "dfdc"))}
    assert verdicts(list(findings.values())) == {
        "same picture in two splits": Verdict.LEAK,
        "look-alike in two splits": Verdict.WARNING,
    }
    assert findings["same picture in two splits"].count == 1
    assert findings["look-alike in two splits"].count == 6


def test_real_faces_have_no_shortcut(shared: Path) -> None:
    part = pictures_of_folder(shared / "data" / "dfdc", splits=[Split.VAL])[:160]
    assert verdicts(all_findings(part)) == {}


def test_strangers_are_no_look_alikes(shared: Path) -> None:
    """Each picture is of another person in this data set."""
    chosen = pictures_of_folder(shared / "data" / "stylegan")
    rng = np.random.default_rng(0)
    part = [chosen[i] for i in sorted(rng.choice(len(chosen), 80, replace=False))]
    assert verdicts(all_findings(part)) == {}
