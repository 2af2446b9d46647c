"""What a reader must know before they trust a number: mismatches, gaps and small samples."""

from collections.abc import Iterator

import bonas
from bonas.chance import at_chance, chance_line
from bonas.comparison_result import FOUND
from bonas.report import numbers
from bonas.report.contestants import comparable, contest_of, series_of
from bonas.report.facts import RunFacts
from bonas.report.markup import Markup, code, join
from bonas.robustness.attacks import Attack
from bonas.run_folder import RunFolder, file_digest

FEW_ORIGINALS = 30
"""Originals below which a condition's interval is rough: it rests on a normal approximation."""


def notices(facts: RunFacts) -> list[Markup]:
    """The warnings of a run, the gravest first."""
    return [*_of_data(facts), *_of_scores(facts), *_of_comparison(facts), *_of_size(facts)]


def _of_data(facts: RunFacts) -> Iterator[Markup]:
    searched = facts.attributes.get("bonas.data.train")
    trained = {r.protocol.get("training_data") for r in (*facts.contest, *facts.detectors)}
    if searched is not None and trained - {searched, None}:
        yield join(
            [
                "The training images changed after the search: it learned on digest ",
                code(searched),
                ", detectors were trained on ",
                join([code(d) for d in sorted(map(str, trained - {None}))], ", "),
                ". Selection and test may not stand for the same data.",
            ]
        )
    if facts.config.data.path is not None and facts.config.data.path in facts.config.data.test:
        yield join(
            [
                "data.test names ",
                code(facts.config.data.path),
                ", which the search itself learned from: as a further data set it is seen.",
            ]
        )
    begun = facts.attributes.get("bonas.supernet", {}).get("sha256")
    file = RunFolder(facts.path, facts.config).supernet
    if begun and file.is_file() and file_digest(file) != begun:
        yield join(
            ["The supernet's weights are no longer those of the search (", code(begun), ")."]
        )


def _of_scores(facts: RunFacts) -> Iterator[Markup]:
    if (median := at_chance(t.observation for t in facts.trials)) is not None:
        said = chance_line(median)
        yield join([said[0].upper() + said[1:]])
    if not comparable(series_of(facts)):
        yield Markup(
            "The trained networks were scored on different condition sets or with different "
            "weights (see their digests below): their scores must not be compared."
        )
    yield from _of_gradients(facts)
    yield from _of_sizes(facts)
    versions = {str(r.protocol.get("version")) for r in (*facts.contest, *facts.detectors)}
    versions |= {str(v) for k, v in facts.attributes.items() if k == "bonas.version"}
    if len(versions) > 1:
        listed = numbers.listed(sorted(versions))
        yield join(["Results come from several versions of bonas: ", listed, "."])
    if versions and bonas.__version__ not in versions:
        yield join(
            [
                f"This page was written by bonas {bonas.__version__}, the results by another "
                "version; levels of conditions are described as they are in the former."
            ]
        )


def _of_gradients(facts: RunFacts) -> Iterator[Markup]:
    """An attack without gradients that does better than one with them is a sign of hidden ones."""
    budgets = facts.config.score.attacks
    if budgets.get(Attack.APGD) is None or budgets[Attack.APGD] != budgets.get(Attack.SQUARE):
        return
    for record in (*facts.contest, *facts.detectors):
        aucs = {c.key: auc.value for c, auc in record.score.conditions}
        with_gradients, without = aucs.get("attack/apgd"), aucs.get("attack/square")
        if with_gradients is not None and without is not None and without < with_gradients:
            yield join(
                [
                    "Square, which uses no gradients, misleads ",
                    code(record.name),
                    f" (seed {record.seed}) further than APGD with the same budget: AUC "
                    f"{numbers.auc(without)} against {numbers.auc(with_gradients)}. It may hide "
                    "its gradients and only look robust; ",
                    code("bonas evaluate --check-gradients"),
                    " tests that.",
                ]
            )


def _of_sizes(facts: RunFacts) -> Iterator[Markup]:
    """One architecture has one size, unless the code that builds it changed."""
    if facts.best is None:
        return
    sizes = {int(facts.best.observation.cost.get("parameters", 0))}
    trained = (*facts.contest, *facts.detectors)
    sizes |= {r.parameters for r in trained if facts.key_of(r) == facts.best.key}
    sizes -= {0}
    if len(sizes) > 1:
        listed = numbers.listed([numbers.count(size) for size in sorted(sizes)])
        yield join(
            [
                "The architecture ",
                code(facts.best.key),
                f" was built with {listed} parameters: search and trainings ran different code.",
            ]
        )


def _of_comparison(facts: RunFacts) -> Iterator[Markup]:
    missing = len(facts.plan) - len(facts.contest)
    if missing > 0:
        yield join(
            [
                f"The comparison is not finished: {missing} of {len(facts.plan)} trainings are "
                "missing. ",
                code(f"bonas compare {facts.path}"),
                " goes on with it.",
            ]
        )
    found = {facts.key_of(r) for r in facts.contest if r.name == FOUND}
    if facts.best is not None and found and found != {facts.best.key}:
        yield join(
            [
                "The comparison's ",
                code(FOUND),
                " is not the best architecture of the search as it is now (",
                code(facts.best.key),
                "): the search went on after the comparison.",
            ]
        )


def _of_size(facts: RunFacts) -> Iterator[Markup]:
    wanted = facts.trials_wanted
    if 0 < len(facts.trials) < wanted:
        yield join([f"The search holds {len(facts.trials)} of {wanted} trials."])
    originals = [
        int(n)
        for r in (*facts.contest, *facts.detectors)
        for n in dict(r.protocol.get("originals", {})).values()
    ]
    if originals and min(originals) < FEW_ORIGINALS:
        few = numbers.plural(min(originals), "original")
        yield join([f"The smallest test condition has {few}: its intervals are rough."])
    for series in contest_of(facts):
        if series.label == FOUND and len(series.records) == 1:
            yield join(
                [
                    "Each contestant was trained once. How much another seed would change is not "
                    "known; ",
                    code(f"bonas compare {facts.path} --seeds 3"),
                    " tells.",
                ]
            )
