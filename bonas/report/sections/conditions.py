"""The AUC of every trained network under every condition."""

from collections.abc import Sequence

from bonas.report import numbers
from bonas.report.contestants import Series, series_of
from bonas.report.facts import RunFacts
from bonas.report.interval_plot import Row, interval_plot
from bonas.report.markup import Markup, Section, code, figure, folded, join, missing, table
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.record import mean_of


def conditions_section(facts: RunFacts) -> Section:
    """A dot plot and the same numbers as a table, per condition and seed."""
    title = "Every condition"
    series = series_of(facts)
    if not series:
        body = missing("No network has been trained and tested yet.", f"bonas train {facts.path}")
        return Section("conditions", title, body)
    parts: list[Markup] = []
    # Scores of different condition sets never share a picture or a table.
    for tested_on in dict.fromkeys(s.tested_on for s in series):
        alike = [s for s in series if s.tested_on == tested_on]
        conditions = conditions_of(alike)
        parts += [
            _figure(alike, conditions, tested_on[0]),
            _means(facts, alike, conditions),
            folded("Every seed, with images and originals", _seeds(alike, conditions)),
        ]
    return Section("conditions", title, join(parts))


def conditions_of(series: Sequence[Series]) -> tuple[Condition, ...]:
    """All conditions, by group and then by key."""
    known = {c for s in series for c in s.conditions}
    order = list(Group)
    return tuple(sorted(known, key=lambda c: (order.index(c.group), c.key)))


def _figure(series: Sequence[Series], conditions: Sequence[Condition], digest: str) -> Markup:
    weights = series[0].records[0].score.weights.renormalised({c.group for c in conditions})
    rows = []
    previous: Group | None = None
    for condition in conditions:
        lanes = tuple(s.under(condition) if condition in s.conditions else () for s in series)
        begins = condition.group is not previous
        share = weights.of(condition.group)
        heading = f"{condition.group.value}, weight {share:g} in the score" if begins else ""
        rows.append(Row(_short(condition), lanes, heading))
        previous = condition.group
    names = [s.label for s in series]
    plot = interval_plot(rows, names, title="Test AUC under every condition")
    caption = (
        f"Test AUC, condition set {digest[:16]}. A mark is one seed, its line the 95 % interval "
        "over test images by original; the table below gives the same numbers."
    )
    return figure(plot, caption)


def _short(condition: Condition) -> str:
    return condition.key.partition("/")[2] or condition.key


def _means(facts: RunFacts, series: Sequence[Series], conditions: Sequence[Condition]) -> Markup:
    rows = []
    for condition in conditions:
        used = condition.key in facts.selecting
        cells = [_mean(s, condition) for s in series]
        rows.append([code(condition.key), "seen" if used else "not seen", *cells])
    caption = (
        "Mean test AUC over the seeds with its 95 % interval. Seen: the same condition on "
        "validation images selected the architecture"
    )
    return table(caption, ["condition", "in selection", *(s.label for s in series)], rows)


def _mean(series: Series, condition: Condition) -> str:
    if condition not in series.conditions:
        return numbers.NONE
    mean = mean_of(series.under(condition))
    return f"{numbers.auc(mean.value)} ({numbers.interval(mean.interval())})"


def _seeds(series: Sequence[Series], conditions: Sequence[Condition]) -> Markup:
    rows: list[list[object]] = []
    for each in series:
        for record in each.records:
            images = dict(record.protocol.get("images", {}))
            originals = dict(record.protocol.get("originals", {}))
            aucs = dict(record.score.conditions)
            for condition in (c for c in conditions if c in aucs):
                auc = aucs[condition]
                rows.append(
                    [
                        code(condition.key),
                        each.label,
                        record.seed,
                        numbers.auc(auc.value),
                        numbers.interval(auc.interval()),
                        images.get(condition.key, numbers.NONE),
                        originals.get(condition.key, numbers.NONE),
                    ]
                )
    columns = ["condition", "network", "seed", "AUC", "95 % interval", "images", "originals"]
    return table("Test AUC of every seed", columns, rows)
