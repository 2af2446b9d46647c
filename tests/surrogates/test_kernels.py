"""Laws of kernels between encoded architectures."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from gpytorch.kernels import Kernel, RBFKernel, ScaleKernel

from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.nasbench201 import NASBENCH201
from spaces.space import sample
from surrogates.kernels import (
    CountsKernel,
    HammingKernel,
    LinearKernel,
    SquaredExponentialKernel,
    TanimotoKernel,
    dense,
    dense_diagonal,
    scaled,
)
from surrogates.mixture import DECISION_WEIGHT, PROFILE_WEIGHT, VARIANCE, mixed_kernel

PARTS = (OneHotEncoding, PathMultisetEncoding, PathProfileEncoding)
SIZES = (5,) * 6
KERNELS: dict[str, Callable[[], Kernel]] = {
    "tanimoto": lambda: TanimotoKernel(slice(30, 70)),
    "hamming": lambda: HammingKernel(slice(0, 30), SIZES, DECISION_WEIGHT).double(),
    "counts": lambda: CountsKernel(slice(30, 70)),
    "profiles": lambda: SquaredExponentialKernel(slice(70, 85), 15, PROFILE_WEIGHT).double(),
    "linear": lambda: LinearKernel(slice(70, 85)),
    "default": mixed_kernel(SIZES, paths=40, profiles=15),
    "with statistics": mixed_kernel(SIZES, paths=40, profiles=10, statistics=5),
}


def _features(count: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    encoding = JoinedEncoding(tuple(e(NASBENCH201) for e in PARTS))
    return encoding.encode([sample(NASBENCH201, rng=rng) for _ in range(count)])


@pytest.mark.parametrize("name", KERNELS)
def test_the_matrix_is_symmetric_positive_semidefinite_and_equal_on_its_diagonal_path(
    name: str,
) -> None:
    features, kernel = _features(60), KERNELS[name]()
    matrix = kernel(features, features).to_dense().detach()
    assert torch.allclose(matrix, matrix.T, atol=1e-12)
    assert torch.linalg.eigvalsh(matrix).min() > -1e-9
    diagonal = kernel(features, features, diag=True).detach()
    assert torch.allclose(matrix.diagonal(), diagonal, atol=1e-12)


@pytest.mark.parametrize("name", [*KERNELS, "foreign"])
def test_the_dense_matrix_is_that_of_gpytorch_with_its_gradients(name: str) -> None:
    features = _features(20)
    kernel = KERNELS[name]() if name in KERNELS else ScaleKernel(RBFKernel()).double()
    theirs = kernel(features[:8], features).to_dense()
    ours = dense(kernel, features[:8], features)
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    assert torch.allclose(
        dense_diagonal(kernel, features), kernel(features, features, diag=True), rtol=1e-12
    )
    parameters = list(kernel.parameters())
    if parameters:
        pairs = zip(
            torch.autograd.grad(ours.square().sum(), parameters),
            torch.autograd.grad(theirs.square().sum(), parameters),
            strict=True,
        )
        assert all(torch.allclose(a, b, rtol=1e-9) for a, b in pairs)


@pytest.mark.parametrize("name", KERNELS)
def test_what_has_no_parameters_is_computed_once_for_the_same_rows(name: str) -> None:
    features, kernel = _features(9), KERNELS[name]()
    fixed: dict[Kernel, torch.Tensor] = {}
    for _ in range(2):
        assert torch.equal(
            dense(kernel, features, features, fixed), dense(kernel, features, features)
        )
        for parameter in kernel.parameters():
            parameter.data += 0.3
    assert not any(list(part.parameters()) for part in fixed)


@pytest.mark.parametrize("name", KERNELS)
def test_a_batch_of_matrices_is_the_matrices_of_the_batch(name: str) -> None:
    features, kernel = _features(24).reshape(3, 8, 85), KERNELS[name]()
    batch = kernel(features, features).to_dense().detach()
    single = torch.stack([kernel(f, f).to_dense().detach() for f in features])
    assert torch.allclose(batch, single, atol=1e-12)


def test_a_scaled_kernel_has_the_batches_of_what_it_scales() -> None:
    kernel = RBFKernel(batch_shape=torch.Size([3]))
    assert scaled(kernel, VARIANCE).batch_shape == torch.Size([3])
    assert scaled(scaled(TanimotoKernel(slice(0, 9)), VARIANCE), VARIANCE).batch_shape == ()


def test_the_default_kernel_is_made_and_asked_without_sympy() -> None:
    # It takes longer to import than a fit takes, and gpytorch's own scaling asks for it.
    program = (
        "import sys, torch\n"
        "from surrogates.kernels import dense\n"
        "from surrogates.mixture import mixed_kernel\n"
        "before = 'sympy' in sys.modules\n"
        "x = torch.rand(3, 85).double()\n"
        "dense(mixed_kernel((5,) * 6, paths=40, profiles=15)(), x, x)\n"
        "assert ('sympy' in sys.modules) == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_hamming_charges_the_weight_of_each_decision_that_differs() -> None:
    kernel = HammingKernel(slice(0, 30), SIZES, DECISION_WEIGHT).double()
    kernel.initialize(raw_weights=torch.arange(1.0, 7.0).double().log())
    first, second = torch.zeros(1, 30).double(), torch.zeros(1, 30).double()
    first[0, ::5], second[0, ::5] = 1, 1
    second[0, [5, 6, 25, 27]] = torch.tensor([0, 1, 0, 1]).double()
    expected = torch.tensor([[-(2.0 + 6.0)]]).double().exp()
    assert torch.allclose(kernel(first, second).to_dense(), expected)


def test_architectures_without_paths_are_equal_to_each_other_and_unlike_the_rest() -> None:
    rows = torch.zeros(3, 4).double()
    rows[2] = torch.tensor([1, 0, 2, 0])
    matrix = TanimotoKernel(slice(0, 4))(rows, rows).to_dense()
    assert torch.equal(matrix, torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).double())
