"""PGD and APGD of bonas against those of the Adversarial Robustness Toolbox, on one detector.

    python benchmarks/attacks_reference.py [--steps 400] [--images 120] [--iterations 20] [--seed 0]

Trains a plain CNN on the built-in faces and attacks its test faces with equal budgets, step lengths
and iterations, one start each; the toolbox sees the logit z as the two classes' logits [0, z].
Prints AUC and accuracy after each attack, lower being the stronger attack, as a Markdown table.
Fails where bonas leaves an AUC more than a point above the toolbox's.

The toolbox's APGD aims at accuracy: it leaves images alone that are misled already, and returns the
rest changed only where the decision flips. That does less to an AUC than bonas, which moves every
image as far as it finds.
"""

import argparse
import time
from importlib.metadata import version

import numpy as np
import torch
from art.attacks.evasion import AutoProjectedGradientDescent, ProjectedGradientDescentPyTorch
from art.estimators.classification import PyTorchClassifier
from provenance import provenance
from torch import Tensor, nn

from bonas.data.faces import Faces, Split
from bonas.data.synthetic_set import synthetic_faces
from bonas.device import Device
from bonas.networks.builder import seeded
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from bonas.robustness.attacks import apgd, fgsm, pgd
from bonas.robustness.auc import auc
from bonas.step_time import PLAIN
from bonas.training import Recipe, train

BUDGETS = (0.25, 0.5, 1.0)  # in 1/255
STEP = 0.25  # of the budget, PGD
FIRST_STEP = 2.0  # of the budget, APGD
TOLERANCE = 0.01  # of AUC
BATCH = 32


class TwoLogits(nn.Module):
    """The logits `[0, z]` of the classes genuine and forged, `n x 2`."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        logits = self.detector(images)
        return torch.stack([torch.zeros_like(logits), logits], dim=1)


def trained_detector(faces: Faces, steps: int, seed: int) -> Detector:
    """The plain CNN after so many steps, in evaluation mode."""
    device = Device(torch.device("cpu"), autocast=False)
    network = seeded(PlainNetwork, seed)
    train(network, lambda rng: PLAIN, faces, Recipe(steps=steps), device, seed=seed)
    return Detector(network, PLAIN).eval()


def theirs(detector: Detector, images: Tensor, labels: Tensor, eps: float, iterations: int):
    """Images after the toolbox's attacks, by name."""
    classifier = PyTorchClassifier(
        model=TwoLogits(detector),
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    common = {"norm": np.inf, "eps": eps / 255, "max_iter": iterations, "batch_size": BATCH}
    walk = ProjectedGradientDescentPyTorch(
        classifier, eps_step=STEP * eps / 255, num_random_init=1, verbose=False, **common
    )
    adaptive = AutoProjectedGradientDescent(
        classifier,
        eps_step=FIRST_STEP * eps / 255,
        nb_random_init=1,
        loss_type="cross_entropy",
        verbose=False,
        **common,
    )
    x, y = images.numpy(), np.eye(2)[labels.numpy()]
    return {
        "PGD": torch.from_numpy(walk.generate(x, y)),
        "APGD": torch.from_numpy(adaptive.generate(x, y)),
    }


def ours(detector: Detector, images: Tensor, labels: Tensor, eps: float, iterations: int, seed):
    """Images after bonas' attacks, by name."""
    found = {"FGSM": [], "PGD": [], "APGD": []}
    generator = torch.Generator().manual_seed(seed)
    common = {"iterations": iterations, "generator": generator}
    for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        found["FGSM"].append(fgsm(detector, x, y, eps))
        found["PGD"].append(pgd(detector, x, y, eps, step=STEP, **common).images)
        found["APGD"].append(apgd(detector, x, y, eps, **common).images)
    return {name: torch.cat(parts) for name, parts in found.items()}


def measured(detector: Detector, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """AUC and accuracy."""
    with torch.no_grad():
        logits = torch.cat([detector(x) for x in images.split(BATCH)]).double()
    right = (logits > 0.0) == labels.bool()
    return auc(logits.numpy(), labels.numpy()), float(right.double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    np.random.seed(options.seed)  # the toolbox draws from the global states
    torch.manual_seed(options.seed)
    splits = synthetic_faces(options.identities, options.size, seed=options.seed).splits
    started = time.perf_counter()
    detector = trained_detector(splits[Split.TRAIN], options.steps, options.seed)
    print(f"trained {options.steps} steps in {time.perf_counter() - started:.0f} s")
    test = splits[Split.TEST]
    chosen = test.select(list(range(min(options.images, len(test)))))
    images, labels = chosen.images.float() / 255, chosen.labels
    area, right = measured(detector, images, labels)
    print(f"{len(images)} test faces: AUC {area:.3f}, accuracy {right:.3f}\n")
    print("| eps in 1/255 | attack | AUC bonas | AUC toolbox | accuracy bonas | toolbox |")
    print("|---|---|---|---|---|---|")
    worst = -1.0
    for eps in BUDGETS:
        attacked = ours(detector, images, labels, eps, options.iterations, options.seed)
        reference = theirs(detector, images, labels, eps, options.iterations)
        for name, moved in attacked.items():
            area, right = measured(detector, moved, labels)
            if name not in reference:
                print(f"| {eps:g} | {name} | {area:.4f} | | {right:.3f} | |")
                continue
            their_area, their_right = measured(detector, reference[name], labels)
            worst = max(worst, area - their_area)
            print(
                f"| {eps:g} | {name} | {area:.4f} | {their_area:.4f} | {right:.3f} "
                f"| {their_right:.3f} |",
                flush=True,
            )
    print(f"\nlargest AUC of bonas minus the toolbox's: {worst:+.4f}, allowed {TOLERANCE:+.4f}")
    used = {"train": splits[Split.TRAIN], "test": chosen}
    print(
        provenance(faces=used, toolbox=version("adversarial-robustness-toolbox"), seed=options.seed)
    )
    raise SystemExit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
