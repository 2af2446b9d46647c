"""Laws of every builder and its networks: subclass, give a factory, inherit them."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from bonas.networks.builder import NetworkBuilder, build_network, build_supernet, inherit
from bonas.networks.detector import Detector
from spaces.architecture import Architecture
from spaces.space import canonical_key_of, connects, sample

SEEDS = (0, 1, 2)
STEPS, RATE = 12, 0.02


def drawn(builder: NetworkBuilder, seed: int) -> Architecture:
    """One that connects its input with its output."""
    rng = np.random.default_rng(seed)
    while True:
        architecture = sample(builder.space, rng=rng)
        if connects(builder.space, architecture):
            return architecture


class BuilderLaws:
    """What holds of every `NetworkBuilder`."""

    @pytest.fixture
    def builder(self) -> NetworkBuilder:
        raise NotImplementedError("a subclass gives the builder")

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_network_that_inherits_computes_what_the_supernet_does(
        self, builder: NetworkBuilder, seed: int
    ) -> None:
        architecture = drawn(builder, seed)
        supernet = build_supernet(builder, seed=seed)
        images = _images(4, 32)
        with torch.no_grad():
            supernet.train()(images, architecture)  # statistics are inherited as weights are
            alone = build_network(builder, architecture, seed=seed + 1)
            before = alone.eval()(images, architecture)
            inherit(builder, alone, supernet)
            expected, found = (net.eval()(images, architecture) for net in (supernet, alone))
        assert not torch.allclose(before, expected, atol=1e-5)
        assert torch.allclose(found, expected, atol=1e-5)

    def test_a_supernet_tells_architectures_apart(self, builder: NetworkBuilder) -> None:
        known = {canonical_key_of(builder.space, a): a for a in (drawn(builder, s) for s in SEEDS)}
        supernet = build_supernet(builder, seed=0).eval()
        with torch.no_grad():
            logits = [supernet(_images(2, 32), a).tolist() for a in known.values()]
        assert len(known) > 1
        assert len({tuple(pair) for pair in logits}) == len(known)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("size", [32, 48])
    def test_a_verdict_does_not_depend_on_the_rest_of_its_batch(
        self, builder: NetworkBuilder, seed: int, size: int
    ) -> None:
        architecture = drawn(builder, seed)
        detector = Detector(build_network(builder, architecture, seed=seed), architecture)
        images = _images(5, size)
        with torch.no_grad():
            detector.train()(images)  # so that statistics are not those of a new network
            together = detector.eval()(images)
            alone = torch.cat([detector(image[None]) for image in images])
        assert together.shape == (5,)
        assert together.std() > 0, "all images look the same to it"
        assert torch.allclose(together, alone, atol=1e-5)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_steps_lower_the_loss_and_move_the_weights(
        self, builder: NetworkBuilder, seed: int
    ) -> None:
        architecture = drawn(builder, seed)
        detector = Detector(build_network(builder, architecture, seed=seed), architecture).train()
        images, labels = _contrasted()
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


def _images(count: int, size: int) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def _contrasted() -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of two strengths, and which is which."""
    noise = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 2
    return 0.5 + (noise - 0.5) * (0.3 + 0.7 * labels[:, None, None, None]), labels.float()
