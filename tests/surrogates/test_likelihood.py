import pytest
import torch
from torch.distributions import MultivariateNormal

from surrogates.likelihood import log_likelihood
from surrogates.maximisation import FitFailed


def covariance(count: int, *, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positive definite, `n x n`, and values, `n`."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(count, count, dtype=torch.float64, generator=generator)
    values = torch.randn(count, dtype=torch.float64, generator=generator)
    return root @ root.mT + torch.eye(count, dtype=torch.float64), values


@pytest.mark.parametrize("count", [1, 2, 30])
def test_value_and_gradient_are_those_of_the_normal_distribution(count: int) -> None:
    matrix, values = covariance(count, seed=count)
    scale = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    own = log_likelihood(scale.square() * matrix, values)
    given = MultivariateNormal(torch.zeros_like(values), scale.square() * matrix)
    expected = given.log_prob(values)
    constant = MultivariateNormal(
        torch.zeros(count, dtype=torch.float64), torch.eye(count, dtype=torch.float64)
    ).log_prob(torch.zeros(count, dtype=torch.float64))
    torch.testing.assert_close(own, expected - constant)
    torch.testing.assert_close(
        torch.autograd.grad(3.0 * own, scale), torch.autograd.grad(3.0 * expected, scale)
    )


def test_gradient_to_every_entry_is_that_of_finite_differences() -> None:
    matrix, values = covariance(5, seed=0)

    def symmetric(upper: torch.Tensor) -> torch.Tensor:
        return log_likelihood(upper + upper.mT, values)

    assert torch.autograd.gradcheck(symmetric, (matrix.triu() / 2 + 1e-3).requires_grad_())


def test_covariance_without_a_factor_fails_as_a_fit() -> None:
    with pytest.raises(FitFailed):
        log_likelihood(-torch.eye(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))
