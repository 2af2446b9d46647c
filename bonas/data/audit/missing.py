"""Files that a data set names but lacks: an audit says nothing of them."""

from collections.abc import Sequence

from bonas.data.audit.finding import Finding, Verdict
from bonas.data.audit.pictures import Picture
from bonas.data.audit.sharing import data_sets


def missing_files(pictures: Sequence[Picture]) -> Finding:
    """The files that the pictures' data sets name but lack, each with the place that names it."""
    lacking = {picture.data_set: picture.missing for picture in pictures}
    return Finding.of_files(
        "missing files",
        data_sets(pictures),
        [(problem,) for problems in lacking.values() for problem in problems],
        found=Verdict.WARNING,
        meaning="The data name these files but lack them, so nothing was looked for in them. "
        "Restore them, or remove what names them.",
        otherwise="No file is missing that the data name.",
    )
