"""`bonas data`: what a data folder holds, before anything is trained on it."""

from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import RESULTS, print_json
from bonas.commands.folder import FolderSettings, folder_table
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import AUTO, list_data
from bonas.data.listing_protocol import listing_line, listing_protocol
from bonas.data.source import layout_settings

SHOWN, LISTED = 3, 20
"""Originals whose names are printed, and are in the JSON: there may be a hundred thousand."""


def data(
    folder: Annotated[
        Path, typer.Argument(help="Data folder, or DeepfakeBench's list.", show_default=False)
    ],
    layout: Annotated[str, typer.Option(help="Its layout; see docs/data.md.")] = AUTO,
    set_: FolderSettings = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what a data folder holds: domains, images, videos, identities, masks, splits."""
    table = folder_table(folder, set_ or (), layout=layout)
    settings = layout_settings(table)
    listing = list_data(folder, table.layout, settings)
    found = Contents.of(listing)
    protocol = listing_protocol(listing, settings)
    originals = list(dict.fromkeys(record.original for record in listing.records))
    if json:
        names = {"first_originals": originals[:LISTED]}
        print_json({"protocol": protocol} | found.as_json() | names)
    else:
        RESULTS.print(found.text(), soft_wrap=True)
        named = ", ".join(originals[:SHOWN]) + (", ..." if len(originals) > SHOWN else "")
        RESULTS.print(f"originals: {named}", soft_wrap=True)
        RESULTS.print(listing_line(protocol), soft_wrap=True)
