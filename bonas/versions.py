"""The versions of what numbers are computed with."""

import contextlib
import platform
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTIONS = ("torch", "numpy", "scipy", "pillow", "kornia", "optuna", "gpytorch", "botorch")
"""What a number may change with besides bonas itself."""
DECODERS = ("av", "opencv-python-headless", "opencv-python")
"""Distributions on which the pixels of videos and of cut faces hang; none is needed."""


def versions(*, decoders: bool = True) -> dict[str, str]:
    """Versions of Python and of the distributions that numbers may change with.

    Args:
        decoders: Whether also of what reads videos and cuts faces, where it is installed.
    """
    found = {"python": platform.python_version()} | {n: version(n) for n in DISTRIBUTIONS}
    for name in DECODERS if decoders else ():
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
