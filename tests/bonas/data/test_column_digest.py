"""Digests of columns tell apart whatever differs."""

import pytest
import torch

from bonas.data.column_digest import Column, column_digest

NUMBERS = torch.arange(6, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("columns", "others"),
    [
        (("ab", "c"), ("a", "bc")),
        ((["a\nb"], ["c"]), (["a"], ["b\nc"])),
        ((["a", "b"], []), (["a"], ["b"])),
        ((["a"], ["b"]), (["a", "b"],)),
        ((["a", ""],), (["", "a"],)),
        ((NUMBERS.reshape(2, 3),), (NUMBERS.reshape(3, 2),)),
        ((NUMBERS[:2], NUMBERS[2:]), (NUMBERS[:4], NUMBERS[4:])),
        ((NUMBERS,), (NUMBERS.to(torch.int8),)),
        ((NUMBERS[:0],), ()),
    ],
)
def test_columns_of_the_same_bytes_differ(
    columns: tuple[Column, ...], others: tuple[Column, ...]
) -> None:
    assert column_digest(*columns) != column_digest(*others)


def test_values_count_and_not_how_they_lie_in_memory() -> None:
    table = NUMBERS.reshape(2, 3)
    assert column_digest(table.T) == column_digest(table.T.contiguous())
    assert column_digest(table, ("a", "b")) == column_digest(table, ["a", "b"])
