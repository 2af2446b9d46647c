"""Leave-one-forgery-out rotation: every type of forgery is the unseen one in turn.

After Jin et al. (2023), who search across data sets: an architecture is scored by what it makes of
forgeries that its weights were not trained on, and no single type decides which architecture wins.
"""

import hashlib
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bonas.estimation.supernet import SupernetEstimator
from bonas.observation import Observation
from spaces.architecture import Architecture


@dataclass(frozen=True, slots=True)
class RotatedEstimator:
    """The mean over folds, each with a supernet that one type of forgery was held back from.

    Attributes:
        folds: The estimator of each fold, by the type that is unseen in it.
    """

    folds: Mapping[str, SupernetEstimator]

    @property
    def digest(self) -> str:
        """Of the folds' condition sets."""
        return digest_of_folds({name: fold.digest for name, fold in self.folds.items()})

    @property
    def definitions(self) -> dict[str, Any]:
        """Of each fold's conditions."""
        return {name: fold.definitions for name, fold in self.folds.items()}

    @property
    def flags(self) -> dict[str, list[str]]:
        """As of an evaluation; of conditions that folds share those of the last."""
        return {key: said for fold in self.folds.values() for key, said in fold.flags.items()}

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """Means of the scores, and of each condition's AUC over the folds that have it.

        Variances are means as well, which is what they are where the folds' errors are the same:
        an upper bound, since the folds share the real images. So are those of the loadings.

        Raises:
            EstimationFailed: a fold could not be estimated.
        """
        found = [fold.estimate(architecture, seed=seed) for fold in self.folds.values()]
        values = [o.value for o in found if o.value is not None]
        seconds = sum(o.cost["seconds"] for o in found)
        return Observation(
            value=statistics.fmean(values),
            variance=statistics.fmean(o.variance for o in found),
            error_loadings=[x / math.sqrt(len(found)) for o in found for x in o.error_loadings],
            aucs=_means([o.aucs for o in found]),
            auc_variances=_means([o.auc_variances for o in found]),
            cost=dict(found[0].cost) | {"seconds": seconds},
            fidelity=found[0].fidelity,
        )


def digest_of_folds(digests: Mapping[str, str]) -> str:
    """One digest of the folds' condition sets, by the type that is unseen in each."""
    listed = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


def _means(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for table in tables for name in table)
    return {n: statistics.fmean(table[n] for table in tables if n in table) for n in names}
