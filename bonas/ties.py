"""Which estimates of a search are not told from the best one on the images that they share.

Most of the error of two scores on the same images is common to both and says nothing of which is
better. What is left is known from their errors' loadings (`bonas.robustness.loadings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonas.observation import Observation
from bonas.robustness.differences import Difference


@dataclass(frozen=True, slots=True)
class Ties:
    """How many estimates are not told from the best one.

    Attributes:
        tied: Those whose paired 95 % interval of the difference to the best holds 0.
        others: All but the best whose errors are known.
    """

    tied: int
    others: int

    def line(self) -> str:
        """For people: what it means."""
        are = "is" if self.tied == 1 else "are"
        return (
            f"{self.tied} of {self.others} other architectures {are} not told from the best on the "
            "validation faces (95 % intervals of differences on the same faces, each by itself): "
            "between them the order may be chance."
        )


def difference(one: Observation, other: Observation) -> Difference | None:
    """The value of one estimate less that of another on the same images, with its error.

    `None` where one failed, or where what their errors share is not known. The sketch of the errors
    is good to about a tenth of the interval's width; what other weights would give is not in it.
    """
    if one.value is None or other.value is None:
        return None
    if not one.error_loadings or len(one.error_loadings) != len(other.error_loadings):
        return None
    apart = np.subtract(one.error_loadings, other.error_loadings)
    return Difference(one.value - other.value, float(apart @ apart))


def ties(observations: Sequence[Observation]) -> Ties | None:
    """The ties of a search's estimates; `None` where no difference to the best is known."""
    scored = [o for o in observations if o.value is not None]
    if not scored:
        return None
    first = max(range(len(scored)), key=lambda i: scored[i].value or 0.0)
    found = [difference(o, scored[first]) for i, o in enumerate(scored) if i != first]
    known = [d for d in found if d is not None]
    if not known:
        return None
    return Ties(sum(d.interval()[1] >= 0 for d in known), len(known))
