"""Kernels between encoded architectures, as gpytorch kernels.

Each reads its own columns of the features (a slice, hence a view: an index would copy a whole
space's features at every call). All are positive definite on the encodings named with them.
"""

import torch
from gpytorch.constraints import Positive
from gpytorch.kernels import Kernel, ScaleKernel
from gpytorch.priors import LogNormalPrior


class TanimotoKernel(Kernel):
    r"""Shared features over all features, for sets and multisets of paths.

    .. math:: k(x, x') = \frac{x \cdot x'}{|x|^2 + |x'|^2 - x \cdot x'}

    Positive definite on non-negative features (Ralaivola et al. 2005, section 3.3). Two rows of
    zeros (architectures without a live path) are equal: k = 1.
    """

    has_lengthscale = False

    def __init__(self, columns: slice) -> None:
        super().__init__()
        self.columns = columns

    def forward(
        self,
        x1: torch.Tensor,  # (..., n, d)
        x2: torch.Tensor,  # (..., m, d)
        diag: bool = False,
        last_dim_is_batch: bool = False,
    ) -> torch.Tensor:
        """The matrix, `... x n x m`, or its diagonal, `... x n`."""
        a, b = x1[..., self.columns], x2[..., self.columns]
        square_a, square_b = a.square().sum(-1), b.square().sum(-1)
        if diag:
            shared, total = (a * b).sum(-1), square_a + square_b
        else:
            shared = a @ b.mT
            total = square_a.unsqueeze(-1) + square_b.unsqueeze(-2)
        union = total - shared
        return torch.where(union > 0, shared / union.clamp_min(1e-300), torch.ones_like(union))


class HammingKernel(Kernel):
    r"""Exponentiated Hamming distance with a weight per decision, for one-hot features.

    .. math:: k(x, x') = \exp\Bigl(-\tfrac{1}{2}\sum_i w_i \lVert x_i - x'_i \rVert^2\Bigr)

    where :math:`x_i` is the one-hot block of decision i, so that a decision in which the two
    differ costs :math:`w_i`. A product of exponentials of the identity matrix per decision, hence
    positive definite.
    """

    has_lengthscale = False

    def __init__(self, columns: slice, sizes: tuple[int, ...], prior: LogNormalPrior) -> None:
        super().__init__()
        self.columns = columns
        self.register_buffer(
            "decision", torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        )
        start = prior.mode.expand(len(sizes)).clone()
        self.register_parameter("raw_weights", torch.nn.Parameter(torch.zeros_like(start)))
        self.register_constraint("raw_weights", Positive(torch.exp, torch.log))
        self.initialize(raw_weights=start.log())
        self.register_prior("weights_prior", prior, lambda kernel: kernel.weights)

    @property
    def weights(self) -> torch.Tensor:
        """What a difference in each decision costs, positive, `decisions`."""
        weights: torch.Tensor = self.raw_weights_constraint.transform(self.raw_weights)
        return weights

    def forward(
        self,
        x1: torch.Tensor,  # (..., n, d)
        x2: torch.Tensor,  # (..., m, d)
        diag: bool = False,
        last_dim_is_batch: bool = False,
    ) -> torch.Tensor:
        """The matrix, `... x n x m`, or its diagonal, `... x n`."""
        weights = self.weights
        a, b = x1[..., self.columns], x2[..., self.columns]
        if diag:
            return (-0.5 * ((a - b).square() * weights[self.decision]).sum(-1)).exp()
        equal = (a * weights[self.decision]) @ b.mT
        return (equal - weights.sum()).exp()


class CountsKernel(Kernel):
    r"""Cosine of two vectors of counts: the normalised linear kernel, for Weisfeiler-Lehman counts.

    .. math:: k(x, x') = x \cdot x' / (\lVert x \rVert \lVert x' \rVert)

    The kernel of Shervashidze et al. (2011) on a vocabulary that the encoding fixes, normalised
    as in NAS-BOWL (Ru et al. 2021).
    """

    has_lengthscale = False

    def __init__(self, columns: slice) -> None:
        super().__init__()
        self.columns = columns

    def forward(
        self,
        x1: torch.Tensor,  # (..., n, d)
        x2: torch.Tensor,  # (..., m, d)
        diag: bool = False,
        last_dim_is_batch: bool = False,
    ) -> torch.Tensor:
        """The matrix, `... x n x m`, or its diagonal, `... x n`."""
        a = torch.nn.functional.normalize(x1[..., self.columns], dim=-1)
        b = torch.nn.functional.normalize(x2[..., self.columns], dim=-1)
        return (a * b).sum(-1) if diag else a @ b.mT


class SquaredExponentialKernel(Kernel):
    r"""Squared exponential with a weight per feature (Rasmussen and Williams 2006, eq. 5.1).

    .. math:: k(x, x') = \exp\Bigl(-\tfrac{1}{2}\sum_i w_i (x_i - x'_i)^2\Bigr)
    """

    has_lengthscale = False

    def __init__(self, columns: slice, features: int, prior: LogNormalPrior) -> None:
        super().__init__()
        self.columns = columns
        start = prior.mode.expand(features).clone()
        self.register_parameter("raw_weights", torch.nn.Parameter(torch.zeros_like(start)))
        self.register_constraint("raw_weights", Positive(torch.exp, torch.log))
        self.initialize(raw_weights=start.log())
        self.register_prior("weights_prior", prior, lambda kernel: kernel.weights)

    @property
    def weights(self) -> torch.Tensor:
        """What a squared difference in each feature costs, positive, `features`."""
        weights: torch.Tensor = self.raw_weights_constraint.transform(self.raw_weights)
        return weights

    def forward(
        self,
        x1: torch.Tensor,  # (..., n, d)
        x2: torch.Tensor,  # (..., m, d)
        diag: bool = False,
        last_dim_is_batch: bool = False,
    ) -> torch.Tensor:
        """The matrix, `... x n x m`, or its diagonal, `... x n`."""
        root = self.weights.sqrt()
        a, b = x1[..., self.columns] * root, x2[..., self.columns] * root
        if diag:
            return (-0.5 * (a - b).square().sum(-1)).exp()
        squares = a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2)
        return (-0.5 * (squares - 2.0 * a @ b.mT).clamp_min(0.0)).exp()


class LinearKernel(Kernel):
    r"""Inner product of the columns: a linear prior mean with Gaussian coefficients.

    .. math:: k(x, x') = x \cdot x'

    Integrating out m(x) = b'x with b ~ N(0, s I) adds s times this kernel (Rasmussen and Williams
    2006, section 2.7).
    """

    has_lengthscale = False

    def __init__(self, columns: slice) -> None:
        super().__init__()
        self.columns = columns

    def forward(
        self,
        x1: torch.Tensor,  # (..., n, d)
        x2: torch.Tensor,  # (..., m, d)
        diag: bool = False,
        last_dim_is_batch: bool = False,
    ) -> torch.Tensor:
        """The matrix, `... x n x m`, or its diagonal, `... x n`."""
        a, b = x1[..., self.columns], x2[..., self.columns]
        return (a * b).sum(-1) if diag else a @ b.mT


def scaled(kernel: Kernel, prior: LogNormalPrior) -> ScaleKernel:
    """The kernel times a learned positive factor that starts at the prior's mode."""
    product = ScaleKernel(kernel, outputscale_constraint=Positive(torch.exp, torch.log))
    product.initialize(outputscale=prior.mode)
    product.register_prior("outputscale_prior", prior, lambda module: module.outputscale)
    return product
