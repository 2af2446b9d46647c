"""Laws of searches over time, of one run and of runs of several seeds."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bonas.report.contestants import headline_of
from bonas.report.facts import RunFacts, read_run
from bonas.report.page import render
from bonas.report.progress import groups_of, progress_of, trial_seconds
from bonas.report.progress_plot import progress_plot
from bonas.report.spent import gradient_paragraph, group_figures, search_multiply_adds
from bonas.search_cost import TIME_LIMIT
from tests.bonas.report.conftest import World
from tests.bonas.report.test_plots import drawn

BEGUN = datetime(2026, 1, 1)


def timed(
    world: World, seed: int, values: Sequence[float | None], *, training: float = 50.0
) -> RunFacts:
    """A run that trained for so long and whose trials then took ten seconds each."""
    folder = world.run(f"run{seed}", trials=len(values), settings={"seed": seed})
    facts = read_run(folder)
    trials = []
    for number, (trial, value) in enumerate(zip(facts.trials, values, strict=True)):
        begun = BEGUN + timedelta(seconds=10 * number)
        cost = {**trial.observation.cost, "multiply_adds": 1e6}
        seen = replace(trial.observation, value=value, cost=cost)
        trials.append(
            replace(trial, observation=seen, started=begun, ended=begun + timedelta(seconds=10))
        )
    attributes = {**facts.attributes, "bonas.seconds": training + 10 * len(values)}
    return replace(facts, trials=tuple(trials), attributes=attributes)


def test_training_comes_before_the_trials(world: World) -> None:
    run = timed(world, 0, [0.5, 0.6, 0.55])
    assert trial_seconds(run) == pytest.approx([60, 70, 80])
    assert [(p.seconds, p.mean) for p in progress_of(groups_of([run])[0])] == [(60, 0.5), (70, 0.6)]
    unknown = {k: v for k, v in run.attributes.items() if k != "bonas.seconds"}
    assert trial_seconds(replace(run, attributes=unknown)) is None


def test_runs_that_differ_only_in_the_seed_are_one_group_with_mean_and_spread(world: World) -> None:
    runs = [timed(world, 0, [0.5, 0.7]), timed(world, 1, [0.6, 0.5], training=65.0)]
    (group,) = groups_of(runs)
    assert group.name == "bayesian (2 seeds)"
    points = [(p.seconds, p.mean, p.spread) for p in progress_of(group)]
    # The second has a score from second 75 on, when the first already has its best.
    assert points == [(75, pytest.approx(0.65), pytest.approx(0.1 / 2**0.5))]
    other = replace(runs[1], config=runs[1].config.model_copy(update={"seed": 7}))
    wide = other.config.space.model_copy(update={"width": 8})
    other = replace(other, config=other.config.model_copy(update={"space": wide}))
    assert [len(g.runs) for g in groups_of([*runs, other])] == [2, 1]
    figures = group_figures(group)
    assert figures["score"] == {"mean": pytest.approx(0.65), "spread": pytest.approx(0.0707, 1e-3)}
    assert figures["seeds"] == [0, 1]
    assert figures["multiply_adds"] is None, "none of the runs has noted them"


def test_repetitions_and_other_budgets_are_no_seeds(world: World) -> None:
    first, second = (timed(world, seed, [0.5, 0.7]) for seed in (0, 1))
    twice = groups_of([first, first, second])
    assert [[r.config.seed for r in g.runs] for g in twice] == [[0, 1], [0]]
    limited = [replace(r, attributes={**r.attributes, TIME_LIMIT: 60.0}) for r in (first, second)]
    longer = replace(second, attributes={**second.attributes, TIME_LIMIT: 600.0})
    assert [len(g.runs) for g in groups_of([*limited, first])] == [2, 1]
    assert [len(g.runs) for g in groups_of([limited[0], longer])] == [1, 1]


def test_a_mean_of_scores_of_several_condition_sets_says_so(world: World) -> None:
    runs = [timed(world, seed, [0.5, 0.6 + 0.1 * seed]) for seed in range(2)]

    def sets(*digests: str) -> list[RunFacts]:
        return [
            replace(r, attributes={**r.attributes, "bonas.conditions": d * 64, "bonas.version": d})
            for r, d in zip(runs, digests, strict=True)
        ]

    mixed, same = sets("a", "b"), sets("a", "a")
    figures = group_figures(groups_of(mixed)[0])
    assert figures["conditions"] == ["a" * 64, "b" * 64], "in the order of the runs"
    assert figures["versions"] == ["a", "b"]
    assert figures["test_score"] is None
    assert figures["test_conditions"] == [None, None]
    told = "compare it only with a mean over the very same sets"
    page = render(mixed)
    assert told in page
    assert "2 sets: <code>aaaaaaaa</code>, <code>bbbbbbbb</code>" in page
    page = render(same)
    assert told not in page
    assert "2 sets: " not in page


def test_tests_of_several_condition_sets_have_a_mean_that_says_so(world: World) -> None:
    runs = []
    for seed, digest in enumerate("de"):
        folder = world.run(f"tested{seed}", trials=3, settings={"seed": seed})
        world.train(folder, 2, digest=digest * 64)
        runs.append(read_run(folder))
    figures = group_figures(groups_of(runs)[0])
    scores = [series.score.value for series in map(headline_of, runs) if series is not None]
    assert figures["test_score"]["mean"] == pytest.approx(sum(scores) / 2)
    assert figures["test_conditions"] == ["d" * 64, "e" * 64]
    assert "0.1.0" in figures["versions"]
    assert "2 sets: <code>dddddddd</code>, <code>eeeeeeee</code>" in render(runs)


def test_what_a_search_computed_is_its_training_and_its_estimates(world: World) -> None:
    run = timed(world, 0, [0.5, 0.6])
    assert search_multiply_adds(run) is None
    noted = {**run.attributes, "bonas.multiply_adds": {"training": 5e9, "images": 300}}
    assert search_multiply_adds(replace(run, attributes=noted)) == 5e9 + 2 * 300 * 1e6


def test_the_mean_of_a_group_never_falls_and_its_band_holds_it(world: World) -> None:
    runs = [timed(world, s, [0.5 + 0.01 * s, 0.4, 0.6 + 0.02 * s]) for s in range(3)]
    alone = timed(world, 9, [0.7])
    alone = replace(alone, config=alone.config.model_copy(update={"data": alone.config.data,
        "search": alone.config.search.model_copy(update={"strategy": "darts"})}))  # fmt: skip
    groups = groups_of([*runs, alone])
    svg = progress_plot(groups, title="t")
    ElementTree.fromstring(svg)
    assert svg.count('class="band') == 1, "one run has no spread"
    lines = [e for e in ElementTree.fromstring(svg).iter() if "best" in str(e.get("class"))]
    for line in lines:
        places = [tuple(map(float, p.split(","))) for p in str(line.get("points")).split()]
        xs, ys = zip(*places, strict=True)
        assert list(xs) == sorted(xs)
        assert list(ys) == sorted(ys, reverse=True)
    ends = {str(line.get("points")).split()[-1].split(",")[0] for line in lines}
    assert len(ends) == 1, "lines go on to the last second of any search"
    assert all(64 <= x <= 876 for x, _ in drawn(svg, "mark"))


def test_a_search_by_gradient_is_whole_with_one_trial(world: World) -> None:
    run = timed(world, 0, [0.5])
    assert "The search holds 1 of" in render([run])
    search = run.config.search.model_copy(update={"strategy": "darts"})
    derived = replace(run, config=run.config.model_copy(update={"search": search}))
    page = render([derived])
    assert "The search holds" not in page
    assert "1 finished of 1" in page


def test_the_page_has_means_over_seeds_and_says_how_far_a_search_collapsed(world: World) -> None:
    said = {
        "steps": 1200, "seconds": 61.0, "multiply_adds": 8.6e11,
        "skips_by_cell": {"stage1": [6, 6], "stage2": [3, 6]}, "skip_share": 0.75,
        "skip_share_found": 0.25, "skip_weight": 0.4, "skip_weight_even": 0.125,
        "collapsed": True,
    }  # fmt: skip
    runs = [timed(world, s, [0.5, 0.6]) for s in range(2)]
    page = render(runs)
    assert "Means over seeds" in page
    assert "seconds of search" in page
    assert gradient_paragraph(runs[0]) is None
    collapsed = replace(runs[0], attributes={**runs[0].attributes, "bonas.gradient": said})
    page = render([collapsed])
    assert "The search collapsed to skip connections in stage1: of the strongest" in page
    assert "75 % skip (stage1 6 of 6, stage2 3 of 6); 25 % behind the cap" in page
    assert "0.400, where equal options have 0.125" in page
    first = {**said, "skips_by_cell": {"stage1": [1, 6]}, "collapsed": False}
    kept = replace(runs[1], attributes={**runs[1].attributes, "bonas.gradient": first})
    page = render([collapsed, kept])
    assert "The search did not collapse to skip connections" in page
    assert "1 of 2" in page
    assert group_figures(groups_of([collapsed, kept])[0])["collapsed"] == [True, False]
    assert "0.86 T" in page
