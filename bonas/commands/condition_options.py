"""The options that say under which conditions a detector is tested."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from bonas.config import Config, ConfigError
from bonas.config_file import load_config
from bonas.estimation.evaluation import Protocol
from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import SEVERITIES
from bonas.robustness.corruptions import Corruption
from bonas.score_protocol import (
    checked,
    clean_only,
    everything,
    installed,
    of_table,
    with_attacks,
    with_corruptions,
)

Item = TypeVar("Item")
ALL, NONE = "all", "none"


class Conditions(StrEnum):
    """Which conditions are tested."""

    CLEAN = "clean"  # the images as they are
    SCORE = "score"  # those of the configuration
    ALL = "all"  # every corruption at every severity and every attack


def configuration_of(detector: Path, given: Path | None) -> Config:
    """The configuration of `--config`, a file or run folder, or that of the detector's run.

    The defaults where the detector lies in no run.

    Raises:
        ConfigError: there is none where `--config` points to.
    """
    if given is not None:
        return load_config(given / "config.toml" if given.is_dir() else given)
    own = detector.resolve().parent.parent / "config.toml"
    return load_config(own) if own.is_file() else Config()


def chosen_protocol(
    config: Config,
    conditions: Conditions,
    *,
    corruptions: str | None,
    severities: str | None,
    attacks: str | None,
    seed: int | None,
) -> Protocol:
    """What is tested: the conditions of a configuration, with what the options say instead.

    Args:
        config: Gives the conditions of `score`, budgets and efforts of attacks, and the weights.
        conditions: Where to begin.
        corruptions: Names, separated by commas, `all` or `none`; `None` leaves them.
        severities: Numbers 1 to 5, or `all`.
        attacks: Names or `name=budget`, in 1/255, or `all` or `none`.
        seed: Of noise and attacks; that of the configuration unless given.

    Raises:
        ConfigError: a name, severity or budget that does not exist.
    """
    whole = of_table(config.score, seed=config.seed if seed is None else seed)
    begun = {
        Conditions.CLEAN: clean_only,
        Conditions.SCORE: lambda protocol: protocol,
        Conditions.ALL: everything,
    }[conditions](whole)
    named = _listed("--corruptions", corruptions, Corruption, tuple(Corruption))
    levels = _listed("--severities", severities, _severity, SEVERITIES)
    if levels == ():
        raise ConfigError("--severities is 'none'; use --corruptions none to leave them out.")
    if levels is not None and named is None and not begun.corruptions:
        named = whole.corruptions
    begun = with_corruptions(begun, named, levels)
    if (corruptions or conditions.value) == ALL:
        begun = installed(begun)
    else:
        begun = checked(begun, "score.corruptions" if corruptions is None else "--corruptions")
    every: tuple[tuple[Attack, float | None], ...] = tuple((a, None) for a in Attack)
    budgets = _listed("--attacks", attacks, _attack, every)
    if budgets is None:
        return begun
    # Budgets that the configuration has hold for attacks that are named without one.
    return replace(begun, attacks=with_attacks(whole, dict(budgets)).attacks)


def _listed(
    option: str, text: str | None, read: Callable[[str], Item], every: tuple[Item, ...]
) -> tuple[Item, ...] | None:
    if text is None:
        return None
    if text in (ALL, NONE):
        return every if text == ALL else ()
    found = []
    for part in (p.strip() for p in text.split(",")):
        try:
            found.append(read(part))
        except ConfigError:
            raise
        except ValueError as error:
            names = ", ".join(str(e[0] if isinstance(e, tuple) else e) for e in every)
            raise ConfigError(
                f"{option} names {part!r}; it takes {names}, separated by commas, {ALL} or {NONE}."
            ) from error
    return tuple(dict.fromkeys(found))


def _severity(text: str) -> int:
    if int(text) not in SEVERITIES:
        raise ValueError(text)
    return int(text)


def _attack(text: str) -> tuple[Attack, float | None]:
    name, equals, budget = text.partition("=")
    if not equals:
        return Attack(name), None
    if not 0.0 <= float(budget) <= 255.0:
        raise ConfigError(
            f"--attacks gives {name!r} the budget {budget}; it must be in [0, 255], in 1/255."
        )
    return Attack(name), float(budget)
