"""`bonas audit`: leaks and shortcuts of a data set, or of all data that a configuration names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bonas.commands.console import RESULTS, Bars, bars, print_json, print_table, print_warning
from bonas.commands.folder import TABLE, FolderSettings, folder_table, setting_pairs
from bonas.config import Config, ConfigError, DataTable
from bonas.config_file import load_config
from bonas.data.audit import (
    Finding,
    Picture,
    Verdict,
    all_findings,
    fast_findings,
    pictures_of_folder,
    pictures_of_run,
    pictures_on_disk,
)
from bonas.data.audit.measures import FRAMES
from bonas.data.audit.protocol import audit_protocol
from bonas.data.layouts.named import LAYOUTS
from bonas.data.listing_protocol import listing_line
from bonas.data.source import layout_settings

COLOURS = {
    Verdict.OK: "green",
    Verdict.TOO_FEW: "magenta",
    Verdict.WARNING: "yellow",
    Verdict.LEAK: "bold red",
}


SYNTHETIC = "synthetic"


def audit(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a data set, or a configuration: all data sets that it names.",
            show_default=False,
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help=f"Of the folder: {', '.join(LAYOUTS)}; {SYNTHETIC}: the built-in faces. "
            "[default: found out]"
        ),
    ] = None,
    set_: FolderSettings = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Only what needs no picture to be decoded.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look for leaks between splits and for shortcuts; exit code 1 where there is a leak."""
    checks = fast_findings if fast else all_findings
    with bars() as shown:
        pictures = _pictures(path, layout, set_ or (), shown)
        findings = checks(pictures, shown.counting)
    videos = sum(picture.is_video for picture in pictures)
    worst = max((f.verdict for f in findings), key=list(Verdict).index)
    protocol = audit_protocol(pictures, fast=fast)
    if json:
        print_json(
            {
                "protocol": protocol,
                "pictures": len(pictures) - videos,
                "videos": videos,
                "verdict": worst.value,
                "findings": [finding.to_json() for finding in findings],
            }
        )
    else:
        _show(findings, _extent(len(pictures) - videos, videos, fast=fast))
        RESULTS.print(listing_line(protocol), soft_wrap=True)
    if worst is Verdict.LEAK:
        raise typer.Exit(1)


def warn_of_leaks(config: Config) -> None:
    """Print what the fast part of the audit finds in the files of a run; nothing where all is well.

    Raises:
        DataError, OSError: data that cannot be read.
    """
    pictures = pictures_on_disk(config.data)
    for finding in fast_findings(pictures) if pictures else ():
        if finding.verdict is not Verdict.OK:
            print_warning("audit", _sentence(finding))


def _pictures(
    path: Path | None, layout: str | None, settings: Sequence[str], shown: Bars
) -> list[Picture]:
    """What is to be audited.

    Raises:
        ConfigError, DataError: there is nothing to audit at the path, or no path.
    """
    if layout == SYNTHETIC:
        if path is not None:
            raise ConfigError(
                f"PATH is {str(path)!r}, but the built-in faces are drawn, not read; leave out "
                "PATH or --layout synthetic."
            )
        if settings:
            raise ConfigError(
                f"--set is {settings[0]!r}, but the built-in faces are drawn, not read; leave out "
                "--set."
            )
        config = Config(data=DataTable(layout="synthetic"))
        return pictures_of_run(config.data, seed=config.seed, progress=shown.counting("faces"))
    if path is None:
        raise ConfigError("PATH is missing; name the folder of a data set or a configuration.")
    if path.suffix != ".toml":
        if layout not in (None, *LAYOUTS):
            raise ConfigError(
                f"--layout is {layout!r}; it must be one of {', '.join((*LAYOUTS, SYNTHETIC))}."
            )
        table = folder_table(path, settings, layout=layout)
        return pictures_of_folder(path, layout=table.layout, settings=layout_settings(table))
    if layout is not None:
        raise ConfigError(
            f"--layout is {layout!r}, but {str(path)!r} is a configuration, which states "
            "the layout itself; leave --layout out."
        )
    pairs = setting_pairs(settings)
    config = load_config(path, [f"{TABLE}{key}={value}" for key, value in pairs.items()])
    return pictures_of_run(config.data, seed=config.seed, progress=shown.counting("faces"))


def _extent(pictures: int, videos: int, *, fast: bool) -> str:
    """What was looked at, in words."""
    looked = [f"{pictures} pictures"] if pictures else []
    if videos:
        looked.append(f"{videos} videos" + ("" if fast else f", {FRAMES} frames of each"))
    return " and ".join(looked) + (", fast part" if fast else "")


def _show(findings: Sequence[Finding], extent: str) -> None:
    several = len({f.data_set for f in findings}) > 1
    rows: list[list[str | Text]] = [
        [
            finding.name,
            *(["all" if "," in finding.data_set else finding.data_set] if several else []),
            Text(finding.verdict.value, COLOURS[finding.verdict]),
            f"{finding.number:.0f}" if finding.interval is None else f"{finding.number:.3f}",
            "" if finding.interval is None else "{:.3f} - {:.3f}".format(*finding.interval),
        ]
        for finding in findings
    ]
    print_table(
        f"Audit of {extent}",
        ["finding", *(["data set"] if several else []), "verdict", "files or AUC", "interval"],
        rows,
    )
    for finding in findings:
        if finding.verdict is not Verdict.OK:
            RESULTS.print(_sentence(finding), soft_wrap=True)


def _sentence(finding: Finding) -> Text:
    """Verdict, name, meaning and the first files."""
    lines = [f" {finding.name} ({finding.data_set}): {finding.meaning}"]
    lines += ["    " + " | ".join(together) for together in finding.files]
    if finding.count > len(finding.files):
        lines.append(f"    and {finding.count - len(finding.files)} more")
    verdict = (finding.verdict.value, COLOURS[finding.verdict])
    return Text.assemble(verdict, "\n".join(lines))
