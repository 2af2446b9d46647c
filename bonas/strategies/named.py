"""The strategies by the names that commands and configurations use."""

from collections.abc import Callable

from optuna.samplers import BaseSampler

from bonas.strategies.bananas import BananasSampler
from bonas.strategies.evolution import RegularisedEvolutionSampler
from bonas.strategies.local_search import LocalSearchSampler
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from spaces.space import SearchSpace

STRATEGIES: dict[str, Callable[[SearchSpace, int], BaseSampler]] = {
    "bayesian": lambda space, seed: SurrogateSampler(space, seed=seed),
    "random": lambda space, seed: RandomSampler(space, seed=seed),
    "evolution": lambda space, seed: RegularisedEvolutionSampler(space, seed=seed),
    "local_search": lambda space, seed: LocalSearchSampler(space, seed=seed),
    "bananas": lambda space, seed: BananasSampler(space, seed=seed),
}
"""Constructors of a strategy's sampler from a space and a seed."""

GRADIENT_STRATEGIES = ("darts", "pdarts")
"""Strategies that propose nothing: they train a relaxed network and derive one architecture."""
