from dataclasses import replace

import pytest

from bonas.report.facts import RunFacts, TrialFacts, read_run
from bonas.report.importance import decision_scores
from bonas.report.sections.search import groups_section
from bonas.report.trials import (
    best_so_far,
    group_spreads,
    parameters,
    pareto_front,
    random_until,
)
from bonas.robustness.conditions import Group
from bonas.run_folder import RunFolder
from bonas.strategies.settings import Settings
from tests.bonas.report.conftest import World


@pytest.fixture
def facts(full: RunFolder) -> RunFacts:
    return read_run(full)


def test_the_best_so_far_rises_to_the_best(facts: RunFacts) -> None:
    steps = best_so_far(facts.trials)
    numbers, values = zip(*steps, strict=True)
    assert list(numbers) == sorted(set(numbers))
    assert list(values) == sorted(set(values))
    assert facts.best is not None
    assert steps[-1] == (facts.best.number, facts.best.value)


def test_a_trial_is_on_the_front_if_and_only_if_no_other_beats_it(facts: RunFacts) -> None:
    def beats(a: TrialFacts, b: TrialFacts) -> bool:
        better, smaller = (a.value or 0) - (b.value or 0), parameters(b) - parameters(a)
        return better >= 0 and smaller >= 0 and (better > 0 or smaller > 0)

    front = pareto_front(facts.trials)
    assert [parameters(t) for t in front] == sorted(parameters(t) for t in front)
    unbeaten = {t.number for t in facts.complete if not any(beats(o, t) for o in facts.complete)}
    assert {t.number for t in front} == unbeaten


def test_the_random_phase_counts_scored_architectures(world: World, facts: RunFacts) -> None:
    # Trial 3 failed, so that the last random one is as many numbers further as there are scores.
    assert random_until(facts) == Settings().initial
    search = facts.config.search
    drawn = replace(
        facts,
        config=facts.config.model_copy(
            update={"search": search.model_copy(update={"strategy": "random"})}
        ),
    )
    assert random_until(drawn) == 23
    unknown = replace(
        facts,
        config=facts.config.model_copy(
            update={"search": search.model_copy(update={"strategy": "evolution"})}
        ),
    )
    assert random_until(unknown) is None
    assert random_until(replace(facts, trials=facts.trials[:5])) == 4
    assert random_until(read_run(world.run("empty"))) is None


def test_a_group_in_which_architectures_do_not_differ_is_flat(facts: RunFacts) -> None:
    spreads = {s.group: s for s in group_spreads(facts)}
    assert [g for g, s in spreads.items() if s.flat] == [Group.ATTACK]
    assert all(s.low <= s.middle <= s.high for s in spreads.values())
    assert group_spreads(replace(facts, trials=facts.trials[:1])) == ()


def test_option_means_count_every_trial_once_per_decision(facts: RunFacts) -> None:
    for decision in decision_scores(facts.space, facts.trials):
        assert sum(o.trials for o in decision.options) == len(facts.complete) == 23
        assert decision.explained <= 1.0


def test_a_decision_that_alone_makes_the_score_explains_all_of_it(facts: RunFacts) -> None:
    options = facts.space.decisions[0].options
    trials = [
        replace(
            t,
            observation=replace(
                t.observation, value=0.1 * options.index(t.architecture.choices[0])
            ),
        )
        for t in facts.complete
    ]
    first, *others = decision_scores(facts.space, trials)
    assert first.explained == pytest.approx(1.0)
    assert all(d.explained < 0.9 for d in others)


def test_equal_scores_are_explained_by_nothing(facts: RunFacts) -> None:
    trials = [replace(t, observation=replace(t.observation, value=0.5)) for t in facts.complete]
    assert {d.explained for d in decision_scores(facts.space, trials)} == {0.0}


@pytest.mark.parametrize(("variance", "doubted"), [(1e-6, False), (1e-2, True)])
def test_a_spread_within_the_interval_of_one_architecture_is_in_doubt(
    facts: RunFacts, variance: float, doubted: bool
) -> None:
    """Of estimates that differ by tenths, the one with intervals of thousandths, or of tenths."""
    trials = tuple(
        replace(
            t,
            observation=replace(
                t.observation, auc_variances=dict.fromkeys(t.observation.aucs, variance)
            ),
        )
        for t in facts.trials
    )
    known = replace(facts, trials=trials)
    spreads = group_spreads(known)
    moving = [s for s in spreads if not s.flat]
    assert moving
    assert all(s.in_doubt is doubted for s in moving)
    page = groups_section(known).render(2, "")
    assert ("lie within the 95 % interval of one" in page) is doubted
