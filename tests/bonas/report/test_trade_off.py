"""The section on trade-offs."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bonas.report.facts import RunFacts, read_run
from bonas.report.figures import figures_of
from bonas.report.page import write_report
from bonas.report.search_plots import cost_plot
from bonas.report.sections.trade_off import trade_off_section
from bonas.run_folder import RunFolder
from tests.bonas.report.conftest import World

MINIMISE = ["parameters", "seconds"]


@pytest.fixture
def folder(world: World) -> RunFolder:
    return world.run(trials=24, failed=(3,), settings={"search": {"minimise": MINIMISE}})


@pytest.fixture
def facts(folder: RunFolder) -> RunFacts:
    return read_run(folder)


def test_every_cost_is_drawn_and_the_front_listed_with_its_keys(facts: RunFacts) -> None:
    section = trade_off_section(facts)
    assert section is not None
    assert section.body.count("<svg") == len(MINIMISE)
    front = section.body.partition("<table")[2]
    keys = [t.key for t in facts.front]
    assert 1 < len(keys) < len(facts.complete)
    assert all(front.count(key) == 1 for key in keys)
    places = [front.index(key) for key in keys]
    assert places == sorted(places), "by score"
    assert f"bonas train {facts.path} --architecture KEY" in section.body


def test_the_front_is_what_no_trial_beats_in_all_objectives(facts: RunFacts) -> None:
    points = {
        t.number: (t.value or 0.0, *(-t.observation.cost[c] for c in MINIMISE))
        for t in facts.complete
    }
    unbeaten = {
        number
        for number, own in points.items()
        if not any(p != own and all(map(float.__ge__, p, own)) for p in points.values())
    }
    assert {t.number for t in facts.front} == unbeaten


def test_round_marks_are_those_of_the_front_in_all_objectives(facts: RunFacts) -> None:
    members = facts.complete[:2]
    svg = cost_plot(facts.complete, title="x", cost="seconds", members=members)
    ElementTree.fromstring(svg)
    assert svg.count("(Pareto front)") == 2
    assert "seconds of the estimate" in svg


def test_the_page_of_a_trade_off_has_the_section_that_of_one_objective_not(
    folder: RunFolder, tmp_path: Path
) -> None:
    several = write_report([folder], tmp_path / "several.html").read_text(encoding="utf-8")
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other").run(trials=4)
    single = write_report([other], tmp_path / "single.html").read_text(encoding="utf-8")
    assert 'id="trade-offs"' in several
    assert 'id="trade-offs"' not in single
    assert figures_of(folder)["minimise"] == MINIMISE
    assert len(figures_of(folder)["front"]) == len(read_run(folder).front)


def test_before_anything_succeeded_the_section_says_so(facts: RunFacts) -> None:
    section = trade_off_section(replace(facts, front=(), trials=()))
    assert section is not None
    assert "bonas search CONFIG.toml" in section.body
