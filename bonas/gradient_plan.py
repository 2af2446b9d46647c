"""How many steps a search by gradient makes, and what they cost, by steps that are timed first."""

import copy
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch

from bonas.assembly import Components
from bonas.data.faces import Faces
from bonas.estimation.supernet import SupernetEstimator, uniform_paths
from bonas.networks.cost import network_cost
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.run_folder import RunFolder
from bonas.strategies.gradient import GradientRecipe, train_relaxed
from bonas.strategies.progressive import WARMUP, Kept, Stage, stages
from bonas.whole_files import read_json, write_json
from spaces.graphs import NONE, SKIP

PLAN, STEPS, SECONDS = "gradient.json", "steps", "seconds"
TIMED_STEPS, WARM_STEPS = 4, 2
PASSES = {1: 2, 2: 5}
"""Forward passes of a step by order: the weights' and the strengths' one, or four, of these."""
FEWEST = 3
"""Steps: one for each stage of P-DARTS."""
MARGIN = 0.04
"""Share of the time that is not planned: steps are slower now and then, files are written."""


def planned_steps(
    parts: Components,
    folder: RunFolder,
    recipe: GradientRecipe,
    sides: tuple[Faces, Faces],
    *,
    estimator: SupernetEstimator,
    time_limit: float,
) -> int:
    """The number of steps: an earlier process's, those that fit, or those of the epochs.

    What fits is what the limit leaves after timing a few steps of every stage and an estimate like
    that of the derived architecture, which follows the steps.

    Args:
        parts: Of the run.
        folder: Keeps the number.
        recipe: Whose steps are those of the epochs.
        sides: The faces of weights and of strengths.
        estimator: With an untrained network, to be timed.
        time_limit: Seconds from now.
    """
    begun, known = time.monotonic(), _plan(folder)
    if known:
        return int(known[STEPS])
    steps = recipe.steps
    if math.isfinite(time_limit):
        behind = _seconds_of_estimate(parts, estimator)
        per_step = _seconds_per_step(parts, recipe, sides)
        left = (1 - MARGIN) * time_limit - behind - (time.monotonic() - begun)
        steps = max(FEWEST, math.floor(left / per_step))
    _keep_plan(folder, {STEPS: steps})
    return steps


def steps_are_planned(folder: RunFolder) -> bool:
    """Whether an earlier start has set the number of steps, so that a time limit has no say."""
    return bool(_plan(folder))


def seconds_before(folder: RunFolder) -> float:
    """Of training in earlier starts, as far as they were noted."""
    return float(_plan(folder).get(SECONDS, 0.0))


def note_seconds(folder: RunFolder, seconds: float) -> None:
    """Keep the seconds of training so far, of all starts."""
    _keep_plan(folder, _plan(folder) | {SECONDS: seconds})


def _plan(folder: RunFolder) -> dict[str, float]:
    file = folder.path / PLAN
    if not file.is_file():
        return {}
    remedy = "Restore it, or begin the search anew in another folder."
    return read_json(file, lambda plan: {str(k): float(v) for k, v in plan.items()}, remedy)


def _keep_plan(folder: RunFolder, plan: dict[str, float]) -> None:
    write_json(folder.path / PLAN, plan, indent=None)


def multiply_adds(
    parts: Components, recipe: GradientRecipe, kept: Sequence[Kept] | None = None
) -> float:
    """Of all forward passes; the strengths' passes of a stage's warm-up are not made.

    Args:
        parts: Of the run.
        recipe: Of all steps.
        kept: The options that each stage of P-DARTS held; as many as it holds unless given.
    """
    size, images = parts.config.data.size, recipe.batch_size
    plan = _stages(parts, recipe, kept)
    found = 0.0
    for network, trained in plan:
        per_image = network_cost(network, size)["multiply_adds"]
        passes = PASSES[trained.order] * _share(parts, trained)
        found += recipe.steps / len(plan) * passes * images * per_image
    return found


def _seconds_of_estimate(parts: Components, estimator: SupernetEstimator) -> float:
    """Of one architecture, as the search will end."""
    architecture = uniform_paths(parts.builder.space)(np.random.default_rng(0))
    begun = time.monotonic()
    estimator.estimate(architecture, seed=0)
    return time.monotonic() - begun


def _seconds_per_step(
    parts: Components, recipe: GradientRecipe, sides: tuple[Faces, Faces]
) -> float:
    """Mean over the stages of the median step, in whose warm-up strengths have no pass."""
    few = replace(recipe, steps=WARM_STEPS + TIMED_STEPS)
    return statistics.mean(
        _share(parts, trained) * _median_step(parts, network, trained, sides)
        for network, trained in _stages(parts, few)
    )


def _share(parts: Components, recipe: GradientRecipe) -> float:
    """Mean passes of a step over those of one behind the warm-up."""
    if parts.config.search.strategy != "pdarts":
        return 1.0
    passes = PASSES[recipe.order]
    return (1 + (passes - 1) * (1 - WARMUP)) / passes


def _stages(
    parts: Components, recipe: GradientRecipe, kept: Sequence[Kept] | None = None
) -> list[tuple[RelaxedNetwork, GradientRecipe]]:
    """Each stage's network, with as many operations as it holds, and how it is trained."""
    if parts.config.search.strategy != "pdarts":
        return [(RelaxedNetwork(relaxation_of(parts.builder), seed=0), recipe)]
    found = []
    for number, stage in enumerate(stages(parts.builder, recipe)):
        relaxation = relaxation_of(stage.builder)
        held = kept[number] if kept is not None else _likely(stage, relaxation.slots)
        trained = replace(stage.recipe, steps=recipe.steps, warmup=0.0)
        found.append((RelaxedNetwork(relaxation, held, seed=0), trained))
    return found


def _likely(stage: Stage, slots: Kept) -> Kept:
    """As many options as the stage holds, what costs nothing last: no less than it will cost."""
    return {
        slot: tuple(sorted(options, key=lambda o: o in (NONE, SKIP)))[: stage.operations(options)]
        for slot, options in slots.items()
    }


def _median_step(
    parts: Components,
    network: RelaxedNetwork,
    recipe: GradientRecipe,
    sides: tuple[Faces, Faces],
) -> float:
    ends: list[float] = []

    def note(step: int, loss: float) -> None:
        if parts.device.device.type == "cuda":
            torch.cuda.synchronize(parts.device.device)
        ends.append(time.perf_counter())

    copied = copy.deepcopy(network).to(parts.device.device)
    train_relaxed(copied, *sides, recipe, parts.device, seed=0, progress=note)
    taken = [after - before for before, after in pairwise(ends)]
    return statistics.median(taken[WARM_STEPS - 1 :])
