"""What a study, its sampler and whoever searches must agree on: one space, one maximised value."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection

from bonas.strategies.proposer import ArchitectureSampler
from spaces.space import SearchSpace

SPACE = "bonas.space"
"""The study's attribute with the space's name and decisions."""


def check_space(holder: str, own: SearchSpace, space: SearchSpace) -> None:
    """Raise unless two spaces have the same name and decisions.

    Args:
        holder: Who has the first one, for the message, such as `study`.
        own: Its space.
        space: The space that is searched.

    Raises:
        ValueError: naming both spaces, or the decision in which they differ.
    """
    _check(holder, describe(own), space)


def check_sampler(sampler: BaseSampler, space: SearchSpace) -> None:
    """Raise where a strategy proposes architectures of another space; as `check_space`."""
    if isinstance(sampler, ArchitectureSampler):
        check_space("sampler", sampler.space, space)


def check_study(study: optuna.Study, space: SearchSpace) -> None:
    """Raise unless a study, new or found in its storage, is one of this space, maximised.

    A new one notes the space; of one without the note its trials' parameters tell.

    Raises:
        ValueError: naming both directions, both spaces, or the decision in which they differ.
    """
    if study.directions != [StudyDirection.MAXIMIZE]:
        found = ", ".join(direction.name.lower() for direction in study.directions)
        raise ValueError(
            f"the study {study.study_name!r} in the storage has the directions [{found}]; a search "
            "maximises one value. Give the study another name, or search it with a sampler and "
            "Optuna's own ask and tell."
        )
    noted = study.user_attrs.get(SPACE)
    trials = study.get_trials(deepcopy=False)
    if noted is not None:
        _check("study", noted, space)
    elif not trials:
        study.set_user_attr(SPACE, describe(space))
    for trial in trials if noted is None else ():
        decisions = {
            name: list(d.choices)
            for name, d in trial.distributions.items()
            if isinstance(d, CategoricalDistribution)
        }
        if decisions:
            _check("study", {"name": space.name, "decisions": decisions}, space, partly=True)


def describe(space: SearchSpace) -> dict[str, Any]:
    """The space as an attribute: its name, and the options of every decision."""
    return {"name": space.name, "decisions": {d.name: list(d.options) for d in space.decisions}}


def _check(
    holder: str, own: Mapping[str, Any], space: SearchSpace, *, partly: bool = False
) -> None:
    ours = {d.name: list(d.options) for d in space.decisions}
    theirs: Mapping[str, Sequence[object]] = own["decisions"]
    remedy = "Use the space of the one for the other, or give the study another name or storage."
    missing = bool(theirs.keys() - ours.keys()) and partly
    if own["name"] != space.name or missing or (not partly and theirs.keys() != ours.keys()):
        named = "another space" if partly else f"the space {own['name']!r}"
        raise ValueError(
            f"the {holder} has architectures of {named}, with the decisions "
            f"{_some(theirs)}; the search is over {space.name!r}, with {_some(ours)}. {remedy}"
        )
    for name, options in theirs.items():
        if list(options) != ours[name]:
            raise ValueError(
                f"the {holder} has the options {list(options)} for the decision {name!r} of the "
                f"space {space.name!r}; the search is over {ours[name]}. {remedy}"
            )


def _some(decisions: Mapping[str, object]) -> str:
    names = list(decisions)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
