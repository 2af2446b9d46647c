"""What is said of a calibration by which verdicts mean little."""

import numpy as np
import pytest
import torch

from bonas.data.faces import Faces, Split
from bonas.detector_calibration import Calibration, calibrate
from bonas.robustness.calibration import Rules, ThresholdRule


def of_separation(distance: float, originals: int = 40, rules: Rules | None = None) -> Calibration:
    """Of normal scores, those of forged images so much higher."""
    count = 2 * originals
    labels = torch.arange(count) % 2
    faces = Faces(
        torch.zeros(count, 3, 2, 2, dtype=torch.uint8),
        labels,
        tuple(str(i // 2) for i in range(count)),
        tuple("swap" if label else "real" for label in labels),
    )
    scores = np.random.default_rng(0).normal(size=count) + distance * labels.numpy()
    return calibrate(scores, faces, split=Split.VAL, device="cpu", rules=rules)


@pytest.mark.parametrize("distance", [0.0, -2.0])
def test_scores_that_tell_nothing_are_doubted(distance: float) -> None:
    (doubt,) = of_separation(distance).doubts
    assert "do not tell forged from real on the calibration's images (AUC 0." in doubt


def test_a_detector_that_tells_is_not_doubted_and_doubts_are_kept() -> None:
    assert of_separation(2.0).doubts == []
    assert of_separation(50.0).doubts == [], "separated without exception"
    doubted = of_separation(0.0)
    assert Calibration.from_json(doubted.to_json()).doubts == doubted.doubts
    before = doubted.to_json()
    del before["data"]["doubts"]  # an earlier version's
    assert Calibration.from_json(before).doubts == []


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.01, "0.01 cannot be measured on 40 originals with real images: 100 are needed"),
     (0.0, "0 cannot be measured on 40 originals with real images: no number is enough"),
     (0.05, "")],
)  # fmt: skip
def test_false_alarms_rarer_than_the_images_can_show_are_doubted(share: float, words: str) -> None:
    rules = Rules(threshold=ThresholdRule.FPR, false_positive_rate=share)
    doubts = of_separation(2.0, rules=rules).doubts
    assert [words in doubt for doubt in doubts] == ([True] if words else [])
    unasked = Rules(threshold=ThresholdRule.EER, false_positive_rate=share)
    assert of_separation(2.0, rules=unasked).doubts == []
