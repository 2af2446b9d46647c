"""The best architecture as a picture, and which decisions go with high scores."""

from bonas.report import numbers
from bonas.report.drawing import draw_architecture
from bonas.report.facts import RunFacts
from bonas.report.importance import FEWEST, DecisionScore, OptionScore, decision_scores
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
from bonas.report.stage_drawing import stage_rows
from spaces.space import unused

SHADES = 4  # steps of colour to either side of the middle
FEW = 3  # trials below which a mean is greyed
SPACES = {
    "forgery": "Three stages, each at half the resolution of the one before (entry), feed a level "
    "of a pyramid each; the classifier adds up what the levels say. ",
    "forgery_cascade": "Three stages, each at half the resolution of the one before (entry), feed "
    "a level of a pyramid each; the classifier adds up what the levels say. Below an entry stand "
    "what the first stage sees, the theta of a stage's central differences, and an earlier stage "
    "that is joined to it; below a level, the stage whose level is added to it. ",
    "nasbench201": "Three stages of equal cells, each at half the resolution of the one before. ",
    "darts": "Cells of the first kind, with one of the second, which halves the resolution, at a "
    "third and at two thirds of the depth. ",
    "macro": "Every stage first halves the resolution by pooling. A layer is named after its "
    "operation, its kernel, its expansion (e) where it has one and its width (w) as a share of the "
    "stage's full one; all but the first of a stage add their input. ",
}
EDGES = (
    "A state is the sum of the edges that enter it. Dashed grey: chosen, but on no path from input "
    "to output, so no part of the network. Dotted: the search chose no operation."
)


def architecture_section(facts: RunFacts) -> Section:
    """The drawing, with the choices as text."""
    title = "The architecture"
    best = facts.best
    if best is None:
        command = f"bonas search CONFIG.toml --out {facts.path}"
        return Section("architecture", title, missing("None has a score yet.", command))
    drawing = Markup(draw_architecture(facts.space, best.architecture))
    caption = join(
        [
            "Architecture ",
            code(best.key),
            f" of the space {facts.space.name}. ",
            SPACES.get(facts.space.name, ""),
            "" if stage_rows(facts.space.graph(best.architecture)) else EDGES,
        ]
    )
    dead = unused(facts.space, best.architecture)
    rows = [
        [code(d.name), str(choice), "no" if d.name in dead else "yes"]
        for d, choice in zip(facts.space.decisions, best.architecture.choices, strict=True)
    ]
    choices = table("Choices", ["decision", "choice", "part of the network"], rows, kind="words")
    body = join([figure(drawing, caption), folded("The choices as a table", choices)])
    return Section("architecture", title, body)


def importance_section(facts: RunFacts) -> Section:
    """Mean score by option and decision, once there are trials enough."""
    title = "Which decisions go with high scores?"
    trials = facts.complete
    if len(trials) < FEWEST:
        text = f"This takes {FEWEST} trials with a score; there are {len(trials)}."
        command = f"bonas search CONFIG.toml --out {facts.path} --trials {FEWEST}"
        return Section("importance", title, missing(text, command))
    decisions = decision_scores(facts.space, trials)
    means = [o.mean for d in decisions for o in d.options if o.mean is not None and o.trials >= FEW]
    centre = sum(t.value or 0.0 for t in trials) / len(trials)
    reach = max((abs(m - centre) for m in means), default=0.0)
    parts = [_warning(len(trials), centre)]
    # Decisions with equal options share a table.
    for options in dict.fromkeys(tuple(o.option for o in d.options) for d in decisions):
        alike = [d for d in decisions if tuple(o.option for o in d.options) == options]
        rows = [_decision(d, centre, reach) for d in alike]
        columns = ["decision", *map(str, options), "explained"]
        parts.append(table(_CAPTION, columns, rows, kind="heat"))
    return Section("importance", title, join(parts))


_CAPTION = "Mean selection score by option, with the number of trials below it"


def _warning(trials: int, centre: float) -> Markup:
    return paragraph(
        f"Over {trials} trials, whose mean score is {numbers.auc(centre)}: ",
        element("span", "blue", kind="blue"),
        " options go with higher scores, ",
        element("span", "orange", kind="orange"),
        f" with lower ones; means of fewer than {FEW} trials are grey. Explained is the share of "
        "the scores' variance that the decision alone explains, adjusted for its number of "
        "options; about 0 is none. The search chose these trials, and chose more of what scored "
        "well: this is a description, not an experiment.",
    )


def _decision(decision: DecisionScore, centre: float, reach: float) -> list[object]:
    cells = [_option(option, centre, reach) for option in decision.options]
    share = f"{decision.explained:.2f}".replace("-", numbers.MINUS)
    return [code(decision.name), *cells, share]


def _option(option: OptionScore, centre: float, reach: float) -> Markup:
    if option.mean is None:
        return cell(numbers.NONE, "few")
    count = Markup(f"<small>{option.trials}</small>")
    content = join([numbers.auc(option.mean), count], " ")
    if option.trials < FEW or reach == 0.0:
        return cell(content, "few")
    shade = max(-SHADES, min(SHADES, round((option.mean - centre) / reach * SHADES)))
    return cell(content, f"{'high' if shade > 0 else 'low'}{abs(shade)}")
