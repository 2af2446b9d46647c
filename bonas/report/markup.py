"""HTML from text: what is no `Markup` yet is escaped, so that no name from data becomes a tag."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page.

    Attributes:
        anchor: Its fragment identifier, unique within a run.
        title: Its heading.
        body: What stands below.
    """

    anchor: str
    title: str
    body: Markup

    def render(self, level: int, prefix: str) -> Markup:
        """The section with its heading of a level, 2 being a part of the page."""
        anchor = f"{prefix}{self.anchor}"
        heading = f'<h{level} id="{anchor}-title">{escaped(self.title)}</h{level}>'
        opening = f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
        return Markup(f"{opening}\n{heading}\n{self.body}\n</section>\n")


def escaped(value: object) -> Markup:
    """The value as HTML text, fit for attributes too."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value), quote=True))


def join(parts: Iterable[object], separator: str = "") -> Markup:
    """The parts one after another."""
    return Markup(separator.join(escaped(part) for part in parts))


def element(tag: str, content: object, *, kind: str = "") -> Markup:
    """The content in a tag, with a class where one is given."""
    opening = f'{tag} class="{escaped(kind)}"' if kind else tag
    return Markup(f"<{opening}>{escaped(content)}</{tag}>")


def paragraph(*parts: object, kind: str = "") -> Markup:
    """A paragraph of the parts."""
    return element("p", join(parts), kind=kind)


def code(value: object) -> Markup:
    """A name from data or a command, set apart."""
    return element("code", value)


def bullets(items: Iterable[object], *, kind: str = "") -> Markup:
    """An unordered list."""
    return element("ul", join(element("li", item) for item in items), kind=kind)


def missing(what: str, command: str) -> Markup:
    """The sentence that stands where a part is not there yet."""
    return paragraph(what, " ", code(command), " makes it.", kind="missing")


def folded(summary: object, body: object, *, printed: bool = True) -> Markup:
    """Content behind a line that opens it; printing opens it too, unless it is not `printed`."""
    kind = ' class="printed"' if printed else ""
    return Markup(
        f"<details{kind}><summary>{escaped(summary)}</summary>\n{escaped(body)}</details>"
    )


def figure(picture: Markup, caption: object) -> Markup:
    """A picture with its caption."""
    return Markup(f"<figure>{picture}<figcaption>{escaped(caption)}</figcaption></figure>")


def table(
    caption: object,
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    kind: str = "numbers",
) -> Markup:
    """A table whose first column heads the rows.

    Args:
        caption: What it shows.
        columns: Headings.
        rows: As many cells each.
        kind: `numbers` (aligned to the right after the first column) or `words`.
    """
    head = join(Markup(f'<th scope="col">{escaped(c)}</th>') for c in columns)
    body = join(_row(row) for row in rows)
    label = escaped(re.sub(r"<[^>]*>", "", caption) if isinstance(caption, Markup) else caption)
    return Markup(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="{escaped(kind)}"><caption>{escaped(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n"
    )


def cell(content: object, kind: str) -> Markup:
    """A table's cell with a class; other contents become plain cells."""
    return Markup(f'<td class="{escaped(kind)}">{escaped(content)}</td>')


def _row(cells: Sequence[object]) -> Markup:
    first, *others = cells
    tail = join(
        c if isinstance(c, Markup) and c.startswith("<td") else element("td", c) for c in others
    )
    return Markup(f'<tr><th scope="row">{escaped(first)}</th>{tail}</tr>\n')
