"""Where trained networks find faces manipulated, beside where they are."""

import base64
import io
from itertools import groupby
from pathlib import Path

from PIL import Image

from bonas.detector_record import COLUMNS, TrainedRecord
from bonas.report import numbers
from bonas.report.facts import RunFacts
from bonas.report.markup import Markup, Section, escaped, figure, join, paragraph, table


def localisation_section(facts: RunFacts) -> Section | None:
    """Quality and examples; `None` where no network has a head for regions."""
    records = [r for r in (*facts.contest, *facts.detectors) if r.regions is not None]
    if not records:
        return None
    rows = [_row(record) for record in records]
    columns = [
        "network",
        "seed",
        "pixel AUC",
        "of the mean mask",
        "intersection over union",
        "images",
    ]
    parts = [
        paragraph(
            "A second head says of every part of an image how probably it was manipulated. Tested "
            "on forged test images whose mask is known: the AUC of an image's pixels, 0.5 being "
            "chance, that of the mean mask of the training images, which sees nothing of an image, "
            "and the overlap at probability 0.5; means over the images."
        ),
        table("Manipulated regions found", columns, rows),
        *([_figure(facts.regions[0])] if facts.regions else []),
    ]
    return Section("localisation", "Where was it manipulated?", join(parts))


def _row(record: TrainedRecord) -> list[object]:
    assert record.regions is not None
    found = record.regions
    return [
        record.name,
        record.seed,
        numbers.auc(found.auc),
        numbers.auc(found.prior_auc),
        f"{found.iou:.2f}",
        numbers.count(found.images),
    ]


def _figure(file: Path) -> Markup:
    content = file.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        names = str(picture.info.get(COLUMNS, "")).split(",")
        width, height = picture.size
    columns = [f"{name} ({len(list(run))})" for name, run in groupby(names)]
    listed = ", ".join(columns)
    label = f"Test faces in columns, from left to right: {listed}; masks and predictions below"
    data = base64.b64encode(content).decode("ascii")
    image = Markup(
        f'<img src="data:image/png;base64,{data}" alt="{escaped(label)}" width="{width}" '
        f'height="{height}" style="max-width:100%;height:auto">'
    )
    return figure(
        image,
        f"Test faces, from left to right: {listed}. Top: the face; middle: its mask, white where "
        "it was manipulated, grey where that is not known; bottom: the predicted probability. By "
        f"the network in {file.parent.name}.",
    )
