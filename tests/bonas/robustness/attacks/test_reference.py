"""Against the Adversarial Robustness Toolbox, where it is installed."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bonas.robustness.attacks import apgd, pgd
from bonas.robustness.auc import auc
from tests.bonas.robustness.attacks.worlds import sample, trained_network

evasion = pytest.importorskip("art.attacks.evasion")
classification = pytest.importorskip("art.estimators.classification")

ITERATIONS = 10


class TwoLogits(nn.Module):
    """The logits `[0, z]` of the classes genuine and forged, `n x 2`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network(images).view(-1)
        return torch.stack([torch.zeros_like(logits), logits], dim=1)


@pytest.mark.parametrize("eps", [8.0])
def test_attacks_leave_no_auc_a_point_above_the_toolboxs(eps: float) -> None:
    images, labels = sample(32, 12)
    network = trained_network(images, labels)
    classifier = classification.PyTorchClassifier(
        model=TwoLogits(network),
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, 12, 12),
        nb_classes=2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    common = {"norm": np.inf, "eps": eps / 255, "max_iter": ITERATIONS, "verbose": False}
    toolbox = {
        pgd: evasion.ProjectedGradientDescentPyTorch(
            classifier, eps_step=eps / 4 / 255, num_random_init=1, **common
        ),
        apgd: evasion.AutoProjectedGradientDescent(
            classifier,
            eps_step=2 * eps / 255,
            nb_random_init=1,
            loss_type="cross_entropy",
            **common,
        ),
    }

    def area(moved: Tensor) -> float:
        with torch.no_grad():
            return auc(network(moved).view(-1).numpy(), labels.numpy())

    state, legacy = torch.get_rng_state(), np.random.get_state()
    np.random.seed(0)  # the toolbox draws from the global state
    for attack, reference in toolbox.items():
        theirs = torch.from_numpy(reference.generate(images.numpy(), np.eye(2)[labels.numpy()]))
        generator = torch.Generator().manual_seed(0)
        ours = attack(
            *(network, images, labels, eps), iterations=ITERATIONS, generator=generator
        ).images
        assert (ours - images).abs().max() <= eps / 255 + 1e-7
        assert area(ours) <= area(theirs) + 0.01
        assert area(theirs) < area(images), "the toolbox attacks another objective"
    torch.set_rng_state(state)
    np.random.set_state(legacy)
