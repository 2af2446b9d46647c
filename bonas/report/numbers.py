"""How numbers are written: three decimals of an AUC, whatever their uncertainty, beside it."""

import math
import statistics
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
NONE = "\N{EN DASH}"  # where a number cannot be given


def auc(value: float) -> str:
    """An AUC or a score."""
    return f"{value:.3f}"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"{value:+.3f}".replace("-", MINUS)


def interval(bounds: tuple[float, float]) -> str:
    """An interval of AUCs."""
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def signed_interval(bounds: tuple[float, float]) -> str:
    """An interval of differences."""
    return f"{signed(bounds[0])} to {signed(bounds[1])}"


def spread(values: Sequence[float]) -> str:
    """The standard deviation over seeds; it takes two."""
    return f"{statistics.stdev(values):.3f}" if len(values) > 1 else NONE


def count(value: float) -> str:
    """A whole number with thousands set apart."""
    return f"{round(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def millions(value: float) -> str:
    """In millions, such as `12.8 M`."""
    return f"{value / 1e6:.1f} M"


def tera(value: float) -> str:
    """In millions of millions, such as `0.19 T`."""
    return f"{value / 1e12:.2f} T"


def mean_spread(mean: float, spread: float | None, digits: int = 3) -> str:
    """Such as `0.650 \N{PLUS-MINUS SIGN} 0.047`, the standard deviation where there is one."""
    behind = "" if spread is None else f" \N{PLUS-MINUS SIGN} {spread:.{digits}f}"
    return f"{mean:.{digits}f}{behind}"


def duration(seconds: float) -> str:
    """A wall time in the unit that fits, such as `3.2 min`."""
    if not math.isfinite(seconds):
        return NONE
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def plural(number: int, one: str, several: str | None = None) -> str:
    """Such as `1 trial` and `2 trials`."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Such as `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
