import pytest
import torch

from bonas.robustness.attacks import pgd
from tests.bonas.robustness.attacks.worlds import Linear, Quadratic, sample, trained_network


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_longer_attack_goes_on_where_a_shorter_one_ends_and_is_never_weaker() -> None:
    images, labels = sample(16, 12)
    network = trained_network(images, labels)
    short, long = (
        pgd(network, images, labels, 32.0, iterations=n, generator=seeded()) for n in (4, 16)
    )
    torch.testing.assert_close(long.trace[: len(short.trace)], short.trace)
    assert (long.trace[-1] > short.trace[-1]).any()


def test_starts_fill_the_ball_evenly() -> None:
    seen = []

    def watched(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.sum(dim=(1, 2, 3))

    images = torch.full((8, 3, 16, 16), 0.5)
    pgd(watched, images, torch.zeros(8), 51.0, iterations=1, generator=seeded())
    shifts = (seen[1] - 0.5) / 0.2
    assert shifts.abs().max().item() <= 1.0 + 1e-6
    assert shifts.mean().item() == pytest.approx(0.0, abs=0.03)
    assert shifts.var().item() == pytest.approx(1.0 / 3.0, rel=0.03)
    assert not torch.equal(shifts[0], shifts[1])


@pytest.mark.parametrize("step", [0.25, 0.5, 1.0])
def test_a_step_is_its_share_of_the_budget(step: float) -> None:
    network = Linear(8, 0).eval()
    seen = []

    def watched(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        logits: torch.Tensor = network(x)
        return logits

    images, labels = torch.full((2, 3, 8, 8), 0.5), torch.tensor([0, 1])
    pgd(watched, images, labels, 25.5, iterations=2, step=step, generator=seeded())
    moves = (seen[2] - seen[1]).abs()
    assert moves.max().item() == pytest.approx(step * 0.1, abs=1e-6)


def test_shorter_steps_come_closer_to_a_peak_inside_the_ball() -> None:
    network, (images, _) = Quadratic(8, 0).eval(), sample(8, 8)
    labels = torch.zeros(8)
    ends = [
        pgd(network, images, labels, 255.0, iterations=200, step=s, generator=seeded()).trace[-1]
        for s in (0.25, 0.05, 0.01)
    ]
    assert (ends[0] < ends[1]).all()
    assert (ends[1] < ends[2]).all()
    assert (ends[2] > -0.05).all()


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan")])
def test_a_step_that_goes_nowhere_is_refused(step: float) -> None:
    images, labels = sample(2, 4)
    with pytest.raises(ValueError, match="step must be positive, got"):
        pgd(Linear(4, 0).eval(), images, labels, 1.0, step=step, generator=seeded())
