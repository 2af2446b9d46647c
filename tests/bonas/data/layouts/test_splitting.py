import hashlib
import os

from bonas.data.layouts.splitting import made_splits, shuffled


def test_groups_are_ordered_by_the_hash_of_their_name_in_utf_8() -> None:
    groups = ["anna", "jürgen", "王", "00017", "a b"]
    for seed in range(5):
        expected = sorted(groups, key=lambda g: hashlib.sha256(f"{seed}\n{g}".encode()).digest())
        assert shuffled(groups, seed=seed) == expected


def test_names_that_are_not_in_utf_8_are_divided_as_others_are() -> None:
    latin = [os.fsdecode(f"j{letter}rgen".encode("latin-1")) for letter in "äöüßéè"]
    assert set(made_splits([(name, 0) for name in latin], seed=0)) == set(latin)
    assert len({tuple(shuffled(latin, seed=seed)) for seed in range(8)}) > 1
    assert shuffled(["\ud800"], seed=0) == ["\ud800"], "a table in JSON may name it"
