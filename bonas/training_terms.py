"""TrainingTerms: everything that trained weights stand on, and what it takes to be the same."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonas.checkpoint import Checkpoint, terms_of
from bonas.config import ConfigError
from bonas.data.column_digest import column_digest
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.training import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTerms:
    """What decides the weights that a training ends with, up to rounding.

    Attributes:
        network: What is trained: a canonical key, or what a supernet is of.
        data: Digest of the training images.
        seed: Of initialisation and training.
        precision: Of the arithmetic.
        recipe: Steps and settings.
        hulls: Digest of the faces' outlines; `None` where there are none or nothing is blended.
        regions: Digest of the manipulated regions; `None` where there are none or none is learnt.
    """

    network: str
    data: str
    seed: int
    precision: str
    recipe: Mapping[str, Any]
    hulls: str | None = None
    regions: str | None = None

    @classmethod
    def of(
        cls, network: str, faces: Faces, recipe: Recipe, device: Device, *, seed: int
    ) -> "TrainingTerms":
        """The terms of a training that is about to begin."""
        precision = "bfloat16" if device.autocast else "float32"
        settings: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
        hulls = faces.hulls if recipe.pseudo_forgeries else None
        regions = faces.regions if recipe.localisation else None
        return cls(
            network=network,
            data=faces.digest(),
            seed=seed,
            precision=precision,
            recipe=settings,
            hulls=None if hulls is None else column_digest(hulls),
            regions=None if regions is None else regions.digest(),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all of them, the first sixteen hexadecimal digits."""
        text = json.dumps(_flat(asdict(self)), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """All of them with their digest."""
        return asdict(self) | {"digest": self.digest}

    def checkpoint(self, path: Path) -> Checkpoint:
        """Where a training on these terms keeps its state.

        Raises:
            ConfigError: the state of a training on others lies there.
        """
        if path.is_file():
            self.require(terms_of(path), path)
        return Checkpoint(path, self.to_json())

    def differing(self, known: Mapping[str, Any]) -> list[str]:
        """What differs from terms that were written down, as `name: there | here`.

        Args:
            known: What `to_json` wrote, or a part of it; only what it holds is compared.
        """
        there, here = _flat(dict(known)), _flat(asdict(self))
        there.pop("digest", None)
        names = [k for k in sorted(there) if there[k] != here.get(k)]
        return [f"{k}: {there[k]!r} | {here.get(k)!r}" for k in names]

    def require(self, known: Mapping[str, Any], place: Path) -> None:
        """Pass terms that were written down where they are these.

        Args:
            known: As in `differing`.
            place: The file or folder that stands on them.

        Raises:
            ConfigError: they are others; names those that differ and the remedy.
        """
        differing = self.differing(known)
        if differing:
            raise ConfigError(
                f"{place} holds a training on other terms (there | here): {'; '.join(differing)}. "
                "Restore these, or remove or rename it to train again."
            )


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in document.items():
        nested = isinstance(value, Mapping)
        found |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return found
