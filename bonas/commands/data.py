"""`bonas data`: what a data folder holds, before anything is trained on it."""

from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import RESULTS, print_json
from bonas.config import ConfigError
from bonas.config_file import parse_config
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import AUTO, list_data
from bonas.data.source import layout_settings


def data(
    folder: Annotated[
        Path, typer.Argument(help="Data folder, or DeepfakeBench's list.", show_default=False)
    ],
    layout: Annotated[str, typer.Option(help="Its layout; see docs/data.md.")] = AUTO,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of [data]: --set compression=c40."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the domains, images, videos, identities, masks and splits of a data folder."""
    given = [setting.partition("=") for setting in set_ or []]
    for key, equals, _ in given:
        if not equals:
            raise ConfigError(f"--set {key!r} is not of the form key=value, such as split_seed=1.")
    table = {key: value for key, _, value in given} | {"layout": layout, "path": str(folder)}
    config = parse_config({"data": table}, "bonas data").data
    found = Contents.of(list_data(folder, config.layout, layout_settings(config)))
    if json:
        print_json(found.as_json())
    else:
        RESULTS.print(found.text(), markup=False, soft_wrap=True)
