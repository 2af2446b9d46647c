"""Evidence: what of a history the surrogates are told."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bonas.strategies.history import Estimate, Failure, History
from bonas.strategies.memory import remembered, remembered_failures
from spaces.encodings.encoding import Encoding


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is remembered of a history, encoded.

    Attributes:
        estimates: What was estimated, `n`.
        features: Its features, `n x d`.
        failures: Trials without a value, `f`.
        failed: Their features, `f x d`.
        pending: Features of pending architectures, `p x d`.
    """

    estimates: Sequence[Estimate]
    features: torch.Tensor
    failures: Sequence[Failure]
    failed: torch.Tensor
    pending: torch.Tensor

    @property
    def feasible(self) -> torch.Tensor:
        """Which estimates violate no constraint, `n`, bool."""
        return torch.tensor([e.feasible for e in self.estimates], dtype=torch.bool)


def evidence(history: History, encoding: Encoding) -> Evidence:
    """What is remembered of a history, encoded."""
    estimates, failures = remembered(history.estimates), remembered_failures(history.failures)
    return Evidence(
        estimates,
        encoding.encode([e.architecture for e in estimates]),
        failures,
        encoding.encode([f.architecture for f in failures]),
        encoding.encode(history.pending),
    )
