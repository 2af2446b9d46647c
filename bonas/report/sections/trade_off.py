"""The trade-offs that a search with several objectives found."""

from bonas.report import numbers
from bonas.report.facts import RunFacts
from bonas.report.markup import (
    Markup,
    Section,
    code,
    figure,
    join,
    missing,
    paragraph,
    table,
)
from bonas.report.search_plots import UNITS, cost_plot
from bonas.report.trials import with_cost


def trade_off_section(facts: RunFacts) -> Section | None:
    """Scores against each minimised cost with the front; nothing for a single objective."""
    minimise = facts.config.search.minimise
    if not minimise:
        return None
    title = "Trade-offs"
    if not facts.front:
        command = f"bonas search CONFIG.toml --out {facts.path}"
        return Section("trade-offs", title, missing("No trade-off has been found yet.", command))
    parts: list[Markup] = [
        paragraph(
            f"The search maximised the score and minimised {numbers.listed(list(minimise))}. "
            f"Its front holds {numbers.plural(len(facts.front), 'architecture')} of "
            f"{numbers.plural(len(facts.complete), 'trial')} with a score: no other is at least "
            "as good in every objective and better in one. Train one of them with ",
            code(f"bonas train {facts.path} --architecture KEY"),
            ".",
        )
    ]
    for cost in minimise:
        trials = with_cost(facts.complete, cost)
        plot = cost_plot(
            trials,
            title=f"Selection score against {cost} of {len(trials)} trials",
            cost=cost,
            members=facts.front,
        )
        parts.append(figure(plot, _caption(cost, len(minimise))))
    rows = [
        [
            code(trial.key),
            trial.number,
            numbers.auc(trial.value or 0.0),
            *(_cost(trial.observation.cost[cost]) for cost in minimise),
        ]
        for trial in facts.front
    ]
    columns = ["architecture (KEY)", "trial", "score", *minimise]
    parts.append(table("The front, from the best score to the lowest", columns, rows))
    return Section("trade-offs", title, join(parts))


def _caption(cost: str, costs: int) -> str:
    _, name = UNITS.get(cost, (1.0, cost))
    line = "Round marks: the front; the line joins them."
    if costs > 1:
        line = (
            "Round marks: the front in all objectives; the line: the best score at each cost, "
            "the other costs aside."
        )
    return f"Selection score (validation, shared weights) against {name}. {line}"


def _cost(value: float) -> str:
    return numbers.count(value) if value >= 1e3 else f"{value:.3g}"
