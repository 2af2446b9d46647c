"""What a command on a run begins with: its data and device."""

from bonas.assembly import Components
from bonas.commands.console import bars
from bonas.commands.folder import print_left_out
from bonas.run_folder import RunFolder


def load_components(folder: RunFolder) -> Components:
    """Data and device, with progress bars; says which files of the data were left out.

    Raises:
        DataError: the data cannot be used, or have no test split.
    """
    with bars() as shown:
        parts = Components.of(folder, shown.counting, tested=True)
    print_left_out(parts.data.skipped)
    return parts
