"""What a search has computed: multiply-adds of forward passes, for every strategy by one rule.

Counted are the forward passes of training (of a supernet, one path a step, or of a relaxed
network, all its operations) and those of estimates. Backward passes are left out everywhere, and
what chooses candidates: a surrogate, a zero-cost proxy, an untrained network.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonas.assembly import Components
from bonas.estimation.evaluation import Evaluation
from bonas.estimation.rotation import RotatedEstimator
from bonas.estimation.supernet import SupernetEstimator, uniform_paths
from bonas.networks.builder import SupportsCosts
from bonas.networks.cost import architecture_cost
from bonas.observation import Observation
from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import Group
from bonas.rotation import folds

# Attributes of a run's study:
MULTIPLY_ADDS = "bonas.multiply_adds"
"""`SearchCost.to_attribute`."""
SECONDS = "bonas.seconds"
"""The seconds of searching, the supernet's training included. Of a start that was killed those
count until its last estimate."""
TIME_LIMIT = "bonas.time_limit"
"""Seconds that the last start was given, `None` for no limit; a search by gradient's first start,
which sets its steps."""
GRADIENT = "bonas.gradient"
"""What a search by gradient says of itself: `bonas.gradient_search.Derived.to_attribute`."""
PATHS = 24
"""Drawn for the mean of a supernet's paths, whose standard error then is a few percent."""


@dataclass(frozen=True, slots=True)
class SearchCost:
    """What a search computes before its estimates and for each of them.

    Attributes:
        training: Multiply-adds of training before the first estimate.
        images: That pass through an architecture's network in an estimate.
    """

    training: float
    images: int

    def total(self, observations: Iterable[Observation]) -> float:
        """Multiply-adds of training and of these estimates; failed ones count as nothing."""
        seen = (o.cost.get("multiply_adds", 0.0) for o in observations if o.value is not None)
        return self.training + self.images * sum(seen)

    def to_attribute(self) -> dict[str, float]:
        """As the study keeps it."""
        return {"training": self.training, "images": self.images}

    @classmethod
    def of_attributes(cls, attributes: Mapping[str, Any]) -> "SearchCost | None":
        """What a study's attributes say; `None` where an older version made them."""
        known = attributes.get(MULTIPLY_ADDS)
        return None if known is None else cls(float(known["training"]), int(known["images"]))


def sampling_cost(parts: Components, estimator: SupernetEstimator | RotatedEstimator) -> SearchCost:
    """Of a strategy that estimates architectures with shared weights."""
    trained = folds(parts).values() if isinstance(estimator, RotatedEstimator) else [parts]
    recipes = [fold.recipe(parts.config.supernet) for fold in trained]
    passed = sum(recipe.steps * recipe.batch_size for recipe in recipes)
    return SearchCost(passed * _mean_path(parts), images_of(estimator))


def images_of(estimator: SupernetEstimator | RotatedEstimator) -> int:
    """Images that an estimate passes through the network: tuning, statistics and conditions.

    The one or two looks that an iterated attack takes beside its iterations are left out.
    """
    if isinstance(estimator, RotatedEstimator):
        return sum(map(images_of, estimator.folds.values()))
    passed = len(estimator.calibration) + _evaluated(estimator.evaluation)
    if estimator.tuning is not None:
        recipe, _ = estimator.tuning
        passed += recipe.steps * recipe.batch_size
    return passed


def _evaluated(evaluation: Evaluation) -> int:
    found, effort = 0, evaluation.protocol.attack_effort
    for condition, faces in evaluation.views.items():
        passes = 1
        if condition.group is Group.ATTACK:
            attack = Attack(condition.name)
            restarts = 1 if attack is Attack.FGSM else effort.restarts
            passes += effort.iterations(attack) * restarts
        found += passes * len(faces)
    return found


def _mean_path(parts: Components) -> float:
    """Mean multiply-adds of one image through a path that training draws."""
    builder, size = parts.builder, parts.config.data.size
    draw, rng = uniform_paths(builder.space, parts.allowed), np.random.default_rng(0)
    if isinstance(builder, SupportsCosts):
        known = builder.costs(size)
        return statistics.fmean(known.cost(draw(rng))["multiply_adds"] for _ in range(PATHS))
    return statistics.fmean(
        architecture_cost(builder, draw(rng), size)["multiply_adds"] for _ in range(PATHS)
    )
