"""`bonas report`: one self-contained page on a run, or on several side by side."""

from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import RESULTS, print_json
from bonas.report.figures import figures_of, figures_of_groups
from bonas.report.page import write_report
from bonas.run_folder import RunFolder

__all__ = ["report", "write_report"]

PAGE = "report.html"
"""The name of a page in a folder."""


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page, or a folder for it. "
            "[default: RUN/report.html; of several runs ./report.html]"
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print its main numbers as JSON.")] = False,
) -> None:
    """Write the results of one or several runs as a page that opens in any browser."""
    folders = [RunFolder.open(run) for run in runs]
    if out is not None and out.is_dir():
        out /= PAGE
    page = write_report(folders, out)
    if json:
        print_json(
            {
                "report": str(page),
                "runs": [figures_of(folder) for folder in folders],
                "groups": figures_of_groups(folders),
            }
        )
    else:
        RESULTS.print(str(page), soft_wrap=True)
