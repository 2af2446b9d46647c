"""A search by gradient: from a run's components to one architecture and its estimator."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from safetensors import safe_open

from bonas.assembly import Components
from bonas.checkpoint import load_weights, save_weights
from bonas.config import ConfigError
from bonas.data.augmentation import Augmentation
from bonas.data.batches import PairedBatches
from bonas.data.faces import DataError, Faces
from bonas.estimation.supernet import SupernetEstimator
from bonas.gradient_plan import multiply_adds, note_seconds, planned_steps, seconds_before
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.run_folder import RunFolder
from bonas.search_tables import GradientTable
from bonas.strategies.collapse import Collapse, verdict
from bonas.strategies.gradient import GradientRecipe, halves, train_relaxed
from bonas.strategies.progressive import STRENGTH_RATE, Kept, derive_capped, train_progressive
from bonas.supernet_training import estimator_with
from bonas.training import CHECKPOINT_EVERY, Progress
from spaces.architecture import Architecture

_KEPT, _STRENGTHS, _ARCHITECTURE, _PLAN, _MULTIPLY_ADDS, _SECONDS = (
    "kept", "strengths", "architecture", "steps", "multiply_adds", "seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Derived:
    """What a search by gradient ended with.

    Attributes:
        architecture: Derived from the strengths.
        collapse: How far the search went towards skip connections; `None` in a space without.
        order: Of the strengths' gradient.
        steps: Of the weights.
        multiply_adds: Of all forward passes on all images.
        seconds: Of training; of one that was interrupted, in all starts up to their last
            checkpoint.
        earlier: Seconds of these that were spent before this process.
    """

    architecture: Architecture
    collapse: Collapse | None
    order: int
    steps: int
    multiply_adds: float
    seconds: float
    earlier: float

    def to_attribute(self) -> dict[str, Any]:
        """As the study keeps it."""
        return {
            "steps": self.steps,
            "multiply_adds": self.multiply_adds,
            "seconds": self.seconds,
            "order": self.order,
            **({"collapsed": None} if self.collapse is None else self.collapse.to_attribute()),
        }

    def describe(self) -> str:
        """One line on cost and collapse."""
        cost = f"{self.steps:,} steps, {self.multiply_adds / 1e12:.2f} T multiply-adds. "
        return cost + verdict(self.to_attribute())


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
        time_limit: Seconds for all of it and the estimate of what is derived: as many steps as
            fit instead of `gradient.epochs`. A continued run makes the same number.
        progress: From the number of steps to what is told (steps done, loss).

    Raises:
        ConfigError: what an earlier version kept cannot be used.
    """
    begun, relaxation = time.monotonic(), relaxation_of(parts.builder)
    untrained = RelaxedNetwork(relaxation, seed=0).to(parts.device.device)
    # With the conditions' images, which are made once, before the steps that a limit leaves.
    estimator = estimator_with(parts, untrained.network)
    if folder.supernet.is_file():
        with safe_open(folder.supernet, framework="pt") as file:
            metadata: dict[str, str] = file.metadata()
        relaxed = RelaxedNetwork(relaxation, json.loads(metadata[_KEPT]), seed=0)
        relaxed.to(parts.device.device)
        load_weights(folder.supernet, relaxed.network)
        if _STRENGTHS not in metadata:
            raise ConfigError(
                f"{folder.supernet} is of an earlier version, which kept no strengths; remove it, "
                "and the same command searches anew."
            )
        found = Architecture.from_json(metadata[_ARCHITECTURE])
        weights = json.loads(metadata[_STRENGTHS])
        strengths = {
            slot: dict(zip(options, weights[slot], strict=True))
            for slot, options in relaxed.kept.items()
        }
        derived = Derived(
            found,
            Collapse.of(relaxation, strengths, found),
            parts.config.gradient.order,
            int(metadata[_PLAN]),
            float(metadata[_MULTIPLY_ADDS]),
            float(metadata[_SECONDS]),
            earlier=float(metadata[_SECONDS]),
        )
    else:
        left = time_limit - (time.monotonic() - begun)
        relaxed, derived = _trained(parts, folder, estimator, left, progress)
        metadata = {
            "space": parts.builder.space.name,
            _KEPT: json.dumps(relaxed.kept),
            _ARCHITECTURE: derived.architecture.to_json(),
            _STRENGTHS: json.dumps(
                {slot: list(options.values()) for slot, options in relaxed.softmax().items()}
            ),
            _PLAN: str(derived.steps),
            _MULTIPLY_ADDS: str(derived.multiply_adds),
            _SECONDS: str(derived.seconds),
        }
        save_weights(folder.supernet, relaxed.network, metadata)
        for file in folder.path.glob(f"{folder.supernet_checkpoint.name}*"):
            file.unlink()
    relaxed.eval()
    return derived, replace(estimator, supernet=relaxed.network)


def _trained(
    parts: Components,
    folder: RunFolder,
    estimator: SupernetEstimator,
    time_limit: float,
    progress: Callable[[int], Progress] | None,
) -> tuple[RelaxedNetwork, Derived]:
    seed, device, table = parts.config.seed, parts.device, parts.config.gradient
    sides = halves(parts.train, seed=seed)
    progressive = parts.config.search.strategy == "pdarts"
    recipe = _recipe(parts, table, sides)
    steps = planned_steps(parts, folder, recipe, sides, estimator=estimator, time_limit=time_limit)
    recipe = replace(recipe, steps=steps)
    begun, kept, earlier = time.monotonic(), list[Kept](), seconds_before(folder)
    shown = progress(recipe.steps) if progress is not None else None

    def told(step: int, loss: float) -> None:
        if step % CHECKPOINT_EVERY == 0:
            note_seconds(folder, earlier + time.monotonic() - begun)
        if shown is not None:
            shown(step, loss)

    if progressive:
        relaxed, kept = train_progressive(
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
    collapse = Collapse.of(relaxed.relaxation, relaxed.softmax(), architecture)
    passed = multiply_adds(parts, recipe, kept or None)
    return relaxed, Derived(
        architecture,
        collapse,
        recipe.order,
        recipe.steps,
        passed,
        seconds=earlier + time.monotonic() - begun,
        earlier=earlier,
    )


def _published_rate(parts: Components) -> float:
    own = parts.config.search.strategy == "pdarts"
    return STRENGTH_RATE if own else GradientRecipe(steps=1).strength_rate


def _recipe(parts: Components, table: GradientTable, sides: tuple[Faces, Faces]) -> GradientRecipe:
    try:
        per_epoch = min(
            PairedBatches.of(faces, table.batch_size, seed=0).steps_per_epoch for faces in sides
        )
    except ValueError as error:
        raise DataError(f"half of the training faces: {error}") from error
    shared = parts.config.supernet  # what images both kinds of shared weights see
    return GradientRecipe(
        steps=table.epochs * per_epoch,
        order=table.order,
        batch_size=table.batch_size,
        learning_rate=table.learning_rate,
        momentum=table.momentum,
        weight_decay=table.weight_decay,
        strength_rate=table.strength_rate or _published_rate(parts),
        strength_decay=table.strength_decay,
        pseudo_forgeries=1.0 if parts.config.data.real_only else shared.pseudo_forgeries,
        pseudo_forgery_kind=shared.pseudo_forgery_kind,
        augmentation=Augmentation(**shared.augmentation.model_dump()),
    )
