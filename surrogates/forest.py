"""Random forest: the rival without a kernel (Breiman 2001), as in SMAC (Hutter et al. 2011)."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.ensemble import RandomForestRegressor

from surrogates.surrogate import Interval, Marginals, check_observations


@dataclass(frozen=True, slots=True)
class RandomForest:
    """Settings of a random forest.

    Attributes:
        trees: The number of trees.
        leaf: Fewest observations in a leaf.
    """

    trees: int = 200
    leaf: int = 1

    def fit(
        self, features: torch.Tensor, values: torch.Tensor, *, generator: torch.Generator
    ) -> "RandomForestPredictor":
        """The grown forest; its seed is drawn from the generator."""
        check_observations(features, values)
        seed = int(torch.randint(2**31, (1,), generator=generator))
        forest = RandomForestRegressor(
            self.trees, min_samples_leaf=self.leaf, max_features=1 / 3, random_state=seed
        )
        forest.fit(features.numpy(), values.numpy())
        return RandomForestPredictor(forest, 1e-12 * float(values.abs().max()) ** 2 + 1e-300)


@dataclass(frozen=True, slots=True)
class RandomForestPredictor:
    """A grown forest, and the smallest variance that it states."""

    forest: RandomForestRegressor
    floor: float

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance over the trees, in the values' units."""
        rows = features.numpy()
        trees = np.stack([tree.predict(rows) for tree in self.forest.estimators_])
        return Marginals(
            torch.from_numpy(trees.mean(0)), torch.from_numpy(trees.var(0)).clamp_min(self.floor)
        )

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The interval of normal distributions with the marginals' moments."""
        return self.marginals(features).interval(level)
