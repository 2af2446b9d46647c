"""P-DARTS: progressive differentiable architecture search (Chen et al. 2019).

Three stages of DARTS on ever deeper networks with ever fewer operations per edge, so that what is
searched comes near to what is trained afterwards. Dropout on skips and a cap on their number keep
the known collapse away. Depths, shares of the steps, rates and the dropout's course are those of
the paper and of the published search (github.com/chenxin061/pdarts). Otherwise:

- A step counts, not an epoch: the dropout falls from step to step. The configuration says how many
  epochs the stages share; published are 25 in each.
- Batches and width are the configuration's, those of the final network; published are 96 and 16.
- Where a decision has other than eight options, their number shrinks in the same proportion. Two
  are always kept, between which the end decides, and three where `none` and a skip are among them.
- No batch norm has a learned scale; in the published search that of the stem has one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.builder import NetworkBuilder, SupportsDepth
from bonas.networks.choice_relaxation import Strengths, averaged_slots, preferred
from bonas.networks.relaxation import RelaxedNetwork, relaxation_of
from bonas.strategies.gradient import GradientRecipe, train_relaxed
from bonas.training import Progress
from spaces.architecture import Architecture, Choice
from spaces.graphs import NONE, SKIP
from spaces.skips import cell_of

DEPTHS = (5 / 17, 11 / 17, 1.0)
"""Of the stages, in depths of the last one (section 4.2.1: 5, 11 and 17 cells)."""

KEPT = (1.0, 5 / 8, 3 / 8)
"""Share of an edge's operations in each stage; behind the last one, one is kept (section 4.2.1)."""

SKIP_DROPOUT = (0.1, 0.4, 0.7)
"""On skips at the beginning of each stage, as in the command of the published code."""

WARMUP = 10 / 25
"""Share of a stage in which the strengths wait (section 4.2.1: 10 of 25 epochs)."""

STRENGTH_RATE = 6e-4
"""Learning rate of the strengths (section 4.2.1)."""

STRENGTH_CLIP = 5.0
"""Largest norm of the strengths' gradient, as in the published code."""

UNCAPPED = frozenset({"reduction"})
"""Cells whose skips are not counted: in the published code those of the reduction cell, where a
skip from an input is a convolution."""


Kept: TypeAlias = Mapping[str, tuple[Choice, ...]]
"""The options of each slot."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: which networks, with what share of each edge's operations, trained how."""

    builder: NetworkBuilder
    share: float
    recipe: GradientRecipe

    def operations(self, options: Collection[Choice]) -> int:
        """How many of an edge's options are kept."""
        fewest = 3 if {NONE, SKIP} <= set(options) else 2
        return max(min(len(options), fewest), round(self.share * len(options)))


def stages(builder: NetworkBuilder, recipe: GradientRecipe) -> list[Stage]:
    """The three stages, which share the recipe's steps evenly.

    The published gap in depth is that cells searched in a shallow network are stacked to a deep
    one. Networks of cells that repeat, `darts` and `nasbench201`, so grow from stage to stage
    (`SupportsDepth`). Those of the `forgery` spaces have one cell of its own per stage of
    resolution and are trained as deep as they are searched: there is no such gap, and progressive
    is what becomes of the options alone.
    """
    found = []
    for number, (depth, share, dropout) in enumerate(zip(DEPTHS, KEPT, SKIP_DROPOUT, strict=True)):
        before = number * recipe.steps // len(KEPT)
        own = replace(
            recipe,
            steps=(number + 1) * recipe.steps // len(KEPT) - before,
            order=1,
            warmup=WARMUP,
            skip_dropout=dropout,
            strength_clip=STRENGTH_CLIP,
        )
        found.append(Stage(_shallower(builder, depth), share, own))
    return found


def train_progressive(
    builder: NetworkBuilder,
    weights_on: Faces,
    strengths_on: Faces,
    recipe: GradientRecipe,
    device: Device,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[RelaxedNetwork, list[Kept]]:
    """The relaxed network of the last stage, trained, and the options that each stage held.

    Arguments as in `train_relaxed`. An interrupted training repeats each stage from its last
    checkpoint.
    """
    offered = relaxation_of(builder).slots
    kept: list[Kept] = [offered]
    done = 0
    plan = stages(builder, recipe)
    for number, stage in enumerate(plan):
        own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        relaxed = RelaxedNetwork(relaxation_of(stage.builder), kept[-1], seed=own_seed)
        relaxed.to(device.device)
        train_relaxed(
            relaxed,
            weights_on,
            strengths_on,
            stage.recipe,
            device,
            seed=own_seed,
            checkpoint=None if checkpoint is None else _numbered(checkpoint, number),
            progress=_shifted(progress, done),
        )
        done += stage.recipe.steps
        if number + 1 < len(plan):
            after = plan[number + 1]
            counts = {slot: after.operations(options) for slot, options in offered.items()}
            averaged = averaged_slots(relaxed.relaxation)
            kept.append(strongest(relaxed.softmax(), counts, averaged))
    return relaxed, kept


def strongest(
    strengths: Strengths, counts: Mapping[str, int], averaged: Collection[str] = ()
) -> dict[str, tuple[Choice, ...]]:
    """Per slot so many strongest options, or all if they are fewer, in the slot's order.

    Of the slots in `averaged` those nearest to the mean.
    """
    kept = {}
    for slot, weights in strengths.items():
        best = preferred(weights, averaged=slot in averaged)[: counts[slot]]
        kept[slot] = tuple(o for o in weights if o in best)
    return kept


def derive_capped(relaxed: RelaxedNetwork, most: int | None) -> Architecture:
    """The derived architecture with at most so many skips in each cell (section 3.4.2).

    Those of `UNCAPPED` may have more. While another cell has, its weakest skip loses its strength
    and the architecture is derived again. Cells are told apart by the slots' names, `cell/...`.
    """
    strengths = {slot: dict(weights) for slot, weights in relaxed.softmax().items()}
    while True:
        architecture = relaxed.relaxation.derive(strengths)
        if most is None:
            return architecture
        over = _too_many(relaxed, architecture, most)
        if over is None:
            return architecture
        candidates = [s for s, w in strengths.items() if cell_of(s) == over and w.get(SKIP, 0) > 0]
        # A slot that holds no other operation keeps its skip.
        candidates = [s for s in candidates if set(strengths[s]) - {SKIP, NONE}]
        if not candidates:
            return architecture
        del strengths[min(candidates, key=lambda s: strengths[s][SKIP])][SKIP]


def _too_many(relaxed: RelaxedNetwork, architecture: Architecture, most: int) -> str | None:
    counts: dict[str, int] = {}
    decisions = relaxed.relaxation.space.decisions
    for decision, choice in zip(decisions, architecture.choices, strict=True):
        cell = cell_of(decision.name)
        counts[cell] = counts.get(cell, 0) + (choice == SKIP and cell not in UNCAPPED)
    return next((cell for cell, count in counts.items() if count > most), None)


def _shallower(builder: NetworkBuilder, depth: float) -> NetworkBuilder:
    return builder.shallower(depth) if isinstance(builder, SupportsDepth) else builder


def _numbered(checkpoint: Path, number: int) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.{number}")


def _shifted(progress: Progress | None, done: int) -> Progress | None:
    if progress is None:
        return None
    told: Callable[[int, float], None] = progress
    return lambda step, loss: told(done + step, loss)
