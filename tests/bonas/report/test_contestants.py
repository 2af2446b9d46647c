import math
from dataclasses import replace

import numpy as np
import pytest

from bonas.report.contestants import Series, difference, headline_of, series_of
from bonas.report.facts import read_run
from bonas.robustness.record import ConditionAuc, mean_of
from bonas.run_folder import RunFolder
from tests.bonas.report.conftest import record_of, with_score


def test_the_error_of_a_mean_is_that_of_errors_that_are_one() -> None:
    same = ConditionAuc(0.7, 0.01, 5)
    assert mean_of([same, same, same]).variance == pytest.approx(0.01)


def test_the_error_of_a_mean_is_never_too_small() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        factor = rng.normal(size=(4, 4))
        covariance = factor @ factor.T / 100
        parts = [ConditionAuc(0.7, float(v)) for v in covariance.diagonal()]
        assert mean_of(parts).variance >= covariance.mean() - 1e-12


def test_a_difference_is_paired_by_seed() -> None:
    first = [record_of("found", seed) for seed in range(3)]
    second = [with_score(r, lambda v: v - 0.05) for r in first]
    mean, half, seeds = (
        difference(Series("a", tuple(first)), Series("b", tuple(second))) or (0,) * 3
    )
    assert mean == pytest.approx(0.05)
    assert half == pytest.approx(0.0, abs=1e-9)
    assert seeds == 3


def test_there_is_no_difference_between_condition_sets_or_without_a_common_seed() -> None:
    here = Series("a", (record_of("found", 0),))
    assert difference(here, Series("b", (record_of("plain", 1),))) is None
    other = Series("b", (record_of("plain", 0, digest="e" * 64),))
    assert difference(here, other) is None


def test_a_training_that_was_done_twice_is_shown_once(full: RunFolder) -> None:
    facts = read_run(full)
    found = [r for r in facts.contest if r.name == "found"]
    repeated = tuple(replace(r, name="key") for r in found)
    labels = [s.label for s in series_of(replace(facts, detectors=repeated))]
    assert labels == ["found", "random", "plain"]


def test_a_series_of_detectors_stays_whole_where_one_of_its_seeds_is_a_contestant(
    full: RunFolder,
) -> None:
    facts = read_run(full)
    found = next(r for r in facts.contest if r.name == "found")
    key = facts.key_of(found)
    assert key is not None
    again = replace(found, name=key)
    other = with_score(replace(again, seed=found.seed + 100), lambda v: v - 0.1)
    (*_, trained) = series_of(replace(facts, detectors=(again, other)))
    assert trained.label == f"trained {key}"
    assert trained.records == (again, other)
    assert trained.score.value == pytest.approx((again.score.value + other.score.value) / 2)


def test_seeds_of_different_condition_sets_are_different_series(full: RunFolder) -> None:
    facts = read_run(full)
    records = (record_of("plain", 0), record_of("plain", 1, digest="e" * 64))
    series = series_of(replace(facts, contest=records, detectors=()))
    assert [s.label for s in series] == ["plain on dddddddd", "plain on eeeeeeee"]


def test_the_headline_is_the_best_architecture_with_the_most_seeds(full: RunFolder) -> None:
    facts = read_run(full)
    headline = headline_of(facts)
    assert headline is not None
    assert len(headline.records) == 3
    assert math.isclose(headline.score.value, sum(headline.scores) / 3)
    trained = headline_of(replace(facts, contest=()))
    assert trained is not None
    assert len(trained.records) == 2
    assert headline_of(replace(facts, contest=(), detectors=())) is None
