"""Remembered: what was read from the graphs of architectures that come again and again."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from spaces.architecture import Architecture

T = TypeVar("T")

MOST = 20_000
"""Architectures that are remembered: some twenty pools of candidates, which overlap by half."""


class Remembered(Generic[T]):
    """A function of architectures that keeps its latest results; pickled without them.

    Args:
        function: Of the architecture alone, and picklable.
        most: Results that are kept; when there are so many, the older half is dropped.
    """

    def __init__(self, function: Callable[[Architecture], T], *, most: int = MOST) -> None:
        self._function = function
        self._most = most
        self._known: dict[Architecture, T] = {}

    def __call__(self, architecture: Architecture) -> T:
        """The result, computed if it is not known any more."""
        try:
            return self._known[architecture]
        except KeyError:
            found = self._function(architecture)
        if len(self._known) >= self._most:
            for old in list(self._known)[: (self._most + 1) // 2]:
                self._known.pop(old, None)
        self._known[architecture] = found
        return found

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_known": {}}
