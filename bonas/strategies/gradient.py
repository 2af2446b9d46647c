"""DARTS: differentiable architecture search (Liu et al. 2019), of first and of second order.

The strengths of the operations are learned on one half of the training faces by gradient, the
operations' weights on the other, in turns; then every edge keeps its strongest operation. Known to
prefer skip connections the longer it runs: a search says how far it went there
(`bonas.strategies.collapse`).
"""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from bonas.checkpoint import load_checkpoint, save_checkpoint, terms_of
from bonas.data.augmentation import Augmentation
from bonas.data.batches import PairedBatches
from bonas.data.blended_pairs import blended_pairs
from bonas.data.cross_blending import Blend
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.networks.detector import normalise
from bonas.networks.relaxation import RelaxedNetwork
from bonas.strategies.strength_gradients import strength_gradients
from bonas.training import CHECKPOINT_EVERY, Progress

STEP_STREAM = 4  # keeps a step's draws apart from those of other uses of the seed
EPOCHS = 25
"""Of a published stage of P-DARTS, by which its dropout falls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientRecipe:
    """How a relaxed network is trained; the defaults are those of Liu et al. (2019), section 3.

    But for the batches, which are of 64 images there, and the data.

    Attributes:
        steps: Of the weights; in each, the strengths have one too once `warmup` is over.
        order: 2 looks at the weights one step ahead (equation 6), 1 at the present ones.
        warmup: Share of the steps in which the strengths wait.
        batch_size: Images in a batch of either half.
        learning_rate: Of the weights (SGD), falling to nothing by a cosine.
        momentum: Of the weights.
        weight_decay: Of the weights.
        clip: Largest norm of the weights' gradient.
        strength_rate: Learning rate of the strengths (Adam).
        strength_decay: Weight decay of the strengths.
        strength_clip: Largest norm of the strengths' gradient.
        skip_dropout: On skips, at first and once the strengths begin to learn; see `dropped`.
        pseudo_forgeries: Share of the forged images that blended copies of real ones stand in for.
        pseudo_forgery_kind: What these are blended with.
        augmentation: Random changes of the images.
    """

    steps: int
    order: int = 1
    warmup: float = 0.0
    batch_size: int = 32
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    strength_rate: float = 3e-4
    strength_decay: float = 1e-3
    strength_clip: float = math.inf
    skip_dropout: float = 0.0
    pseudo_forgeries: float = 0.0
    pseudo_forgery_kind: Blend = Blend.SELF
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.order not in (1, 2):
            raise ValueError(f"order is {self.order}; gradients are of order 1 or 2.")

    def falling(self, step: int) -> float:
        """A cosine from 1 at step 0 to 0 behind the last one."""
        return (1 + math.cos(math.pi * step / self.steps)) / 2

    def dropped(self, step: int) -> float:
        """Share of a skip's elements that are dropped in this step; see `Mixture`.

        While the strengths wait it falls in proportion to the steps; when they begin to learn, it
        is back at its full height and falls by a factor of exp(-0.2) in each 25th of the steps, as
        in the published code of Chen et al. (2019), whose stages have 25 epochs.
        """
        epoch = EPOCHS * step / self.steps
        if step < self.warmup * self.steps:
            return self.skip_dropout * max(0.0, EPOCHS - epoch - 1) / EPOCHS
        return self.skip_dropout * math.exp(-0.2 * (epoch - EPOCHS * self.warmup))


def halves(faces: Faces, *, seed: int) -> tuple[Faces, Faces]:
    """Two halves of the faces by original: for the weights and for the strengths."""
    originals = sorted(set(faces.originals))
    rng = np.random.default_rng(np.random.SeedSequence([seed, STEP_STREAM]))
    first = {originals[i] for i in rng.permutation(len(originals))[: len(originals) // 2]}
    inside = [i for i, original in enumerate(faces.originals) if original in first]
    outside = [i for i, original in enumerate(faces.originals) if original not in first]
    return faces.select(inside), faces.select(outside)


def train_relaxed(
    relaxed: RelaxedNetwork,
    weights_on: Faces,
    strengths_on: Faces,
    recipe: GradientRecipe,
    device: Device,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Learn weights and strengths in place, in turns; continues from the checkpoint.

    Args:
        relaxed: On the device.
        weights_on: Faces on the device that the weights learn from.
        strengths_on: Faces on the device that the strengths learn from.
        recipe: How.
        device: Where and in which precision.
        seed: Of batches, augmentation and dropout.
        checkpoint: Where the state is kept every hundred steps.
        progress: Told after every step.

    Raises:
        FloatingPointError: the loss is not finite.
        ValueError: the checkpoint is of another training, or damaged.
    """
    sides = [
        (faces, _Order(PairedBatches.of(faces, recipe.batch_size, seed=seed)))
        for faces in (weights_on, strengths_on)
    ]
    weights, strengths = relaxed.weights, list(relaxed.strengths)
    outer = torch.optim.Adam(
        strengths,
        lr=recipe.strength_rate,
        betas=(0.5, 0.999),
        weight_decay=recipe.strength_decay,
    )
    inner = torch.optim.SGD(
        weights,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    start, terms = 0, dict[str, str]()
    if checkpoint is not None:
        terms = _terms(relaxed, weights_on, strengths_on, recipe, device, seed)
    if checkpoint is not None and checkpoint.is_file():
        _require(terms, checkpoint)
        start = load_checkpoint(checkpoint, relaxed, (inner, outer), device.device)
        if progress is not None and start:
            progress(start, math.nan)
    relaxed.train()
    for step in range(start, recipe.steps):
        rng = np.random.default_rng(np.random.SeedSequence([seed, step, STEP_STREAM]))
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        train_loss, validation_loss = (
            _loss(relaxed, faces, order.rows(step), recipe, device, generator)
            for faces, order in sides
        )
        # In bfloat16 nothing would be left of the second order's difference of two gradients.
        precise = recipe.order == 2
        relaxed.skip_dropout = recipe.dropped(step)
        for group in inner.param_groups:
            group["lr"] = recipe.learning_rate * recipe.falling(step)
        # Dropout draws from torch's global generator; what it held is put back behind us.
        with torch.random.fork_rng(devices=_devices(device)):
            torch.random.manual_seed(int(rng.integers(2**63)))
            if step >= recipe.warmup * recipe.steps:
                with device.full_precision() if precise else contextlib.nullcontext():
                    gradients = strength_gradients(
                        partial(train_loss, precise=precise),
                        partial(validation_loss, precise=precise),
                        weights,
                        strengths,
                        inner,
                        order=recipe.order,
                    )
                for strength, gradient in zip(strengths, gradients, strict=True):
                    strength.grad = gradient
                torch.nn.utils.clip_grad_norm_(strengths, recipe.strength_clip)
                outer.step()
            loss = train_loss()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss of the relaxed network became {value} at step {step}; lower "
                "gradient.learning_rate or set device.precision to float32."
            )
        inner.zero_grad(set_to_none=True)
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        for weight, gradient in zip(weights, found, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(weights, recipe.clip)
        inner.step()
        if progress is not None:
            progress(step + 1, value)
        due = (step + 1) % CHECKPOINT_EVERY == 0 and step + 1 < recipe.steps
        if checkpoint is not None and due:
            save_checkpoint(checkpoint, relaxed, (inner, outer), step + 1, terms)
    relaxed.eval()


def _terms(
    relaxed: RelaxedNetwork,
    weights_on: Faces,
    strengths_on: Faces,
    recipe: GradientRecipe,
    device: Device,
    seed: int,
) -> dict[str, str]:
    """What a training stands on, as text: its state belongs to no other."""
    return {
        "options": str(relaxed.kept),
        "faces of the weights": weights_on.digest(),
        "faces of the strengths": strengths_on.digest(),
        "recipe": str(recipe),
        "precision": "bfloat16" if device.autocast else "float32",
        "seed": str(seed),
    }


def _require(terms: Mapping[str, str], checkpoint: Path) -> None:
    known = terms_of(checkpoint)
    differing = [name for name, text in terms.items() if known.get(name) != text]
    if differing:
        raise ValueError(
            f"{checkpoint} is the state of a training with other {' and '.join(differing)}. "
            "Restore these, or remove it, and the same command begins the training anew."
        )


def _loss(
    relaxed: RelaxedNetwork,
    faces: Faces,
    rows: np.ndarray,  # (images,)
    recipe: GradientRecipe,
    device: Device,
    generator: torch.Generator,
) -> "_BatchLoss":
    """The loss on one augmented batch, at the weights and strengths of the time of its call."""
    chosen, _ = blended_pairs(
        faces,
        rows,
        None,
        share=recipe.pseudo_forgeries,
        kind=recipe.pseudo_forgery_kind,
        generator=generator,
    )
    images = normalise(recipe.augmentation(chosen, generator=generator))
    targets = faces.labels[torch.from_numpy(rows)].to(images.device, torch.float32)

    def loss(*, precise: bool = False) -> torch.Tensor:
        with contextlib.nullcontext() if precise else device.mixed_precision():
            logits = relaxed(images)
        return functional.binary_cross_entropy_with_logits(logits.float(), targets)

    return loss


class _BatchLoss(Protocol):
    def __call__(self, *, precise: bool = False) -> torch.Tensor: ...


class _Order:
    """The batch of each step; an epoch's order is drawn once."""

    def __init__(self, batches: PairedBatches) -> None:
        self._batches = batches
        self._epoch, self._rows = -1, np.empty((0, 0), dtype=np.int64)

    def rows(self, step: int) -> np.ndarray:
        """Positions of the step's images."""
        epoch, batch = divmod(step, self._batches.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._rows = epoch, self._batches.epoch(epoch)
        rows: np.ndarray = self._rows[batch]
        return rows


def _devices(device: Device) -> list[torch.device]:
    return [device.device] if device.device.type == "cuda" else []
