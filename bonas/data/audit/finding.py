"""Finding: one thing that an audit looked for, and the rule that turns a number into a verdict.

A *leak* lets a network score well without knowing forgeries: it has seen the answer (one picture in
two splits), or the container gives it away (all forgeries are PNG). A *warning* is what a person
should look at. *Too few to tell* is no clearance: what was seen may be chance, or what a leak looks
like among few originals. The whole rule for one-feature detectors stands in `verdict_of`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SHOWN = 5
"""Files that a finding names; it counts the others."""

WARNING_AUC, LEAK_AUC, PICTURE_LEAK_AUC = 0.65, 0.75, 0.9
"""What the lower bound of a one-feature detector's AUC must exceed. An AUC of 0.65 is what weak but
honest traces of a forgery reach; above 0.75 a single number does a detector's work. Numbers of the
picture itself, where honest traces are, leak from 0.9 on."""


class Verdict(StrEnum):
    """What a finding means for the scores of the data set; later is worse."""

    OK = "ok"
    TOO_FEW = "too few to tell"
    WARNING = "warning"
    LEAK = "leak"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        name: Of the check.
        data_set: The data sets that were checked, separated by commas.
        verdict: Whether scores on these data can be believed in this respect.
        number: How many files or names are concerned, or an AUC, at least 1/2.
        interval: Of the AUC; `None` where the number is a count.
        files: The first few concerned, those that belong together in one tuple.
        count: How many such tuples there are in all.
        meaning: What the finding says and what to do about it.
    """

    name: str
    data_set: str
    verdict: Verdict
    number: float
    interval: tuple[float, float] | None
    files: tuple[tuple[str, ...], ...]
    count: int
    meaning: str

    @classmethod
    def of_files(
        cls,
        name: str,
        data_set: str,
        files: Sequence[tuple[str, ...]],
        *,
        found: Verdict,
        meaning: str,
        otherwise: str,
    ) -> "Finding":
        """A finding whose number is the count of its files.

        Args:
            name: Of the check.
            data_set: What was checked.
            files: All that were found.
            found: The verdict where there are any.
            meaning: What that means and what to do.
            otherwise: What it means that there are none.
        """
        return cls(
            name=name,
            data_set=data_set,
            verdict=found if files else Verdict.OK,
            number=float(len(files)),
            interval=None,
            files=tuple(files[:SHOWN]),
            count=len(files),
            meaning=meaning if files else otherwise,
        )

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON document."""
        return {
            "name": self.name,
            "data_set": self.data_set,
            "verdict": self.verdict.value,
            "number": self.number,
            "interval": None if self.interval is None else list(self.interval),
            "files": [list(together) for together in self.files],
            "count": self.count,
            "meaning": self.meaning,
        }


def verdict_of(auc: float, low: float, *, container: bool, telling: bool) -> Verdict:
    """The verdict on a one-feature detector.

    Size, tables, format and dimensions of a file say nothing about a face, so a strong detector
    there is a leak. Colour and spectrum belong to the picture, and forgeries do leave traces in
    both (Frank et al. 2020 show it for the spectra of generators), so they warn at first. Where one
    such number tells nearly all of them, there is nothing left for a detector to learn.

    A separation without exception is judged by how seldom chance makes one, not by the interval,
    which for some dozens of originals reaches far down: what separates all pictures that there are
    is a shortcut in them, whatever others would show.

    Args:
        auc: Of the detector, at least 1/2.
        low: Its lower bound.
        container: Whether the feature belongs to the file rather than to the picture.
        telling: Whether a separation without exception of as many originals cannot be chance.
    """
    proven = 1.0 if auc == 1.0 and telling else low
    if proven > (LEAK_AUC if container else PICTURE_LEAK_AUC):
        return Verdict.LEAK
    if proven > WARNING_AUC:
        return Verdict.WARNING
    return Verdict.OK if auc <= LEAK_AUC else Verdict.TOO_FEW
