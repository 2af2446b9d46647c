import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data.synthetic import Forgery, Portraits, draw_portraits, write_portraits


@pytest.fixture(scope="module")
def portraits() -> Portraits:
    return draw_portraits(range(8), 48, seed=3)


def test_each_identity_has_one_real_portrait_and_one_forgery(portraits: Portraits) -> None:
    assert portraits.images.shape == (16, 48, 48, 3)
    assert portraits.images.dtype == portraits.masks.dtype == np.uint8
    assert portraits.labels.dtype == np.int64
    assert portraits.labels.tolist() == [0, 1] * 8
    assert portraits.originals[::2] == portraits.originals[1::2]
    assert len(set(portraits.originals)) == 8


def test_forgeries_take_turns(portraits: Portraits) -> None:
    assert portraits.domains[::2] == ("real",) * 8
    assert portraits.domains[1::2] == tuple(forgery.value for forgery in Forgery) * 2


def test_an_identity_does_not_depend_on_which_others_are_drawn(portraits: Portraits) -> None:
    backwards = draw_portraits(range(5, 3, -1), 48, seed=3)
    np.testing.assert_array_equal(backwards.images[:2], portraits.images[10:12])
    np.testing.assert_array_equal(backwards.images[2:], portraits.images[8:10])
    np.testing.assert_array_equal(backwards.masks[2:], portraits.masks[8:10])


def test_a_real_portrait_does_not_depend_on_the_forgeries_asked_for(portraits: Portraits) -> None:
    swaps = draw_portraits(range(2), 48, seed=3, forgeries=[Forgery.SWAP])
    np.testing.assert_array_equal(swaps.images[::2], portraits.images[:4:2])
    assert swaps.domains == ("real", "swap", "real", "swap")


def test_another_seed_draws_other_people(portraits: Portraits) -> None:
    others = draw_portraits(range(1), 48, seed=4)
    assert (others.images[0] != portraits.images[0]).mean() > 0.5


def test_masks_are_empty_exactly_for_real_portraits(portraits: Portraits) -> None:
    assert set(np.unique(portraits.masks)) == {0, 255}
    covered = (portraits.masks == 255).mean(axis=(1, 2))
    assert (covered[::2] == 0).all()
    assert ((covered[1::2] > 0.005) & (covered[1::2] < 0.8)).all()


def test_real_and_forged_are_takes_of_their_own(portraits: Portraits) -> None:
    outside = portraits.masks[1::2] == 0
    differs = (portraits.images[::2] != portraits.images[1::2]).any(axis=3)
    assert differs[outside].mean() > 0.9


def test_progress_counts_identities() -> None:
    seen: list[int] = []
    draw_portraits(range(3), 32, seed=0, progress=seen.append)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize(
    ("identities", "size", "seed", "forgeries", "message"),
    [
        (range(-1, 2), 48, 0, tuple(Forgery), "identities=.*negative"),
        (range(2), 16, 0, tuple(Forgery), "size=16 must be at least 32"),
        (range(2), 48, -1, tuple(Forgery), "seed=-1"),
        (range(2), 48, 0, (), "at least one type"),
    ],
)
def test_arguments_out_of_range_are_refused(
    identities: range, size: int, seed: int, forgeries: tuple[Forgery, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        draw_portraits(identities, size, seed=seed, forgeries=forgeries)


def test_no_identity_is_an_empty_data_set() -> None:
    assert draw_portraits(range(0), 48, seed=0).images.shape == (0, 48, 48, 3)


def test_a_written_data_set_says_the_same(portraits: Portraits, tmp_path: Path) -> None:
    write_portraits(portraits, tmp_path, {"train": 0.5, "test": 0.5})
    with (tmp_path / "metadata.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["label"] for row in rows] == ["REAL", "FAKE"] * 8
    assert [row["original"] for row in rows] == list(portraits.originals)
    assert [row["forgery"] or "real" for row in rows] == list(portraits.domains)
    assert [row["split"] for row in rows] == ["train"] * 8 + ["test"] * 8
    for index, row in enumerate(rows):
        np.testing.assert_array_equal(Image.open(tmp_path / row["path"]), portraits.images[index])
    mask = tmp_path / rows[3]["path"].replace("faces", "masks")
    np.testing.assert_array_equal(Image.open(mask), portraits.masks[3])


def test_no_split_cuts_an_identity(portraits: Portraits, tmp_path: Path) -> None:
    write_portraits(portraits, tmp_path)
    with (tmp_path / "metadata.csv").open(newline="") as table:
        pairs = {(row["original"], row["split"]) for row in csv.DictReader(table)}
    assert len(pairs) == 8
    assert {split for _, split in pairs} == {"train", "val", "test"}


def test_shares_that_do_not_sum_to_one_are_refused(portraits: Portraits, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        write_portraits(portraits, tmp_path, {"train": 0.7, "test": 0.7})
