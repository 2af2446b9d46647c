"""Configuration of the search: the tables `[search]` and `[gradient]`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bonas.config_table import Count, Table
from bonas.networks.costs import COSTS, STEP_TIME

ESTIMATED = (*COSTS, "seconds", STEP_TIME)
"""The costs of a supernet's estimate, by their names in `Observation.cost`."""

SAMPLING = ("bayesian", "random", "evolution", "local_search", "bananas")
"""The strategies that estimate one architecture after another."""
GRADIENT = ("darts", "pdarts")
"""Those that train one relaxed network and estimate what they derive from it."""
USED_BY = {
    "minimise": ("bayesian", "random"),
    "cost": ("bayesian",),
    "warm_start": ("bayesian",),
    "zero_cost": SAMPLING,
    "step_times": SAMPLING,
}
"""The strategies that a setting means something to. Random search looks at no objective: it fits
any number of them."""


class SearchTable(Table):
    """`[search]`: how architectures are proposed.

    `limits` holds upper limits of what the network may cost: `parameters`, `multiply_adds` and
    `activations` of one image (see `bonas.networks.cost`), and `step_time` of a training step, in
    steps of the plain CNN. The latter is measured once, into the run folder's `step_times.json`;
    `step_times` names such a file to be used instead, so that another run with images, networks
    and batches of the same size, perhaps on a machine of another speed, searches in the same order.
    With `zero_cost`, a proxy of untrained networks (see `bonas.estimation.zero_cost`), only the
    `zero_cost_share` that it ranks highest is estimated.

    `minimise` names costs of an estimate that are objectives beside the score: the result is a
    front. `cost` names one per unit of which improvement is expected. `seconds` are those of an
    estimate, on this machine; `step_time` is that of `limits`, measured in the same way.
    `warm_start` names run folders of the same space and conditions, whose observations are believed
    before the own ones; they are copied into the run folder.
    """

    strategy: str = "bayesian"
    trials: Count = 60
    limits: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    step_times: Path | None = None
    zero_cost: Literal["synflow", "snip", "grasp", "fisher", "grad_norm", "jacob_cov", "naswot",
                       "parameters", "multiply_adds", "activations"] | None = None  # fmt: skip
    zero_cost_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    minimise: tuple[str, ...] = ()
    cost: str | None = None
    warm_start: tuple[Path, ...] = ()

    @model_validator(mode="after")
    def _costs_of_an_estimate(self) -> "SearchTable":
        for key, names in {"minimise": self.minimise, "cost": (self.cost,)}.items():
            for name in names:
                if name is not None and name not in ESTIMATED:
                    raise ValueError(
                        f"{key} names {name!r}; the costs of an estimate are {', '.join(ESTIMATED)}"
                    )
        if len(set(self.minimise)) < len(self.minimise):
            raise ValueError(f"minimise is {', '.join(self.minimise)}; name each cost once")
        return self

    @property
    def times_steps(self) -> bool:
        """Whether step times are asked for, as a limit, an objective or a cost."""
        return STEP_TIME in {*self.limits, *self.minimise, self.cost}

    @model_validator(mode="after")
    def _kept_by_the_strategy(self) -> "SearchTable":
        for key, strategies in USED_BY.items():
            if getattr(self, key) and self.strategy not in strategies:
                raise ValueError(
                    f"{key} means nothing to the strategy {self.strategy!r}, only to "
                    f"{_listed(strategies)}; use one of these, or remove the setting"
                )
        return self


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


class GradientTable(Table):
    """`[gradient]`: of the strategies `darts` and `pdarts`; see `GradientRecipe`.

    `order` is that of DARTS's gradient, 1 or 2; P-DARTS has the first. `epochs` are of half of the
    training faces. `strength_rate` is 3e-4 for DARTS and 6e-4 for P-DARTS unless given. At most
    `skip_cap` operations of a P-DARTS cell skip, but for the reduction cell of `darts`.
    Augmentation and pseudo-forgeries are those of `[supernet]`.
    """

    order: Literal[1, 2] = 1
    epochs: Count = 50
    batch_size: Annotated[int, Field(ge=2, multiple_of=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 0.025
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 3e-4
    strength_rate: Annotated[float, Field(gt=0)] | None = None
    strength_decay: Annotated[float, Field(ge=0)] = 1e-3
    skip_cap: Annotated[int, Field(ge=0)] = 2
