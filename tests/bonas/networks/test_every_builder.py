"""Laws of the networks of all builders."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from bonas.networks.builder import (
    DartsBuilder,
    ForgeryBuilder,
    MacroBuilder,
    NASBench201Builder,
    NetworkBuilder,
    build_network,
)
from bonas.networks.detector import Detector
from spaces.architecture import Architecture
from spaces.forgery import FORGERY_CASCADE
from spaces.space import connects, sample

FORGERY_NETWORKS = ForgeryBuilder(width=4, level_width=8)
BUILDERS: dict[str, NetworkBuilder] = {
    "forgery": FORGERY_NETWORKS,
    "folded": replace(FORGERY_NETWORKS, stem="folded"),
    "cascade": replace(FORGERY_NETWORKS, space=FORGERY_CASCADE),
    "nasbench201": NASBench201Builder(width=4, cells=1),
    "darts": DartsBuilder(width=4, cells=3),
    "macro": MacroBuilder(width=4),
}
CASES = [(name, seed) for name in BUILDERS for seed in range(3)]
STEPS, RATE = 12, 0.02


def drawn(builder: NetworkBuilder, seed: int) -> Architecture:
    """One that connects its input with its output."""
    rng = np.random.default_rng(seed)
    while True:
        architecture = sample(builder.space, rng=rng)
        if connects(builder.space, architecture):
            return architecture


def contrasted() -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of two strengths, and which is which."""
    noise = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 2
    return 0.5 + (noise - 0.5) * (0.3 + 0.7 * labels[:, None, None, None]), labels.float()


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_steps_lower_the_loss_and_move_the_weights(name: str, seed: int) -> None:
    builder = BUILDERS[name]
    architecture = drawn(builder, seed)
    detector = Detector(build_network(builder, architecture, seed=seed), architecture).train()
    images, labels = contrasted()
    optimiser = torch.optim.AdamW(detector.parameters(), lr=RATE)
    before = {n: p.detach().clone() for n, p in detector.named_parameters()}
    losses = []
    for _ in range(STEPS):
        loss = functional.binary_cross_entropy_with_logits(detector(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0], losses
    still = [n for n, p in detector.named_parameters() if torch.equal(p, before[n])]
    # What a cell does not pass on has no gradient: the whole of a dead node before a live one.
    assert len(still) < 0.2 * len(before), still


@pytest.mark.parametrize(("name", "seed"), CASES)
@pytest.mark.parametrize("size", [32, 48])
def test_a_verdict_does_not_depend_on_the_rest_of_its_batch(
    name: str, seed: int, size: int
) -> None:
    builder = BUILDERS[name]
    architecture = drawn(builder, seed)
    detector = Detector(build_network(builder, architecture, seed=seed), architecture)
    images = torch.rand(5, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        detector.train()(images)  # so that statistics are not those of a new network
        together = detector.eval()(images)
        alone = torch.cat([detector(image[None]) for image in images])
    assert together.shape == (5,)
    assert together.std() > 0, "all images look the same to it"
    assert torch.allclose(together, alone, atol=1e-5)
