"""On which terms a data set was read: the settings that its images depend on, and what is missing.

Two results of one data set hold for the same images where their digests agree. Where they do not,
these terms say why: another compression, other frames, other splits.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTerms:
    """How one data set was read; `None` stands for what its layout does not have.

    Attributes:
        name: Of the data set.
        layout: That it was read as.
        compression: Which of its copies was read.
        split_seed: Of splits that the layout's reader makes.
        frames_per_video: That were asked for.
        on_bad_image: `error` or `skip`.
        skipped: Files that were left out: missing, unreadable, or with bad masks or landmarks.
        prepared: The settings of `bonas prepare`, which made the folder.
        drawn: Of the built-in faces, the `seed`, the `identities` and the `size`, in pixels.
    """

    name: str
    layout: str
    compression: str | None = None
    split_seed: int | None = None
    frames_per_video: int | None = None
    on_bad_image: str | None = None
    skipped: int = 0
    prepared: Mapping[str, Any] | None = None
    drawn: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def drawn_faces(drawn: Mapping[str, Any]) -> str:
    """What `ReadingTerms.drawn` holds, for a line."""
    return f"{drawn['identities']} people of {drawn['size']} px drawn from seed {drawn['seed']}"
