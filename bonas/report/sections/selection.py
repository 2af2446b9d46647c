"""What selected the architecture and what did not: which test results are of unseen conditions."""

from pathlib import Path

from bonas.data.pseudo_forged import PSEUDO
from bonas.data.unseen import condition_name, may_name
from bonas.report import numbers
from bonas.report.facts import RunFacts
from bonas.report.markup import Markup, Section, code, element, join, paragraph, table
from bonas.robustness.conditions import Group


def selection_section(facts: RunFacts) -> Section:
    """A box with every kind of data and what it was used for."""
    rows = [*_splits(facts), *_held_back(facts), *(_further(facts, p) for p in _tests(facts))]
    body = join(
        [
            table(
                "Use of the data",
                ["data", "trains weights", "selects the architecture", "in test results"],
                rows,
                kind="words",
            ),
            _shared(facts),
            paragraph(
                "What selects an architecture is not unseen any more: a test on a forgery type "
                "that selected says how the detector does on new people, not on new forgeries. "
                "Whether people chose settings after looking at test results is not recorded in "
                "a run.",
            ),
        ]
    )
    title = "What was and what was not used for selection"
    return Section("selection", title, Markup(f'<div class="box">{body}</div>'))


def _tests(facts: RunFacts) -> tuple[Path, ...]:
    return facts.config.data.test


def _splits(facts: RunFacts) -> list[tuple[object, ...]]:
    data = facts.config.data
    source: object = code(data.path) if data.path is not None else "built-in synthetic faces"
    seen = "yes: groups clean, corruption and attack"
    return [
        (join([source, ", split train"]), "yes", "through the weights", "no"),
        (join([source, ", split val"]), "no", element("b", "yes: the score"), "no"),
        (join([source, ", split test"]), "no", "no", seen),
    ]


def _held_back(facts: RunFacts) -> list[tuple[object, ...]]:
    """What was not trained on and selected: types, further data sets, pseudo-forgeries."""
    data = facts.config.data
    names = [join(["forgery type ", code(name)]) for name in data.unseen]
    if data.real_only:
        names = [Markup("every type of forgery: training made its own of real faces")]
    elif not data.rotate:
        names += [
            join(["forgery type ", code(name), ", which split train has none of"])
            for name in _untrained(facts)
        ]
    names += [join(["data set ", code(path), ", splits val and test"]) for path in data.unseen_data]
    if data.pseudo_forgeries and not data.real_only:
        names.append(Markup("pseudo-forgeries of the real faces"))
    selected = element("b", "yes: its images in val")
    seen = join(["yes: group unseen; this kind is ", element("b", "seen in selection")])
    rows: list[tuple[object, ...]] = [(name, "no", selected, seen) for name in names]
    if data.rotate:
        tested = join(["yes: group clean; this kind is ", element("b", "seen in selection")])
        each = Markup("each type of forgery, in the fold that it is held back from")
        rows.insert(0, (each, "in the other folds, and in the final training", selected, tested))
    if not rows:
        none = "nothing was held back from training"
        return [("unseen in training", none, numbers.NONE, numbers.NONE)]
    return rows


def _untrained(facts: RunFacts) -> list[str]:
    """Conditions of types that the configuration does not name: training happened to lack them."""
    if facts.best is None:
        return []
    data = facts.config.data
    keys = [key for key in facts.best.observation.aucs if key.startswith(f"{Group.UNSEEN.value}/")]
    known = {PSEUDO, *map(condition_name, data.unseen)}
    names = [key.partition("/")[2] for key in keys]
    folders = (*data.unseen_data, *data.test)
    return [n for n in names if n not in known and not any(may_name(f, n) for f in folders)]


def _further(facts: RunFacts, path: Path) -> tuple[object, ...]:
    if path == facts.config.data.path:
        seen = join(["yes: ", element("b", "seen in selection")])
        return (join(["further data set ", code(path)]), "yes: the data above", "yes", seen)
    kept = join(["yes: group unseen; ", element("b", "not seen in selection")])
    return (join(["further data set ", code(path)]), "no", "no", kept)


def _shared(facts: RunFacts) -> Markup:
    best = facts.best
    if best is None:
        return Markup("")
    how = (
        "come from weights that all architectures share, and serve to rank them"
        if best.observation.fidelity < 1
        else "come from trainings that selected"
    )
    tied = facts.ties
    return paragraph(
        element("b", "Selection scores are not test scores. "),
        f"They {how}; and the best of {len(facts.complete)} uncertain scores is too high on "
        "average. ",
        f"At selection, {tied.line()} " if tied is not None and tied.tied else "",
        "Quote only test results, with the digest of their condition set.",
    )
