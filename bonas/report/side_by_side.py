"""Several runs on one page: tables, means over seeds, and the scores over the time of all."""

import math
from collections.abc import Sequence
from typing import Any

from bonas.observation import Observation
from bonas.report import numbers
from bonas.report.contestants import headline_of
from bonas.report.facts import RunFacts
from bonas.report.markup import Markup, Section, code, element, figure, join, paragraph, table
from bonas.report.progress import RunGroup, groups_of, progress_of, strategy_of
from bonas.report.progress_plot import progress_plot
from bonas.report.search_plots import HistoryLine, history_plot
from bonas.report.spent import collapsed, group_figures, search_multiply_adds, selection_set
from bonas.robustness.conditions import CLEAN
from bonas.robustness.record import mean_of
from bonas.strategies.named import GRADIENT_STRATEGIES
from spaces.architecture import Architecture
from spaces.skips import all_skips, offers_skips, skips_by_cell
from spaces.space import SearchSpace

_COLLAPSED = {True: "yes", False: "no", None: numbers.NONE}


def side_by_side(runs: Sequence[RunFacts], anchors: Sequence[str]) -> Section:
    """The runs' main numbers, each with the condition set that it holds for."""
    links = [Markup(f'<a href="#{a}">{_name(r)}</a>') for r, a in zip(runs, anchors, strict=True)]
    pairs = list(zip(links, runs, strict=True))
    columns = ["run", "strategy", "seed", "trials", "search time", "best architecture", "skips"]
    columns += [
        "collapsed",
        "multiply-adds of the search",
        "of the network",
        "score",
        "condition set",
    ]
    chosen = [[link, *_selection(run)] for link, run in pairs]
    parts = [_comparability(runs), table("Selection (validation split)", columns, chosen)]
    columns = ["run", "score", "95 % interval", "seeds", "clean", "worst", "parameters"]
    columns += ["condition set"]
    tested = [[link, *_test(run)] for link, run in pairs]
    parts.append(table("Test of the best architecture, trained from scratch", columns, tested))
    groups = groups_of(runs)
    if len(groups) < len(runs):
        parts.append(_means(groups))
    parts += _course(groups)
    return Section("runs", "Runs side by side", join(parts))


def _means(groups: Sequence[RunGroup]) -> Markup:
    """Runs that differ only in the seed as one row; means over several condition sets say so."""
    columns = ["runs", "seeds", "search time, s", "T multiply-adds of the search", "collapsed"]
    columns += ["selection score", "on condition set", "test score", "on condition set"]
    figures = [group_figures(group) for group in groups]
    means = table(
        "Means over seeds, with the standard deviation", columns, list(map(_mean_row, figures))
    )
    mixed = [f for f in figures for sets in _sets(f) if len(sets) > 1]
    if not mixed:
        return means
    told = paragraph(
        "A seed draws noise, splits or built-in faces as well as the search, so that runs of "
        "several seeds are scored on several condition sets. A mean over these, and its standard "
        "deviation, include what the sets differ by: compare it only with a mean over the very "
        "same sets, never with the score of one run.",
        kind="flagged",
    )
    return join([means, told])


def _mean_row(figures: dict[str, Any]) -> list[object]:
    selecting, testing = _sets(figures)
    return [
        figures["name"],
        ", ".join(map(str, figures["seeds"])),
        _mean(figures["seconds"], 1.0, 0),
        _mean(figures["multiply_adds"], 1e12, 2),
        _fallen(figures["collapsed"]),
        _mean(figures["score"], 1.0, 3),
        _digests(selecting),
        _mean(figures["test_score"], 1.0, 3),
        _digests(testing),
    ]


def _fallen(collapsed: Sequence[bool | None]) -> str:
    known = [fell for fell in collapsed if fell is not None]
    return f"{sum(known)} of {len(known)}" if known else numbers.NONE


def _sets(figures: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Digests of the condition sets of selection and test, each once."""
    kinds = (figures["conditions"], figures["test_conditions"])
    selecting, testing = (sorted({digest for digest in kind if digest}) for kind in kinds)
    return selecting, testing


def _digests(sets: Sequence[str]) -> Markup | str:
    if not sets:
        return numbers.NONE
    count = f"{len(sets)} sets: " if len(sets) > 1 else ""
    return join([count, join([code(digest[:8]) for digest in sets], ", ")])


def _mean(known: dict[str, float | None] | None, unit: float, digits: int) -> str:
    if known is None or known["mean"] is None:
        return numbers.NONE
    spread = known["spread"]
    scaled = None if spread is None else spread / unit
    return numbers.mean_spread(known["mean"] / unit, scaled, digits)


def _course(groups: Sequence[RunGroup]) -> list[Markup]:
    """Scores over seconds; over trials where a run of an older version has not noted them."""
    timed = [group for group in groups if progress_of(group)]
    runs = [run for group in groups for run in group.runs if run.trials]
    if not runs:
        return []
    title = f"Selection scores of {len(runs)} runs"
    if len(timed) == len([g for g in groups if any(run.trials for run in g.runs)]):
        caption = (
            "Best selection score so far (validation split) over the seconds of search, training "
            "of shared weights included; a search by gradient has one score, when its steps are "
            "done. Runs that differ only in the seed are one line, their mean, with a band of one "
            "standard deviation. Runs may be compared where their validation set is the same, and "
            "lines of several where all their sets are."
        )
        return [figure(progress_plot(timed, title=title), caption)]
    plot = history_plot([HistoryLine(run.name, run.trials) for run in runs], title=title)
    caption = (
        "Selection score of each trial (validation split), and each run's best so far as a "
        "line; by trials, since not every run has noted its seconds. Runs may be compared where "
        "their validation set is the same."
    )
    return [figure(plot, caption)]


def _name(run: RunFacts) -> Markup:
    return element("span", run.name)


def _selection(run: RunFacts) -> list[object]:
    best, searched = run.best, search_multiply_adds(run)
    return [
        strategy_of(run),
        run.config.seed,
        len(run.trials),
        numbers.duration(float(run.attributes.get("bonas.seconds", math.nan))),
        numbers.NONE if best is None else code(best.key),
        numbers.NONE if best is None else _skips(run.space, best.architecture),
        _COLLAPSED[collapsed(run)],
        numbers.NONE if searched is None else numbers.tera(searched),
        numbers.NONE if best is None else _multiply_adds(best.observation),
        numbers.NONE if best is None else numbers.auc(best.value or 0.0),
        code((selection_set(run) or numbers.NONE)[:8]),
    ]


def _multiply_adds(observation: Observation) -> str:
    known = observation.cost.get("multiply_adds")
    return numbers.NONE if known is None else numbers.millions(known)


def _skips(space: SearchSpace, architecture: Architecture) -> str:
    """Share of skip connections among the live operations; nothing where a space has no skips."""
    if not offers_skips(space):
        return numbers.NONE
    count = all_skips(skips_by_cell(space, architecture))
    return f"{count.skips} of {count.operations}"


def _test(run: RunFacts) -> list[object]:
    series = headline_of(run)
    if series is None:
        return ["not trained", *[numbers.NONE] * 6]
    worst, auc = series.worst
    clean = numbers.NONE
    if CLEAN in series.conditions:
        clean = numbers.auc(mean_of(series.under(CLEAN)).value)
    return [
        numbers.auc(series.score.value),
        numbers.interval(series.score.interval()),
        len(series.records),
        clean,
        join([numbers.auc(auc.value), " ", code(worst.key)]),
        numbers.count(series.records[0].parameters),
        code(series.records[0].score.digest[:8]),
    ]


def _comparability(runs: Sequence[RunFacts]) -> Markup:
    sets = {selection_set(r) for r in runs if r.trials}
    tested = [s for s in map(headline_of, runs) if s is not None]
    tests = {(s.records[0].score.digest, s.records[0].score.weights) for s in tested}
    text = []
    if len(sets) > 1:
        text.append(
            "The runs selected on different validation sets: compare no selection scores of "
            "different digests."
        )
    if len(tests) > 1:
        text.append(
            "They were tested on different condition sets or with different weights: compare no "
            "test scores of different digests or weights."
        )
    searched = {run.config.search.strategy in GRADIENT_STRATEGIES for run in runs if run.trials}
    if len(searched) > 1:
        text.append(
            "Selection scores are of two kinds of shared weights: those of a search by gradient "
            "were trained in a mixture of all operations, the others one path at a time. Compare "
            "these strategies by the test of what they found."
        )
    if not text:
        return paragraph(
            "Scores with the same digest of the condition set may be compared. Selection scores "
            "are no test results."
        )
    return Markup(f'<div class="warning">{paragraph(" ".join(text))}</div>')
