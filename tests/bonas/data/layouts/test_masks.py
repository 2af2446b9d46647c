import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import bonas.data.layouts.masks
from bonas.data.faces import DataError, DataSet, Split
from bonas.data.layouts.metadata_csv import OnBadImage
from bonas.data.layouts.named import list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Settings
from bonas.data.regions import Regions
from bonas.data.synthetic import draw_portraits
from bonas.data.synthetic.dataset import write_portraits
from tests.bonas.data.pictures import stored, turned_video, with_orientation

ROWS = ("a.png,REAL,a,train,", "b.png,FAKE,a,train,b_mask.png", "c.png,FAKE,a,train,")


def folder_of(place: Path, *, mask: np.ndarray | None = None) -> Path:
    """A real image, a forged one with a mask of its left half, and one without; 8 px."""
    for name in ("a", "b", "c"):
        Image.fromarray(np.full((8, 8, 3), 99, np.uint8)).save(place / f"{name}.png")
    if mask is None:
        mask = np.zeros((8, 8), np.uint8)
        mask[:, :4] = 255
    Image.fromarray(mask).save(place / "b_mask.png")
    (place / "metadata.csv").write_text("path,label,original,split,mask\n" + "\n".join(ROWS) + "\n")
    return place


def read(folder: Path, settings: Settings | None = None, *, size: int = 8) -> DataSet:
    chosen = settings or Settings()
    listing = list_data(folder, "metadata.csv", chosen)
    return read_listing(listing, size, chosen, regions=True)


def regions_of(data: DataSet) -> Regions:
    regions = data.splits[Split.TRAIN].regions
    assert regions is not None
    return regions


def test_real_images_and_those_with_a_mask_have_known_regions(tmp_path: Path) -> None:
    regions = regions_of(read(folder_of(tmp_path)))
    assert regions.known.tolist() == [True, True, False]
    assert not regions.masks[0].any()
    assert regions.masks[1, :, :4].eq(255).all()
    assert not regions.masks[1, :, 4:].any()


def test_masks_are_not_opened_unless_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "b_mask.png").write_bytes(b"torn")
    listing = list_data(folder, "metadata.csv", Settings())
    assert read_listing(listing, 8, Settings()).splits[Split.TRAIN].regions is None


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((8, 9), np.uint8), r"b_mask\.png has 9 x 8 pixels, its image 8 x 8"),
        (np.eye(8, dtype=np.uint8), r"b_mask\.png has no level above 1"),
    ],
)
def test_a_mask_that_does_not_fit_is_an_error_or_a_counted_skip(
    tmp_path: Path, mask: np.ndarray, message: str
) -> None:
    folder = folder_of(tmp_path, mask=mask)
    with pytest.raises(DataError, match=message):
        read(folder)
    data = read(folder, Settings(on_bad_image=OnBadImage.SKIP))
    assert len(data.skipped) == 1
    assert regions_of(data).known.tolist() == [True, False, False]
    assert len(data.splits[Split.TRAIN]) == 3, "the image itself stays"


@pytest.mark.parametrize("edges", [(8, 8), (12, 8)])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_mask_of_the_stored_pixels_is_turned_with_its_image(
    tmp_path: Path, number: int, edges: tuple[int, int]
) -> None:
    seen = Image.new("L", edges)
    seen.paste(255, (0, 0, 4, 4))
    expected = np.asarray(seen.resize((8, 8), Image.Resampling.BILINEAR))
    folder = folder_of(tmp_path)
    image = stored(Image.new("RGB", edges), number)
    image.save(folder / "b.png", exif=with_orientation(number))
    stored(seen, number).save(folder / "b_mask.png")
    assert np.array_equal(regions_of(read(folder)).masks[1], expected)
    # What says itself which way up it is, or fits the turned image alone, is not turned again.
    for own in range(1, 9):
        stored(seen, own).save(folder / "b_mask.png", exif=with_orientation(own))
        assert np.array_equal(regions_of(read(folder)).masks[1], expected)
    if image.size != edges:
        seen.save(folder / "b_mask.png")
        assert np.array_equal(regions_of(read(folder)).masks[1], expected)


@pytest.mark.parametrize("like_video", [True, False])
def test_a_video_of_masks_is_turned_with_its_video(tmp_path: Path, like_video: bool) -> None:
    seen = np.zeros((32, 48, 3), np.uint8)
    seen[:16, :24] = 255
    pixels = seen if like_video else np.rot90(seen)
    folder = folder_of(tmp_path)
    turned_video(folder / "b.mp4", np.rot90(np.full_like(seen, 99)).copy(), 90)
    turned_video(folder / "b_mask.mp4", pixels.copy(), 0)
    table = (folder / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(
        table.replace("b.png", "b.mp4").replace("mask.png", "mask.mp4")
    )
    masks = regions_of(read(folder)).masks[1:3].float()
    assert masks[:, :4, :4].mean() > 200
    assert masks[:, 5:].mean() < 20
    assert masks[:, :, 5:].mean() < 20


def test_a_missing_mask_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "b_mask.png").unlink()
    with pytest.raises(DataError, match=r"row 3: .*: its mask .*b_mask\.png does not exist"):
        read(folder)


@pytest.mark.parametrize("name", ["../b_mask.png", "/etc/b_mask.png"])
def test_a_mask_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    folder = folder_of(tmp_path / "data")
    table = folder / "metadata.csv"
    table.write_text(table.read_text().replace("b_mask.png", name))
    with pytest.raises(DataError, match="leaves the data folder"):
        read(folder)


def test_a_changed_mask_is_read_anew_and_an_unchanged_one_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BONAS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    folder = folder_of(tmp_path / "data")
    before = regions_of(read(folder))
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(folder / "b_mask.png")
    os.utime(folder / "b_mask.png", ns=(1, 1))
    after = regions_of(read(folder))
    assert after.masks[1].eq(255).all()
    assert not torch.equal(before.masks, after.masks)

    def fail(*_: object, **__: object) -> np.ndarray:
        raise AssertionError("decoded again")

    monkeypatch.setattr(bonas.data.layouts.masks, "read_mask", fail)
    assert torch.equal(regions_of(read(folder)).masks, after.masks)


def test_drawn_faces_written_to_files_bring_their_masks(tmp_path: Path) -> None:
    portraits = draw_portraits(range(3), 32, seed=0)
    write_portraits(portraits, tmp_path, {"train": 1.0})
    regions = regions_of(read(tmp_path, size=32))
    assert regions.known.all()
    assert np.array_equal(regions.masks.numpy(), portraits.masks)
