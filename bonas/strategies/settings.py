"""Settings of the Bayesian strategy. The defaults are one set for all spaces and objectives."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from optuna.trial import FrozenTrial

from bonas.observation import Observation
from bonas.strategies.acquisition import (
    Acquisition,
    LogExpectedImprovement,
    LogProbabilityOfImprovement,
    Thompson,
)
from spaces.architecture import Architecture
from spaces.encodings.encoding import Encoding
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.space import SearchSpace
from surrogates.gaussian_process import GaussianProcess
from surrogates.mixture import mixed_kernel

LOGARITHMS = (LogExpectedImprovement, LogProbabilityOfImprovement)
"""Acquisitions that can be weighted by adding a logarithm."""


def default_surrogate(space: SearchSpace) -> tuple[Encoding, GaussianProcess]:
    """One-hot decisions, canonical paths and path profiles, and their kernels' sum."""
    return _surrogate(space, ())


def surrogate_with(
    statistics: Encoding,
) -> Callable[[SearchSpace], tuple[Encoding, GaussianProcess]]:
    """The default surrogate with a linear prior mean in, and a kernel on, further statistics.

    Args:
        statistics: Features in [0, 1] of the space's architectures, such as ranks of zero-cost
            scores (`spaces.encodings.statistics.ranked`, for large spaces `ranked_among`). Every
            architecture that may become a candidate needs them, and all that were tried or
            enqueued, also where they failed.
    """
    return partial(_surrogate, statistics=(statistics,))


def _surrogate(
    space: SearchSpace, statistics: tuple[Encoding, ...]
) -> tuple[Encoding, GaussianProcess]:
    onehot, paths = OneHotEncoding(space), PathMultisetEncoding(space)
    profiles = PathProfileEncoding(space)
    kernel = mixed_kernel(
        onehot.sizes,
        paths=paths.dimension,
        profiles=profiles.dimension,
        statistics=sum(encoding.dimension for encoding in statistics),
    )
    return JoinedEncoding((onehot, paths, profiles, *statistics)), GaussianProcess(kernel)


WarmStart = (
    tuple[Architecture, float | Sequence[float]]
    | tuple[Architecture, float | Sequence[float], Sequence[float]]
)
"""An earlier observation: architecture, value or values and, where known, its error's loadings."""


class Earlier(NamedTuple):
    """One of a warm start, its values as a tuple also of a single objective."""

    architecture: Architecture
    values: tuple[float, ...]
    loadings: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the Bayesian strategy is made of.

    Attributes:
        initial: Architectures before the surrogate is asked, in turns pure ones, each of one
            option throughout (`bonas.strategies.design`), and random ones.
        turning: After so many architectures, half of the steps stay one edit from one of the best
            (`bonas.strategies.neighbourhoods`); before it fewer, later more. The others may go
            anywhere. 0 makes all steps local, infinity none.
        breadth: So many of the best have their neighbourhoods looked into in turns; 1 finishes one
            before the next begins.
        quiet: While of no architecture the improvement expected on the best, times the
            probabilities of being feasible and of finishing, is above this share of the values'
            spread, the surrogate has nothing to say, and steps that might have gone anywhere are
            local too, or go into the unknown.
        exploration: Of the steps of a quiet surrogate that are not local by `turning`, this share
            goes to the candidate of the highest posterior variance, whatever the acquisition and
            the cost, weighted by those probabilities: where nothing similar was observed, a second,
            better optimum may lie, of which the surrogate expects as little. 0 makes them all
            local. As `turning`, `breadth` and `quiet` of a single objective only.
        surrogate: Makes encoding and Gaussian process for a space.
        noise_variance: Of an observed value, in its units, squared, where it is known, as from
            repeated estimates. Where it is `None`, trials may say what their errors share
            (`Observation.error_loadings`), and the rest is noise. Otherwise it is the surrogate's
            own, by default 0: without repeats noise cannot be told from what belongs to one
            architecture alone, and next to none is believed. So it is with several objectives and
            with conditions, where neither is looked at.
        acquisition: Scores candidates. Several objectives have one of their own
            (`bonas.strategies.pareto`), weighted by constraints and cost as the default is.
        conditions: Weights of the conditions whose weighted sum the value is. Each condition's AUC,
            stored as `bonas.auc.<condition>`, then has a Gaussian process of its own. The value
            of a maximised study must be that sum.
        warm_start: Observations of an earlier study of the same objective, maximised; they are
            believed before the study's own and their architectures are not proposed again. Of
            several objectives all values in their order, those to be minimised negated. They
            count as feasible. A third element holds `Observation.error_loadings`; what those of
            the warm start have in common is judged apart from the study's own.
        constraints: Violations of a finished trial, feasible where all are at most 0, as Optuna's
            samplers take them. Each is believed by a Gaussian process of its own.
        cost: The cost, stored as `bonas.cost.<name>`, per unit of which improvement is expected.
    """

    initial: int = 8
    turning: float = 75.0
    breadth: int = 4
    quiet: float = 0.0025
    exploration: float = 0.5
    surrogate: Callable[[SearchSpace], tuple[Encoding, GaussianProcess]] = default_surrogate
    noise_variance: float | None = None
    acquisition: Acquisition = field(default_factory=LogExpectedImprovement)
    conditions: Mapping[str, float] | None = None
    warm_start: Sequence[WarmStart] = ()
    constraints: Callable[[FrozenTrial], Sequence[float]] | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ValueError(f"initial is {self.initial}; it must be at least 1.")
        if not isinstance(self.breadth, int) or self.breadth < 1:
            raise ValueError(f"breadth is {self.breadth}; it must be an integer of at least 1.")
        for name, number in {"turning": self.turning, "quiet": self.quiet}.items():
            if not number >= 0:
                raise ValueError(f"{name} is {number}; it must not be negative.")
        if not 0 <= self.exploration <= 1:
            raise ValueError(f"exploration is {self.exploration}; it must lie between 0 and 1.")
        if self.noise_variance is not None and not 0 <= self.noise_variance < math.inf:
            raise ValueError(
                f"noise_variance is {self.noise_variance}; it must be finite and not negative."
            )
        if self.noise_variance and self.conditions is not None:
            raise ValueError(
                "noise_variance and conditions exclude each other: each condition has noise of "
                "its own. Leave one of them out."
            )
        if self.conditions is not None and not self.conditions:
            raise ValueError("conditions is empty; name at least one, or leave it None.")
        if self.conditions is not None and self.warm_start:
            raise ValueError(
                "conditions and warm_start exclude each other: a warm start has values only. Add "
                "the earlier trials with their attributes by study.add_trial."
            )
        if self.conditions is not None and isinstance(self.acquisition, Thompson):
            raise ValueError(
                "acquisition is Thompson, which draws from one Gaussian process; with conditions "
                "there are several. Use IndependentThompson."
            )
        if self.constraints is not None or self.cost is not None:
            self.check_weighted("constraints and cost")
        for i, (_, values, _) in enumerate(self.earlier):
            if not all(map(math.isfinite, values)):
                raise ValueError(
                    f"warm_start[{i}] has the values {values}; they must be finite. Leave out what "
                    "failed."
                )
        counts = sorted({len(e.values) for e in self.earlier})
        if len(counts) > 1:
            raise ValueError(
                f"warm_start has observations of {counts[0]} and of {counts[-1]} values; each "
                "needs the values of all objectives."
            )
        if counts:
            self.check_objectives(counts[0])

    @property
    def earlier(self) -> list[Earlier]:
        """`warm_start` in one form.

        Raises:
            ValueError: one that is neither a pair nor a triple, or loadings that are no numbers.
        """
        found = []
        for i, given in enumerate(self.warm_start):
            if len(given) not in (2, 3):
                raise ValueError(
                    f"warm_start[{i}] has {len(given)} elements; give architecture, value and, "
                    "where they are known, the loadings of its error."
                )
            architecture, value, *rest = given
            values = tuple(map(float, value)) if isinstance(value, Sequence) else (float(value),)
            try:
                observation = Observation(value=0.0, error_loadings=rest[0] if rest else ())
            except (TypeError, ValueError) as error:
                raise ValueError(f"warm_start[{i}]: {error}") from error
            found.append(Earlier(architecture, values, tuple(observation.error_loadings)))
        return found

    def check_objectives(self, count: int) -> None:
        """Raise where the settings cannot be kept in a study with so many objectives.

        Raises:
            ValueError: naming the setting: nothing that was asked for is ignored.
        """
        for _, values, _ in self.earlier:
            if len(values) != count:
                raise ValueError(
                    f"warm_start has observations of {len(values)} values, the study {count} "
                    "objectives; give the values of all of them, or leave the warm start out."
                )
        if count > 1 and self.noise_variance:
            raise ValueError(
                f"noise_variance is that of one value, and the study has {count} objectives; leave "
                "it None."
            )
        if count > 1 and self.conditions is not None:
            raise ValueError(
                "conditions are the parts of one value, and the study has "
                f"{count} objectives; leave conditions None."
            )
        if count > 1 and not isinstance(self.acquisition, LogExpectedImprovement):
            raise ValueError(
                f"acquisition is {self.acquisition}, and the study has {count} objectives, which "
                "have an acquisition of their own; leave acquisition at its default."
            )

    def check_weighted(self, weights: str) -> None:
        """Raise unless the acquisition is a logarithm, to which one of a weight can be added.

        Args:
            weights: What weights it, for the message.

        Raises:
            ValueError: naming the acquisition and those that are.
        """
        if not isinstance(self.acquisition, LOGARITHMS):
            raise ValueError(
                f"acquisition is {self.acquisition}; {weights} weight a logarithm: use "
                f"{' or '.join(a.__name__ for a in LOGARITHMS)}."
            )

    def is_local(self, step: int) -> bool:
        """Whether the step with so many architectures before it stays in the neighbourhood.

        The share of local steps is step / (step + turning), whose sum over the steps is
        step - turning * log(1 + step / turning); a step is local where the sum passes an integer.
        """
        return math.floor(self._local_steps(step + 1)) > math.floor(self._local_steps(step))

    def _local_steps(self, step: int) -> float:
        if self.turning == 0:
            return float(step)
        if math.isinf(self.turning):
            return 0.0
        return step - self.turning * math.log1p(step / self.turning)
