"""What the findings of an audit hold for."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import bonas
from bonas.data.audit import Picture, pictures_in_memory, pictures_of_folder
from bonas.data.audit.finding import LEAK_AUC
from bonas.data.audit.protocol import audit_protocol
from bonas.data.faces import Split
from bonas.data.layouts.named import list_data
from bonas.data.layouts.records import Settings
from bonas.data.reading_terms import ReadingTerms
from bonas.data.synthetic_set import synthetic_faces
from tests.bonas.data.audit.conftest import sound_lines, write
from tests.bonas.data.layouts import test_faceforensics as faceforensics


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten originals and a forgery of each: twelve, four and four pictures."""
    return write(tmp_path_factory.mktemp("protocol") / "data", sound_lines(10))


def digests(pictures: list[Picture]) -> dict[str, str]:
    """By split."""
    (data,) = audit_protocol(pictures, fast=True)["data"].values()
    return {split: used["digest"] for split, used in data.items()}


def test_it_says_what_was_looked_at_and_by_which_limits(folder: Path) -> None:
    protocol = audit_protocol(pictures_of_folder(folder), fast=False)
    assert protocol["version"] == bonas.__version__
    assert protocol["limits"]["leak_auc"] == LEAK_AUC
    assert protocol["frames_per_video"] > 0
    assert {
        n: (u["files"], u["forged"], u["originals"]) for n, u in protocol["data"]["data"].items()
    } == {
        "train": (12, 6, 6),
        "val": (4, 2, 2),
        "test": (4, 2, 2),
    }


def test_it_says_how_every_data_set_was_read(folder: Path, tmp_path: Path) -> None:
    settings = Settings(frames_per_video=5, compression="c40", split_seed=3)
    published = faceforensics.written(tmp_path / "ff", "c40")
    pictures = pictures_of_folder(folder, settings=settings)
    pictures += pictures_of_folder(published, name="further", settings=settings)
    pictures += pictures_in_memory(synthetic_faces(6, 32, seed=4))
    own, further, drawn = audit_protocol(pictures, fast=True)["reading"]
    # As a run reads it, but for the settings that its layout does not have.
    assert own == list_data(folder, "auto", settings).terms(settings).to_json()
    assert (own["layout"], own["compression"], own["frames_per_video"]) == ("metadata.csv", None, 5)
    assert (further["name"], further["compression"], further["split_seed"]) == ("further", "c40", 3)
    assert drawn["drawn"] == {"seed": 4, "identities": 6, "size": 32}
    terms = ReadingTerms(name="synthetic", layout="synthetic", drawn=drawn["drawn"])
    assert drawn == terms.to_json()


def test_a_copy_elsewhere_and_another_order_have_the_same_digests(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere" / "data")
    pictures = pictures_of_folder(tmp_path / "elsewhere" / "data")
    random.Random(0).shuffle(pictures)
    assert digests(pictures) == digests(pictures_of_folder(folder))


def test_whatever_an_audit_would_see_changes_the_digest_of_its_split(
    folder: Path, tmp_path: Path
) -> None:
    pictures = pictures_of_folder(folder)
    before = digests(pictures)
    first = next(p for p in pictures if p.split is Split.TEST)
    assert isinstance(first.source, Path)
    longer = tmp_path / first.source.name
    shutil.copyfile(first.source, longer)
    longer.write_bytes(longer.read_bytes() + b"\0")
    changes: list[dict[str, object]] = [
        {"label": 1 - first.label},
        {"original": "somebody"},
        {"people": ("somebody",)},
    ]
    for change in changes:
        changed = [replace(p, **change) if p is first else p for p in pictures]
        after = digests(changed)
        assert after["test"] != before["test"], change
        assert after["train"] == before["train"], change
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.copyfile(longer, copy / first.source.name)
    assert digests(pictures_of_folder(copy))["test"] != before["test"]


def test_drawn_faces_are_told_apart_by_their_pixels() -> None:
    drawn = [pictures_in_memory(synthetic_faces(6, 32, seed=seed)) for seed in (0, 0, 1)]
    first, again, other = ([*audit_protocol(p, fast=True)["data"].values()] for p in drawn)
    assert first == again
    assert first[0]["train"]["digest"] != other[0]["train"]["digest"]
