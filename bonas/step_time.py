"""How long a training step takes: of a few networks beside each other, and of a space's options.

What a step costs on a given machine follows neither multiply-adds nor activations closely (Cai et
al. 2019, ProxylessNAS, section 3.3): on a CPU a pooling can take as long as a convolution. It is
measured instead, once per option, and summed.
"""

import copy
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bonas.config import ConfigError
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.builder import NetworkBuilder, build_network, seeded
from bonas.networks.cost import STEP_TIME, OptionCosts, with_options
from bonas.networks.plain import PlainNetwork
from bonas.training import Recipe, train
from bonas.whole_files import write_json
from spaces.architecture import Architecture, Choice
from spaces.graphs import NONE, SKIP
from spaces.space import live

PLAIN = Architecture("plain", ())
"""Stands for the hand-designed network, which no space describes."""

TIMED_ROUNDS, TIMED_STEPS, WARM_STEPS = 5, 8, 3
OPTION_STEPS, OPTION_WARM_STEPS = 5, 2
MEASURED_ON, BATCH_SIZE = "measured_on", "batch_size"
"""Under which a table says what it holds for."""
MOST_OF_SKIPS = 0.5
"""Share of a network of skips that is their sums, at most."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Times training steps as they are in training: augmentation, both passes, optimiser.

    Attributes:
        faces: Training images on the device.
        recipe: Of the training that the steps belong to.
        device: Where.
        rounds: How often each network has its turn.
        steps: Of a turn.
        warm: Steps of a turn that do not count: memory is claimed and kernels are prepared.
    """

    faces: Faces
    recipe: Recipe
    device: Device
    rounds: int = TIMED_ROUNDS
    steps: int = TIMED_STEPS
    warm: int = WARM_STEPS

    def seconds(
        self,
        networks: Sequence[tuple[nn.Module, Architecture]],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[float]:
        """Seconds of a step of each network, which are left as they were.

        The median over interleaved turns, so that what else the machine does meanwhile slows all
        of them alike.

        Args:
            networks: On the device, with the architecture that each computes.
            progress: Told (turns done, turns in all).
        """
        taken: list[list[float]] = [[] for _ in networks]
        turns = self.rounds * len(networks)
        for turn in range(turns):
            number = turn % len(networks)
            taken[number] += self._turn(*networks[number])
            if progress is not None:
                progress(turn + 1, turns)
        return [statistics.median(t) for t in taken]

    def _turn(self, network: nn.Module, architecture: Architecture) -> list[float]:
        ends: list[float] = []

        def note(step: int, loss: float) -> None:
            if self.device.device.type == "cuda":
                torch.cuda.synchronize(self.device.device)
            ends.append(time.perf_counter())

        train(
            copy.deepcopy(network),
            _constant(architecture),
            self.faces,
            replace(self.recipe, steps=self.steps),
            self.device,
            seed=0,
            progress=note,
        )
        return [after - before for before, after in pairwise(ends[self.warm - 1 :])]


def measure_step_times(
    builder: NetworkBuilder,
    costs: OptionCosts,
    stopwatch: Stopwatch,
    progress: Callable[[int, int], None] | None = None,
) -> OptionCosts:
    """The cost `step_time`, in steps of the plain CNN, beside those that are counted.

    Decisions whose options all cost the same by counting are of one kind. An option is timed in one
    network that carries it on all decisions of a kind, which share its time evenly. A skip, too,
    takes time, that of the sum it enters; it is timed by leaving out those of a kind that are not
    needed.

    Args:
        builder: Of the space.
        costs: What is counted.
        stopwatch: On the data and the device of the training.
        progress: Told (turns done, turns in all).
    """
    kinds = _kinds(builder, costs)
    skips = with_options(builder, builder.space.decisions, {})
    changed = {
        (number, option): carried
        for number, names in enumerate(kinds)
        for option in _options(builder, names[0])
        if option not in (NONE, SKIP)
        # What nothing uses among skips, such as a parameter of another operation, takes no time.
        and (carried := _carrying(builder, names, option)) != skips
        and names[0] in live(builder.space, carried)
    }
    fewer = {number: _without_needless(builder, names) for number, names in enumerate(kinds)}
    fewer = {number: sparse for number, sparse in fewer.items() if sparse[1]}
    device = stopwatch.device.device
    timed = [(seeded(PlainNetwork, 0).to(device), PLAIN)]
    for architecture in [skips, *[sparse for sparse, _ in fewer.values()], *changed.values()]:
        network = build_network(builder, architecture, seed=0)
        timed.append((network.to(device), architecture))
    plain, full, *rest = (seconds for seconds in stopwatch.seconds(timed, progress))
    skip = dict.fromkeys(range(len(kinds)), 0.0)
    for (number, (_, left_out)), seconds in zip(fewer.items(), rest, strict=False):
        skip[number] = max(0.0, full - seconds) / left_out / plain
    # Noise must not leave a network without a time of its own.
    summed = sum(skip[number] * len(names) for number, names in enumerate(kinds))
    most = MOST_OF_SKIPS * full / plain
    skip = {number: cost * min(1.0, most / max(summed, most)) for number, cost in skip.items()}
    share: dict[tuple[str, Choice], float] = {}
    for (number, option), seconds in zip(changed, rest[len(fewer) :], strict=True):
        names = kinds[number]
        more = max(0.0, seconds - full) / len(names) / plain
        share |= {(name, option): skip[number] + more for name in names}
    share |= {(name, SKIP): skip[number] for number, names in enumerate(kinds) for name in names}
    skeleton = full / plain - sum(skip[number] * len(names) for number, names in enumerate(kinds))
    return OptionCosts(
        builder,
        {**costs.skeleton, STEP_TIME: skeleton},
        {key: {**cost, STEP_TIME: share.get(key, 0.0)} for key, cost in costs.terms.items()},
    )


def _kinds(builder: NetworkBuilder, costs: OptionCosts) -> list[list[str]]:
    """The decisions' names, together where all of their options cost the same."""
    kinds: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for decision in builder.space.decisions:
        terms = (costs.terms[decision.name, option].values() for option in decision.options)
        kinds[decision.options, *map(tuple, terms)].append(decision.name)
    return list(kinds.values())


def _options(builder: NetworkBuilder, name: str) -> tuple[Choice, ...]:
    return next(d.options for d in builder.space.decisions if d.name == name)


def _carrying(builder: NetworkBuilder, names: Sequence[str], option: Choice) -> Architecture:
    return with_options(builder, builder.space.decisions, dict.fromkeys(names, option))


def _without_needless(builder: NetworkBuilder, names: Sequence[str]) -> tuple[Architecture, int]:
    """All skip but those of `names` that a path can do without, and how many these are."""
    decisions = builder.space.decisions
    left_out: dict[str, Choice] = {}
    for name in names:
        tried = with_options(builder, decisions, {**left_out, name: NONE})
        offered = NONE in _options(builder, name)
        if offered and set(names) & live(builder.space, tried):
            left_out[name] = NONE
    return with_options(builder, decisions, left_out), len(left_out)


def read_step_times(path: Path, costs: OptionCosts, batch_size: int | None = None) -> OptionCosts:
    """The costs with those of a table that `write_step_times` wrote.

    Args:
        path: Of the table. One of before tables said what they were measured on is taken as it is.
        costs: Counted, of the networks that the times are for.
        batch_size: Of the training that the times are for; `None` for a run's own table, which
            holds for its search, whatever a later training is set to.

    Raises:
        ConfigError: no such file, no such table, or one of another space, of networks or images of
            another size, or of other batches.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        skeleton = float(document["skeleton"])
        times = {
            (name, option): float(share)
            for name, options in document["options"].items()
            for option, share in options.items()
        }
        if not all(0 <= share < math.inf for share in [skeleton, *times.values()]):
            raise ValueError("a time is negative or not finite")
        measured_on = dict(document.get(MEASURED_ON, {}))
    except OSError as error:
        raise ConfigError(f"search.step_times {str(path)!r} cannot be read: {error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no table of step times: {error!r}. Restore it, or remove it to measure "
            "again."
        ) from error
    differing = sorted({(name, str(option)) for name, option in costs.terms} ^ set(times))
    if differing:
        raise ConfigError(
            f"{path} is a table of another space than {costs.builder.space.name!r}: they differ "
            f"in {differing[0]}. Remove search.step_times to measure again."
        )
    for name, own in _measured_on(costs, batch_size).items() if batch_size is not None else ():
        if measured_on.get(name, own) != own:
            setting = "training.batch_size" if name == BATCH_SIZE else "data.size and [space]"
            raise ConfigError(
                f"{path}: {MEASURED_ON}.{name} is {measured_on[name]}, here it is {own}. Set "
                f"{setting} as where the table was measured, or remove search.step_times to "
                "measure again."
            )
    return OptionCosts(
        costs.builder,
        {**costs.skeleton, STEP_TIME: skeleton},
        {
            (name, option): {**cost, STEP_TIME: times[name, str(option)]}
            for (name, option), cost in costs.terms.items()
        },
    )


def write_step_times(path: Path, costs: OptionCosts, device: Device, batch_size: int) -> None:
    """Keep the step times, in steps of the plain CNN, with what they were measured on."""
    options: Mapping[str, dict[str, float]] = defaultdict(dict)
    for (name, option), cost in costs.terms.items():
        options[name][str(option)] = round(cost[STEP_TIME], 4)
    document = {
        "unit": "training step of the plain CNN",
        "device": device.describe(),
        MEASURED_ON: _measured_on(costs, batch_size),
        "skeleton": round(costs.skeleton[STEP_TIME], 4),
        "options": options,
    }
    write_json(path, document, indent=1)


def _measured_on(costs: OptionCosts, batch_size: int) -> dict[str, float]:
    """The batch size, and the counted costs of the network of skips, which differ between sizes of
    images and of networks."""
    counted = {name: cost for name, cost in costs.skeleton.items() if name != STEP_TIME}
    return {BATCH_SIZE: batch_size, **dict(sorted(counted.items()))}


def _constant(architecture: Architecture) -> Callable[[np.random.Generator], Architecture]:
    return lambda rng: architecture
