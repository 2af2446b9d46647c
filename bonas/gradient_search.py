"""A search by gradient: from a run's components to one architecture and its estimator."""

import copy
import json
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from safetensors import safe_open

from bonas.assembly import Components, estimator_with
from bonas.checkpoint import load_weights, save_weights
from bonas.config import ConfigError, GradientTable
from bonas.data.augmentation import Augmentation
from bonas.data.batches import PairedBatches
from bonas.data.faces import DataError, Faces
from bonas.estimation.supernet import SupernetEstimator
from bonas.networks.cost import network_cost
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.run_folder import RunFolder
from bonas.strategies.gradient import GradientRecipe, Skips, halves, skips_of, train_relaxed
from bonas.strategies.progressive import derive_capped, stages, train_progressive
from bonas.training import Progress
from spaces.architecture import Architecture
from spaces.space import live

TIMED_STEPS, WARM_STEPS = 6, 2
PASSES = {1: 2, 2: 5}
"""Forward passes of a step by order: the weights' and the strengths' one, or four, of these."""

_KEPT, _ARCHITECTURE, _SKIPS, _PLAN, _MULTIPLY_ADDS = (
    "kept", "architecture", "skips", "steps", "multiply_adds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Derived:
    """What a search by gradient ended with.

    Attributes:
        architecture: Derived from the strengths.
        skips: How far the search collapsed to skip connections.
        steps: Of the weights.
        multiply_adds: Of all forward passes on all images.
    """

    architecture: Architecture
    skips: Skips
    steps: int
    multiply_adds: float

    def to_attribute(self) -> dict[str, float | bool]:
        """As the study keeps it."""
        return {
            "steps": self.steps,
            "multiply_adds": self.multiply_adds,
            "skip_share": self.skips.share,
            "skip_weight": self.skips.weight,
            "collapsed": self.skips.collapsed,
        }

    def describe(self) -> str:
        """One line on cost and collapse."""
        verdict = "collapsed to skip connections" if self.skips.collapsed else "did not collapse"
        return (
            f"{self.steps:,} steps, {self.multiply_adds / 1e12:.2f} T multiply-adds; "
            f"{100 * self.skips.share:.0f} % of the operations skip, mean weight of a skip "
            f"{self.skips.weight:.3f}: the search {verdict}."
        )


def gradient_search(
    parts: Components,
    folder: RunFolder,
    *,
    time_limit: float = math.inf,
    progress: Callable[[int], Progress] | None = None,
) -> tuple[Derived, SupernetEstimator]:
    """Train the run's relaxed network where that is not done, and derive an architecture.

    Args:
        parts: Of the run.
        folder: Where the weights and, while they are trained, their checkpoints are kept.
        time_limit: Seconds for training: as many steps as fit instead of `gradient.epochs`. The
            number is kept, so that a continued run makes the same.
        progress: From the number of steps to what is told (steps done, loss).

    Raises:
        ConfigError: the space has no operations to choose from, or limits are set.
    """
    table = parts.config.gradient
    if parts.config.search.limits:
        raise ConfigError(
            f"search.limits is set, but the strategy {parts.config.search.strategy!r} cannot keep "
            "limits; remove them or choose a strategy that samples architectures."
        )
    if parts.config.data.rotate:
        raise ConfigError(
            f"data.rotate is set, but the strategy {parts.config.search.strategy!r} trains one "
            "relaxed network on all training faces; remove it or choose another strategy."
        )
    try:
        relaxation = relaxation_of(parts.builder)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if folder.supernet.is_file():
        with safe_open(folder.supernet, framework="pt") as file:
            metadata: dict[str, str] = file.metadata()
        relaxed = RelaxedNetwork(relaxation, json.loads(metadata[_KEPT]), seed=0)
        relaxed.to(parts.device.device)
        load_weights(folder.supernet, relaxed.network)
        derived = Derived(
            Architecture.from_json(metadata[_ARCHITECTURE]),
            Skips(**json.loads(metadata[_SKIPS])),
            int(metadata[_PLAN]),
            float(metadata[_MULTIPLY_ADDS]),
        )
    else:
        relaxed, derived = _trained(parts, folder, table, time_limit, progress)
        metadata = {
            "space": parts.builder.space.name,
            _KEPT: json.dumps(relaxed.kept),
            _ARCHITECTURE: derived.architecture.to_json(),
            _SKIPS: json.dumps({"share": derived.skips.share, "weight": derived.skips.weight}),
            _PLAN: str(derived.steps),
            _MULTIPLY_ADDS: str(derived.multiply_adds),
        }
        save_weights(folder.supernet, relaxed.network, metadata)
        for file in folder.path.glob(f"{folder.supernet_checkpoint.name}*"):
            file.unlink()
    relaxed.eval()
    return derived, estimator_with(parts, relaxed.network)


def _trained(
    parts: Components,
    folder: RunFolder,
    table: GradientTable,
    time_limit: float,
    progress: Callable[[int], Progress] | None,
) -> tuple[RelaxedNetwork, Derived]:
    seed, device = parts.config.seed, parts.device
    sides = halves(parts.train, seed=seed)
    progressive = parts.config.search.strategy == "pdarts"
    recipe = _recipe(parts, table, sides)
    recipe = replace(recipe, steps=_planned(parts, folder, recipe, sides, time_limit))
    told = progress(recipe.steps) if progress is not None else None
    if progressive:
        relaxed = train_progressive(
            parts.builder,
            *sides,
            recipe,
            device,
            seed=seed,
            checkpoint=folder.supernet_checkpoint,
            progress=told,
        )
        architecture = derive_capped(relaxed, table.skip_cap)
    else:
        relaxed = RelaxedNetwork(relaxation_of(parts.builder), seed=seed).to(device.device)
        train_relaxed(
            relaxed,
            *sides,
            recipe,
            device,
            seed=seed,
            checkpoint=folder.supernet_checkpoint,
            progress=told,
        )
        architecture = relaxed.relaxation.derive(relaxed.softmax())
    used = live(parts.builder.space, architecture)
    pairs = zip(parts.builder.space.decisions, architecture.choices, strict=True)
    skips = skips_of(relaxed, [choice for decision, choice in pairs if decision.name in used])
    return relaxed, Derived(architecture, skips, recipe.steps, _multiply_adds(parts, recipe))


def _recipe(parts: Components, table: GradientTable, sides: tuple[Faces, Faces]) -> GradientRecipe:
    try:
        per_epoch = min(
            PairedBatches.of(faces, table.batch_size, seed=0).steps_per_epoch for faces in sides
        )
    except ValueError as error:
        raise DataError(f"half of the training faces: {error}") from error
    return GradientRecipe(
        steps=table.epochs * per_epoch,
        order=table.order,
        batch_size=table.batch_size,
        learning_rate=table.learning_rate,
        momentum=table.momentum,
        weight_decay=table.weight_decay,
        strength_rate=table.strength_rate,
        strength_decay=table.strength_decay,
        augmentation=Augmentation(**parts.config.supernet.augmentation.model_dump()),
    )


def _planned(
    parts: Components,
    folder: RunFolder,
    recipe: GradientRecipe,
    sides: tuple[Faces, Faces],
    time_limit: float,
) -> int:
    """The number of steps: an earlier process's, those that fit, or those of the epochs."""
    file = folder.path / "gradient.json"
    if file.is_file():
        return int(json.loads(file.read_text(encoding="utf-8"))["steps"])
    steps = recipe.steps
    if math.isfinite(time_limit):
        steps = max(3, math.floor(time_limit / _seconds_per_step(parts, recipe, sides)))
    file.write_text(json.dumps({"steps": steps}) + "\n", encoding="utf-8")
    return steps


def _seconds_per_step(
    parts: Components, recipe: GradientRecipe, sides: tuple[Faces, Faces]
) -> float:
    """Mean over the stages of the median step, all but warm-up steps of the strengths included."""
    few = replace(recipe, steps=WARM_STEPS + TIMED_STEPS)
    return statistics.mean(
        _median_step(parts, network, trained, sides) for network, trained in _stages(parts, few)
    )


def _stages(
    parts: Components, recipe: GradientRecipe
) -> list[tuple[RelaxedNetwork, GradientRecipe]]:
    """Each stage's network, with as many operations as it holds, and how it is trained."""
    if parts.config.search.strategy != "pdarts":
        return [(RelaxedNetwork(relaxation_of(parts.builder), seed=0), recipe)]
    found = []
    for stage in stages(parts.builder, recipe):
        relaxation = relaxation_of(stage.builder)
        kept = {slot: options[: stage.operations] for slot, options in relaxation.slots.items()}
        trained = replace(stage.recipe, steps=recipe.steps, warmup=0.0)
        found.append((RelaxedNetwork(relaxation, kept, seed=0), trained))
    return found


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


def _multiply_adds(parts: Components, recipe: GradientRecipe) -> float:
    """Of all forward passes; the strengths' passes of a stage's warm-up are not made."""
    size, images = parts.config.data.size, recipe.batch_size
    found = 0.0
    plan = _stages(parts, recipe)
    for network, trained in plan:
        per_image = network_cost(network, size)["multiply_adds"]
        warm = 0.0 if len(plan) == 1 else stages(parts.builder, recipe)[0].recipe.warmup
        passes = 1 + (PASSES[trained.order] - 1) * (1 - warm)
        found += recipe.steps / len(plan) * passes * images * per_image
    return found
