"""From the `[score]` table to what is tested: the conditions of a run, or all that there are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from bonas.config import ScoreTable
from bonas.estimation.evaluation import Protocol
from bonas.robustness.attacks import Attack, Effort
from bonas.robustness.conditions import SEVERITIES
from bonas.robustness.corruptions import Corruption
from bonas.robustness.weights import ScoreWeights

BUDGET = 1.0
"""Of an attack for which a configuration has none, in 1/255."""


def protocol_of(score: ScoreTable, *, seed: int) -> Protocol:
    """The conditions and weights of a table."""
    return Protocol(
        corruptions=score.corruptions,
        severities=score.severities,
        attacks=MappingProxyType(dict(score.attacks)),
        attack_images=score.attack_images,
        attack_effort=Effort(**score.attack_effort.model_dump()),
        weights=ScoreWeights(**score.weights.model_dump()),
        seed=seed,
    )


def clean_only(protocol: Protocol) -> Protocol:
    """The same without corruptions and attacks."""
    return replace(protocol, corruptions=(), attacks=MappingProxyType({}))


def everything(protocol: Protocol) -> Protocol:
    """The same with every corruption at every severity and every attack.

    Attacks keep the protocol's budgets; those that have none get the least of these, or 1/255.
    """
    budget = min((eps for eps in protocol.attacks.values() if eps > 0), default=BUDGET)
    attacks = {attack: protocol.attacks.get(attack, budget) for attack in Attack}
    return replace(
        protocol,
        corruptions=tuple(Corruption),
        severities=SEVERITIES,
        attacks=MappingProxyType(attacks),
    )


def with_attacks(protocol: Protocol, attacks: Mapping[Attack, float | None]) -> Protocol:
    """The same with these attacks; where no budget is given, with that of `everything`."""
    budgets = everything(protocol).attacks
    chosen = {a: budgets[a] if eps is None else eps for a, eps in attacks.items()}
    return replace(protocol, attacks=MappingProxyType(chosen))


def with_corruptions(
    protocol: Protocol,
    corruptions: Sequence[Corruption] | None,
    severities: Sequence[int] | None,
) -> Protocol:
    """The same with these corruptions or severities; `None` leaves what there is."""
    return replace(
        protocol,
        corruptions=protocol.corruptions if corruptions is None else tuple(corruptions),
        severities=protocol.severities if severities is None else tuple(severities),
    )
