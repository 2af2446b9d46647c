"""SVG by hand: scales, ticks, text and marks; colours come from the page's style sheet."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bonas.report.markup import Markup, escaped, join

WIDTH = 900  # of every picture, in its own units; the page scales it down where it is narrower
CHARACTER = 6.7  # mean width of a character at 12 px, rounded up
SERIES = 6  # colours and shapes before they repeat


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values in [low, high] to coordinates in [start, end]."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(
        cls,
        values: Iterable[float],
        start: float,
        end: float,
        *,
        within: tuple[float, float] = (-math.inf, math.inf),
    ) -> "Scale":
        """A scale from tick to tick that holds all values, at most as wide as `within`."""
        given = list(values)
        low, high = min(given), max(given)
        if high - low < 1e-9:
            margin = 0.05 * abs(high) if abs(high) > 1e-6 else 0.5
            low, high = low - margin, high + margin
        step = _step(high - low)
        low = max(within[0], math.floor(low / step + 1e-9) * step)
        high = min(within[1], math.ceil(high / step - 1e-9) * step)
        return cls(low, high, start, end)

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round values within the scale, about six."""
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


def picture(
    width: float, height: float, parts: Iterable[object], *, title: str, kind: str = "plot"
) -> Markup:
    """A picture that scales with the page; its title is what a screen reader says."""
    return Markup(
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'class="{escaped(kind)}" role="img" aria-label="{escaped(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escaped(title)}</title>{join(parts)}</svg>'
    )


def text(x: float, y: float, content: object, kind: str = "", *, anchor: str = "start") -> Markup:
    """A line of text with its baseline at y."""
    return Markup(
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{escaped(kind)}">'
        f"{escaped(content)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return Markup(
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{escaped(kind)}"/>'
    )


def rectangle(
    x: float, y: float, width: float, height: float, kind: str, *, radius: float = 0
) -> Markup:
    """A box."""
    return Markup(
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius:g}" class="{escaped(kind)}"/>'
    )


def path(commands: str, kind: str) -> Markup:
    """A path; the commands are our own."""
    return Markup(f'<path d="{commands}" class="{escaped(kind)}"/>')


def polyline(points: Iterable[tuple[float, float]], kind: str) -> Markup:
    """Straight lines from point to point."""
    pairs = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup(f'<polyline points="{pairs}" class="{escaped(kind)}"/>')


def mark(number: int, x: float, y: float, title: str, *, size: float = 4.0) -> Markup:
    """The mark of a series: shapes differ as colours do, for print and for the colour-blind."""
    shape = _SHAPES[number % SERIES](x, y, size)
    return Markup(f'<g class="mark s{number % SERIES}"><title>{escaped(title)}</title>{shape}</g>')


def cross(x: float, y: float, title: str, *, size: float = 4.0) -> Markup:
    """The mark of something that failed."""
    strokes = (
        f'<path d="M{x - size:.1f},{y - size:.1f}L{x + size:.1f},{y + size:.1f}'
        f'M{x - size:.1f},{y + size:.1f}L{x + size:.1f},{y - size:.1f}"/>'
    )
    return Markup(f'<g class="failed"><title>{escaped(title)}</title>{strokes}</g>')


def legend(names: Iterable[str], x: float, y: float, *, right: float) -> tuple[list[Markup], float]:
    """The series' marks with their names, in rows up to `right`; and the last row's y."""
    parts: list[Markup] = []
    at = x
    for number, name in enumerate(names):
        wide = 36 + CHARACTER * len(name)
        if at > x and at + wide > right:
            at, y = x, y + 20
        parts += [mark(number, at + 5, y - 4, name), text(at + 15, y, name, "label")]
        at += wide
    return parts, y


def _step(extent: float) -> float:
    raw = extent / 6
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)


def _polygon(*points: tuple[float, float]) -> str:
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _circle(x: float, y: float, r: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"/>'


def _square(x: float, y: float, r: float) -> str:
    return _polygon((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r))


def _diamond(x: float, y: float, r: float) -> str:
    far = r * 1.35
    return _polygon((x, y - far), (x + far, y), (x, y + far), (x - far, y))


def _triangle(x: float, y: float, r: float) -> str:
    return _polygon((x, y - 1.2 * r), (x + 1.2 * r, y + r), (x - 1.2 * r, y + r))


def _wedge(x: float, y: float, r: float) -> str:
    return _polygon((x, y + 1.2 * r), (x + 1.2 * r, y - r), (x - 1.2 * r, y - r))


def _bar(x: float, y: float, r: float) -> str:
    return _polygon((x - r / 2, y - r), (x + r / 2, y - r), (x + r / 2, y + r), (x - r / 2, y + r))


_SHAPES: tuple[Callable[[float, float, float], str], ...] = (
    _circle,
    _square,
    _diamond,
    _triangle,
    _wedge,
    _bar,
)
