"""Leaks and shortcuts of a data set."""

from bonas.data.audit.checks import all_findings, fast_findings
from bonas.data.audit.finding import Finding, Verdict
from bonas.data.audit.pictures import (
    Picture,
    pictures_in_memory,
    pictures_of_folder,
    pictures_of_run,
    pictures_on_disk,
)

__all__ = [
    "Finding",
    "Picture",
    "Verdict",
    "all_findings",
    "fast_findings",
    "pictures_in_memory",
    "pictures_of_folder",
    "pictures_of_run",
    "pictures_on_disk",
]
