"""The search: its history, groups that tell nothing apart, and scores against sizes."""

from collections.abc import Sequence

from bonas.report import numbers
from bonas.report.facts import RunFacts, TrialFacts
from bonas.report.markup import (
    Markup,
    Section,
    cell,
    code,
    element,
    figure,
    folded,
    join,
    missing,
    paragraph,
    table,
)
from bonas.report.search_plots import HistoryLine, cost_plot, history_plot
from bonas.report.spent import gradient_paragraph
from bonas.report.trials import FLAT, GroupSpread, group_spreads, pareto_front, random_until
from bonas.robustness.weights import ScoreWeights

BEST = 10  # trials in the open table
LISTED = 1_000  # trials in the folded one, to keep the page light


def history_section(facts: RunFacts) -> Section:
    """Each trial's score in the order of the search."""
    title = "Search history"
    if not facts.trials:
        command = f"bonas search CONFIG.toml --out {facts.path}"
        return Section("history", title, missing("Nothing has been searched yet.", command))
    until = random_until(facts)
    line = HistoryLine(facts.name, facts.trials, until)
    plot = history_plot([line], title=f"Selection scores of {len(facts.trials)} trials")
    ranked = sorted(facts.complete, key=lambda t: (-(t.value or 0.0), t.number))
    said = gradient_paragraph(facts)
    parts = [] if said is None else [said]
    parts += [figure(plot, _caption(facts, until)), _trials("The ten best", ranked[:BEST])]
    listed = facts.trials[:LISTED]
    all_trials = _trials("Trials by number", listed)
    parts.append(folded(f"All {len(facts.trials)} trials", all_trials, printed=False))
    return Section("history", title, join(parts))


def groups_section(facts: RunFacts) -> Section:
    """How far the architectures differ in each group; a group in which they do not is flagged."""
    title = "Do the groups tell architectures apart?"
    spreads = group_spreads(facts)
    if not spreads:
        command = f"bonas search CONFIG.toml --out {facts.path}"
        text = "It takes two architectures with scores to tell."
        return Section("groups", title, missing(text, command))
    weights = ScoreWeights(**facts.config.score.weights.model_dump())
    shares = weights.renormalised({s.group for s in spreads})
    rows = [_group(spread, shares.of(spread.group)) for spread in spreads]
    columns = ["group", "conditions", "weight", "lowest", "median", "highest", "range"]
    columns += [f"range {numbers.TIMES} weight", ""]
    count = len({t.key for t in facts.complete})
    body = table(f"Mean AUC of each group over {count} architectures (selection)", columns, rows)
    return Section("groups", title, join([_flatness(spreads), body]))


def cost_section(facts: RunFacts) -> Section:
    """Scores against parameters with the Pareto front."""
    title = "Score against size"
    sized = [t for t in facts.complete if "parameters" in t.observation.cost]
    if not sized:
        command = f"bonas search CONFIG.toml --out {facts.path}"
        text = "No architecture has a score and a size yet."
        return Section("cost", title, missing(text, command))
    front = pareto_front(sized)
    plot = cost_plot(sized, title=f"Selection score against parameters of {len(sized)} trials")
    caption = (
        "Selection score (validation, shared weights) against parameters of the network by "
        "itself. Round marks and the line: the Pareto front, architectures that no other beats "
        "with as few parameters."
    )
    rows = _trials("The Pareto front, from small to large", front)
    return Section("cost", title, join([figure(plot, caption), rows]))


def _caption(facts: RunFacts, until: int | None) -> str:
    strategy = facts.config.search.strategy
    text = (
        f"Selection score of each trial (strategy {strategy}, validation split), and the best so "
        "far as a line."
    )
    if until is not None:
        drawn = "drawn at random"
        if strategy == "bayesian":
            drawn = "before the surrogate is asked: in turns of one operation throughout and random"
        text += f" Shaded: trials 0 to {until}, {drawn}."
    failed = len(facts.trials) - len(facts.complete)
    if failed:
        text += f" Crosses: {numbers.plural(failed, 'failed estimate')}."
    if facts.running:
        text += f" {numbers.plural(facts.running, 'trial')} had no score when this was written."
    return text


def _trials(caption: str, trials: Sequence[TrialFacts]) -> Markup:
    columns = ["architecture", "trial", "score", "clean", "worst", "", "parameters", "seconds"]
    return table(caption, columns, [_trial(t) for t in trials])


def _trial(trial: TrialFacts) -> list[object]:
    observation = trial.observation
    parameters = observation.cost.get("parameters")
    seconds = observation.cost.get("seconds")
    size = numbers.NONE if parameters is None else numbers.count(parameters)
    time = numbers.NONE if seconds is None else f"{seconds:.1f}"
    key = code(trial.key)
    if trial.value is None:
        reason = cell(f"failed: {observation.reason}", "word")
        return [key, trial.number, numbers.NONE, numbers.NONE, numbers.NONE, reason, size, time]
    aucs = observation.aucs
    worst = min(aucs, key=lambda name: (aucs[name], name)) if aucs else None
    return [
        key,
        trial.number,
        numbers.auc(trial.value),
        numbers.auc(aucs["clean"]) if "clean" in aucs else numbers.NONE,
        numbers.NONE if worst is None else numbers.auc(aucs[worst]),
        cell("" if worst is None else code(worst), "word"),
        size,
        time,
    ]


def _group(spread: GroupSpread, weight: float) -> list[object]:
    width = spread.high - spread.low
    return [
        spread.group.value,
        spread.conditions,
        f"{weight:g}",
        numbers.auc(spread.low),
        numbers.auc(spread.middle),
        numbers.auc(spread.high),
        numbers.auc(width),
        numbers.auc(width * weight),
        cell(element("b", "flat") if spread.flat else "", "word"),
    ]


def _flatness(spreads: tuple[GroupSpread, ...]) -> Markup:
    flat = [s.group.value for s in spreads if s.flat]
    doubted = [s for s in spreads if s.in_doubt]
    doubt = ""
    if doubted:
        listed = numbers.listed([f"{s.group.value} (one: &plusmn;{s.reach:.3f})" for s in doubted])
        doubt = (
            f" All of them lie within the 95 % interval of one in {listed}: differences of two on "
            "the same images are surer than that, but the order there may be chance."
        )
    if not flat:
        some = f"In every group the architectures differ by more than {FLAT:g} of mean AUC."
        return paragraph(some, Markup(doubt))
    return paragraph(
        element("b", f"Flat: {numbers.listed(flat)}. "),
        f"All architectures have the same mean AUC there within {FLAT:g}: the group adds a "
        "constant to the score, costs evaluation and tells no architecture from another. Choose "
        "milder conditions in [score] where all fail, stronger ones where none does, or set the "
        "group's weight to 0.",
        Markup(doubt),
        kind="flagged",
    )
