"""What commands share on the screen: progress on standard error, results on standard output.

Nothing that is printed is markup: names of files, types and originals come from outside, and
`face[gan]` is a name. What is to have a colour is a `Text`. Nor does a name command the terminal:
its control characters are replaced.
"""

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

WIDEST = 10_000
PLAIN_WIDTH = 120  # of tables in files and pipes, which have no width of their own
_COMMANDS = dict.fromkeys({*range(32), *range(127, 160)} - {*b"\n\t"}, "\N{REPLACEMENT CHARACTER}")


class _Printing(Console):
    """A console in which only bars and colours command the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of what is printed; bars move the cursor by segments of their own."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(text.translate(_COMMANDS), style)


_PLAIN = partial(_Printing, highlight=False, markup=False, emoji=False)
MESSAGES = _PLAIN(stderr=True)
RESULTS = _PLAIN(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
LOG_EVERY = 30.0  # seconds


def print_json(document: Any) -> None:
    """Machine-readable results on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def print_warning(word: str, message: str | Text) -> None:
    """A message on standard error that begins with a word in colour."""
    MESSAGES.print(Text.assemble((word, "yellow"), " ", message), soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """A table on standard output; the first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    # As wide as it needs to be, on a narrow terminal too: a name cut short says nothing.
    needed = Measurement.get(RESULTS, RESULTS.options.update(width=WIDEST), table).maximum
    _PLAIN(width=max(needed, RESULTS.width)).print(table)


class Bars:
    """Progress bars of one command: what is running, how far, how long still, and a note."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def start(self, description: str) -> Callable[[int, int, str], None]:
        """A new bar; call the result with (done, in all, note)."""
        if not MESSAGES.is_terminal:
            return _lines(description)
        bar: TaskID = self._progress.add_task(description, total=None, note="")

        def advance(done: int, total: int, note: str = "") -> None:
            self._progress.update(bar, completed=done, total=total, note=note)

        return advance

    def counting(self, description: str) -> Callable[[int, int], None]:
        """A bar without a note."""
        advance = self.start(description)
        return lambda done, total: advance(done, total, "")

    def training(self, description: str, steps: int) -> Callable[[int, float], None]:
        """A bar for `bonas.training.train`, with the running mean of the loss as its note."""
        advance = self.start(description)
        mean = math.nan

        def step(done: int, loss: float) -> None:
            nonlocal mean
            mean = loss if math.isnan(mean) else 0.98 * mean + 0.02 * loss
            advance(done, steps, f"loss {mean:.3f}")

        return step


def _lines(description: str) -> Callable[[int, int, str], None]:
    """Progress for a log file: a line at the beginning, at the end, and every half minute between.

    What is left is told by the pace since the first step that was seen to be done: what comes
    before it, such as the start of processes, is not repeated.
    """
    started, last = time.monotonic(), -math.inf
    first: int | None = None
    paced: tuple[int, float] | None = None

    def advance(done: int, total: int, note: str = "") -> None:
        nonlocal first, last, paced
        now = time.monotonic()
        if first is None:
            first = done
        elif paced is None and done > first:
            paced = done, now
        if done < total and now - last < LOG_EVERY:
            return
        last, left = now, ""
        if paced is not None and paced[0] < done < total:
            pace = (now - paced[1]) / (done - paced[0])
            left = f", about {pace * (total - done):.0f} s left"
        MESSAGES.print(
            f"{description}: {done}/{total} after {now - started:.0f} s{left}  {note}".rstrip(),
            soft_wrap=True,
        )

    return advance


@contextlib.contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars on standard error while the block runs; plain lines where it is no terminal."""
    columns = (
        TextColumn("{task.description:<28}", markup=False),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    hidden = not MESSAGES.is_terminal
    with Progress(*columns, console=MESSAGES, refresh_per_second=4, disable=hidden) as progress:
        yield Bars(progress)
