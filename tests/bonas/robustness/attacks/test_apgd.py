import itertools

import pytest
import torch
from torch import Tensor

from bonas.robustness.attacks import apgd
from bonas.robustness.attacks.apgd import checkpoints
from tests.bonas.robustness.attacks.worlds import Quadratic, sample


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_checkpoints_are_those_of_the_paper() -> None:
    # 0.22 and then intervals of 0.19, 0.16, 0.13, 0.10, 0.07, 0.06, 0.06 (section 3.2).
    assert checkpoints(100) == [0, 22, 41, 57, 70, 80, 87, 93, 99]


@pytest.mark.parametrize("iterations", [1, 2, 5, 20, 37, 1000])
def test_checkpoints_rise_from_the_start_and_stay_within_the_attack(iterations: int) -> None:
    found = checkpoints(iterations)
    assert found[0] == 0
    assert found == sorted(set(found))
    assert found[-1] <= iterations
    gaps = [b - a for a, b in itertools.pairwise(found)]
    assert all(b <= a + 1 for a, b in itertools.pairwise(gaps))


class Oscillating:
    """A ridge between the ends of the budget that long steps jump across; counts the moves."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach())
        return -((x - 0.47) ** 2).sum(dim=(1, 2, 3))


def test_steps_are_halved_at_checkpoints_when_they_jump_across_the_peak() -> None:
    network = Oscillating()
    images = torch.full((2, 3, 4, 4), 0.5)
    found = apgd(network, images, torch.zeros(2), 25.5, iterations=141, generator=seeded())
    # Evaluations: the images, the start, then one point per step: cycles of 20, 40 and 80 steps.
    moves = torch.stack(network.seen[1:]).diff(dim=0).abs().amax(dim=(1, 2, 3, 4))
    for first, length in ((0, 20), (20, 40), (60, 80)):
        *_, last, end = checkpoints(length)
        early = moves[first : first + checkpoints(length)[1]].max().item()
        late = moves[first + last : first + end].max().item()
        assert early > 0.05
        assert late < early / 8
    assert (found.images - 0.47).abs().max().item() < 0.01


def test_each_image_has_a_step_of_its_own() -> None:
    network = Quadratic(8, 0).eval()
    images, labels = sample(4, 8)
    labels = torch.zeros_like(labels)
    together = apgd(network, images, labels, 64.0, iterations=20, generator=seeded())
    generator = seeded()
    for index in range(4):
        alone = apgd(
            *(network, images[index : index + 1], labels[index : index + 1], 64.0),
            iterations=20,
            generator=generator,
        )
        torch.testing.assert_close(alone.trace[:, 0], together.trace[:, index])


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_the_shortest_attacks_work(iterations: int) -> None:
    network, (images, labels) = Quadratic(8, 0).eval(), sample(4, 8)
    found = apgd(network, images, labels, 8.0, iterations=iterations, generator=seeded())
    assert len(found.trace) == iterations + 2
    assert (found.trace[-1] > found.trace[0]).all()
