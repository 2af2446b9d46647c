"""Bayesian-optimisation neural architecture search for robust deepfake detectors."""

from pathlib import Path

from bonas.packaging_check import check_sisters

check_sisters(Path(__file__).parent.parent)

from bonas.observation import Observation, Status  # noqa: E402
from bonas.saved_detector import load_detector  # noqa: E402
from bonas.search import Search  # noqa: E402
from bonas.strategies.sampler import SurrogateSampler  # noqa: E402
from bonas.study import Study  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "Observation",
    "Search",
    "Status",
    "Study",
    "SurrogateSampler",
    "__version__",
    "load_detector",
]
