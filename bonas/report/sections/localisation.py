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
    rows = [row for record in records for row in _rows(record)]
    columns = ["network", "seed", "forgery", "pixel AUC", "95 % interval", "of the mean mask"]
    columns += ["lead, 95 % interval", "overlap", "95 % interval", "of the mean mask", "images"]
    parts = [
        paragraph(
            "A second head says of every part of an image how probably it was manipulated. Tested "
            "on forged test images whose mask is known: the AUC of an image's pixels, 0.5 being "
            "chance, and the overlap (intersection over union) at probability 0.5; means over the "
            "images, beside those of the mean mask of the training images, which sees nothing of "
            "an image: without a lead over it a network knows where forgeries lie and not where "
            "this one does. Intervals resample originals."
        ),
        table("Manipulated regions found", columns, rows),
        *([_figure(facts.regions[0])] if facts.regions else []),
    ]
    return Section("localisation", "Where was it manipulated?", join(parts))


def _rows(record: TrainedRecord) -> list[list[object]]:
    """All images, then each type of forgery where there are several."""
    assert record.regions is not None
    types = record.regions.by_type if len(record.regions.by_type) > 1 else {}
    rows = []
    for name, found in {"all": record.regions, **types}.items():
        prior = numbers.NONE if found.prior_iou is None else f"{found.prior_iou:.2f}"
        rows.append(
            [
                record.name,
                record.seed,
                name,
                numbers.auc(found.auc),
                _interval(found.auc_interval),
                numbers.auc(found.prior_auc),
                _lead(found.lead_interval),
                f"{found.iou:.2f}",
                _interval(found.iou_interval),
                prior,
                numbers.count(found.images),
            ]
        )
    return rows


def _interval(bounds: tuple[float, float] | None) -> str:
    return numbers.NONE if bounds is None else numbers.interval(bounds)


def _lead(bounds: tuple[float, float] | None) -> str:
    return numbers.NONE if bounds is None else " to ".join(map(numbers.signed, bounds))


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
