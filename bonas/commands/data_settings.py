"""`--set` of commands that read a data folder: how its layout's reader goes about it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bonas.config import ConfigError, DataTable
from bonas.config_file import parse_config
from bonas.data.layouts.named import AUTO

DataSettings = Annotated[
    list[str] | None,
    typer.Option("--set", help="How data are read: --set compression=c40, on_bad_image=skip, ..."),
]
"""The option of every command that reads a data folder for a trained detector."""
READING = ("layout", "compression", "frames_per_video", "split_seed", "on_bad_image")
"""Settings of `[data]` that such a command takes; the others are the detector's or the run's."""


def data_table(folder: Path, size: int, settings: Iterable[str]) -> DataTable:
    """The table by which a folder is read.

    Args:
        folder: Of the data.
        size: Edge of the images in pixels.
        settings: `key=value` or `data.key=value`.

    Raises:
        ConfigError: a setting of another form or key, or a value against its rule.
    """
    table: dict[str, object] = {"layout": AUTO, "path": str(folder), "size": size}
    for setting in settings:
        key, equals, value = setting.partition("=")
        key = key.strip().removeprefix("data.")
        if not equals or key not in READING:
            raise ConfigError(
                f"--set {setting!r} is no setting of reading data; it takes "
                f"{', '.join(f'{name}=...' for name in READING)}."
            )
        table[key] = value.strip()
    return parse_config({"data": table}, "--set").data
