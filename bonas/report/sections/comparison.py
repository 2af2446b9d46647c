"""The found architecture against a random and a hand-designed one."""

import statistics
from collections.abc import Callable, Sequence

from bonas.comparison_result import FOUND
from bonas.detector_record import TrainedRecord
from bonas.report import numbers
from bonas.report.contestants import (
    Series,
    contest_of,
    difference,
    group_auc,
    paired_to,
)
from bonas.report.facts import RunFacts
from bonas.report.interval_plot import Row, interval_plot
from bonas.report.markup import Markup, Section, code, figure, join, missing, paragraph, table
from bonas.robustness.conditions import Group
from bonas.robustness.differences import Difference

Cells = list[object]


def comparison_section(facts: RunFacts) -> Section:
    """Table and picture of the contestants; what is missing where there are none."""
    series = contest_of(facts)
    title = "Comparison at equal training time"
    if not series:
        body = missing("Nothing has been compared yet.", f"bonas compare {facts.path}")
        return Section("comparison", title, body)
    parts = [_protocol(facts, series), _table(facts, series), _figure(series)]
    if len(series) > 1 and not facts.differences:
        text = "Differences on the same images are not known of this comparison yet."
        parts.append(missing(text, f"bonas compare {facts.path}"))
    return Section("comparison", title, join(parts))


def _protocol(facts: RunFacts, series: Sequence[Series]) -> Markup:
    digests = sorted({r.score.digest[:16] for s in series for r in s.records})
    devices = sorted({str(r.protocol.get("device")) for s in series for r in s.records})
    return paragraph(
        "All contestants were trained on the same images for as long as the found one takes for "
        f"its steps, on {numbers.listed(devices)}, and tested on the test split, condition set ",
        join([code(d) for d in digests], ", "),
        ". The random architecture is another one with every seed, so its spread includes that of "
        "architectures; the others differ by initialisation and order of images alone.",
    )


def _table(facts: RunFacts, series: Sequence[Series]) -> Markup:
    groups = [g for g in Group if all(_has(s, g) for s in series)]
    rows: list[Cells] = [
        ["seeds", *(", ".join(str(r.seed) for r in s.records) for s in series)],
        ["score: mean over seeds", *(numbers.auc(s.score.value) for s in series)],
        ["95 % interval of the mean", *(numbers.interval(s.score.interval()) for s in series)],
        ["standard deviation over seeds", *(numbers.spread(s.scores) for s in series)],
        *_differences(series),
        *_paired(facts, series, groups),
        *(_group_row(series, group) for group in groups),
        ["worst condition", *map(_worst, series)],
        ["condition set", *(code(s.tested_on[0][:8]) for s in series)],
        ["parameters", *_each(series, lambda r: r.parameters, numbers.count)],
        ["multiply-adds", *_each(series, lambda r: r.multiply_adds, numbers.millions)],
        ["training steps", *_each(series, lambda r: r.steps, numbers.count)],
        ["training time", *_each(series, lambda r: r.seconds, numbers.duration)],
    ]
    caption = "Test results of the contestants; ranges where seeds differ"
    return table(caption, ["", *(s.label for s in series)], rows)


def _has(series: Series, group: Group) -> bool:
    return all(group in r.score.group_means for r in series.records)


def _group_row(series: Sequence[Series], group: Group) -> Cells:
    means = [[r.score.group_means[group] for r in s.records] for s in series]
    return [
        f"{group.value}: mean \N{PLUS-MINUS SIGN} standard deviation",
        *(_with_spread(values) for values in means),
    ]


def _with_spread(values: Sequence[float]) -> str:
    mean = numbers.auc(statistics.fmean(values))
    if len(values) < 2:
        return mean
    return f"{mean} \N{PLUS-MINUS SIGN} {numbers.spread(values)}"


def _worst(series: Series) -> Markup:
    condition, auc = series.worst
    return join([numbers.auc(auc.value), " ", code(condition.key)])


def _differences(series: Sequence[Series]) -> list[Cells]:
    found = next((s for s in series if s.label == FOUND), None)
    if found is None:
        return []
    compared = [None if s is found else difference(found, s) for s in series]
    means = [numbers.NONE if c is None else numbers.signed(c[0]) for c in compared]
    bounds = [
        numbers.NONE
        if c is None or c[2] < 2
        else numbers.signed_interval((c[0] - c[1], c[0] + c[1]))
        for c in compared
    ]
    label = "95 % interval over seeds (t, paired by seed)"
    return [["found minus this, mean over seeds", *means], [label, *bounds]]


def _paired(facts: RunFacts, series: Sequence[Series], groups: Sequence[Group]) -> list[Cells]:
    """By what the found network differs on the same images: of the score, then of each group."""
    paired = [paired_to(facts, s) for s in series]
    if not any(paired):
        return []
    rows: list[Cells] = [
        [
            "95 % interval over test images (paired by image)",
            *(numbers.NONE if p is None else _bounds(p.score) for p in paired),
        ]
    ]
    for group in groups:
        cells = [numbers.NONE if p is None else _difference(p.groups[group]) for p in paired]
        rows.append([f"{group.value}: found minus this, 95 % interval over test images", *cells])
    return rows


def _difference(measured: Difference) -> str:
    return f"{numbers.signed(measured.value)} ({_bounds(measured)})"


def _bounds(measured: Difference) -> str:
    return numbers.signed_interval(measured.interval())


def _each(
    series: Sequence[Series],
    number: Callable[[TrainedRecord], float],
    written: Callable[[float], str],
) -> list[str]:
    """One number where all seeds agree, else from the least to the most."""
    result = []
    for each in series:
        values = [number(r) for r in each.records]
        low, high = written(min(values)), written(max(values))
        result.append(low if low == high else f"{low} to {high}")
    return result


def _figure(series: Sequence[Series]) -> Markup:
    groups = [g for g in Group if all(_has(s, g) for s in series)]
    rows = [
        Row("score", tuple(tuple(r.score.mean for r in s.records) for s in series)),
        *(
            Row(g.value, tuple(tuple(group_auc(r, g) for r in s.records) for s in series))
            for g in groups
        ),
        Row("worst", tuple(tuple(r.score.worst[1] for r in s.records) for s in series)),
    ]
    names = [s.label for s in series]
    plot = interval_plot(rows, names, title=f"Test AUCs of {numbers.listed(names)}")
    return figure(
        plot,
        "Score, mean of each group, and worst condition of each training. A mark is one seed, its "
        "line the 95 % interval over test images. Contestants share the images: overlapping "
        "intervals do not show that two are equal; the differences in the table are paired.",
    )
