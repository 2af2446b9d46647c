import pytest
import torch
from torch import Tensor

from bonas.robustness.attacks import square
from bonas.robustness.attacks.square import square_side
from tests.bonas.robustness.attacks.worlds import Linear, sample


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_sides_follow_the_papers_schedule_at_ten_thousand_iterations() -> None:
    # Shares 0.8, 0.4, 0.2, ... of 100 x 100 pixels, halved after 10, 50, 200, ... (section 3.2).
    sides = {k: square_side(k, 10_000, 100, 100) for k in (0, 10, 11, 50, 51, 200, 201, 9_999)}
    assert sides == {0: 89, 10: 89, 11: 63, 50: 63, 51: 45, 200: 45, 201: 32, 9_999: 4}


@pytest.mark.parametrize("iterations", [1, 20, 200, 5_000])
@pytest.mark.parametrize("size", [(8, 8), (96, 96), (32, 200)])
def test_squares_shrink_and_fit(iterations: int, size: tuple[int, int]) -> None:
    sides = [square_side(k, iterations, *size) for k in range(iterations)]
    assert sides == sorted(sides, reverse=True)
    assert 1 <= sides[-1] <= sides[0] <= min(size)


class Watched:
    """A linear network that keeps the points it was asked about."""

    def __init__(self, size: int) -> None:
        self.inner = Linear(size, 0).eval()
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach().clone())
        logits: Tensor = self.inner(x)
        return logits


def test_the_search_starts_from_stripes_and_tries_one_square_at_a_time() -> None:
    network, images = Watched(16), torch.full((3, 3, 16, 16), 0.5)
    found = square(
        network, images, torch.tensor([0, 1, 0]), 25.5, iterations=40, generator=seeded()
    )
    clean, stripes, *tried = network.seen
    assert torch.equal(clean, images)
    assert torch.equal(stripes, stripes[:, :, :1].expand_as(stripes))
    torch.testing.assert_close((stripes - 0.5).abs(), torch.full_like(stripes, 0.1))
    assert 0.3 < (stripes[:, :, 0] > 0.5).float().mean().item() < 0.7
    signs = torch.tensor([1.0, -1.0, 1.0])
    points = stripes
    for k, candidate in enumerate(tried):
        side = square_side(k, 200, 16, 16)
        changed = (candidate != points).any(dim=1)
        assert (changed.any(dim=2).sum(dim=1) <= side).all()
        assert (changed.any(dim=1).sum(dim=1) <= side).all()
        better = signs * network.inner(candidate) > signs * network.inner(points)
        points = torch.where(better.view(-1, 1, 1, 1), candidate, points)
    assert torch.equal(found.images, points)


def test_no_gradient_is_needed() -> None:
    images, labels = sample(6, 8)

    def rounded(x: Tensor) -> Tensor:
        return (x.detach() * 16.0).round().sum(dim=(1, 2, 3))

    found = square(rounded, images, labels, 16.0, iterations=60, generator=seeded())
    assert (found.trace[-1] > found.trace[0]).all()


def test_images_that_are_not_square_are_searched_to_their_edges() -> None:
    def left(x: Tensor) -> Tensor:
        return x[..., :1].sum(dim=(1, 2, 3)) + x[..., -1:].sum(dim=(1, 2, 3))

    images = torch.full((4, 3, 6, 20), 0.5)
    found = square(left, images, torch.zeros(4), 25.5, iterations=400, generator=seeded())
    raised = (found.images > 0.5).float().mean(dim=(0, 1))
    # Stripes alone raise half of a column; only squares that reach an edge raise more of it.
    for column in (0, -1):
        assert raised[:, column].min().item() > 0.65
    assert raised[:, 1:-1].mean().item() < 0.65
