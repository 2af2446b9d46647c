"""Detects another distribution's `spaces` or `surrogates` in place of ours.

Both names are taken on the package index; installing such a distribution beside bonas overwrites
files of ours, and the first symptom would be an import error far from its cause.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

SISTERS = ("spaces", "surrogates")
DISTRIBUTION = "bonas"


def check_sisters(home: Path) -> None:
    """Raise unless `spaces` and `surrogates` are the packages that came with bonas.

    Args:
        home: The folder that holds the three packages.

    Raises:
        ImportError: another distribution owns one of the names, or the module found under it
            lies elsewhere; names the culprit and the remedy.
    """
    owners = packages_distributions()
    for name in SISTERS:
        spec = find_spec(name)
        origin = Path(spec.origin) if spec is not None and spec.origin is not None else None
        problem = shadowing(name, origin, home, owners)
        if problem is not None:
            raise ImportError(problem)


def shadowing(
    name: str, origin: Path | None, home: Path, owners: Mapping[str, Sequence[str]]
) -> str | None:
    """What is wrong with the package found under a name, or `None`."""
    others = sorted(set(owners.get(name, ())) - {DISTRIBUTION})
    remedy = (
        f"Install bonas in a clean virtual environment, or uninstall "
        f"{' and '.join(others) or 'what lies there'} and reinstall bonas."
    )
    if others:
        return (
            f"the package {name!r} that bonas needs is also provided by the distribution "
            f"{', '.join(map(repr, others))}, which overwrites it. {remedy}"
        )
    if origin is None:
        return f"the package {name!r} that comes with bonas was not found. Reinstall bonas."
    if origin.resolve().parent.parent != home.resolve():
        return (
            f"the package {name!r} that bonas needs is shadowed by {origin}; "
            f"expected it in {home}. {remedy}"
        )
    return None
