"""Kernels between encoded architectures, as gpytorch kernels.

Each reads its own columns of the features (a slice, hence a view: an index would copy a whole
space's features at every call). All are positive definite on the encodings named with them.
"""

from abc import abstractmethod

import torch
from gpytorch.constraints import Positive
from gpytorch.kernels import AdditiveKernel, Kernel, ScaleKernel
from gpytorch.priors import LogNormalPrior


class ColumnsKernel(Kernel):
    """A kernel on some columns of the features."""

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
        return self.diagonal(a, b) if diag else self.matrix(a, b)

    @abstractmethod
    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of the columns of each row of one with each of the other, `... x n x m`."""

    @abstractmethod
    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of the columns of each row of one with the same row of the other, `... x n`."""


class WeightedKernel(ColumnsKernel):
    """A kernel with learned positive weights that start at their prior's mode."""

    def __init__(self, columns: slice, weights: int, prior: LogNormalPrior) -> None:
        super().__init__(columns)
        start = prior.mode.expand(weights).clone()
        self.register_parameter("raw_weights", torch.nn.Parameter(torch.zeros_like(start)))
        self.register_constraint("raw_weights", Positive(torch.exp, torch.log))
        self.initialize(raw_weights=start.log())
        self.register_prior("weights_prior", prior, lambda kernel: kernel.weights)

    @property
    def weights(self) -> torch.Tensor:
        """Positive, one of every decision or feature."""
        weights: torch.Tensor = self.raw_weights_constraint.transform(self.raw_weights)
        return weights


class TanimotoKernel(ColumnsKernel):
    r"""Shared features over all features, for sets and multisets of paths.

    .. math:: k(x, x') = \frac{x \cdot x'}{|x|^2 + |x'|^2 - x \cdot x'}

    Positive definite on non-negative features (Ralaivola et al. 2005, section 3.3). Two rows of
    zeros (architectures without a live path) are equal: k = 1.
    """

    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of every pair of rows."""
        shared = a @ b.mT
        total = a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2)
        return _over_union(shared, total)

    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of equal rows."""
        return _over_union((a * b).sum(-1), a.square().sum(-1) + b.square().sum(-1))


class HammingKernel(WeightedKernel):
    r"""Exponentiated Hamming distance with a weight per decision, for one-hot features.

    .. math:: k(x, x') = \exp\Bigl(-\tfrac{1}{2}\sum_i w_i \lVert x_i - x'_i \rVert^2\Bigr)

    where :math:`x_i` is the one-hot block of decision i, so that a decision in which the two
    differ costs :math:`w_i`. A product of exponentials of the identity matrix per decision, hence
    positive definite.
    """

    def __init__(self, columns: slice, sizes: tuple[int, ...], prior: LogNormalPrior) -> None:
        super().__init__(columns, len(sizes), prior)
        self.register_buffer(
            "decision", torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        )

    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of every pair of rows."""
        weights = self.weights
        equal = (a * weights[self.decision]) @ b.mT
        return equal.sub_(weights.sum()).exp_()

    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of equal rows."""
        return (-0.5 * ((a - b).square() * self.weights[self.decision]).sum(-1)).exp()


class CountsKernel(ColumnsKernel):
    r"""Cosine of two vectors of counts: the normalised linear kernel, for Weisfeiler-Lehman counts.

    .. math:: k(x, x') = x \cdot x' / (\lVert x \rVert \lVert x' \rVert)

    The kernel of Shervashidze et al. (2011) on a vocabulary that the encoding fixes, normalised
    as in NAS-BOWL (Ru et al. 2021).
    """

    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of every pair of rows."""
        return _unit(a) @ _unit(b).mT

    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of equal rows."""
        return (_unit(a) * _unit(b)).sum(-1)


class SquaredExponentialKernel(WeightedKernel):
    r"""Squared exponential with a weight per feature (Rasmussen and Williams 2006, eq. 5.1).

    .. math:: k(x, x') = \exp\Bigl(-\tfrac{1}{2}\sum_i w_i (x_i - x'_i)^2\Bigr)
    """

    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of every pair of rows."""
        # Weights on one side, so that the gradient needs one product of matrices, not two.
        weights = self.weights
        halves = 0.5 * (a.square() @ weights).unsqueeze(-1)
        others = 0.5 * (b.square() @ weights).unsqueeze(-2)
        return ((a * weights) @ b.mT).sub_(halves).sub_(others).clamp_max_(0.0).exp_()

    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of equal rows."""
        return (-0.5 * ((a - b) * self.weights.sqrt()).square().sum(-1)).exp()


class LinearKernel(ColumnsKernel):
    r"""Inner product of the columns: a linear prior mean with Gaussian coefficients.

    .. math:: k(x, x') = x \cdot x'

    Integrating out m(x) = b'x with b ~ N(0, s I) adds s times this kernel (Rasmussen and Williams
    2006, section 2.7).
    """

    def matrix(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of every pair of rows."""
        return a @ b.mT

    def diagonal(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Of equal rows."""
        return (a * b).sum(-1)


def dense(
    kernel: Kernel,
    a: torch.Tensor,
    b: torch.Tensor,
    fixed: dict[Kernel, torch.Tensor] | None = None,
) -> torch.Tensor:
    """What `kernel(a, b).to_dense()` is, `n x m`, without gpytorch's lazy tensors.

    These take four fifths of the time of a fit to fifty observations. Sums and scales of this
    module's kernels are added up here; any other kernel is asked as usual.

    Args:
        kernel: Of which parts may be sums and multiples.
        a: `n x d`.
        b: `m x d`.
        fixed: Keeps, between calls with the same rows, the matrices of the parts that have no
            parameters: a fit asks forty times for what only its scale changes.
    """
    if isinstance(kernel, AdditiveKernel):
        first, *others = (dense(part, a, b, fixed) for part in kernel.kernels)
        total: torch.Tensor = sum(others, first)
        return total
    if isinstance(kernel, ScaleKernel) and kernel.active_dims is None:
        product: torch.Tensor = dense(kernel.base_kernel, a, b, fixed) * kernel.outputscale
        return product
    if isinstance(kernel, ColumnsKernel):
        if fixed is None or next(kernel.parameters(), None) is not None:
            matrix: torch.Tensor = kernel.forward(a, b)
            return matrix
        if kernel not in fixed:
            fixed[kernel] = kernel.forward(a, b)
        return fixed[kernel]
    foreign: torch.Tensor = kernel(a, b).to_dense()
    return foreign


def dense_diagonal(kernel: Kernel, a: torch.Tensor) -> torch.Tensor:
    """The diagonal of `dense(kernel, a, a)`, `n`."""
    if isinstance(kernel, AdditiveKernel):
        first, *others = (dense_diagonal(part, a) for part in kernel.kernels)
        total: torch.Tensor = sum(others, first)
        return total
    if isinstance(kernel, ScaleKernel) and kernel.active_dims is None:
        product: torch.Tensor = dense_diagonal(kernel.base_kernel, a) * kernel.outputscale
        return product
    if isinstance(kernel, ColumnsKernel):
        diagonal: torch.Tensor = kernel.forward(a, a, diag=True)
        return diagonal
    foreign: torch.Tensor = kernel(a, a, diag=True)
    return foreign


def _over_union(shared: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
    union = total - shared
    return torch.where(union > 0, shared / union.clamp_min(1e-300), torch.ones_like(union))


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(rows, dim=-1)


class ScaledKernel(ScaleKernel):
    """gpytorch's, without the broadcasting of shapes that nothing here needs.

    The first `torch.broadcast_shapes` of a process imports sympy, which takes longer than a fit.
    """

    @property
    def batch_shape(self) -> torch.Size:
        """Of the kernel that is scaled."""
        shape: torch.Size = self.base_kernel.batch_shape
        return shape

    @batch_shape.setter
    def batch_shape(self, shape: torch.Size) -> None:
        self._batch_shape = shape


def scaled(kernel: Kernel, prior: LogNormalPrior) -> ScaleKernel:
    """The kernel times a learned positive factor that starts at the prior's mode."""
    product = ScaledKernel(kernel, outputscale_constraint=Positive(torch.exp, torch.log))
    product.initialize(outputscale=prior.mode)
    product.register_prior("outputscale_prior", prior, lambda module: module.outputscale)
    return product
