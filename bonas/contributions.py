"""Contributions of the test images to a detector's AUCs, kept beside its record.

With them two detectors of a run are compared image by image, whenever each was tested.
"""

from pathlib import Path

import torch

from bonas.checkpoint import read_tensors, write_tensors
from bonas.robustness.conditions import Condition
from bonas.robustness.differences import PairableScore
from bonas.robustness.record import RobustnessScore

CONTRIBUTIONS = "contributions.safetensors"
_DIGEST = "conditions"


def save_contributions(folder: Path, tested: PairableScore) -> None:
    """Write a row for each condition, named by its key, in a detector's folder."""
    rows = {condition.key: torch.from_numpy(row) for condition, row in tested.rows.items()}
    write_tensors(folder / CONTRIBUTIONS, rows, {_DIGEST: tested.score.digest})


def load_contributions(folder: Path, score: RobustnessScore) -> PairableScore | None:
    """A detector's score with its contributions.

    `None` where they were not kept, as by earlier versions, or are of other conditions.

    Raises:
        ValueError: the file is damaged.
    """
    file = folder / CONTRIBUTIONS
    if not file.is_file():
        return None
    rows, said = read_tensors(file)
    if said.get(_DIGEST) != score.digest:
        return None
    return PairableScore(score, {Condition.from_key(k): row.numpy() for k, row in rows.items()})
