import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonas.report.contestants import contest_of
from bonas.report.facts import RunFacts, read_run
from bonas.report.interval_plot import Row, interval_plot
from bonas.report.search_plots import HistoryLine, cost_plot, history_plot
from bonas.report.svg import SERIES, Scale, mark, picture
from bonas.robustness.record import ConditionAuc
from bonas.run_folder import RunFolder

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def facts(full: RunFolder) -> RunFacts:
    return read_run(full)


def coordinates(element: ElementTree.Element) -> list[tuple[float, float]]:
    """The points of a shape, or its centre."""
    if element.get("points"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", str(element.get("points")))]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    if element.tag == f"{SVG}circle":
        return [(float(str(element.get("cx"))), float(str(element.get("cy"))))]
    return []


def drawn(svg: str, kind: str) -> list[tuple[float, float]]:
    root = ElementTree.fromstring(svg)
    groups = [e for e in root.iter() if str(e.get("class", "")).split(" ")[0] == kind]
    return [p for g in groups for e in [g, *g] for p in coordinates(e)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_a_scale_holds_all_values_and_its_ticks(values: list[float]) -> None:
    scale = Scale.around(values, 10.0, 110.0)
    for value in [*values, *scale.ticks]:
        assert 10.0 - 1e-6 <= scale(value) <= 110.0 + 1e-6
    assert 2 <= len(scale.ticks) <= 14
    assert scale.ticks == sorted(scale.ticks)


@given(st.floats(1e-3, 1e9))
def test_a_scale_of_one_value_has_it_inside(value: float) -> None:
    scale = Scale.around([value], 0.0, 1.0)
    assert 0.0 <= scale(value) <= 1.0
    assert scale.low < value < scale.high


def test_axes_of_a_history_contain_every_trial(facts: RunFacts) -> None:
    svg = history_plot([HistoryLine("run", facts.trials, 10)], title="history")
    points = drawn(svg, "mark")
    assert len(points) == len(facts.complete)
    assert all(64 <= x <= 876 and 20 <= y <= 330 for x, y in points)
    assert svg.count('class="failed"') == 1
    assert "no memory" in svg


def test_the_line_of_the_best_so_far_never_falls(facts: RunFacts) -> None:
    line = drawn(history_plot([HistoryLine("run", facts.trials)], title="t"), "best")
    assert len(line) > 2
    xs, ys = zip(*line, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)  # upwards is towards 0


def test_a_search_whose_every_estimate_failed_is_drawn(facts: RunFacts) -> None:
    failed = tuple(t for t in facts.trials if t.value is None)
    svg = history_plot([HistoryLine("run", failed)], title="t")
    assert drawn(svg, "mark") == []
    ElementTree.fromstring(svg)


def test_axes_of_the_cost_plot_contain_every_trial(facts: RunFacts) -> None:
    svg = cost_plot(facts.complete, title="cost")
    ElementTree.fromstring(svg)
    points = drawn(svg, "mark")
    assert all(58 <= x <= 882 and 20 <= y <= 332 for x, y in points)
    assert svg.count("(Pareto front)") >= 1


def test_axes_of_intervals_contain_every_interval(facts: RunFacts) -> None:
    series = contest_of(facts)
    extreme = (ConditionAuc(1.0, 0.0, 3), ConditionAuc(0.02, 0.03, 3))
    rows = [
        Row("clean", tuple(s.under(s.conditions[1]) for s in series)),
        Row("extreme", (extreme, (), ())),
    ]
    root = ElementTree.fromstring(interval_plot(rows, [s.label for s in series], title="t"))
    whiskers = [e for e in root.iter() if str(e.get("class", "")).startswith("whisker")]
    assert len(whiskers) == 9 + 2
    ends = [float(str(e.get(k))) for e in whiskers for k in ("x1", "x2")]
    width = float(str(root.get("width")))
    assert all(0 < x < width for x in ends)
    heights = [float(str(e.get("y1"))) for e in whiskers]
    assert len(set(heights)) == len(heights)  # no interval hides another


def test_series_differ_by_shape_as_well_as_by_colour() -> None:
    shapes = set()
    for number in range(SERIES):
        shape = re.sub(r".*</title>", "", mark(number, 10, 10, "m"))
        shapes.add(shape)
    assert len(shapes) == SERIES


def test_text_in_a_picture_is_escaped() -> None:
    ElementTree.fromstring(picture(10, 10, [mark(0, 1, 1, "<&\"'>")], title="<&\"'>"))
