"""Configurations as TOML: read with settings on top, written, and compared."""

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from bonas.config import Config, ConfigError
from bonas.training_tables import AUGMENTATION, PRESET

PATHS = (
    ("data", "path"),
    ("data", "test"),
    ("data", "unseen_data"),
    ("search", "step_times"),
    ("search", "warm_start"),
)
"""Settings that are paths, relative to their file."""


def load_config(path: Path, settings: Iterable[str] = ()) -> Config:
    """The configuration in a TOML file with `key=value` settings on top.

    Relative paths in the file are relative to its folder, those in settings to the current one.

    Raises:
        ConfigError: no such file, no TOML, an unknown key or a value against its rule.
    """
    if not path.is_file():
        raise ConfigError(f"configuration file {str(path)!r} does not exist.")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    _resolve_paths(document, path.parent)
    overrides: dict[str, Any] = {}
    for setting in settings:
        _apply(overrides, setting)
    _resolve_paths(overrides, Path.cwd())
    return parse_config(_merged(document, overrides), str(path))


def parse_config(document: Mapping[str, Any], source: str) -> Config:
    """The configuration that a document states.

    Raises:
        ConfigError: as in `load_config`; the first few problems, one per line.
    """
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors()[:5]]
        raise ConfigError(f"{source}: " + "\n".join(problems)) from error


def dump_config(config: Config) -> str:
    """The configuration as TOML; `load_config` reads it back to an equal value."""
    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))


def differences(first: Config, second: Config) -> list[str]:
    """The keys whose values differ, as `key: first | second`."""
    a, b = _flat(first.model_dump(mode="json")), _flat(second.model_dump(mode="json"))
    return [f"{k}: {a.get(k)!r} | {b.get(k)!r}" for k in sorted(a | b) if a.get(k) != b.get(k)]


def _apply(document: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {setting!r} is not of the form key=value, such as seed=1.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *tables, last = key.strip().split(".")
    for table in tables:
        document = document.setdefault(table, {})
        if not isinstance(document, dict):
            raise ConfigError(f"--set {setting!r}: {table!r} is a value, not a table.")
    document[last] = value


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if key == AUGMENTATION:
            # A name stands for a table. One that comes later replaces what came before.
            old, value = ({PRESET: v} if isinstance(v, str) else v for v in (old, value))
            old = None if isinstance(value, Mapping) and PRESET in value else old
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _resolve_paths(document: dict[str, Any], base: Path) -> None:
    for name, key in PATHS:
        table = document.get(name)
        if not isinstance(table, dict):
            continue
        if isinstance(table.get(key), str):
            table[key] = str((base / table[key]).resolve())
        elif isinstance(table.get(key), list):
            table[key] = [str((base / str(p)).resolve()) for p in table[key]]
    space = document.get("space")
    if isinstance(space, dict) and isinstance(space.get("name"), str):
        place, colon, attribute = space["name"].rpartition(":")
        if place.endswith(".py"):
            space["name"] = f"{(base / place).resolve()}{colon}{attribute}"


def _problem(error: Any) -> str:
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {_hint(location)}"
    received = "" if isinstance(error["input"], dict) else f" is {error['input']!r}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "tuple_type":
        message = "it must be a list" + _as_list(error["input"])
    end = "" if message.endswith("?") else "."
    # What concerns several tables names its keys itself.
    place = f"{key}{received}: " if key else ""
    return f"{place}{message[0].lower()}{message[1:]}{end}"


def _hint(location: list[str]) -> str:
    """The keys that an unknown one may stand for: of its name in other tables, or nearly so."""
    *tables, last = location
    if places := _places(Config, last):
        return f"did you mean {' or '.join(map(repr, places))}?"
    known = _keys_of(Config, tables)
    near = difflib.get_close_matches(last, known, n=1, cutoff=0.4)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}."


def _places(table: type[BaseModel], name: str) -> list[str]:
    """Every key of a name in the tables of a table, with the tables that lead to it."""
    found = []
    for key in table.model_fields:
        inner = _table_of(table, key)
        if inner is not None:
            found += [f"{key}.{name}"] if name in inner.model_fields else []
            found += [f"{key}.{place}" for place in _places(inner, name)]
    return found


def _as_list(value: Any) -> str:
    """How a single value is written as a list."""
    return f", such as {json.dumps([value])}" if isinstance(value, str | int | float) else ""


def _keys_of(table: type[BaseModel], location: list[str]) -> list[str]:
    for part in location:
        inner = _table_of(table, part)
        if inner is None:
            return []
        table = inner
    return list(table.model_fields)


def _table_of(table: type[BaseModel], key: str) -> type[BaseModel] | None:
    field = table.model_fields.get(key)
    inner = field.annotation if field is not None else None
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            result |= _flat(value, f"{name}.")
        else:
            result[name] = value
    return result
