"""Conditions with too few originals for their intervals to be right, told beside the numbers."""

from collections.abc import Mapping, Sequence

from bonas.data.faces import Faces
from bonas.robustness.conditions import Condition
from bonas.robustness.metrics import few_originals

Flags = Mapping[str, Sequence[str]]
"""Of each condition's key what is wrong with its images; conditions without are absent."""


def flags_of(views: Mapping[Condition, Faces]) -> dict[str, list[str]]:
    """Of the images of each condition."""
    found = {}
    for condition, faces in views.items():
        rows = list(zip(faces.originals, faces.labels.tolist(), strict=True))
        counts = [len({o for o, y in rows if y == label}) for label in (0, 1)]
        if flags := few_originals(counts):
            found[condition.key] = flags
    return found


def flag_lines(flags: Flags) -> list[str]:
    """For the terminal, conditions with the same one on one line."""
    members: dict[str, list[str]] = {}
    for key, said in flags.items():
        for flag in said:
            members.setdefault(flag, []).append(key)
    return [f"{', '.join(sorted(keys))}: {flag}" for flag, keys in members.items()]
