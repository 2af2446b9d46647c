"""What every command that reads a data folder takes of `[data]`, without a configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import print_warning
from bonas.config import ConfigError, DataTable
from bonas.config_file import parse_config
from bonas.data.layouts.named import AUTO

TABLE = "data."
KEYS = ("layout", "compression", "frames_per_video", "split_seed", "on_bad_image")
"""Settings of `[data]` that say how one folder is read."""

SHOWN = 5

FolderSettings = Annotated[
    list[str] | None,
    typer.Option("--set", help=f"How data are read, {', '.join(KEYS)}: --set split_seed=1."),
]
"""The option of every command that reads data folders."""


def setting_pairs(settings: Sequence[str]) -> dict[str, str]:
    """The values of settings of `[data]` by key; `data.` before a key may be left out.

    Raises:
        ConfigError: a setting without `=`.
    """
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"--set {setting!r} is not of the form key=value, such as split_seed=1."
            )
        pairs[key.strip().removeprefix(TABLE)] = value.strip()
    return pairs


def folder_table(
    folder: Path,
    settings: Sequence[str] = (),
    *,
    layout: str | None = None,
    size: int | None = None,
) -> DataTable:
    """The `[data]` table of a folder that no configuration names.

    Args:
        folder: Of the data, or DeepfakeBench's list.
        settings: `key=value`, of `KEYS`, as `--set` gives them.
        layout: Unless a setting names it; found out unless given.
        size: Edge of the images, where they are read.

    Raises:
        ConfigError: a setting of another form, of another key, or against its rule.
    """
    pairs = setting_pairs(settings)
    unknown = [key for key in pairs if key not in KEYS]
    if unknown:
        raise ConfigError(
            f"--set {unknown[0]} is no setting of how a folder is read; those are "
            f"{', '.join(KEYS)}."
        )
    document = {"layout": layout or AUTO} | pairs | {"path": str(folder)}
    if size is not None:
        document["size"] = str(size)
    return parse_config({"data": document}, "--set" if pairs else str(folder)).data


def print_left_out(problems: Sequence[str]) -> None:
    """Say on standard error which files were left out, the first few of them, and how many."""
    for problem in problems[:SHOWN]:
        print_warning("left out", problem)
    if len(problems) > SHOWN:
        print_warning("left out", f"{len(problems)} files in all")
