"""Where the numbers come from: definitions, digests, versions, devices, seeds, times, settings."""

from collections.abc import Sequence
from typing import Any

import bonas
from bonas.config_file import dump_config
from bonas.detector_record import TrainedRecord
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
    config = facts.config
    return [
        ["bonas (search)", known.get("bonas.version", numbers.NONE)],
        ["bonas (this page)", bonas.__version__],
        ["versions of torch, Pillow and others", "not recorded in a run"],
        ["seed of data, supernet and search", config.seed],
        ["strategy", config.search.strategy],
        ["trials", f"{len(facts.trials)} finished of {config.search.trials}"],
        ["trials ran", span],
        ["time spent on estimates", numbers.duration(seconds_of(facts.trials))],
        ["training images (digest)", _digest(known.get("bonas.data.train"))],
        ["validation conditions (digest)", _digest(known.get("bonas.conditions"))],
        ["supernet weights (SHA-256, first 16 digits)", _digest(supernet.get("sha256"))],
        ["device asked for", f"{config.device.name}, {config.device.precision.value}"],
    ]


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
