"""Noise of estimates on shared images: what their errors do not have in common."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution

import bonas
from bonas.strategies.belief import last_refit
from bonas.strategies.history import WARM, Estimate
from bonas.strategies.noise import known_noise, noise_variance
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from bonas.trial_attributes import observation_of
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
DECISIONS = {d.name: CategoricalDistribution(d.options) for d in SPACE.decisions}
OWN = 0.25
"""A power of two: sums of its multiples are exact."""


def _estimates(loadings: Sequence[Sequence[float]]) -> list[Estimate]:
    return [
        Estimate(i, Architecture("x", (i,)), (0.0,), loadings=tuple(row))
        for i, row in enumerate(loadings)
    ]


def _alone(number: int, count: int) -> tuple[float, ...]:
    """Loadings of an error that has nothing in common with others'."""
    return tuple(OWN * float(i == number) for i in range(count))


def test_it_is_the_variance_of_errors_that_have_nothing_in_common() -> None:
    rows = [_alone(i, 10) for i in range(10)]
    assert noise_variance(_estimates(rows)) == pytest.approx(OWN**2)


def test_what_is_common_to_all_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    rows, common = rng.standard_normal((10, 5)), rng.standard_normal(5)
    expected = noise_variance(_estimates(rows.tolist()))
    assert expected == pytest.approx(rows.var(axis=0, ddof=1).sum())
    assert noise_variance(_estimates((rows + 9 * common).tolist())) == pytest.approx(expected)
    assert noise_variance(_estimates([common.tolist()] * 10)) == pytest.approx(0.0, abs=1e-12)


def test_it_is_that_of_the_estimates_which_hyper_parameters_are_fitted_to() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((39, 5)).tolist()
    assert last_refit(39) == 30
    assert noise_variance(_estimates(rows)) == noise_variance(_estimates(rows[:30]))


def test_where_nobody_knows_it_is_unknown_and_what_is_told_counts() -> None:
    rows = [_alone(i, 4) for i in range(4)]
    assert noise_variance([]) is None
    assert noise_variance(_estimates([(), ()])) is None
    assert noise_variance(_estimates([rows[0], ()])) is None
    assert noise_variance(_estimates([(), rows[0], (), rows[1]])) == pytest.approx(OWN**2)
    assert known_noise(_estimates(rows), 3.0) == 3.0
    assert known_noise(_estimates(rows), 0.0) == 0.0
    assert known_noise(_estimates(rows), None) == pytest.approx(OWN**2)


def test_what_only_the_earlier_or_only_the_later_share_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    own, earlier = rng.standard_normal((8, 5)), rng.standard_normal((6, 5)) + 9.0
    warm = [replace(e, number=WARM) for e in _estimates(earlier.tolist())]
    both = [*warm, *_estimates(own.tolist())]
    apart = np.square(own - own.mean(0)).sum() + np.square(earlier - earlier.mean(0)).sum()
    assert last_refit(len(both)) == 13, "the last one is not fitted to"
    kept = own[:7]
    apart += np.square(kept - kept.mean(0)).sum() - np.square(own - own.mean(0)).sum()
    assert noise_variance(both) == pytest.approx(apart / (5 + 6))


def test_loadings_of_another_number_have_nothing_in_common_with_the_others() -> None:
    rows = [(0.5, 0.0), (0.0, 0.5), (1.0, 0.0, 3.0), (0.0, 1.0, 3.0)]
    assert noise_variance(_estimates(rows)) == pytest.approx((0.25 + 1.0) / 2)


def test_a_variance_that_is_not_finite_is_unknown() -> None:
    with np.errstate(over="ignore"):
        assert noise_variance(_estimates([(1e200,), (-1e200,)])) is None


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ((1.0, [0.1], [0.2]), " has 4 elements; give"),
        ((), " has 1 elements; give"),
        ((1.0, "12"), r": error_loadings\[0\] is '1'"),
        ((1.0, 0.1), ": error_loadings is 0.1; it must be a sequence"),
        ((1.0, None), ": error_loadings is None; it must be a sequence"),
        ((1.0, [0.1, float("nan")]), r": error_loadings\[1\] is nan; it must be finite"),
    ],
    ids=str,
)
def test_an_odd_warm_start_is_named(given: tuple[object, ...], rule: str) -> None:
    architecture = Architecture(SPACE.name, ("conv",) * 6)
    with pytest.raises(ValueError, match=rf"warm_start\[1\]{rule}"):
        Settings(warm_start=[(architecture, 1.0), (architecture, *given)])  # type: ignore[list-item]


def _searched(settings: Settings, *, loadings: bool, trials: int = 24) -> list[Architecture]:
    search = bonas.Search(SPACE, sampler=SurrogateSampler(SPACE, settings=settings))
    rng = np.random.default_rng(0)
    for number in range(trials):
        architecture = search.ask()
        value = architecture.choices.count("conv") + OWN * float(rng.standard_normal())
        errors = _alone(number, trials) if loadings else ()
        search.tell(architecture, bonas.Observation(value=value, error_loadings=errors))
    return [told.architecture for told in search.study.told()]


def test_a_search_believes_the_noise_of_its_observations_as_if_it_were_told() -> None:
    found = _searched(Settings(), loadings=True)
    assert found == _searched(Settings(noise_variance=OWN**2), loadings=False)
    without = _searched(Settings(), loadings=False)
    assert found != without, "nothing was believed of the noise"
    assert _searched(Settings(noise_variance=0.0), loadings=True) == without


def test_a_warm_start_brings_the_noise_of_its_observations() -> None:
    rng = np.random.default_rng(1)
    earlier = bonas.Search(SPACE, seed=5)
    for number in range(16):
        architecture = earlier.ask()
        value = architecture.choices.count("conv") + OWN * float(rng.standard_normal())
        errors = _alone(number, 16)
        earlier.tell(architecture, bonas.Observation(value=value, error_loadings=errors))
    warm = bonas.warm_start(earlier.study)
    told = SurrogateSampler(SPACE, settings=Settings(warm_start=warm))
    bare = [row[:2] for row in warm]
    study = optuna.create_study(direction="maximize")
    by_hand = Settings(warm_start=bare, noise_variance=OWN**2)
    expected = SurrogateSampler(SPACE, settings=by_hand).ranked(study)
    assert told.ranked(study) == expected
    assert SurrogateSampler(SPACE, settings=Settings(warm_start=bare)).ranked(study) != expected


@pytest.mark.parametrize("given", ["12", 0.1, [0.1, "b"], [float("inf")], [None], [10**400]])
def test_what_is_no_list_of_numbers_is_reported_and_left_out(
    given: object, caplog: pytest.LogCaptureFixture
) -> None:
    sampler = SurrogateSampler(SPACE)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for number in range(3):
        trial = study.ask(DECISIONS)
        trial.set_user_attr("bonas.error_loadings", given if number == 1 else [0.1, 0.2])
        study.tell(trial, float(number))
    with caplog.at_level(logging.WARNING):
        estimates = sampler.reader.read(study, 99).estimates
    assert [len(e.loadings) for e in estimates] == [2, 0, 2]
    assert "trial 1 has bonas.error_loadings = " in caplog.text
    read = [observation_of(trial).error_loadings for trial in study.trials]
    assert [len(loadings) for loadings in read] == [2, 0, 2]
