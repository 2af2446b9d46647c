from pathlib import Path

import pytest
import torch

from bonas.config import DataTable
from bonas.data.faces import REAL, DataError
from bonas.data.source import PSEUDO, load_search_data
from tests.bonas.data.pictures import picture


def folder_of(place: Path, kinds: dict[str, str]) -> Path:
    """Four people per split with an image of each kind, such as {"train": "REAL,FAKE"}."""
    rows = ["path,label,original,split"]
    for split, labels in kinds.items():
        for person in range(4):
            for label in labels.split(","):
                name = f"{split}{person}{label}.png"
                picture(place / name, 20 * person + 5 * (label == "FAKE"))
                rows.append(f"{name},{label},{split}{person},{split}")
    (place / "metadata.csv").write_text("\n".join(rows) + "\n")
    return place


def test_training_on_real_faces_needs_no_forged_ones(tmp_path: Path) -> None:
    kinds = {"train": "REAL", "val": "REAL,FAKE", "test": "REAL,FAKE"}
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    data = load_search_data(table, seed=0)
    assert data.train.domains == (REAL,) * 4 + (PSEUDO,) * 4
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4
    assert torch.equal(data.train.images[:4], data.train.images[4:])
    assert data.val.forgeries == ("fake",), "what selects is forged for real"


def test_no_forged_training_face_is_used_where_there_are_some(tmp_path: Path) -> None:
    kinds = dict.fromkeys(("train", "val", "test"), "REAL,FAKE")
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    data = load_search_data(table, seed=0)
    assert len(data.train) == 8
    assert data.train.forgeries == (PSEUDO,)


def test_without_real_training_faces_there_is_nothing_to_blend(tmp_path: Path) -> None:
    kinds = {"train": "FAKE", "val": "REAL,FAKE", "test": "REAL,FAKE"}
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    with pytest.raises(DataError, match="has no real images in the split 'train'"):
        load_search_data(table, seed=0)
