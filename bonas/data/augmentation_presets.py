"""Named strengths of augmentation: settings of `bonas.data.augmentation.Augmentation`.

Stronger augmentation hides the traces that one forgery method leaves, which costs on forgeries that
were trained on and may gain on others. What it does is measured by
`benchmarks/augmentation_strength.py`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Preset(StrEnum):
    """How strong; `PRESETS` says what that means."""

    LIGHT = "light"
    MEDIUM = "medium"  # what is used where nothing is set
    STRONG = "strong"


PRESETS: Mapping[Preset, Mapping[str, float]] = MappingProxyType(
    {
        # Nothing that touches the pixels' noise: only whole moves and a little colour.
        Preset.LIGHT: {"flip": 0.5, "shift": 0.04, "colour": 0.1, "degrade": 0.0},
        Preset.MEDIUM: {"flip": 0.5, "shift": 0.08, "colour": 0.2, "degrade": 0.15},
        # Zoom and rotation resample every image, as platforms do.
        Preset.STRONG: {
            "flip": 0.5,
            "shift": 0.12,
            "zoom": 0.15,
            "rotation": 10.0,
            "colour": 0.4,
            "degrade": 0.5,
            "erase": 0.25,
        },
    }
)
"""What is not named is as by default, zero."""
