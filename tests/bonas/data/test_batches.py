import numpy as np
import pytest

from bonas.data.batches import PairedBatches
from bonas.data.faces import Faces
from tests.conftest import striped_faces


def test_every_batch_pairs_a_real_face_with_a_forgery_of_the_same_original(faces: Faces) -> None:
    batches = PairedBatches.of(faces, 8, seed=0)
    rows = batches.epoch(0)
    assert rows.shape == (5, 8)
    for row in rows:
        assert faces.labels[row].tolist() == [0, 1] * 4
        originals = [faces.originals[i] for i in row]
        assert originals[::2] == originals[1::2]


def test_an_epoch_uses_every_pair_once(faces: Faces) -> None:
    rows = PairedBatches.of(faces, 8, seed=0).epoch(3)
    assert sorted(rows.reshape(-1)) == list(range(40))


def test_the_order_depends_on_seed_and_epoch_alone(faces: Faces) -> None:
    first = PairedBatches.of(faces, 8, seed=1)
    assert np.array_equal(first.epoch(2), PairedBatches.of(faces, 8, seed=1).epoch(2))
    assert not np.array_equal(first.epoch(2), first.epoch(3))
    assert not np.array_equal(first.epoch(2), PairedBatches.of(faces, 8, seed=2).epoch(2))


def test_faces_without_common_originals_are_matched_at_random() -> None:
    faces = striped_faces(12)
    loose = Faces(faces.images, faces.labels, tuple(f"id{i}" for i in range(24)), faces.domains)
    rows = PairedBatches.of(loose, 4, seed=0).epoch(0)
    assert loose.labels[rows.reshape(-1)].tolist() == [0, 1] * 12
    assert len(set(rows.reshape(-1).tolist())) == 24


def test_the_fewer_kind_is_repeated_where_originals_are_not_shared() -> None:
    faces = striped_faces(12).select([*range(0, 24, 2), 1, 3])
    loose = Faces(faces.images, faces.labels, tuple(f"id{i}" for i in range(14)), faces.domains)
    rows = PairedBatches.of(loose, 4, seed=0).epoch(0).reshape(-1)
    assert sorted(set(rows.tolist())) == list(range(14))
    assert (loose.labels[rows] == 1).sum() == 12


@pytest.mark.parametrize("batch_size", [0, 1, 7])
def test_an_odd_batch_size_is_an_error(faces: Faces, batch_size: int) -> None:
    with pytest.raises(ValueError, match=f"batch_size is {batch_size}; pairs need an even number"):
        PairedBatches.of(faces, batch_size, seed=0)


def test_too_few_pairs_are_an_error(faces: Faces) -> None:
    with pytest.raises(ValueError, match="form only 20 pairs"):
        PairedBatches.of(faces, 42, seed=0)
