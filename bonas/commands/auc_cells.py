"""What tables of AUCs share: cells with intervals, and lines below about too small samples."""

from bonas.commands.console import RESULTS
from bonas.few_originals import Flags, flag_lines
from bonas.robustness.record import ConditionAuc, MeanAuc


def with_interval(auc: ConditionAuc | MeanAuc, note: str = "") -> str:
    """A cell of two lines: the AUC, with a note where there is one, and its 95 % interval."""
    low, high = auc.interval()
    return f"{auc.value:.4f}{note}\n{low:.3f}-{high:.3f}"


def print_flags(flags: Flags) -> None:
    """Which conditions have too few originals, below a table of them."""
    for said in flag_lines(flags):
        RESULTS.print(said, soft_wrap=True)
