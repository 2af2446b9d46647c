"""Collapse: how far a search by gradient went towards skip connections.

The longer DARTS runs, the more of its edges skip, until little is left that learns (Zela et al.
2020, section 3; Chen et al. 2019, section 3.4). What tells is what the strengths choose by
themselves: where a cap takes skips away afterwards, these are judged before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bonas.networks.choice_relaxation import Relaxation, Strengths
from spaces.architecture import Architecture
from spaces.graphs import SKIP
from spaces.skips import SkipCount, all_skips, offers_skips, skips_by_cell

COLLAPSED = 0.6
"""Share of skips among a cell's operations from which a search is said to have collapsed: five of
a `darts` cell's eight, where the cells that Liu et al. (2019) publish have three at most."""


@dataclass(frozen=True, slots=True)
class Collapse:
    """How much of what a search by gradient chose is skip connections.

    Attributes:
        cells: Of the architecture of the strongest options, by cell.
        found: Of the architecture that the search ends with; other than `cells` where a cap on
            skips came between.
        weight: Mean softmax weight of a skip, over the slots where it is an identity.
        even: What that would be if all options of a slot weighed the same.
    """

    cells: Mapping[str, SkipCount]
    found: SkipCount
    weight: float
    even: float

    @classmethod
    def of(
        cls, relaxation: Relaxation, strengths: Strengths, found: Architecture
    ) -> "Collapse | None":
        """From learned strengths and what was derived; `None` where a space has no skips."""
        if not offers_skips(relaxation.space):
            return None
        cells = skips_by_cell(relaxation.space, relaxation.derive(strengths))
        mixed = [strengths[slot] for slot in relaxation.skipping]
        return cls(
            cells,
            all_skips(skips_by_cell(relaxation.space, found)),
            _mean([options.get(SKIP, 0.0) for options in mixed]),
            _mean([(SKIP in options) / len(options) for options in mixed]),
        )

    @property
    def chosen(self) -> SkipCount:
        """Of all cells of the architecture of the strongest options."""
        return all_skips(dict(self.cells))

    @property
    def collapsed(self) -> tuple[str, ...]:
        """The cells of which little but skips was left."""
        return tuple(cell for cell, count in self.cells.items() if count.share >= COLLAPSED)

    def to_attribute(self) -> dict[str, Any]:
        """As the study keeps it."""
        return {
            "skips_by_cell": {c: [n.skips, n.operations] for c, n in self.cells.items()},
            "skip_share": self.chosen.share,
            "skip_share_found": self.found.share,
            "skip_weight": self.weight,
            "skip_weight_even": self.even,
            "collapsed": bool(self.collapsed),
        }


def verdict(said: Mapping[str, Any]) -> str:
    """A sentence on what a search by gradient says of itself (`Collapse.to_attribute`)."""
    if said.get("collapsed") is None:
        return "The space has no skip connections to collapse to."
    if "skips_by_cell" not in said:
        return f"Of the operations found {100 * said['skip_share']:.0f} % skip, all cells together."
    cells = {c: SkipCount(*count) for c, count in said["skips_by_cell"].items()}
    fallen = [cell for cell, count in cells.items() if count.share >= COLLAPSED]
    listed = ", ".join(f"{c} {n.skips} of {n.operations}" for c, n in cells.items())
    capped = said["skip_share_found"] != said["skip_share"]
    left = f"; {100 * said['skip_share_found']:.0f} % behind the cap" if capped else ""
    return (
        f"The search {'collapsed' if fallen else 'did not collapse'} to skip connections"
        f"{' in ' + ' and '.join(fallen) if fallen else ''}: of the strongest operations "
        f"{100 * said['skip_share']:.0f} % skip ({listed}){left}. The mean weight of a skip is "
        f"{said['skip_weight']:.3f}, where equal options have {said['skip_weight_even']:.3f}."
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
