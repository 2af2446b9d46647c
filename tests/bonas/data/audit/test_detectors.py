import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bonas.data.audit.detectors import log_arrangements, one_feature_findings
from bonas.data.audit.finding import (
    LEAK_AUC,
    PICTURE_LEAK_AUC,
    WARNING_AUC,
    Verdict,
    verdict_of,
)
from bonas.data.audit.measures import Measures, measure
from bonas.data.audit.near_copies import correlations
from bonas.data.audit.pictures import Picture
from bonas.data.faces import Split
from bonas.robustness.auc import auc
from tests.bonas.data.audit.conftest import verdicts
from tests.bonas.data.pictures import stored, with_orientation

RNG_SHAPE = (32, 32, 3)


def sample(
    brightness: np.ndarray, labels: np.ndarray, clusters: np.ndarray | None = None, seed: int = 0
) -> tuple[list[Picture], list[Measures]]:
    """Pictures of noise in memory around the given levels."""
    rng = np.random.default_rng(seed)
    clusters = np.arange(len(labels)) if clusters is None else clusters
    pictures, measures = [], []
    for level, label, cluster in zip(brightness, labels, clusters, strict=True):
        pixels = np.clip(rng.normal(level, 20, RNG_SHAPE), 0, 255).astype(np.uint8)
        source = torch.from_numpy(pixels).permute(2, 0, 1)
        found = measure(source)
        assert isinstance(found, Measures)
        name = ("real", "swap")[label]
        pictures.append(Picture(name, "d", Split.TRAIN, int(label), f"o{cluster}", name, source))
        measures.append(found)
    return pictures, measures


@pytest.mark.parametrize("seed", range(8))
def test_chance_is_no_finding_however_few_the_pictures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.arange(24) % 2
    found = verdicts(one_feature_findings(*sample(rng.uniform(60, 180, 24), labels, seed=seed)))
    assert set(found.values()) <= {Verdict.TOO_FEW}


def test_the_number_is_the_auc_in_the_better_direction() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(60) % 2
    for sign in (1, -1):
        levels = 120 + sign * 20 * labels + rng.normal(0, 20, 60)
        pictures, measures = sample(levels, labels)
        (found,) = (f for f in one_feature_findings(pictures, measures) if f.name == "brightness")
        expected = auc([m.brightness for m in measures], labels)
        assert found.number == pytest.approx(max(expected, 1 - expected))
        assert found.interval is not None
        low, high = found.interval
        assert low < found.number < high


def test_perfect_separation_of_a_handful_proves_nothing() -> None:
    """Four originals of a class: the interval reaches down to chance, and nothing is cleared."""
    labels = np.arange(8) % 2
    pictures, measures = sample(60 + 100.0 * labels, labels)
    findings = one_feature_findings(pictures, measures)
    (found,) = (f for f in findings if f.name == "brightness")
    assert found.number == 1
    assert "so few originals" in found.meaning
    assert {f.verdict for f in findings} == {Verdict.TOO_FEW}
    labels = np.arange(80) % 2
    assert verdicts(one_feature_findings(*sample(60 + 100.0 * labels, labels)))["brightness"]


def test_frames_of_one_original_count_as_one() -> None:
    """Forty frames of each of four videos are hardly more than four pictures."""
    labels = np.arange(160) % 2
    clusters = np.arange(160) % 4
    levels = 100 + 40.0 * (clusters % 2) + 25.0 * (clusters // 2)
    found = verdicts(one_feature_findings(*sample(levels, labels, clusters)))
    assert found["brightness"] is Verdict.TOO_FEW
    alone = verdicts(one_feature_findings(*sample(levels, labels)))
    assert alone["brightness"] is Verdict.LEAK, "without exception"


@pytest.mark.parametrize("telling", [True, False])
@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize("auc", [0.5, 0.7, LEAK_AUC, 0.9, 1.0])
@pytest.mark.parametrize("low", [0.2, 0.5, WARNING_AUC, LEAK_AUC, PICTURE_LEAK_AUC, 1.0])
def test_the_rule_is_monotone_and_milder_to_what_belongs_to_the_picture(
    low: float, auc: float, container: bool, telling: bool
) -> None:
    def index(auc: float, low: float) -> int:
        return list(Verdict).index(verdict_of(auc, low, container=container, telling=telling))

    here = verdict_of(auc, low, container=container, telling=telling)
    assert index(auc, low) <= index(auc, min(1.0, low + 0.01))
    assert index(auc, low) <= index(min(1.0, auc + 0.01), low)
    strict = verdict_of(auc, low, container=True, telling=telling)
    assert list(Verdict).index(here) <= list(Verdict).index(strict)
    proven = low if auc < 1 or not telling else 1.0
    assert (here is Verdict.LEAK) == (proven > (LEAK_AUC if container else PICTURE_LEAK_AUC))
    if low <= WARNING_AUC and (auc < 1 or not telling):
        assert (here is Verdict.OK) == (auc <= LEAK_AUC)


@pytest.mark.parametrize(("originals", "verdict"), [(8, Verdict.TOO_FEW), (20, Verdict.LEAK),
                                                    (45, Verdict.LEAK)])  # fmt: skip
def test_one_format_for_each_class_is_a_leak_from_a_score_of_originals_on(
    tmp_path: Path, originals: int, verdict: Verdict
) -> None:
    pictures, measures = [], []
    rng = np.random.default_rng(0)
    for i in range(2 * originals):
        file = tmp_path / f"{i}{('.jpg', '.png')[i % 2]}"
        Image.fromarray(rng.integers(0, 255, RNG_SHAPE, dtype=np.uint8)).save(file)
        found = measure(file)
        assert isinstance(found, Measures)
        domain = ("real", "swap")[i % 2]
        pictures.append(Picture(str(i), "d", Split.TRAIN, i % 2, f"o{i // 2}", domain, file))
        measures.append(found)
    named = {f.name: f for f in one_feature_findings(pictures, measures)}
    assert named["file format"].number == 1
    assert named["file format"].verdict is verdict
    assert all(f.verdict is Verdict.TOO_FEW for f in named.values()) == (originals == 8)


def test_turned_real_pictures_are_a_leak_of_the_container_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    """The network sees all of them upright; the tag tells the camera."""
    pictures, measures = [], []
    rng = np.random.default_rng(0)
    for i in range(40):
        number = (6, 1)[i % 2]
        image = Image.fromarray(rng.integers(0, 255, RNG_SHAPE, dtype=np.uint8))
        file = tmp_path / f"{i}.png"
        stored(image, number).save(file, exif=with_orientation(number))
        found, upright = measure(file), measure(torch.from_numpy(np.array(image)).permute(2, 0, 1))
        assert isinstance(found, Measures)
        assert isinstance(upright, Measures)
        assert (found.hash, found.bands, found.orientation) == (
            (upright.hash, upright.bands, str(number))
        )
        domain = ("real", "swap")[i % 2]
        pictures.append(Picture(str(i), "d", Split.TRAIN, i % 2, f"o{i // 2}", domain, file))
        measures.append(found)
    named = {f.name: f for f in one_feature_findings(pictures, measures)}
    assert named["orientation"].verdict is Verdict.LEAK
    assert "EXIF orientation" in named["orientation"].meaning
    assert [name for name, f in named.items() if f.verdict is Verdict.LEAK] == ["orientation"]


def test_arrangements_are_counted() -> None:
    """Of every way to lay labels on originals, class by class within an original."""
    positive = np.array([0, 1, 1, 0, 0, 1, 1, 1], dtype=bool)
    clusters = np.array([0, 0, 0, 1, 1, 2, 3, 4])  # one of both classes, one real, three forged
    assert log_arrangements(positive, clusters) == pytest.approx(math.log(2 * 4))


def test_a_rare_type_leaves_the_verdict_on_the_others() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    pictures, measures = sample(rng.uniform(60, 180, 120), labels)
    rare = [replace(p, domain="rare") if i in (1, 3) else p for i, p in enumerate(pictures)]
    found = one_feature_findings(rare, measures)
    assert Verdict.OK in {f.verdict for f in found}
    assert {f.verdict for f in found} <= {Verdict.OK, Verdict.TOO_FEW}


def test_correlation_ignores_light_and_is_zero_for_flat_pictures() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(20, 120, (5, 1024), dtype=np.uint8)
    other = rng.integers(20, 120, (5, 1024), dtype=np.uint8)
    brighter = (2 * first + 10).astype(np.uint8)
    assert correlations(first, brighter) == pytest.approx(np.ones(5), abs=1e-5)
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, other, strict=True)]
    assert correlations(first, other) == pytest.approx(np.array(expected), abs=1e-5)
    assert correlations(np.full((5, 1024), 9, np.uint8), other).tolist() == [0.0] * 5


def test_a_category_is_tried_by_its_frequent_values(tmp_path: Path) -> None:
    """Real pictures at two sizes and forged ones at a third between them: no number tells it."""
    pictures, measures = [], []
    rng = np.random.default_rng(0)
    for i in range(80):
        edge = 40 if i % 2 else (32, 48)[i // 2 % 2]
        pixels = rng.integers(0, 255, (edge, edge, 3), dtype=np.uint8)
        file = tmp_path / f"{i}.png"
        Image.fromarray(pixels).save(file)
        found = measure(file)
        assert isinstance(found, Measures)
        domain = ("real", "swap")[i % 2]
        pictures.append(Picture(str(i), "d", Split.TRAIN, i % 2, f"o{i}", domain, file))
        measures.append(found)
    (dimensions,) = (f for f in one_feature_findings(pictures, measures) if f.name == "dimensions")
    assert dimensions.verdict is Verdict.LEAK
    assert dimensions.number == 1
    assert "dimensions 40 x 40" in dimensions.meaning
