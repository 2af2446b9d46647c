"""The main numbers of a report for machines, each beside the digest that it holds for."""

from collections.abc import Sequence
from typing import Any

from bonas.protocol import search_protocol
from bonas.report.contestants import Series, contest_of, headline_of
from bonas.report.facts import RunFacts, read_run
from bonas.report.progress import groups_of
from bonas.report.spent import group_figures, spent
from bonas.run_folder import RunFolder


def figures_of(folder: RunFolder) -> dict[str, Any]:
    """Selection, test and comparison of a run; parts that are not there yet are `None` or empty."""
    facts = read_run(folder)
    headline = headline_of(facts)
    return {
        "run": str(facts.path),
        "trials": len(facts.trials),
        "search": spent(facts),
        "failed": len(facts.trials) - len(facts.complete),
        "selection": _selection(facts),
        "minimise": list(facts.config.search.minimise),
        "front": [
            {
                "architecture": t.key,
                "trial": t.number,
                "score": t.value,
                "cost": dict(t.observation.cost),
            }
            for t in facts.front
        ],
        "test": None if headline is None else _test(headline),
        "protocol": search_protocol(facts.attributes),
        "comparison": {series.label: _test(series) for series in contest_of(facts)},
        "differences": {name: d.to_json() for name, d in facts.differences.items()},
    }


def figures_of_groups(folders: Sequence[RunFolder]) -> list[dict[str, Any]]:
    """Runs that differ only in the seed together: means, spread, and the score over seconds."""
    return [group_figures(group) for group in groups_of([read_run(f) for f in folders])]


def _selection(facts: RunFacts) -> dict[str, Any] | None:
    best = facts.best
    if best is None:
        return None
    return {
        "architecture": best.key,
        "trial": best.number,
        "score": best.value,
        "aucs": dict(best.observation.aucs),
        "conditions": facts.attributes.get("bonas.conditions"),
        "ties": facts.ties and facts.ties.to_json(),
    }


def _test(series: Series) -> dict[str, Any]:
    worst, auc = series.worst
    return {
        "score": series.score.value,
        "interval": list(series.score.interval()),
        "scores": {str(r.seed): r.score.value for r in series.records},
        "worst": {"condition": worst.key, "auc": auc.value, "interval": list(auc.interval())},
        "parameters": series.records[0].parameters,
        "multiply_adds": series.records[0].multiply_adds,
        "conditions": sorted({r.score.digest for r in series.records}),
        "protocol": {str(r.seed): dict(r.protocol) for r in series.records},
    }
