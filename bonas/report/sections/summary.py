"""The summary: two or three sentences with the numbers that matter, each with its protocol."""

from bonas.comparison_result import FOUND
from bonas.report import numbers
from bonas.report.contestants import (
    Series,
    contest_of,
    difference,
    headline_of,
    paired_to,
)
from bonas.report.facts import RunFacts, TrialFacts
from bonas.report.markup import Markup, Section, bullets, code, element, join, missing, paragraph
from bonas.report.notices import notices
from bonas.robustness.conditions import CLEAN
from bonas.robustness.differences import PairedDifferences
from bonas.robustness.record import mean_of


def summary_section(facts: RunFacts) -> Section:
    """What was found, how good it is by test, and against what; then what to be wary of."""
    parts = [_found(facts), _tested(facts), _compared(facts)]
    warnings = notices(facts)
    if warnings:
        title = element("p", "Before you trust these numbers", kind="box-title")
        parts.append(Markup(f'<div class="warning">{title}{bullets(warnings)}</div>'))
    return Section("summary", "Summary", join(parts))


def _found(facts: RunFacts) -> Markup:
    best = facts.best
    if best is None:
        return missing(
            "No architecture has a score yet.", "bonas search CONFIG.toml --out " + str(facts.path)
        )
    failed = len(facts.trials) - len(facts.complete)
    failures = f" ({numbers.plural(failed, 'estimate')} failed)" if failed else ""
    return paragraph(
        element("strong", code(best.key)),
        f" is the best of {numbers.plural(len(facts.trials), 'architecture')} that the search "
        f"estimated{failures}, with a selection score of {numbers.auc(best.value or 0.0)}",
        f"{_worst_seen(best)} (validation split, {_how(best)}).",
    )


def _worst_seen(best: TrialFacts) -> str:
    aucs = best.observation.aucs
    if not aucs:
        return ""
    worst = min(aucs, key=lambda key: (aucs[key], key))
    return f", worst condition {worst} with {numbers.auc(aucs[worst])}"


def _how(best: TrialFacts) -> str:
    if best.observation.fidelity < 1:
        return "shared weights: no test result"
    return "trained by itself: no test result"


def _tested(facts: RunFacts) -> Markup:
    if facts.best is None:
        return Markup("")
    series = headline_of(facts)
    if series is None:
        return missing("It has not been trained and tested yet.", f"bonas train {facts.path}")
    worst, auc = series.worst
    record = series.records[0]
    return paragraph(
        f"Trained from scratch with {numbers.plural(len(series.records), 'seed')}, it reaches ",
        element("strong", numbers.auc(series.score.value)),
        f" robustness-weighted AUC on the test split (95 % interval "
        f"{numbers.interval(series.score.interval())}{_spread(series)})",
        _clean(series),
        f"; its worst condition is {worst.key} with {numbers.auc(auc.value)} "
        f"({numbers.interval(auc.interval())}). It has {numbers.count(record.parameters)} "
        f"parameters and needs {numbers.millions(record.multiply_adds)} multiply-adds for an image "
        f"of {record.protocol.get('image_size', '?')} pixels.",
    )


def _spread(series: Series) -> str:
    if len(series.records) < 2:
        return ""
    return f"; standard deviation over seeds {numbers.spread(series.scores)}"


def _clean(series: Series) -> str:
    if CLEAN not in series.conditions:
        return ""
    auc = mean_of(series.under(CLEAN))
    return f", {numbers.auc(auc.value)} on clean images ({numbers.interval(auc.interval())})"


def _compared(facts: RunFacts) -> Markup:
    series = contest_of(facts)
    found = next((s for s in series if s.label == FOUND), None)
    others = [s for s in series if s.label != FOUND]
    if facts.best is None or found is None or not others:
        if headline_of(facts) is None:
            return Markup("")
        return missing("It has been compared with nothing yet.", f"bonas compare {facts.path}")
    sentences = [_against(found, other, paired_to(facts, other)) for other in others]
    seeds = numbers.plural(len(found.records), "seed")
    return paragraph(
        f"Trained for equal time on the same images with {seeds}, it reaches "
        f"{numbers.auc(found.score.value)}, ",
        join(sentences, "; "),
        ".",
    )


def _against(found: Series, other: Series, paired: PairedDifferences | None) -> str:
    text = f"the {other.label} network reaches {numbers.auc(other.score.value)}"
    compared = difference(found, other)
    if compared is None:
        return text + " (not to be compared: no common seed or another condition set)"
    mean, half, seeds = compared
    text += f" (found minus {other.label}: {numbers.signed(mean)}{_over_images(paired)}"
    if seeds < 2:
        return text + ", one seed each: no interval over seeds)"
    bounds = mean - half, mean + half
    verdict = (
        "which seeds alone can explain" if _holds_0(bounds) else "more than seeds alone explain"
    )
    interval = numbers.signed_interval(bounds)
    return text + f", 95 % interval over {seeds} seeds on these images {interval}, {verdict})"


def _over_images(paired: PairedDifferences | None) -> str:
    if paired is None:
        return ""
    bounds = paired.score.interval()
    verdict = (
        "which the choice of images can explain"
        if _holds_0(bounds)
        else ("more than the choice of images explains")
    )
    interval = numbers.signed_interval(bounds)
    return f", 95 % interval over test images of these trainings {interval}, {verdict}"


def _holds_0(bounds: tuple[float, float]) -> bool:
    return bounds[0] <= 0 <= bounds[1]
