"""`bonas prepare`: face crops from videos or pictures, in the layout `metadata.csv`."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import MESSAGES, RESULTS, bars, print_json, print_table
from bonas.config import ConfigError
from bonas.data.clips import is_video
from bonas.data.faces import REAL
from bonas.data.layouts import metadata_csv
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import AUTO, LAYOUTS, list_data
from bonas.data.layouts.records import OnBadImage, Settings
from bonas.data.listing_protocol import listing_line, listing_protocol
from bonas.data.preparation.cutting import Cut, Reason
from bonas.data.preparation.detectors import (
    Cascade,
    MakeDetector,
    YuNet,
    fingerprint,
    tool_versions,
)
from bonas.data.preparation.ledger import Value
from bonas.data.preparation.prepare import Prepared
from bonas.data.preparation.prepare import prepare as prepare_faces

WHOLE, CASCADE = "none: whole pictures", "cascade"
COMPRESSIONS = ("raw", "c23", "c40")


def prepare(
    source: Annotated[
        Path,
        typer.Argument(help="Data in any layout of docs/data.md; only read.", show_default=False),
    ],
    dest: Annotated[
        Path,
        typer.Argument(help="New folder, or one to go on with.", show_default=False),
    ],
    frames: Annotated[int, typer.Option(min=1, help="Of each video, evenly.")] = 32,
    size: Annotated[int, typer.Option(min=8, max=4096, help="Edge of a crop in pixels.")] = 256,
    enlarge: Annotated[
        float, typer.Option(min=1, max=10, help="Edge of the square over that of the face's box.")
    ] = 1.3,
    detector: Annotated[
        Path | None,
        typer.Option(help="YuNet as ONNX, gives landmarks. [default: OpenCV's cascade]"),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The pictures are face crops already; only resize.")
    ] = False,
    jpeg: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Quality of JPEG files. [default: PNG, lossless]"),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes. [default: one per core]")
    ] = None,
    layout: Annotated[str, typer.Option(help="Of SOURCE; see docs/data.md.")] = AUTO,
    compression: Annotated[str, typer.Option(help="Of FaceForensics++: raw, c23, c40.")] = "c23",
    split_seed: Annotated[int, typer.Option(help="Of splits that SOURCE lacks.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Cut the faces out of videos and pictures; the same command goes on after an interruption.

    Exit code 1 where no face was found at all.
    """
    if layout not in (AUTO, *LAYOUTS):
        raise ConfigError(
            f"--layout is {layout!r}; it must be {AUTO} or one of {', '.join(LAYOUTS)}."
        )
    if compression not in COMPRESSIONS:
        raise ConfigError(
            f"--compression is {compression!r}; it must be one of {', '.join(COMPRESSIONS)}."
        )
    how = Cut(size, frames, enlarge, whole, jpeg)
    make_detector, named = _detector(detector, whole=whole)
    reading = Settings(
        on_bad_image=OnBadImage.SKIP,
        frames_per_video=frames,
        compression=compression,
        split_seed=split_seed,
    )
    listing = list_data(source, layout, reading)
    if listing.layout != metadata_csv.NAME:
        MESSAGES.print(Contents.of(listing).text(), soft_wrap=True)
    settings: dict[str, Value] = {
        "source": listing.name,
        "layout": listing.layout,
        "compression": compression,
        "split_seed": split_seed,
        **asdict(how),
        "detector": named,
    }
    tools = tool_versions(
        detects=make_detector is not None,
        decodes=any(is_video(record.path) for record in listing.records),
    )
    protocol = listing_protocol(listing, reading)
    protocol |= {"versions": protocol["versions"] | tools, "settings": settings}
    with bars() as shown:
        made = prepare_faces(
            listing,
            source,
            dest,
            how,
            settings,
            tools,
            make_detector=make_detector,
            jobs=jobs or _cores(),
            progress=shown.start("videos and pictures"),
        )
    if json:
        print_json({"protocol": protocol} | _document(made, dest))
    else:
        _show(made, dest)
        RESULTS.print(listing_line(protocol), soft_wrap=True)
    if not made.faces:
        MESSAGES.print(
            "error: no face was found at all, so no table was written. "
            + ("" if whole else "If the pictures are tight face crops already, say --whole."),
            soft_wrap=True,
        )
        raise typer.Exit(1)


def _detector(network: Path | None, *, whole: bool) -> tuple[MakeDetector | None, str]:
    """What makes the detector, tried once here, and what the crops' settings call it."""
    make: Callable[[], Cascade | YuNet]
    if network is not None:
        make, named = partial(YuNet, network), f"yunet {fingerprint(network)}"
    elif whole:
        return None, WHOLE
    else:
        make, named = Cascade, CASCADE
    make()
    return make, named


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _document(made: Prepared, dest: Path) -> dict[str, object]:
    return {
        "dest": str(dest),
        "faces": made.faces,
        "done_before": made.kept,
        "domains": {domain: asdict(share) for domain, share in made.shares.items()},
        "skipped": [
            {
                "path": str(file.path),
                "domain": file.forgery,
                "reason": file.skip.reason.value,
                "detail": file.skip.detail,
            }
            for file in made.skipped
        ],
        "missing": list(made.missing),
    }


def _show(made: Prepared, dest: Path) -> None:
    print_table(
        f"{dest}: {made.faces} faces"
        + (f"; {made.kept} videos or pictures were done before" if made.kept else ""),
        ["domain", "files", "skipped", "faces", "frames without it"],
        [
            [domain, *(f"{number:,}" for number in asdict(share).values())]
            for domain, share in made.shares.items()
        ],
    )
    if not made.skipped and not made.missing:
        return
    counts = Counter((file.skip.reason, file.forgery == REAL) for file in made.skipped)
    first = {file.skip.reason: file for file in reversed(made.skipped)}
    rows = [
        [reason.value, str(counts[reason, True]), str(counts[reason, False])]
        for reason in Reason
        if reason in first
    ]
    if made.missing:
        rows.append(["named, but not there", "", str(len(made.missing))])
    print_table("Skipped", ["reason", "real", "forged"], rows)
    for reason, file in first.items():
        detail = f" ({file.skip.detail})" if file.skip.detail else ""
        RESULTS.print(f"{reason.value}: {file.path}{detail}", soft_wrap=True)
    for missing in made.missing[:1]:
        RESULTS.print(f"named, but not there: {missing}", soft_wrap=True)
