"""A prepared data folder: its settings, the journal of what is done, and its tables.

    prepare.json     settings and versions of the crops: a folder holds crops of one kind
    prepare.jsonl    a line for every unit that is done, in the order of the data set
    faces/           the crops
    attributes.csv   that of the data set, where it has one and this folder had none
    metadata.csv     the layout that bonas reads; written last, when all is done
    landmarks.csv    where a detector gives them: path, then x and y of each in pixels of the crop

A line is written when its crops are. What a killed process has begun is done again by the next,
which writes the same bytes; a torn last line is cut off.
"""

import csv
import io
import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonas.data.errors import DataError
from bonas.data.layouts import metadata_csv
from bonas.data.layouts.records import PREPARED, Record
from bonas.data.preparation.cutting import Crop, Outcome, Reason, Skip, Unit
from bonas.data.preparation.detectors import LANDMARKS

SETTINGS = PREPARED
VERSIONS = "versions"
JOURNAL = "prepare.jsonl"
LANDMARKS_FILE = "landmarks.csv"
COLUMNS = (*metadata_csv.COLUMNS, "forgery", "video", "identity")
VERSION = 1
"""Of how crops are made of settings: raise it when that changes."""

_LOG = logging.getLogger(__name__)

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is done in a prepared data folder."""

    folder: Path

    @classmethod
    def open(
        cls, folder: Path, settings: Mapping[str, Value], tools: Mapping[str, str]
    ) -> "Ledger":
        """A new data folder, or one that was begun with the same settings.

        Args:
            folder: Of the crops.
            settings: All that they depend on.
            tools: Versions of what makes them, for a new folder to name.

        Raises:
            DataError: it was begun with others, or is not empty and no prepared folder.
        """
        file = folder / SETTINGS
        wanted = {"version": VERSION, **settings}
        if file.is_file():
            _check_same(file, wanted)
        elif folder.is_dir() and any(folder.iterdir()):
            raise DataError(
                f"DEST {str(folder)!r} is not empty and was not begun by `bonas prepare` (it has "
                f"no {SETTINGS}). Name a new folder."
            )
        elif folder.exists() and not folder.is_dir():
            raise DataError(f"DEST {str(folder)!r} is no folder. Name a new one.")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            _write_settings(file, {**wanted, VERSIONS: dict(tools)})
        return cls(folder)

    def require_tools(self, tools: Mapping[str, str], *, mixed: bool) -> None:
        """See to it that crops that are about to be made fit those that are there.

        Other versions of detector, decoder or Pillow find other boxes and make other pixels. What
        bonas itself changes stands in the settings' own version.

        Args:
            tools: Versions of what will make them.
            mixed: Whether any are there; unless so, the folder names the new versions.

        Raises:
            DataError: those were made with other versions.
        """
        file = self.folder / SETTINGS
        found = _settings(file)
        if not mixed:
            _write_settings(file, {**found, VERSIONS: dict(tools)})
            return
        made = found.get(VERSIONS)
        if not isinstance(made, dict):
            _LOG.warning("%s does not name the versions that its crops were made with", file)
            return
        for name, here in tools.items():
            there = made.get(name, here)  # what has made none of them does not matter
            if there == here:
                continue
            if name == "bonas":
                _LOG.warning("%s was begun with bonas %s, here it is %s", self.folder, there, here)
                continue
            raise DataError(
                f"{self.folder} was begun with {name} {there}, here it is {here}; other versions "
                f"make other crops, and a folder holds crops of one kind. Install {name} {there}, "
                "or name a new folder."
            )

    def done(self) -> dict[str, Outcome]:
        """By the state of its unit, what has been written and is still there."""
        file = self.folder / JOURNAL
        if not file.is_file():
            return {}
        content = file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with file.open("rb+") as torn:
                torn.truncate(len(whole))
        found: dict[str, Outcome] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                entry = json.loads(line)
                found[entry["state"]] = _outcome(entry)
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(
                    f"{file}, line {number} is damaged ({type(error).__name__}: {error}); delete "
                    "the line, and its crops are made again."
                ) from error
        return {
            state: outcome
            for state, outcome in found.items()
            if all((self.folder / crop.path).is_file() for crop in outcome.crops)
        }

    def add(self, unit: Unit, outcome: Outcome) -> None:
        """Note that a unit is done."""
        entry = {"unit": unit.places[0], "state": unit.state, **asdict(outcome)}
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def finish(self, rows: Iterable[tuple[Crop, Record]]) -> None:
        """Write the tables; until then the folder has no layout that is read."""
        table: list[Sequence[object]] = []
        points: list[Sequence[object]] = []
        for crop, record in rows:
            label = "FAKE" if record.label else "REAL"
            about = (record.original, record.split.value, record.forgery, record.video)
            table.append((crop.path, label, *about, ";".join(record.people)))
            if crop.landmarks:
                points.append((crop.path, *(value for point in crop.landmarks for value in point)))
        if points:
            columns = ("path", *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"))
            _replace(self.folder / LANDMARKS_FILE, _csv(columns, points))
        _replace(self.folder / metadata_csv.FILE, _csv(COLUMNS, table))

    def bring(self, table: Path) -> None:
        """Copy a table of the data set as it is; one that the folder has already stays."""
        here, content = self.folder / table.name, table.read_bytes()
        if not here.is_file():
            _replace(here, content)
        elif here.read_bytes() != content:
            _LOG.warning("%s is not that of the data set, %s, and was left as it is", here, table)


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is damaged ({error}). Name a new folder.") from error
    if not isinstance(found, dict):
        raise DataError(f"{file} is damaged: it is no object. Name a new folder.")
    return found


def _write_settings(file: Path, settings: Mapping[str, Any]) -> None:
    _replace(file, (json.dumps(settings, indent=2) + "\n").encode())


def _check_same(file: Path, wanted: Mapping[str, Value]) -> None:
    found = _settings(file)
    for name in dict.fromkeys((*wanted, *found)):
        if name == VERSIONS:
            continue
        if found.get(name) != wanted.get(name):
            raise DataError(
                f"{file.parent} was prepared with {name} = {found.get(name)!r}, here it is "
                f"{wanted.get(name)!r}; a folder holds crops of one kind. Restore the setting, or "
                "name a new folder."
            )


def _outcome(entry: Any) -> Outcome:
    return Outcome(
        tuple(
            Crop(c["path"], c["of"], tuple((x, y) for x, y in c["landmarks"]))
            for c in entry["crops"]
        ),
        tuple(Skip(s["of"], Reason(s["reason"]), s["detail"]) for s in entry["skips"]),
        entry["lost"],
    )


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _replace(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    made = file.with_name(f".{file.name}.tmp")
    with made.open("wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    os.replace(made, file)
