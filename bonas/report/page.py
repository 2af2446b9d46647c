"""The page: sections in the order in which a reader asks, in one file that needs nothing else."""

import importlib.resources
from collections.abc import Callable, Sequence
from pathlib import Path

from bonas.report.facts import RunFacts, read_run
from bonas.report.markup import Markup, Section, element, escaped, join
from bonas.report.numbers import listed
from bonas.report.sections.architecture import architecture_section, importance_section
from bonas.report.sections.comparison import comparison_section
from bonas.report.sections.conditions import conditions_section
from bonas.report.sections.localisation import localisation_section
from bonas.report.sections.provenance import definitions_section, provenance_section
from bonas.report.sections.search import cost_section, groups_section, history_section
from bonas.report.sections.selection import selection_section
from bonas.report.sections.summary import summary_section
from bonas.report.sections.trade_off import trade_off_section
from bonas.report.side_by_side import side_by_side
from bonas.run_folder import RunFolder

SECTIONS: tuple[Callable[[RunFacts], Section | None], ...] = (
    summary_section,
    selection_section,
    comparison_section,
    conditions_section,
    localisation_section,
    history_section,
    groups_section,
    trade_off_section,
    cost_section,
    architecture_section,
    importance_section,
    definitions_section,
    provenance_section,
)


UNFOLD = (
    'addEventListener("beforeprint",()=>document.querySelectorAll("details.printed")'
    ".forEach(d=>{d.open=true}))"
)
"""Opens what is folded before the page is printed; without scripts it stays as it is."""


def write_report(folders: Sequence[RunFolder], out: Path | None = None) -> Path:
    """Write the page on one or several runs, and return where it lies.

    Args:
        folders: At least one.
        out: The file. Without it one run's page goes into its folder, that of several into the
            current one, as `report.html`.

    Raises:
        ValueError: no folder.
        ConfigError: a file of results that cannot be read.
    """
    if not folders:
        raise ValueError("folders is empty; a report needs at least one run folder.")
    place = out or (folders[0].report if len(folders) == 1 else Path(folders[0].report.name))
    page = render([read_run(folder) for folder in folders])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(page, encoding="utf-8")
    return place


def render(runs: Sequence[RunFacts]) -> str:
    """The page as HTML."""
    if len(runs) == 1:
        sections = sections_of(runs[0])
        body = join([_contents(sections, ""), *(s.render(2, "") for s in sections)])
        return _document(f"bonas report: {runs[0].name}", body)
    anchors = [f"run{number}" for number in range(1, len(runs) + 1)]
    parts = [side_by_side(runs, anchors).render(2, "")]
    for run, anchor in zip(runs, anchors, strict=True):
        sections = sections_of(run)
        prefix = f"{anchor}-"
        inner = join([_contents(sections, prefix), *(s.render(3, prefix) for s in sections)])
        heading = element("h2", f"Run {run.name}")
        parts.append(Markup(f'<article id="{anchor}">{heading}{inner}</article>'))
    names = listed([run.name for run in runs])
    return _document(f"bonas report: {names}", join(parts))


def sections_of(run: RunFacts) -> list[Section]:
    """The sections that the run has something for."""
    return [section for make in SECTIONS if (section := make(run)) is not None]


def _contents(sections: Sequence[Section], prefix: str) -> Markup:
    links = join(
        Markup(f'<li><a href="#{prefix}{s.anchor}">{escaped(s.title)}</a></li>') for s in sections
    )
    return Markup(f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n')


def _document(title: str, body: Markup) -> str:
    style = importlib.resources.files("bonas.report").joinpath("style.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{escaped(title)}</h1>\n{body}</main>\n<script>{UNFOLD}</script>\n"
        "</body>\n</html>\n"
    )
