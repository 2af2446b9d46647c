"""Evaluation: the test images of every condition, made once, and a detector's score on them."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.attacked import attacked_faces
from bonas.networks.detector import Detector
from bonas.robustness.attacks import Attack, Effort, attacked_images
from bonas.robustness.conditions import CLEAN, Condition, ConditionSet, Group
from bonas.robustness.corruptions import Corruption, corrupted_views
from bonas.robustness.differences import PairableScore
from bonas.robustness.record import RobustnessScore
from bonas.robustness.score import ScoreWeights, pairable_score
from bonas.robustness.standard import standard_conditions

BATCH = 128  # images in one forward pass, at most
CPU_MAP = 16 * 2**20
"""Bytes of a network's largest feature maps on a CPU. Of blocks of 32 MB and more glibc gives the
memory back at once, and the kernel clears its pages anew for every layer, which took longer than
the layers themselves (`benchmarks/condition_cost.py`)."""
CHANNELS = 16  # of the largest feature maps, as the spaces' stems have them at their usual width
ATTACK_BATCH = 64  # at most: an attack holds the activations for its gradient

Predictions = Mapping[Condition, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What is tested.

    Attributes:
        corruptions: Which ones.
        severities: Of each corruption, 1 to 5.
        attacks: Budget of each attack in units of 1/255.
        attack_images: At most so many images are attacked; see `attacked.attacked_faces`.
        attack_effort: Iterations and restarts of the attacks.
        weights: Of the groups in the score.
        seed: Of the corruptions' noise and of the attacks' starts.
    """

    corruptions: tuple[Corruption, ...] = (
        Corruption.JPEG,
        Corruption.BLUR,
        Corruption.NOISE,
        Corruption.RESIZE,
    )
    severities: tuple[int, ...] = (2, 4)
    attacks: Mapping[Attack, float] = field(
        default_factory=lambda: MappingProxyType({Attack.FGSM: 1.0})
    )
    attack_images: int = 200
    attack_effort: Effort = field(default_factory=Effort)
    weights: ScoreWeights = field(default_factory=ScoreWeights)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Images, labels and clusters of every condition, on the device where networks run.

    An attack's images depend on the detector: for it the clean ones are kept and attacked in
    `predict`.
    """

    conditions: ConditionSet
    views: Mapping[Condition, Faces]
    protocol: Protocol
    device: Device

    @classmethod
    def of(
        cls,
        clean: Faces,
        unseen: Mapping[str, Faces],
        protocol: Protocol,
        device: Device,
        *,
        trained: bool = True,
    ) -> "Evaluation":
        """The evaluation of one split.

        Args:
            clean: Both classes, with the forgeries that were trained on.
            unseen: Both classes, with what was not trained on, by the condition's name.
            protocol: What is tested.
            device: Where.
            trained: Whether any forgery of `clean` was trained on; otherwise these images are no
                condition, only what corruptions and attacks make of them.
        """
        attacked = attacked_faces(clean, protocol.attack_images)
        conditions = conditions_of(clean, unseen, protocol, trained=trained)
        unchanged = clean.to(device.device)
        views: dict[Condition, Faces] = {CLEAN: unchanged} if trained else {}
        for name, faces in unseen.items():
            views[Condition(Group.UNSEEN, name)] = faces.to(device.device)
        corrupted = [c for c in conditions.conditions if c.group is Group.CORRUPTION]
        for condition, images in corrupted_views(unchanged.images, corrupted, seed=protocol.seed):
            views[condition] = replace(clean, images=images)
        attacked_there = attacked.to(device.device)
        for attack in protocol.attacks:
            views[Condition(Group.ATTACK, attack.value)] = attacked_there
        return cls(conditions, views, protocol, device)

    def predict(
        self, detector: Detector, progress: Callable[[Condition], None] | None = None
    ) -> dict[Condition, np.ndarray]:
        """Logits of every condition, float64 `n_c`, higher meaning more likely forged.

        Args:
            detector: On the device; its training mode is left off.
            progress: Told each condition when it is done.
        """
        detector.eval()
        predictions = {}
        for condition in self.conditions.conditions:
            faces = self.views[condition]
            if condition.group is Group.ATTACK:
                attack = Attack(condition.name)
                predictions[condition] = self._attacked_logits(detector, faces, attack)
            else:
                predictions[condition] = logits_of(detector, faces.images, self.device)
            if progress is not None:
                progress(condition)
        return predictions

    def score(self, predictions: Predictions) -> RobustnessScore:
        """The robustness-weighted AUC of these logits, clusters being the originals."""
        return self.pairable(predictions).score

    def pairable(self, predictions: Predictions) -> PairableScore:
        """The score, to be compared with those of other detectors on these images."""
        labels = {c: f.labels.numpy() for c, f in self.views.items()}
        return pairable_score(
            predictions,
            labels,
            self.clusters,
            conditions=self.conditions,
            weights=self.protocol.weights,
        )

    @property
    def clusters(self) -> dict[Condition, Sequence[Hashable]]:
        """The original of every image, by condition."""
        return {c: f.originals for c, f in self.views.items()}

    def _attacked_logits(self, detector: Detector, faces: Faces, attack: Attack) -> np.ndarray:
        """Logits after an attack; its draws depend on the seed and the attack alone."""
        protocol = self.protocol
        entropy = np.random.SeedSequence([protocol.seed, *attack.value.encode()])
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))
        count = min(ATTACK_BATCH, batch_size(faces.images, self.device))
        moved = [
            attacked_images(
                *(attack, detector, images.float() / 255, labels.to(images.device)),
                protocol.attacks[attack],
                effort=protocol.attack_effort,
                generator=generator,
            )
            for images, labels in zip(
                faces.images.split(count), faces.labels.split(count), strict=True
            )
        ]
        return np.concatenate([_logits(detector, images, self.device) for images in moved])


def conditions_of(
    clean: Faces, unseen: Mapping[str, Faces], protocol: Protocol, *, trained: bool = True
) -> ConditionSet:
    """The conditions of an evaluation, without making their images; as `Evaluation.of`."""
    return standard_conditions(
        clean.digest(),
        {name: faces.digest() for name, faces in unseen.items()},
        image_size=clean.images.shape[-1],
        seed=protocol.seed,
        corruptions=protocol.corruptions,
        severities=protocol.severities,
        attacks=protocol.attacks,
        effort=protocol.attack_effort,
        attacked=attacked_faces(clean, protocol.attack_images).digest(),
        clean=trained,
    )


def logits_of(detector: Detector, images: torch.Tensor, device: Device) -> np.ndarray:
    """Logits, float64 `n`, of uint8 images `n x 3 x h x w` on the device."""
    batches = images.split(batch_size(images, device))
    return np.concatenate([_logits(detector, b.float() / 255, device) for b in batches])


def batch_size(images: torch.Tensor, device: Device) -> int:
    """How many images `n x 3 x h x w` a forward pass without gradients has on the device."""
    if device.device.type != "cpu":
        return BATCH
    map_bytes = torch.float32.itemsize * CHANNELS * math.prod(images.shape[-2:])
    return max(1, min(BATCH, CPU_MAP // map_bytes))


def _logits(detector: Detector, images: torch.Tensor, device: Device) -> np.ndarray:
    with torch.inference_mode(), device.mixed_precision():
        batches = images.split(batch_size(images, device))
        return np.concatenate([detector(b).double().cpu().numpy() for b in batches])
