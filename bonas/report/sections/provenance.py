"""Where the numbers come from: definitions, digests, versions, devices, seeds, times, settings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import bonas
from bonas.config_file import dump_config
from bonas.data.reading_terms import drawn_faces
from bonas.detector_record import TrainedRecord
from bonas.protocol import search_protocol
from bonas.report import numbers
from bonas.report.contestants import series_of
from bonas.report.definitions import definitions
from bonas.report.facts import RunFacts
from bonas.report.markup import (
    Markup,
    Section,
    code,
    element,
    folded,
    join,
    missing,
    paragraph,
    table,
)
from bonas.report.sections.conditions import conditions_of
from bonas.report.trials import seconds_of
from bonas.robustness.conditions import Condition

_READING = (
    ("layout", "layout"),
    ("compression", "compression"),
    ("split_seed", "seed of the splits"),
    ("frames_per_video", "frames per video, at most"),
    ("on_bad_image", "on a bad image"),
    ("skipped", "files left out"),
)
"""Terms of reading with their columns."""


def definitions_section(facts: RunFacts) -> Section:
    """The score and the conditions in words."""
    conditions = conditions_of(series_of(facts)) or _searched(facts)
    return Section("definitions", "Definitions", definitions(facts.config, conditions))


def provenance_section(facts: RunFacts) -> Section:
    """What one needs to repeat or to check the run."""
    settings = element("pre", dump_config(facts.config))
    parts = [
        table("The search", ["fact", "value"], _search(facts), kind="words"),
        _trainings([*facts.detectors, *facts.contest], facts),
        _images(facts),
        _readings(facts),
        _recipes([*facts.detectors, *facts.contest]),
        _files(facts),
        folded("Configuration as resolved", settings),
    ]
    return Section("provenance", "Protocol and provenance", join(parts))


def _searched(facts: RunFacts) -> tuple[Condition, ...]:
    best = facts.best
    return tuple(Condition.from_key(k) for k in sorted(best.observation.aucs)) if best else ()


def _search(facts: RunFacts) -> list[list[object]]:
    known = facts.attributes
    starts = [t.started for t in facts.trials if t.started is not None]
    ends = [t.ended for t in facts.trials if t.ended is not None]
    span: object = numbers.NONE
    if starts and ends:
        first, last = min(starts), max(ends)
        span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, local time"
    supernet: dict[str, Any] = dict(known.get("bonas.supernet", {}))
    config, searched = facts.config, search_protocol(known)
    return [
        ["bonas (search)", known.get("bonas.version", numbers.NONE)],
        ["bonas (this page)", bonas.__version__],
        ["computed with (search)", _versions(searched)],
        ["seed of data, supernet and search", config.seed],
        ["strategy", config.search.strategy],
        ["trials", f"{len(facts.trials)} finished of {facts.trials_wanted}"],
        ["trials ran", span],
        ["time spent on estimates", numbers.duration(seconds_of(facts.trials))],
        ["images at most attacked, per condition", config.score.attack_images],
        ["device of the search", searched["device"] or numbers.NONE],
        ["training images (digest)", _digest(known.get("bonas.data.train"))],
        ["validation conditions (digest)", _digest(known.get("bonas.conditions"))],
        ["supernet weights (SHA-256, first 16 digits)", _digest(supernet.get("sha256"))],
        ["device asked for", f"{config.device.name}, {config.device.precision.value}"],
    ]


def _versions(protocol: Mapping[str, Any]) -> str:
    said = [f"{name} {number}" for name, number in dict(protocol.get("versions") or {}).items()]
    return ", ".join(said) or numbers.NONE


def _images(facts: RunFacts) -> Markup:
    """Every split that was used, with its digest, as the search and the trainings name them."""
    told = [search_protocol(facts.attributes)]
    told += [dict(r.protocol) for r in (*facts.detectors, *facts.contest)]
    rows: list[list[object]] = []
    for protocol in told:
        for role, used in dict(protocol.get("data") or {}).items():
            row = [
                code(role),
                _digest(used["digest"]),
                *(used.get(name, numbers.NONE) for name in ("images", "forged", "originals")),
                _frames(used),
            ]
            if row not in rows:
                rows.append(row)
    if not rows:
        return Markup("")
    columns = ["split", "digest", "images", "forged", "originals", "frames per video"]
    caption = "Images used; after a slash the unseen type or data set"
    return table(caption, columns, rows, kind="words")


def _readings(facts: RunFacts) -> Markup:
    """How every data set was read, as the search and the trainings name them."""
    told = [search_protocol(facts.attributes)]
    told += [dict(r.protocol) for r in (*facts.detectors, *facts.contest)]
    rows: list[list[object]] = []
    prepared: dict[tuple[str, str], None] = {}
    drawn: dict[str, None] = {}
    for terms in (t for protocol in told for t in protocol.get("reading") or ()):
        row = [code(terms["name"]), *(_told(terms.get(term)) for term, _ in _READING)]
        if row not in rows:
            rows.append(row)
        if terms.get("prepared"):
            prepared[terms["name"], json.dumps(terms["prepared"], sort_keys=True)] = None
        if terms.get("drawn"):
            drawn[drawn_faces(terms["drawn"])] = None
    if not rows:
        return Markup("")
    columns = ["data set", *(column for _, column in _READING)]
    caption = f"How the data sets were read ({numbers.NONE}: the layout does not have it)"
    notes = [paragraph("Built-in faces: ", faces, ".") for faces in drawn]
    notes += [
        folded(f"Prepared with bonas prepare: {name}", element("pre", settings))
        for name, settings in prepared
    ]
    return join([table(caption, columns, rows, kind="words"), *notes])


def _told(value: object) -> object:
    return numbers.NONE if value is None else value


def _frames(used: Mapping[str, Any]) -> str:
    if "frames_per_video" not in used:
        return numbers.NONE
    frames = used["frames_per_video"]
    return "no videos" if frames is None else f"{frames[0]} to {frames[1]}"


def _recipes(records: Sequence[TrainedRecord]) -> Markup:
    """What trainings stood on, once per digest, and what they were computed with."""
    terms = {d["digest"]: d for r in records if "digest" in (d := dict(r.training))}
    if not terms:
        return Markup("")
    used = sorted({_versions(r.protocol) for r in records})
    text = "\n".join(json.dumps(found, sort_keys=True) for found in terms.values())
    note = paragraph("Trained and tested with ", join(used, "; "), ".")
    return folded("Training recipes", join([note, element("pre", text)]))


def _digest(value: object) -> object:
    return numbers.NONE if value is None else code(str(value)[:16])


def _trainings(records: Sequence[TrainedRecord], facts: RunFacts) -> Markup:
    if not records:
        return missing("No detector has been trained yet.", f"bonas train {facts.path}")
    rows = [
        [
            code(r.name),
            r.seed,
            r.steps,
            numbers.duration(r.seconds),
            r.protocol.get("device", numbers.NONE),
            r.protocol.get("image_size", numbers.NONE),
            r.protocol.get("version", numbers.NONE),
            _digest(r.protocol.get("training_data")),
            _digest(r.score.digest),
        ]
        for r in records
    ]
    columns = ["network", "seed", "steps", "time", "device", "pixels", "bonas"]
    columns += ["training images", "test conditions"]
    caption = "Trainings, with the digests of what they learned from and were tested on"
    return table(caption, columns, rows, kind="words")


def _files(facts: RunFacts) -> Markup:
    rows = [[code(name), code(digest)] for name, digest in facts.files.items()]
    body = table("SHA-256, first 16 digits", ["file of the run", "digest"], rows, kind="words")
    note = paragraph(
        "The page was made from these files alone, and changes none of them: the same files give "
        "the same page."
    )
    return folded("Files that this page was made from", join([note, body]))
