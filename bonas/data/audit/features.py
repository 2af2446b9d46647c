"""Features: the numbers and properties of a picture that an audit tries as detectors."""

from collections.abc import Callable
from dataclasses import dataclass

from bonas.data.audit.measures import BANDS, Measures

Number = Callable[[Measures], float]
Category = Callable[[Measures], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """Features that one finding reports together.

    Attributes:
        name: Of the finding.
        container: Whether they belong to the file rather than to the picture.
        numbers: Of a picture by name; NaN where it has none.
        categories: Of a picture by name; empty where it has none.
        meaning: What a detector of this kind means and what to do about it.
    """

    name: str
    container: bool
    numbers: dict[str, Number]
    categories: dict[str, Category]
    meaning: str


_BAND_NAMES = ("lowest", "low", "middle", "high", "highest")
assert len(_BAND_NAMES) == len(BANDS) + 1


def _share(band: int) -> Number:
    return lambda m: m.bands[band]


_ENCODE_ALIKE = "Save real and forged pictures again with one encoder and one setting."
_RESIZE_ALIKE = "Cut and resize real and forged pictures by one procedure."
_PICTURE = (
    "Look where it comes from: if from cameras or processing, not from the forgery, repair it."
)

KINDS = (
    Kind("file size", True, {"bytes": lambda m: m.file_bytes}, {}, _ENCODE_ALIKE),
    Kind(
        "bytes per pixel",
        True,
        {"bytes per pixel": lambda m: m.pixel_bytes},
        {},
        _ENCODE_ALIKE,
    ),
    Kind(
        "JPEG tables",
        True,
        {"estimated quality": lambda m: m.quality},
        {"tables": lambda m: m.tables},
        f"{_ENCODE_ALIKE} Traces of an earlier compression remain, so compress all of them.",
    ),
    Kind(
        "file format",
        True,
        {},
        {"format": lambda m: m.kind, "extension": lambda m: m.suffix},
        _ENCODE_ALIKE,
    ),
    Kind(
        "dimensions",
        True,
        {
            "width": lambda m: m.width,
            "height": lambda m: m.height,
            "aspect ratio": lambda m: m.width / m.height,
        },
        {"dimensions": lambda m: f"{m.width} x {m.height}"},
        _RESIZE_ALIKE,
    ),
    Kind(
        "orientation",
        True,
        {},
        {"EXIF orientation": lambda m: m.orientation},
        "Pictures are read upright, but a stored turn names the camera. Save all of them upright.",
    ),
    Kind(
        "mean colour",
        False,
        {
            "mean red": lambda m: m.colour[0],
            "mean green": lambda m: m.colour[1],
            "mean blue": lambda m: m.colour[2],
        },
        {},
        _PICTURE,
    ),
    Kind("brightness", False, {"mean luma": lambda m: m.brightness}, {}, _PICTURE),
    Kind("contrast", False, {"deviation of luma": lambda m: m.contrast}, {}, _PICTURE),
    Kind(
        "power spectrum",
        False,
        {f"share of the {name} frequencies": _share(i) for i, name in enumerate(_BAND_NAMES)},
        {},
        "Forgeries do leave traces in the spectrum, so this may be honest; but blur, noise and "
        "compression leave them too. Check that real and forged pictures were processed alike.",
    ),
)
