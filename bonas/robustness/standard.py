"""The standard set of conditions: clean, unseen, every corruption at five severities, attacks."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bonas.robustness.attacks import DEFAULT_EFFORT, Attack, Effort, attack_definition
from bonas.robustness.conditions import (
    CLEAN,
    SEVERITIES,
    Condition,
    ConditionSet,
    Group,
    Scalar,
)
from bonas.robustness.corruptions import STANDARD, Corruption, corruption_definition

ONE_LEVEL: Mapping[Attack, float] = MappingProxyType({Attack.FGSM: 1.0})  # eps, in 1/255


def standard_conditions(
    data: str,
    unseen: Mapping[str, str],
    *,
    image_size: int,
    seed: int,
    corruptions: Iterable[Corruption] = STANDARD,
    severities: Iterable[int] = SEVERITIES,
    attacks: Mapping[Attack, float] = ONE_LEVEL,
    effort: Effort = DEFAULT_EFFORT,
    attacked: str | None = None,
    clean: bool = True,
) -> ConditionSet:
    """The set over one source of clean images and any number of unseen ones.

    Args:
        data: what the clean images are, from which corrupted and attacked ones are made: a name
            that changes when the images do, best with a digest of their list.
        unseen: the same for each unseen condition, by its name.
        image_size: height and width in pixels at which the network sees the images.
        seed: of the corruptions' noise, as given to `corrupted_views`, and of the attacks' starts.
        corruptions: which ones; none leaves the group out.
        severities: of each corruption.
        attacks: budget of each attack in units of 1/255; none leaves the group out.
        effort: iterations and restarts of the attacks.
        attacked: what the images are that are attacked, named as `data` are; all of these unless
            given.
        clean: whether the clean images are a condition themselves.

    Raises:
        ValueError: a name or severity that no condition can have.
    """
    source: dict[str, Scalar] = {"data": data, "image_size": image_size}
    definitions: dict[Condition, Mapping[str, Scalar]] = {CLEAN: source} if clean else {}
    for name, other in unseen.items():
        definitions[Condition(Group.UNSEEN, name)] = source | {"data": other}
    levels = tuple(severities)
    for corruption in corruptions:
        for severity in levels:
            condition = Condition(Group.CORRUPTION, corruption.value, severity)
            definition = corruption_definition(condition)
            definitions[condition] = source | {"seed": seed} | definition
    for attack, eps in attacks.items():
        condition = Condition(Group.ATTACK, attack.value)
        how = attack_definition(attack, eps, effort=effort, seed=seed)
        definitions[condition] = source | {"data": attacked or data} | how
    return ConditionSet.of(definitions)
