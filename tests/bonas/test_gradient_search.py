"""What a search by gradient takes from a run's configuration."""

from pathlib import Path
from typing import Any

import pytest

from bonas import gradient_search
from bonas.assembly import Components
from bonas.config_file import parse_config
from bonas.data.augmentation import Augmentation
from bonas.data.augmentation_presets import PRESETS, Preset
from bonas.data.cross_blending import Blend
from bonas.run_folder import RunFolder
from bonas.strategies.gradient import GradientRecipe

SETTINGS: dict[str, Any] = {
    "space": {"width": 4, "level_width": 8},
    "data": {"layout": "synthetic", "identities": 40, "size": 32},
    "search": {"strategy": "darts"},
    "supernet": {"augmentation": "strong", "pseudo_forgery_kind": "cross", "batch_size": 1000},
    "gradient": {"batch_size": 4},
    "device": {"name": "cpu", "threads": 1},
}


class Begun(Exception):
    pass


def recipe_of(monkeypatch: pytest.MonkeyPatch, place: Path, **changed: Any) -> GradientRecipe:
    found: list[GradientRecipe] = []

    def begin(network: object, one: object, other: object, recipe: GradientRecipe, *_: object,
              **__: object) -> None:  # fmt: skip
        found.append(recipe)
        raise Begun

    monkeypatch.setattr(gradient_search, "train_relaxed", begin)
    settings = SETTINGS | {name: SETTINGS[name] | own for name, own in changed.items()}
    folder = RunFolder.create(place, parse_config(settings, "test"))
    with pytest.raises(Begun):
        gradient_search.gradient_search(Components.of(folder), folder)
    return found[0]


def test_images_are_changed_as_those_of_a_supernet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = recipe_of(monkeypatch, tmp_path, supernet={"pseudo_forgeries": 0.3})
    assert found.augmentation == Augmentation(**PRESETS[Preset.STRONG])
    assert (found.pseudo_forgeries, found.pseudo_forgery_kind) == (0.3, Blend.CROSS)
    assert found.batch_size == 4


def test_real_faces_alone_are_told_from_blended_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recipe_of(monkeypatch, tmp_path, data={"real_only": True}).pseudo_forgeries == 1.0
