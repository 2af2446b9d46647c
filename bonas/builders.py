"""From `[space]` of a configuration to the builder of its networks: the project's, or one's own."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from bonas.config import ConfigError, SpaceTable
from bonas.networks.builder import (
    DartsBuilder,
    ForgeryBuilder,
    MacroBuilder,
    NASBench201Builder,
    NetworkBuilder,
)
from spaces.forgery import FORGERY, FORGERY_CASCADE, ForgerySpace
from spaces.space import SearchSpace


def _forgery_builder(table: SpaceTable, space: ForgerySpace) -> ForgeryBuilder:
    return ForgeryBuilder(
        table.width,
        table.level_width or 64,
        table.stem or "full",
        space,
        regions=bool(table.localisation),
    )


BUILDERS: dict[str, Callable[[SpaceTable], NetworkBuilder]] = {
    "forgery": lambda table: _forgery_builder(table, FORGERY),
    "forgery_cascade": lambda table: _forgery_builder(table, FORGERY_CASCADE),
    "nasbench201": lambda table: NASBench201Builder(table.width, table.cells or 5),
    "darts": lambda table: DartsBuilder(table.width, table.cells or 8),
    "macro": lambda table: MacroBuilder(table.width),
}


def builder_of(table: SpaceTable) -> NetworkBuilder:
    """The builder that `space.name` names; that of a space of one's own is imported, which runs it.

    Raises:
        ConfigError: the module is not there or cannot be imported, or what it holds under the name
            is no builder.
    """
    if not table.own:
        return BUILDERS[table.name](table)
    place, _, attribute = table.name.rpartition(":")
    try:
        module = _of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        found = getattr(module, attribute, None)
        if isinstance(found, type):
            found = found()
    except Exception as error:  # whatever the code of others raises
        raise ConfigError(
            f"space.name is {table.name!r}, which cannot be imported "
            f"({type(error).__name__}: {error}). Name a file, relative to the configuration, or a "
            "module that Python finds, and an object or a class without arguments in it."
        ) from error
    if found is None:
        names = [name for name in vars(module) if not name.startswith("_")]
        raise ConfigError(
            f"space.name is {table.name!r}, but {place!r} has no {attribute!r}; it has "
            f"{', '.join(names) or 'nothing'}."
        )
    if not isinstance(found, NetworkBuilder) or not isinstance(found.space, SearchSpace):
        raise ConfigError(
            f"space.name is {table.name!r}, but {attribute!r} is {found!r}; it must be a "
            "bonas.networks.builder.NetworkBuilder: it has build(options), and a space with name, "
            "decisions and graph(architecture)."
        )
    return found


def _of_file(path: Path) -> ModuleType:
    """The module in a file, executed once for each of its contents."""
    content = str(path).encode() + b"\0" + path.read_bytes()
    name = f"{path.stem}_{hashlib.sha256(content).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
