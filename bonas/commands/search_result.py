"""What `bonas search` says at its end: the best architectures, as a table or as JSON."""

from typing import Any

from bonas.chance import at_chance, chance_line
from bonas.commands.auc_cells import print_flags, with_interval
from bonas.commands.console import MESSAGES, RESULTS, print_json, print_table, print_warning
from bonas.opening import FLAGGED
from bonas.protocol import line, search_protocol
from bonas.robustness.conditions import CLEAN, Condition
from bonas.robustness.record import ConditionAuc, weighted_mean
from bonas.robustness.weights import ScoreWeights
from bonas.run_folder import RunFolder
from bonas.search import Search
from bonas.search_cost import GRADIENT, SECONDS, TIME_LIMIT, SearchCost
from bonas.study import Told
from bonas.ties import Ties, difference, ties

SHOWN = 5


def search_document(search: Search, folder: RunFolder) -> dict[str, Any]:
    """The result of a search as `--json` prints it."""
    told = _by_score(search)
    attributes = search.study.optuna.user_attrs
    cost = SearchCost.of_attributes(attributes)
    chance = at_chance(t.observation for t in told)
    weights = ScoreWeights(**folder.config.score.weights.model_dump())
    tied = _ties(search, weights)
    best = told[0] if told else None
    return {
        "run": str(folder.path),
        "trials": search.study.finished,
        "failed": search.study.finished - len(told),
        "seconds": attributes.get(SECONDS),
        "multiply_adds": cost and cost.total(t.observation for t in told),
        "gradient": attributes.get(GRADIENT),
        "score": "robustness-weighted AUC on the validation split, shared weights",
        "conditions": attributes["bonas.conditions"],
        "flags": attributes.get(FLAGGED, {}),
        "at_chance": chance and {"auc": chance.value, "interval": chance.interval()},
        "ties": tied and tied.to_json(),
        "protocol": search_protocol(attributes),
        "best": [_summary(search, t, best, weights) for t in told[:SHOWN]],
        "minimise": list(search.study.minimise),
        "front": [_summary(search, t, best, weights) for t in search.front],
    }


def report_search(search: Search, folder: RunFolder, *, as_json: bool) -> None:
    """The best architectures, as a table or as JSON."""
    if as_json:
        print_json(search_document(search, folder))
        return
    told = _by_score(search)
    failed = search.study.finished - len(told)
    attributes = search.study.optuna.user_attrs
    chance = at_chance(t.observation for t in told)
    if not told:
        _say_none(failed, attributes.get(TIME_LIMIT))
        return
    weights = ScoreWeights(**folder.config.score.weights.model_dump())
    rows = [_row(search, t, weights) for t in told[:SHOWN]]
    title = (
        f"Best of {search.study.finished} architectures (validation, shared weights), with 95 % "
        "intervals"
    )
    print_table(title, ["architecture", "trial", "score", "clean", "worst", "kparams"], rows)
    if search.study.minimise:
        _print_front(search)
    print_flags(attributes.get(FLAGGED, {}))
    if chance is not None:
        print_warning("no ranking", chance_line(chance))
    if (tied := _ties(search, weights)) is not None and tied.tied:
        RESULTS.print(tied.line(), soft_wrap=True)
    table = folder.config.search
    if table.zero_cost is not None:
        RESULTS.print(
            f"estimated were those among the highest {table.zero_cost_share:.0%} by "
            f"{table.zero_cost} of an untrained network (search.zero_cost)",
            soft_wrap=True,
        )
    said = line(search_protocol(search.study.optuna.user_attrs))
    RESULTS.print(said, soft_wrap=True)
    if failed:
        MESSAGES.print(f"{failed} estimates failed; their reasons are in the study.")
    chosen = " --architecture KEY" if search.study.minimise else ""
    MESSAGES.print(
        f"Next: bonas train {folder.path}{chosen}    bonas report {folder.path}", soft_wrap=True
    )


def _ties(search: Search, weights: ScoreWeights) -> Ties | None:
    return ties([told.observation for told in search.study.means()], weights)


def _by_score(search: Search) -> list[Told]:
    """The successful estimates, the best first."""
    return sorted(
        (t for t in search.study.told() if t.observation.value is not None),
        key=lambda t: (-(t.observation.value or 0.0), t.number),
    )


def _say_none(failed: int, time_limit: float | None) -> None:
    """Why there is no architecture to show, and what to do."""
    if failed:
        reason, remedy = f"every estimate failed ({failed})", "Their reasons are in the study."
    elif time_limit is None:
        reason, remedy = "no estimate was made", "The same command goes on from here."
    else:
        reason = f"no estimate was made in the {time_limit:g} s of --time-limit"
        remedy = (
            "The same command goes on from here, with what was trained so far; give it a longer "
            "--time-limit, or none."
        )
    print_warning("no result", f"{reason}, so there is nothing to train yet. {remedy}")


def _print_front(search: Search) -> None:
    minimise, front = search.study.minimise, search.front
    rows = [
        [
            search.key(told.architecture),
            f"{told.observation.value:.4f}",
            *(f"{told.observation.cost[name]:,.6g}" for name in minimise),
        ]
        for told in front
    ]
    title = f"Front: {len(front)} trade-offs of score and {' and '.join(minimise)}"
    print_table(title, ["architecture", "score", *minimise], rows)


def _row(search: Search, told: Told, weights: ScoreWeights) -> list[str]:
    observation = told.observation
    assert observation.value is not None
    aucs = {
        Condition.from_key(key): ConditionAuc(auc, observation.auc_variances.get(key, 0.0))
        for key, auc in observation.aucs.items()
    }
    score = weighted_mean(observation.value, observation.variance, aucs, weights)
    return [
        search.key(told.architecture),
        str(told.number),
        with_interval(score),
        with_interval(aucs[CLEAN]),
        with_interval(min(aucs.values(), key=lambda auc: auc.value)),
        f"{observation.cost['parameters'] / 1e3:.0f}",
    ]


def _summary(
    search: Search, told: Told, best: Told | None, weights: ScoreWeights
) -> dict[str, Any]:
    observation = told.observation
    less = None
    if best is not None and told.number != best.number:
        less = difference(observation, best.observation, weights)
    return {
        "key": search.key(told.architecture),
        "trial": told.number,
        "choices": list(told.architecture.choices),
        "value": observation.value,
        "variance": observation.variance,
        "less_best": less and less.to_json(),
        "aucs": dict(observation.aucs),
        "cost": dict(observation.cost),
    }
