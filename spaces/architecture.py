"""Architecture: one point of a search space, the value that every other part exchanges."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Choice: TypeAlias = str | int | float | bool
"""One option of a decision; the types that an Optuna categorical parameter and JSON both hold."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One choice per decision of a named search space, in the order of the space's decisions.

    It holds no reference to its space, so that it stays a small, hashable, picklable value;
    `spaces.space.check` tells whether it belongs to a given space.
    """

    space: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.choices, tuple):
            raise TypeError(
                f"choices is a {type(self.choices).__name__}; it must be a tuple, "
                "so that the architecture is hashable. Write Architecture(space, tuple(choices))."
            )

    def to_json(self) -> str:
        """The architecture as one line of JSON: `{"space": ..., "choices": [...]}`."""
        return json.dumps({"space": self.space, "choices": list(self.choices)})

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """The architecture that `to_json` wrote.

        Raises:
            ValueError: the text is not JSON, lacks `space` or `choices`, or `choices` is no list
                of text, numbers and truth values.
        """
        document = json.loads(text)
        if not isinstance(document, Mapping) or not {"space", "choices"} <= document.keys():
            raise ValueError(
                f'architecture JSON is {text[:80]!r}; it must be an object with the keys "space" '
                'and "choices", as Architecture.to_json writes it.'
            )
        choices = document["choices"]
        if not isinstance(choices, list) or not all(isinstance(c, Choice) for c in choices):
            raise ValueError(
                f"choices in architecture JSON is {choices!r}; it must be a list of text, numbers "
                "or truth values, as Architecture.to_json writes it."
            )
        return cls(str(document["space"]), tuple(choices))
