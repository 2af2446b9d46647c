"""Splits that a data set does not bring along, and those it brings along kept apart.

A made split is a function of the groups' names and a seed: groups are ordered by a hash of both
and cut, for each kind of group (real images, forged ones, both) on its own, so that every split
gets both classes wherever there are groups enough.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from bonas.data.faces import DataError, Split
from bonas.data.layouts.records import Record

T = TypeVar("T")

SHARES = {Split.TRAIN: 0.6, Split.VAL: 0.2, Split.TEST: 0.2}
VAL_OF_TRAIN = 0.25
"""Share of the training groups that become the validation split of a data set without one."""

STRICTNESS = (Split.TEST, Split.VAL, Split.TRAIN)
"""Of a group that lies in several splits, the first of these is kept: the published test set."""


def made_splits(groups: Iterable[tuple[str, int]], *, seed: int) -> dict[str, Split]:
    """A split for every group, near 60 : 20 : 20.

    Args:
        groups: The group and the label of every image, in any order.
        seed: Of the order in which groups are dealt.
    """
    kinds: dict[str, set[int]] = {}
    for group, label in groups:
        kinds.setdefault(group, set()).add(label)
    splits: dict[str, Split] = {}
    for kind in ({0}, {1}, {0, 1}):
        order = shuffled([g for g, labels in kinds.items() if labels == kind], seed=seed)
        held = _share(len(order), SHARES[Split.TEST])
        for position, group in enumerate(order):
            last = len(order) - position
            splits[group] = (
                Split.TEST if last <= held else Split.VAL if last <= 2 * held else Split.TRAIN
            )
    return splits


def check_enough(groups: Sequence[str], place: str, rule: str) -> None:
    """Refuse fewer groups than there are splits.

    Args:
        groups: Names of the groups.
        place: What is divided.
        rule: What puts a file into a group, and what to do where it does not fit.

    Raises:
        DataError: there are fewer than three.
    """
    distinct = sorted(set(groups))
    if len(distinct) < len(Split):
        raise DataError(
            f"{place}: the files form {len(distinct)} group(s) ({', '.join(distinct)}), too few "
            f"for the splits train, val and test. {rule}"
        )


def with_validation(
    records: Sequence[Record], *, seed: int, key: Callable[[Record], str] | None = None
) -> tuple[list[Record], list[str]]:
    """The records, a quarter of the training groups moved to val if val is empty; and a note.

    Args:
        records: Of all splits.
        seed: Of the groups that move.
        key: What moves together; unless given, records of one original.
    """
    named = key if key is not None else lambda record: record.original
    train = [r for r in records if r.split is Split.TRAIN]
    if not train or any(r.split is Split.VAL for r in records):
        return list(records), []
    # A key joins originals; an original must not be torn by it either.
    names: dict[str, str] = {}
    for record in train:
        names.setdefault(record.original, named(record))
    order = shuffled(sorted(set(names.values())), seed=seed)
    moved = set(order[: _share(len(order), VAL_OF_TRAIN)])
    result = [
        replace(r, split=Split.VAL) if r.split is Split.TRAIN and names[r.original] in moved else r
        for r in records
    ]
    note = f"val is made of {len(moved)} of {len(order)} training groups (data.split_seed = {seed})"
    return result, [note]


def kept_apart(
    items: Iterable[T], split_of: Callable[[T], Split], groups_of: Callable[[T], Iterable[str]]
) -> tuple[list[T], int]:
    """The items whose groups lie in no stricter split than theirs, and how many do not.

    Published splits divide videos; a group of videos may lie on both sides. The test set stays
    whole as far as it can, and what would teach it to the training is left out.

    Args:
        items: Of all splits.
        split_of: The published split of an item.
        groups_of: The groups it belongs to.
    """
    listed = list(items)
    strictest: dict[str, Split] = {}
    for item in listed:
        for group in groups_of(item):
            known = strictest.get(group, Split.TRAIN)
            strictest[group] = min(known, split_of(item), key=STRICTNESS.index)
    kept = [i for i in listed if all(strictest[g] is split_of(i) for g in groups_of(i))]
    return kept, len(listed) - len(kept)


def shuffled(groups: Iterable[str], *, seed: int) -> list[str]:
    """The groups in an order that depends on their names and the seed alone."""

    def place(group: str) -> bytes:
        # Names of files need not be in UTF-8: their other bytes are surrogates, each alone.
        return hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()

    return sorted(groups, key=place)


def joined(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """For every name its group: names of a pair share one, named after its first in order."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        above.setdefault(name, name)
        while above[name] != name:
            name = above[name]
        return name

    for first, second in pairs:
        a, b = sorted((top(first), top(second)))
        above[b] = a
    return {name: top(name) for name in list(above)}


def _share(count: int, share: float) -> int:
    """A share of a number of groups: one at least where three or more are divided."""
    return max(1 if count >= len(Split) else 0, round(share * count))
