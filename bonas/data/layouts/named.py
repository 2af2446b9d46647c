"""The layouts by name, and which of them a folder has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bonas.data.clips import is_video
from bonas.data.faces import DataError
from bonas.data.layouts import (
    celeb_df,
    deepfakebench,
    dfdc,
    dfdc_preview,
    faceforensics,
    folders,
    metadata_csv,
)
from bonas.data.layouts.records import Listing, Settings, check_folder

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Layout:
    """How one kind of data folder is recognised and read.

    Attributes:
        sign: What it is recognised by, in words.
        found_in: Whether a folder has the sign.
        records: From a folder and settings to its records.
    """

    sign: str
    found_in: Callable[[Path], bool]
    records: Callable[[Path, Settings], Listing]


LAYOUTS: dict[str, Layout] = {
    metadata_csv.NAME: Layout(
        metadata_csv.SIGN, metadata_csv.found_in, metadata_csv.list_metadata_csv
    ),
    folders.NAME: Layout(folders.SIGN, folders.found_in, folders.list_folders),
    faceforensics.NAME: Layout(
        faceforensics.SIGN, faceforensics.found_in, faceforensics.list_faceforensics
    ),
    dfdc.NAME: Layout(dfdc.SIGN, dfdc.found_in, dfdc.list_dfdc),
    dfdc_preview.NAME: Layout(
        dfdc_preview.SIGN, dfdc_preview.found_in, dfdc_preview.list_dfdc_preview
    ),
    celeb_df.NAME: Layout(celeb_df.SIGN, celeb_df.found_in, celeb_df.list_celeb_df),
    deepfakebench.NAME: Layout(
        deepfakebench.SIGN, deepfakebench.found_in, deepfakebench.list_deepfakebench
    ),
}


def list_data(folder: Path, layout: str, settings: Settings) -> Listing:
    """The records of a folder in a layout, or in the one that it has (`auto`).

    Raises:
        DataError: the folder has not this layout, or `auto` finds none or several; also as the
            layout's reader.
    """
    name = layout_of(folder) if layout == AUTO else layout
    listing = LAYOUTS[name].records(folder, settings)
    return replace(listing, notes=(*listing.notes, *_mixed(listing)))


def _mixed(listing: Listing) -> Iterator[str]:
    """What is to be known where some videos come as frames, which may be cut to faces."""
    if listing.layout in (folders.NAME, metadata_csv.NAME):
        return
    whole = [r for r in listing.records if is_video(r.path)]
    if whole and len(whole) < len(listing.records):
        yield (
            f"{len(whole)} videos have no folder of frames and are read whole, such as "
            f"{whole[0].path.name}: where the others' frames are face crops, cut these too"
        )


def layout_of(folder: Path) -> str:
    """The layout of a folder.

    A table `metadata.csv` decides, whatever lies beside it: somebody wrote it to say how the folder
    is to be read, and the images it names may well lie in `real/` and `fake/`.

    Raises:
        DataError: there is no such folder, or it has none or several of the signs.
    """
    if folder.suffix != ".json":
        check_folder(folder)
    elif not folder.is_file():
        raise DataError(f"data file {str(folder)!r} does not exist.")
    found = [name for name, layout in LAYOUTS.items() if layout.found_in(folder)]
    if metadata_csv.NAME in found or len(found) == 1:
        return found[0]
    if found:
        signs = "; ".join(f"{name} by {LAYOUTS[name].sign}" for name in found)
        raise DataError(
            f"{str(folder)!r} has the signs of {len(found)} layouts ({signs}). Say which with "
            f"data.layout, such as data.layout = {found[0]!r} (--set data.layout={found[0]})."
        )
    present = "no folder"
    if folder.is_dir():
        present = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
    looked = "; ".join(f"{layout.sign} ({name})" for name, layout in LAYOUTS.items())
    raise DataError(
        f"{str(folder)!r} has no layout that is known (found: {present}). Looked for: {looked}. "
        f"Name the folder that holds one of these, or write a table {metadata_csv.FILE} with the "
        f"columns {','.join(metadata_csv.COLUMNS)}."
    )
