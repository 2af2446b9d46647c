"""Conditions under which a detector is tested, and the set of them that a score belongs to.

A condition is a name; what its pixels are is its *definition*: every parameter that decides them,
from the data they are taken from to the corruption's version. A set of conditions has a digest over
names and definitions. Two scores may be compared when their digests are equal: another JPEG level,
another attack budget or another test set is another score, however similar the numbers look.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

Scalar = str | int | float | bool | None
Definition = tuple[tuple[str, Scalar], ...]

_FORMAT = 1  # of the digest's text; a change makes every earlier digest another one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
SEVERITIES = (1, 2, 3, 4, 5)


class Group(StrEnum):
    """Kinds of conditions; the score weighs each kind as one, however many conditions it has."""

    CLEAN = "clean"  # the training forgeries, unseen identities
    UNSEEN = "unseen"  # forgery types or data sets not trained on
    CORRUPTION = "corruption"  # clean images after compression, blur, noise, ...
    ATTACK = "attack"  # clean images changed against the detector


@dataclass(frozen=True, slots=True)
class Condition:
    """One way of testing.

    Attributes:
        group: its kind.
        name: what was not trained on, the corruption or the attack; "clean" in the clean group.
        severity: 1 (mild) to 5 for a corruption, None otherwise.

    Raises:
        ValueError: a name that cannot stand in a key, or a severity where none belongs.
    """

    group: Group
    name: str
    severity: int | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(
                f"name must be letters, digits and any of _ . + - after the first, got "
                f"{self.name!r}; it becomes part of a key such as unseen/reenactment"
            )
        if (self.group is Group.CLEAN) != (self.name == "clean"):
            raise ValueError(
                f"name must be 'clean' in the clean group and nowhere else, got {self.name!r} in "
                f"{self.group.value}; use CLEAN, or another name"
            )
        if (self.group is Group.CORRUPTION) != (self.severity is not None):
            raise ValueError(
                f"severity must be given for corruptions only, got {self.severity} for "
                f"{self.group.value}/{self.name}; "
                f"{'choose 1 to 5' if self.severity is None else 'leave it out'}"
            )
        if self.severity is not None and self.severity not in SEVERITIES:
            raise ValueError(f"severity must be 1 to 5, got {self.severity}; 1 is the mildest")

    @property
    def key(self) -> str:
        """Unique text: `clean`, `unseen/reenactment`, `corruption/jpeg-3`, `attack/fgsm`."""
        if self.group is Group.CLEAN:
            return self.group.value
        level = "" if self.severity is None else f"-{self.severity}"
        return f"{self.group.value}/{self.name}{level}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """The condition whose `key` this is.

        Raises:
            ValueError: no condition has this key.
        """
        group, slash, name = key.partition("/")
        if group not in tuple(Group) or bool(slash) == (group == Group.CLEAN):
            raise ValueError(
                f"key must be 'clean' or one of unseen/, corruption/ and attack/ with a name, got "
                f"{key!r}; see Condition.key"
            )
        if group != Group.CORRUPTION:
            return cls(Group(group), name or "clean")
        name, _, level = name.rpartition("-")
        if level not in {str(severity) for severity in SEVERITIES}:
            raise ValueError(
                f"key of a corruption must end in its severity, -1 to -5, got {key!r}; "
                f"for example corruption/jpeg-3"
            )
        return cls(Group.CORRUPTION, name, int(level))


CLEAN = Condition(Group.CLEAN, "clean")


@dataclass(frozen=True, slots=True)
class ConditionSet:
    """Conditions with the definitions of their pixels, in the order of their keys.

    Attributes:
        conditions: all different, sorted by key.
        definitions: of each condition, the sorted (parameter, value) pairs that decide its pixels.
    """

    conditions: tuple[Condition, ...]
    definitions: tuple[Definition, ...]

    @classmethod
    def of(cls, definitions: Mapping[Condition, Mapping[str, Scalar]]) -> Self:
        """The set of these conditions; the order of conditions and parameters is no part of it."""
        ordered = sorted(definitions, key=lambda condition: condition.key)
        return cls(tuple(ordered), tuple(tuple(sorted(definitions[c].items())) for c in ordered))

    def __post_init__(self) -> None:
        keys = [condition.key for condition in self.conditions]
        if not keys or keys != sorted(set(keys)) or len(keys) != len(self.definitions):
            raise ValueError(
                f"conditions must be at least one, different, sorted by key and one per "
                f"definition, got {keys} with {len(self.definitions)} definitions; "
                f"use ConditionSet.of"
            )
        for key, definition in zip(keys, self.definitions, strict=True):
            _check_definition(key, definition)

    @property
    def digest(self) -> str:
        """SHA-256 of names and definitions, 64 hexadecimal digits; equal on every machine."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """`{"format": 1, "conditions": {key: {parameter: value}}}`."""
        pairs = zip(self.conditions, self.definitions, strict=True)
        return {
            "format": _FORMAT,
            "conditions": {c.key: dict(definition) for c, definition in pairs},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The set that `to_json` wrote.

        Raises:
            ValueError: another format, or conditions that are none.
        """
        if data.get("format") != _FORMAT:
            raise ValueError(
                f"format of a condition set must be {_FORMAT}, got {data.get('format')!r}; "
                f"it was written by another version, evaluate again"
            )
        return cls.of({Condition.from_key(k): d for k, d in data["conditions"].items()})


def _check_definition(key: str, definition: Definition) -> None:
    if not definition:
        raise ValueError(
            f"definition of {key} must say what decides its pixels, got nothing; "
            f"name at least its data"
        )
    for parameter, value in definition:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"definition of {key} must be finite, got {parameter}={value}")
        if not isinstance(value, str | int | float | bool | None):
            raise ValueError(
                f"definition of {key} must hold text and numbers, got {parameter}={value!r}; "
                f"flatten it"
            )
