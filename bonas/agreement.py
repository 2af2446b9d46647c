"""What a study, its sampler and whoever searches must agree on: one space, the same objectives."""

import warnings
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
MINIMISE = "bonas.minimise"
"""The study's attribute with the names of the costs that are minimised, where there are any."""
SCORE = "score"
"""What Optuna's plots call the first objective, which is maximised."""


def check_names(minimise: Sequence[str]) -> tuple[str, ...]:
    """The names of costs to minimise, checked.

    Raises:
        TypeError: a single string, or something that is no name.
        ValueError: an empty name, or one twice.
    """
    if isinstance(minimise, str) or not all(isinstance(name, str) for name in minimise):
        raise TypeError(
            f"minimise is {minimise!r}; it must be a sequence of names of costs, such as "
            '("multiply_adds",).'
        )
    if not all(minimise) or len(set(minimise)) < len(minimise):
        raise ValueError(f"minimise is {tuple(minimise)}; name each cost once, and none empty.")
    return tuple(minimise)


def directions(minimise: Sequence[str]) -> list[StudyDirection]:
    """The study's directions: the score is maximised, each cost minimised."""
    return [StudyDirection.MAXIMIZE, *(StudyDirection.MINIMIZE for _ in minimise)]


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


def check_sampler(sampler: BaseSampler, space: SearchSpace, minimise: Sequence[str] = ()) -> None:
    """Raise where a strategy proposes for another space, as `check_space`, or fewer objectives."""
    if isinstance(sampler, ArchitectureSampler):
        check_space("sampler", sampler.space, space)
        sampler.check_objectives(1 + len(minimise))


def check_study(study: optuna.Study, space: SearchSpace, minimise: Sequence[str] = ()) -> None:
    """Raise unless a study, new or found in its storage, is of this space and these objectives.

    A new one notes both; of one without notes its directions and its trials' parameters tell.

    Raises:
        ValueError: naming both directions, both objectives, both spaces, or the decision in which
            they differ.
    """
    _check_objectives(study, minimise)
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


def _check_objectives(study: optuna.Study, minimise: Sequence[str]) -> None:
    remedy = (
        "Give the study another name or storage, the search the study's objectives, or search it "
        "with a sampler and Optuna's own ask and tell."
    )
    found, wanted = (
        ", ".join(direction.name.lower() for direction in given)
        for given in (study.directions, directions(minimise))
    )
    if found != wanted:
        raise ValueError(
            f"the study {study.study_name!r} in the storage has the directions [{found}]; the "
            f"search has [{wanted}]. {remedy}"
        )
    noted = study.user_attrs.get(MINIMISE)
    if noted is None and minimise:
        study.set_user_attr(MINIMISE, list(minimise))
        with warnings.catch_warnings():  # Optuna calls the method experimental
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([SCORE, *minimise])
    elif noted is not None and list(noted) != list(minimise):
        raise ValueError(
            f"the study {study.study_name!r} in the storage minimises {', '.join(noted)}; the "
            f"search {', '.join(minimise)}, in this order. {remedy}"
        )


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
