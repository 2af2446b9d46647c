"""Bayesian-optimisation neural architecture search for robust deepfake detectors.

What is exported is imported when it is first asked for: `bonas --version` and the processes that
cut faces need no torch.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonas.packaging_check import check_sisters

check_sisters(Path(__file__).parent.parent)

if TYPE_CHECKING:
    from bonas.earlier import warm_start
    from bonas.observation import Observation, Status
    from bonas.saved_detector import load_detector
    from bonas.search import Search
    from bonas.strategies.sampler import SurrogateSampler
    from bonas.study import Study

__version__ = "0.1.0"

__all__ = [
    "Observation",
    "Search",
    "Status",
    "Study",
    "SurrogateSampler",
    "__version__",
    "load_detector",
    "warm_start",
]

_HOMES = {
    "Observation": "bonas.observation",
    "Search": "bonas.search",
    "Status": "bonas.observation",
    "Study": "bonas.study",
    "SurrogateSampler": "bonas.strategies.sampler",
    "load_detector": "bonas.saved_detector",
    "warm_start": "bonas.earlier",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
