"""What detectors' images contributed is kept beside them, and makes their differences."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bonas.comparison_result import ComparisonResult
from bonas.contributions import CONTRIBUTIONS, load_contributions, save_contributions
from bonas.detector_record import TrainedRecord
from bonas.robustness.differences import PairableScore, paired_differences
from tests.bonas.report.conftest import record_of
from tests.bonas.robustness.test_score import paired


def contested(name: str, seed: int, place: Path) -> tuple[TrainedRecord, PairableScore]:
    """A contestant of a few images, with its folder."""
    sample = replace(paired(0), predictions=paired(10 * len(name) + seed).predictions)
    pairable = sample.pairable()
    save_contributions(place / f"{name}-{seed}", pairable)
    return replace(record_of(name, seed), score=pairable.score), pairable


def test_contributions_read_back_for_the_same_conditions_only(tmp_path: Path) -> None:
    record, pairable = contested("plain", 0, tmp_path)
    read = load_contributions(tmp_path / "plain-0", record.score)
    assert read is not None
    assert read.score == record.score
    assert all((read.rows[c] == row).all() for c, row in pairable.rows.items())
    other = replace(record.score, digest="e" * 64)
    assert load_contributions(tmp_path / "plain-0", other) is None
    assert load_contributions(tmp_path / "random-0", record.score) is None
    (tmp_path / "plain-0" / CONTRIBUTIONS).write_bytes(b"torn")
    with pytest.raises(ValueError, match=rf"{CONTRIBUTIONS} is damaged .* remove it"):
        load_contributions(tmp_path / "plain-0", record.score)


def test_the_found_network_is_compared_with_each_rival_over_common_seeds(tmp_path: Path) -> None:
    contest = [("found", 0), ("plain", 0), ("found", 1), ("plain", 1), ("random", 1), ("odd", 7)]
    everyone = {(name, seed): contested(name, seed, tmp_path) for name, seed in contest}
    result = ComparisonResult.of([record for record, _ in everyone.values()], tmp_path)
    rows = {key: pairable for key, (_, pairable) in everyone.items()}
    assert dict(result.differences) == {
        "plain": paired_differences(
            [rows["found", 0], rows["found", 1]], [rows["plain", 0], rows["plain", 1]]
        ),
        "random": paired_differences([rows["found", 1]], [rows["random", 1]]),
    }
    document = json.loads(json.dumps(result.to_json()))
    assert ComparisonResult.from_json(document).differences == result.differences
    del document["differences"]
    assert not ComparisonResult.from_json(document).differences, "an earlier version kept none"
