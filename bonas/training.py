"""Training of one network on pairs of real and forged faces, resumable to the same bits.

Every random number of step s comes from (seed, s), so that a checkpoint needs the weights, the
optimiser's moments and the step, and no generator's state.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bonas.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, seconds_of
from bonas.data.augmentation import Augmentation
from bonas.data.batches import PairedBatches
from bonas.data.blended_pairs import blended_pairs
from bonas.data.cross_blending import Blend
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.localisation import region_loss
from bonas.networks.detector import Localising, normalise
from spaces.architecture import Architecture

CHECKPOINT_EVERY = 100
STEP_STREAM = 1  # keeps a step's draws apart from those of an epoch's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        steps: Batches in all.
        batch_size: Images in a batch, half of them real.
        learning_rate: Peak of the one-cycle schedule (Smith and Topin 2018).
        weight_decay: AdamW's decay of weights with two or more dimensions.
        warmup: Share of the steps in which the rate rises.
        label_smoothing: Share of the target moved to one half.
        clip: Largest norm of the gradient.
        pseudo_forgeries: Share of the forged images in whose place a self-blended copy of the real
            image of their pair is trained on, made anew in every step (Shiohara and Yamasaki 2022).
        pseudo_forgery_kind: What is blended with that real image: itself, the face of another
            original of the batch (Li et al. 2020), or either.
        augmentation: Random changes of the images.
        localisation: Weight of the loss of regions beside that of labels, for networks with a head
            for it and images whose region is known; the random numbers do not depend on it.
    """

    steps: int
    batch_size: int = 32
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    warmup: float = 0.15
    label_smoothing: float = 0.05
    clip: float = 5.0
    pseudo_forgeries: float = 0.0
    pseudo_forgery_kind: Blend = Blend.SELF
    augmentation: Augmentation = field(default_factory=Augmentation)
    localisation: float = 0.0

    def rate(self, step: int) -> float:
        """Learning rate of a step: cosine from 1/25 of the peak up, then down to 1e-5 of it."""
        rise = max(1.0, self.warmup * self.steps)
        if step < rise:
            low, share = self.learning_rate / 25, step / rise
            return low + (self.learning_rate - low) * (1 - math.cos(math.pi * share)) / 2
        share = (step - rise) / max(1.0, self.steps - rise)
        low = self.learning_rate * 1e-5
        return low + (self.learning_rate - low) * (1 + math.cos(math.pi * share)) / 2


Choose = Callable[[np.random.Generator], Architecture]
"""Which architecture a step trains: a constant, or a draw for a supernet."""

Progress = Callable[[int, float], None]
"""Told (steps done, loss of the last step)."""


def train(
    network: nn.Module,
    choose: Choose,
    faces: Faces,
    recipe: Recipe,
    device: Device,
    *,
    seed: int,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> float:
    """Train a `SharedNetwork` in place, one architecture per step, and return the seconds it took.

    Those of earlier starts, up to the checkpoint that is gone on from, count as well.

    Args:
        network: On the device.
        choose: The architecture of each step.
        faces: Images on the device, both classes.
        recipe: How.
        device: Where and in which precision.
        seed: Of the batches, the augmentation and `choose`.
        checkpoint: Where the state is kept every hundred steps; training continues from there.
        progress: Told after every step.

    Raises:
        FloatingPointError: the loss is not finite.
    """
    batches = PairedBatches.of(faces, recipe.batch_size, seed=seed)
    optimiser = _optimiser(network, recipe)
    begun, start = time.perf_counter(), 0
    if checkpoint is not None and checkpoint.path.is_file():
        begun -= seconds_of(checkpoint.path)
        start = load_checkpoint(checkpoint.path, network, [optimiser], device.device)
        if progress is not None and start:
            progress(start, math.nan)
    network.train()
    rows: np.ndarray = np.empty((0, 0))
    for step in range(start, recipe.steps):
        epoch, batch = divmod(step, batches.steps_per_epoch)
        if step == start or batch == 0:
            rows = batches.epoch(epoch)
        loss = _step(
            network, optimiser, choose, faces, rows[batch], recipe, device, seed=seed, step=step
        )
        if progress is not None:
            progress(step + 1, loss)
        due = (step + 1) % CHECKPOINT_EVERY == 0 and step + 1 < recipe.steps
        if checkpoint is not None and due:
            seconds = time.perf_counter() - begun
            save_checkpoint(
                checkpoint.path, network, [optimiser], step + 1, checkpoint.terms, seconds
            )
    network.eval()
    return time.perf_counter() - begun


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    choose: Choose,
    faces: Faces,
    batch: np.ndarray,  # (images,)
    recipe: Recipe,
    device: Device,
    *,
    seed: int,
    step: int,
) -> float:
    rng = np.random.default_rng(np.random.SeedSequence([seed, step, STEP_STREAM]))
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    architecture = choose(rng)
    positions = torch.from_numpy(batch)
    regions = None
    if recipe.localisation and faces.regions is not None:
        regions = faces.regions.select(positions)
    chosen, regions = blended_pairs(
        faces,
        batch,
        regions,
        share=recipe.pseudo_forgeries,
        kind=recipe.pseudo_forgery_kind,
        generator=generator,
    )
    masks = None
    if regions is None:
        images = recipe.augmentation(chosen, generator=generator)
    else:
        images, masks = recipe.augmentation.with_masks(chosen, regions.masks, generator=generator)
    targets = faces.labels[positions].to(images.device, torch.float32)
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    for group in optimiser.param_groups:
        group["lr"] = recipe.rate(step)
    extra: torch.Tensor | float = 0.0
    with device.mixed_precision():
        if regions is None or masks is None or not isinstance(network, Localising):
            logits = network(normalise(images), architecture)
        else:
            logits, where = network.localise(normalise(images), architecture)
            extra = recipe.localisation * region_loss(where, masks, regions.known)
    loss = functional.binary_cross_entropy_with_logits(logits.float(), targets) + extra
    value = float(loss.detach())
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the training loss became {value} at step {step} with learning rate "
            f"{recipe.rate(step):.2g}; lower learning_rate or set precision to float32."
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    optimiser.step()
    return value


def _optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
