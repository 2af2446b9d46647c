"""ComparisonResult: what `bonas compare` found, as `comparison.json` and `--json` hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bonas.contributions import load_contributions
from bonas.detector_record import TrainedRecord
from bonas.robustness.differences import PairableScore, PairedDifferences, paired_differences

FOUND = "found"
"""Name of the contestant that the search found."""
AGAIN = "Restore it, or move it and the folder comparison/ away and run `bonas compare` again."
"""What to do about a `comparison.json` that cannot be read: it holds the steps of what is there."""
RECORDS, DIFFERENCES = "records", "differences"


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """The contestants and what they differ by.

    Attributes:
        records: Of every training.
        differences: By the rival's name, the found network less the rival, on the same images;
            empty where these are not known.
    """

    records: tuple[TrainedRecord, ...]
    differences: Mapping[str, PairedDifferences] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[TrainedRecord], folder: Path) -> Self:
        """The result of contestants in folders `name-seed`, each tested with contributions."""
        tested: dict[str, dict[int, PairableScore]] = {}
        for record in records:
            pairable = load_contributions(folder / f"{record.name}-{record.seed}", record.score)
            assert pairable is not None
            tested.setdefault(record.name, {})[record.seed] = pairable
        found = tested.get(FOUND, {})
        differences = {}
        for name, theirs in tested.items():
            seeds = [] if name == FOUND else sorted(found.keys() & theirs.keys())
            if seeds:
                differences[name] = paired_differences(
                    [found[s] for s in seeds], [theirs[s] for s in seeds]
                )
        return cls(tuple(records), differences)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            RECORDS: [record.to_json() for record in self.records],
            DIFFERENCES: {name: d.to_json() for name, d in self.differences.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` wrote, or an earlier version without differences."""
        said = document.get(DIFFERENCES, {})
        return cls(
            tuple(TrainedRecord.from_json(r) for r in document[RECORDS]),
            {name: PairedDifferences.from_json(d) for name, d in said.items()},
        )
