import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bonas.config import ConfigError
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.builder import ForgeryBuilder, NASBench201Builder, build_network
from bonas.networks.cost import STEP_TIME, Limits, OptionCosts
from bonas.step_time import (
    PLAIN,
    Stopwatch,
    measure_step_times,
    read_step_times,
    write_step_times,
)
from bonas.strategies.random import RandomSampler
from bonas.study import Study
from bonas.training import Recipe
from spaces.architecture import Architecture
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.space import live, sample

BUILDER = ForgeryBuilder(width=4, level_width=8)
SIZE = 32
BATCH = 16
PLAIN_SECONDS, SKELETON_SECONDS = 5.0, 2.0


def seconds_of(name: str, option: object) -> float:
    """An invented machine, slower on the first stage and on longer names."""
    if option == "none":
        return 0.0
    return len(str(option)) / 100 * (2 if name.startswith("stage1") else 1)


def seconds_of_all(architecture: Architecture) -> float:
    used = live(FORGERY, architecture)
    pairs = zip(FORGERY.decisions, architecture.choices, strict=True)
    return SKELETON_SECONDS + sum(seconds_of(d.name, c) for d, c in pairs if d.name in used)


@dataclass(frozen=True)
class Invented(Stopwatch):
    """A stopwatch that reads what the invented machine would take."""

    def seconds(
        self,
        networks: Sequence[tuple[nn.Module, Architecture]],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[float]:
        return [self._seconds(architecture) for _, architecture in networks]

    def _seconds(self, architecture: Architecture) -> float:
        if architecture == PLAIN:
            return PLAIN_SECONDS
        return seconds_of_all(architecture)


@pytest.fixture(scope="module")
def counted() -> OptionCosts:
    return OptionCosts.count(BUILDER, SIZE)


@pytest.fixture
def stopwatch(faces: Faces, cpu: Device) -> Stopwatch:
    return Stopwatch(faces, Recipe(steps=100, batch_size=4), cpu, rounds=1, steps=2, warm=1)


@pytest.fixture
def timed(counted: OptionCosts, faces: Faces, cpu: Device) -> OptionCosts:
    return measure_step_times(BUILDER, counted, Invented(faces, Recipe(steps=1), cpu))


def test_the_sum_of_the_options_is_the_time_of_the_whole(timed: OptionCosts) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        architecture = sample(FORGERY, rng=rng)
        whole = seconds_of_all(architecture) / PLAIN_SECONDS
        assert timed.cost(architecture)[STEP_TIME] == pytest.approx(whole)


def test_counted_costs_stay_beside_the_measured(timed: OptionCosts, counted: OptionCosts) -> None:
    architecture = sample(FORGERY, rng=np.random.default_rng(1))
    cost = timed.cost(architecture)
    del cost[STEP_TIME]
    assert cost == counted.cost(architecture)


@dataclass(frozen=True)
class Additive(Stopwatch):
    """Adds up what live decisions of `forgery_cascade` take: a skip and a theta nothing."""

    def seconds(
        self,
        networks: Sequence[tuple[nn.Module, Architecture]],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[float]:
        return [1.0 if a == PLAIN else additive_seconds(a) for _, a in networks]


def additive_seconds(architecture: Architecture) -> float:
    used = live(FORGERY_CASCADE, architecture)
    pairs = zip(FORGERY_CASCADE.decisions, architecture.choices, strict=True)
    taken = {"conv_3x3": 0.5, "rgb+residual": 0.25, "add": 0.125}
    return 2.0 + sum(taken.get(str(c), 0.0) for d, c in pairs if d.name in used)


def test_what_is_chosen_beside_operations_has_its_time_and_theta_has_none(
    faces: Faces, cpu: Device
) -> None:
    builder = replace(BUILDER, space=FORGERY_CASCADE)
    counted = OptionCosts.count(builder, SIZE)
    timed = measure_step_times(builder, counted, Additive(faces, Recipe(steps=1), cpu))
    rng = np.random.default_rng(0)
    for _ in range(10):
        drawn = sample(FORGERY_CASCADE, rng=rng)
        edges = rng.choice(["skip", "conv_3x3"], 18).tolist()
        architecture = replace(drawn, choices=(*edges, *drawn.choices[18:]))
        assert timed.cost(architecture)[STEP_TIME] == pytest.approx(additive_seconds(architecture))
    assert {c[STEP_TIME] for (name, _), c in timed.terms.items() if "theta" in name} == {0.0}


def test_real_steps_are_timed_and_leave_the_networks_alone(
    counted: OptionCosts, stopwatch: Stopwatch
) -> None:
    architecture = sample(FORGERY, rng=np.random.default_rng(2))
    network = build_network(BUILDER, architecture, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    told: list[tuple[int, int]] = []
    (seconds,) = stopwatch.seconds(
        [(network, architecture)], lambda done, total: told.append((done, total))
    )
    assert seconds > 0
    assert told == [(1, 1)]
    assert all(torch.equal(v, before[n]) for n, v in network.state_dict().items())
    measured = measure_step_times(BUILDER, counted, stopwatch)
    # Single terms of so small a network drown in a busy machine's noise; whole steps do not.
    assert min(measured.skeleton[STEP_TIME], *(c[STEP_TIME] for c in measured.terms.values())) >= 0
    assert measured.cost(architecture)[STEP_TIME] > 0


def test_a_table_is_read_as_it_was_written(
    timed: OptionCosts, counted: OptionCosts, cpu: Device, tmp_path: Path
) -> None:
    write_step_times(tmp_path / "times.json", timed, cpu, BATCH)
    once = read_step_times(tmp_path / "times.json", counted, BATCH)
    assert once.skeleton[STEP_TIME] == pytest.approx(timed.skeleton[STEP_TIME], abs=1e-4)
    for key, cost in timed.terms.items():
        assert once.terms[key][STEP_TIME] == pytest.approx(cost[STEP_TIME], abs=1e-4)
    write_step_times(tmp_path / "again.json", once, cpu, BATCH)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "times.json").read_bytes()


def test_a_table_that_cannot_be_used_is_an_error(
    timed: OptionCosts, counted: OptionCosts, cpu: Device, tmp_path: Path
) -> None:
    file = tmp_path / "times.json"
    with pytest.raises(ConfigError, match=r"search.step_times .* cannot be read"):
        read_step_times(file, counted, BATCH)
    for content in ("[1]", "{}", '{"skeleton": "x"}', "not json", '{"skeleton": 1, "options": 2}'):
        file.write_text(content)
        with pytest.raises(ConfigError, match="is no table of step times"):
            read_step_times(file, counted, BATCH)
    write_step_times(file, timed, cpu, BATCH)
    other = OptionCosts.count(NASBench201Builder(width=4, cells=1), SIZE)
    with pytest.raises(ConfigError, match="is a table of another space than 'nasbench201'"):
        read_step_times(file, other, BATCH)
    document = json.loads(file.read_text())
    document["options"]["stage1/0-1"]["skip"] = None
    file.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="is no table of step times"):
        read_step_times(file, counted, BATCH)


def test_a_table_of_another_size_is_an_error(
    timed: OptionCosts, counted: OptionCosts, cpu: Device, tmp_path: Path
) -> None:
    file = tmp_path / "times.json"
    write_step_times(file, timed, cpu, BATCH)
    with pytest.raises(
        ConfigError, match=rf"measured_on.batch_size is {BATCH}, here it is 7\. Set training.b"
    ):
        read_step_times(file, counted, 7)
    for builder, size in ((BUILDER, 2 * SIZE), (replace(BUILDER, width=2 * BUILDER.width), SIZE)):
        with pytest.raises(ConfigError, match=r"measured_on\.[a-z_]+ is .* Set data.size and"):
            read_step_times(file, OptionCosts.count(builder, size), BATCH)
    assert read_step_times(file, counted).skeleton[STEP_TIME] > 0, "a run's own table"
    document = json.loads(file.read_text())
    del document["measured_on"]  # as earlier versions wrote them
    file.write_text(json.dumps(document))
    assert read_step_times(file, counted, 7).skeleton[STEP_TIME] > 0


def test_a_limited_sampler_proposes_nothing_slower(timed: OptionCosts) -> None:
    most = 0.55
    sampler = RandomSampler(FORGERY, seed=0)
    sampler.allowed = Limits(timed, {STEP_TIME: most}).allow
    study = Study(FORGERY, sampler)
    asked = [study.ask().architecture for _ in range(10)]
    assert all(timed.cost(a)[STEP_TIME] <= most for a in asked)
    rng = np.random.default_rng(0)
    free = [sample(FORGERY, rng=rng) for _ in range(10)]
    assert max(timed.cost(a)[STEP_TIME] for a in free) > most, "the limit limits nothing"
    with pytest.raises(ValueError, match=r"search.limits.step_time is 0.3, but a network without"):
        Limits(timed, {STEP_TIME: 0.3})


def test_a_table_with_a_time_that_is_no_number_is_refused(
    timed: OptionCosts, counted: OptionCosts, cpu: Device, tmp_path: Path
) -> None:
    broken = replace(timed, skeleton={**timed.skeleton, STEP_TIME: float("nan")})
    write_step_times(tmp_path / "times.json", broken, cpu, BATCH)
    with pytest.raises(ConfigError, match="is no table of step times"):
        read_step_times(tmp_path / "times.json", counted, BATCH)
