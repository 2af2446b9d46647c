"""From the `[score]` table to what is tested: the conditions of a run, or all that there are."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from bonas.config import ConfigError, ScoreTable
from bonas.estimation.evaluation import Protocol
from bonas.robustness.attacks import Attack, Effort
from bonas.robustness.conditions import SEVERITIES
from bonas.robustness.corruptions import Corruption
from bonas.robustness.video import encodes_video
from bonas.robustness.weights import ScoreWeights

_LOG = logging.getLogger(__name__)

INSTALL = "pip install 'bonas[video]'"
BUDGET = 1.0
"""Of an attack for which a configuration has none, in 1/255."""


def protocol_of(score: ScoreTable, *, seed: int) -> Protocol:
    """The conditions and weights of a table.

    Raises:
        ConfigError: a corruption that needs what is not installed.
    """
    return checked(of_table(score, seed=seed), "score.corruptions")


def of_table(score: ScoreTable, *, seed: int) -> Protocol:
    """As `protocol_of`, whatever is installed."""
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
    return replace(
        protocol,
        corruptions=tuple(Corruption),
        severities=SEVERITIES,
        attacks=MappingProxyType(_every_attack(protocol)),
    )


def _every_attack(protocol: Protocol) -> dict[Attack, float]:
    budget = min((eps for eps in protocol.attacks.values() if eps > 0), default=BUDGET)
    return {attack: protocol.attacks.get(attack, budget) for attack in Attack}


def installed(protocol: Protocol) -> Protocol:
    """The same without the corruption that needs PyAV, where that is missing; says so."""
    if Corruption.VIDEO not in protocol.corruptions or encodes_video():
        return protocol
    _LOG.warning("the corruption 'video' is left out: it needs PyAV (%s)", INSTALL)
    kept = tuple(c for c in protocol.corruptions if c is not Corruption.VIDEO)
    return replace(protocol, corruptions=kept)


def checked(protocol: Protocol, place: str) -> Protocol:
    """The same, refused where a corruption that was asked for by name cannot be made.

    Args:
        protocol: What is to be tested.
        place: Where its corruptions were named, for the message.

    Raises:
        ConfigError: PyAV is missing; names the extra.
    """
    if Corruption.VIDEO in protocol.corruptions and not encodes_video():
        raise ConfigError(
            f"{place} names 'video', which needs PyAV. Install it with {INSTALL}, or leave it out."
        )
    return protocol


def with_attacks(protocol: Protocol, attacks: Mapping[Attack, float | None]) -> Protocol:
    """The same with these attacks; where no budget is given, with that of `everything`."""
    budgets = _every_attack(protocol)
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
