from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.config import DataTable
from bonas.data.audit import Verdict, fast_findings, pictures_of_folder
from bonas.data.clips import evenly, natural
from bonas.data.faces import DataError, Split
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.metadata_csv import list_metadata_csv, read_metadata_csv
from bonas.data.layouts.records import OnBadImage, Settings
from bonas.data.listing_protocol import listing_protocol
from bonas.data.preparation.units import sources_of
from bonas.data.source import read_folder

HEADER = "path,label,original,split\n"


def write(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        image = folder / row.split(",")[0]
        if image.is_relative_to(folder) and ".." not in row and row.split(",")[0]:
            pixels = np.full((40, 40, 3), 20 + number, dtype=np.uint8)
            Image.fromarray(pixels).save(image)
    (folder / "metadata.csv").write_text(header + "\n".join(rows) + "\n")
    return folder


GOOD = [
    "faces/a.png,REAL,a,train",
    "faces/b.png,fake,a,TRAIN",
    "faces/c.png,Real,c,val",
    "faces/d.png,FAKE,c,val",
]


def test_images_labels_groups_and_splits_are_read(tmp_path: Path) -> None:
    data = read_metadata_csv(write(tmp_path, GOOD), 32)
    train = data.splits[Split.TRAIN]
    assert set(data.splits) == {Split.TRAIN, Split.VAL}
    assert train.images.shape == (2, 3, 32, 32)
    assert train.images[:, 0, 0, 0].tolist() == [20, 21]
    assert train.labels.tolist() == [0, 1]
    assert train.originals == ("a", "a")
    assert train.domains == ("real", "fake")


def test_a_forgery_column_names_the_domain(tmp_path: Path) -> None:
    rows = [f"{GOOD[0]},", f"{GOOD[1]},Swap"]
    header = HEADER.replace("split", "split,forgery")
    assert read_metadata_csv(write(tmp_path, rows, header), 32).splits[Split.TRAIN].domains == (
        "real",
        "swap",
    )


def test_a_forgery_that_is_called_real_is_refused_and_what_a_real_row_says_is_not_asked(
    tmp_path: Path,
) -> None:
    header = HEADER.replace("split", "split,forgery")
    folder = write(tmp_path, [f"{GOOD[0]},Real", f"{GOOD[1]}, REAL"], header)
    with pytest.raises(DataError, match=r"row 3: forgery is 'real', but its label is FAKE"):
        list_metadata_csv(folder, Settings())
    folder = write(tmp_path, [f"{GOOD[0]},Real", f"{GOOD[1]},swap"], header)
    assert [r.forgery for r in list_metadata_csv(folder, Settings()).records] == ["real", "swap"]


def test_an_identity_column_says_who_is_in_a_picture_and_is_audited(tmp_path: Path) -> None:
    header = HEADER.replace("split", "split,identity")
    people = ("anna", "anna; berta", "berta", "")
    rows = [f"{row},{who}" for row, who in zip(GOOD, people, strict=True)]
    folder = write(tmp_path, rows, header)
    listing = list_metadata_csv(folder, Settings())
    assert Contents.of(listing).identities == 2
    records = listing.records
    assert [r.people for r in records] == [("anna",), ("anna", "berta"), ("berta",), ()]
    findings = fast_findings(pictures_of_folder(folder))
    (found,) = (f for f in findings if f.name == "identity in two splits")
    assert found.verdict is Verdict.LEAK
    assert [Path(f).name for f in found.files[0]] == ["berta", "b.png", "c.png"]
    without = fast_findings(pictures_of_folder(write(tmp_path, GOOD)))
    assert "identity in two splits" not in {f.name for f in without}


def framed(folder: Path, count: int, video: str = "v") -> Path:
    """A video of `count` frames of each class, alternating, in the order of their names."""
    names = sorted(str(n) for n in range(count))
    rows = [
        f"faces/{label}{name}.png,{label},a,train,{video}"
        for name in names
        for label in ("REAL", "FAKE")
    ]
    return write(folder, rows, HEADER.replace("split", "split,video"))


def test_frames_are_taken_evenly_of_every_video_and_the_rest_is_said(tmp_path: Path) -> None:
    folder, settings = framed(tmp_path, 12), Settings(frames_per_video=3)
    listing = list_metadata_csv(folder, settings)
    taken = {f"{kind}{n}.png" for kind in ("REAL", "FAKE") for n in evenly(12, 3)}
    assert {r.path.name for r in listing.records} == taken
    assert [r.where for r in listing.records] == sorted(
        (r.where for r in listing.records), key=natural
    ), "in the order of the table"
    [note] = listing.notes
    assert note.startswith("18 frames left out")
    assert len(pictures_of_folder(folder, settings=settings)) == 6
    whole = list_metadata_csv(folder, Settings(frames_per_video=12))
    assert (len(whole.records), whole.notes) == (24, ())


def test_images_of_no_video_are_all_taken(tmp_path: Path) -> None:
    listing = list_metadata_csv(framed(tmp_path, 4, video=""), Settings(frames_per_video=1))
    assert (len(listing.records), listing.notes) == (8, ())


def test_that_a_table_is_not_read_whole_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = DataTable(path=framed(tmp_path, 4), size=32, frames_per_video=1)
    faces = read_folder(table).splits[Split.TRAIN]
    assert len(faces) == 2
    assert "6 frames left out" in caplog.text


@pytest.mark.parametrize("absolute", [(0, 1, 2, 3), (1, 3)])
def test_rows_of_absolute_paths_are_what_relative_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: tuple[int, ...]
) -> None:
    folder = write(tmp_path / "data", GOOD)
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    plain = list_metadata_csv(Path("data"), settings)
    rows = [f"{folder}/{row}" if n in absolute else row for n, row in enumerate(GOOD)]
    (folder / "metadata.csv").write_text(HEADER + "\n".join(rows) + "\n")
    listing = list_metadata_csv(Path("data"), settings)
    assert listing == plain
    assert listing_protocol(listing, settings) == listing_protocol(plain, settings)
    units = [source.unit for source in sources_of(listing, Path("data"), 1)]
    assert [unit.places for unit in units] == [(f"faces/faces/{name}",) for name in "abcd"]


def test_progress_counts_every_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONAS_CACHE", str(tmp_path / "cache"))
    seen: list[tuple[int, int]] = []
    read_metadata_csv(write(tmp_path, GOOD), 32, progress=lambda d, n: seen.append((d, n)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("faces/x.png,GENUINE,x,train", r"row 6: label is 'GENUINE'; it must be REAL or FAKE"),
        ("faces/x.png,REAL,x,dev", r"row 6: split is 'dev'; it must be train, val or test"),
        ("faces/x.png,REAL,,train", r"row 6: the column 'original' is empty"),
        ("faces/x.png,REAL,a,val", r"original 'a' lies in two splits, 'train' \(row 2\)"),
        ("../x.png,REAL,x,train", r"row 6: path '../x.png' leaves the data folder"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(DataError, match=message):
        read_metadata_csv(write(tmp_path / "data", [*GOOD, row]), 32)


def test_empty_lines_are_no_rows_and_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", GOOD)
    assert len(list_metadata_csv(folder, Settings()).records) == 4
    table = folder / "metadata.csv"
    sound = table.read_text()
    table.write_text("\n" + sound)
    assert len(list_metadata_csv(folder, Settings()).records) == 4
    bad = "faces/d.png,REAL,d,dev\n"
    for text, line in ((sound + "\n\n" + bad, 8), (sound.replace(",a,", ',"a\na",') + bad, 8)):
        table.write_text(text)
        with pytest.raises(DataError, match=rf"row {line}: split is 'dev'"):
            read_metadata_csv(folder, 32)


def test_a_missing_image_is_named_with_its_row(tmp_path: Path) -> None:
    folder = write(tmp_path, GOOD)
    (folder / "faces" / "c.png").unlink()
    with pytest.raises(DataError, match=r"row 4: the image '.*c\.png' does not exist"):
        read_metadata_csv(folder, 32)
    data = read_metadata_csv(folder, 32, on_bad_image=OnBadImage.SKIP)
    assert len(data.skipped) == 1
    assert "row 4" in data.skipped[0]
    assert data.splits[Split.VAL].domains == ("fake",)


def test_a_table_whose_images_are_all_missing_has_none(tmp_path: Path) -> None:
    folder = write(tmp_path, GOOD)
    for image in (folder / "faces").iterdir():
        image.unlink()
    with pytest.raises(DataError, match=r"has no images or videos.*row 2: the image"):
        read_metadata_csv(folder, 32, on_bad_image=OnBadImage.SKIP)


@pytest.mark.parametrize("missing", ["path", "label", "original", "split"])
def test_a_missing_column_is_named(tmp_path: Path, missing: str) -> None:
    write(tmp_path, GOOD, HEADER.replace(missing, "other"))
    with pytest.raises(DataError, match=f"lacks the column '{missing}'"):
        read_metadata_csv(tmp_path, 32)


def test_an_empty_table_an_empty_folder_and_no_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no metadata\.csv \(found: nothing\)"):
        read_metadata_csv(tmp_path, 32)
    with pytest.raises(DataError, match="does not exist"):
        read_metadata_csv(tmp_path / "nowhere", 32)
    (tmp_path / "metadata.csv").write_text(HEADER)
    with pytest.raises(DataError, match="has no rows"):
        read_metadata_csv(tmp_path, 32)


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_an_unreadable_image_is_an_error_or_a_counted_skip(
    tmp_path: Path, content: bytes | None
) -> None:
    folder = write(tmp_path, GOOD)
    whole = (folder / "faces" / "b.png").read_bytes()
    (folder / "faces" / "b.png").write_bytes(whole[:60] if content is None else content)
    with pytest.raises(DataError, match=r"row 3: .*b\.png: unreadable image .*on_bad_image"):
        read_metadata_csv(folder, 32)
    data = read_metadata_csv(folder, 32, on_bad_image=OnBadImage.SKIP)
    assert len(data.skipped) == 1
    assert "row 3" in data.skipped[0]
    assert len(data.splits[Split.TRAIN]) == 1


def test_a_decompression_bomb_is_not_decoded(tmp_path: Path) -> None:
    folder = write(tmp_path, GOOD)
    Image.new("1", (20_000, 20_000)).save(folder / "faces" / "b.png")
    with pytest.raises(DataError, match="row 3"):
        read_metadata_csv(folder, 32)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "I;16"])
def test_other_pixel_formats_become_rgb(tmp_path: Path, mode: str) -> None:
    folder = write(tmp_path, GOOD)
    suffix = "tif" if mode in ("CMYK", "I;16") else "png"
    Image.new(mode, (40, 40)).save(folder / "faces" / f"e.{suffix}")
    with (folder / "metadata.csv").open("a") as file:
        file.write(f"faces/e.{suffix},REAL,e,test\n")
    assert read_metadata_csv(folder, 32).splits[Split.TEST].images.shape == (1, 3, 32, 32)


def test_a_split_is_required_with_both_classes(tmp_path: Path) -> None:
    data = read_metadata_csv(write(tmp_path, [*GOOD, "faces/e.png,REAL,e,test"]), 32)
    with pytest.raises(DataError, match="all 1 images of the split 'test' are real"):
        data.require(Split.TEST, "the final test")
    without = read_metadata_csv(write(tmp_path, GOOD), 32)
    with pytest.raises(DataError, match=r"no images in the split 'test'.*with images: train, val"):
        without.require(Split.TEST, "the final test")
