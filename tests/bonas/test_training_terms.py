"""A training is the same only on the same terms: finished ones and interrupted ones."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

import bonas.training
from bonas.assembly import Components
from bonas.comparison import CHECKPOINT, Contestant, run_contestant
from bonas.config import ConfigError
from bonas.config_file import parse_config
from bonas.contributions import CONTRIBUTIONS
from bonas.data.faces import Faces
from bonas.data.hulls import POINTS
from bonas.data.regions import Regions
from bonas.detector_record import METRICS, WEIGHTS, load_record
from bonas.device import Device
from bonas.run_folder import RunFolder
from bonas.step_time import PLAIN
from bonas.supernet_training import supernet_estimator
from bonas.trained_on import TrainedOn, Use, count_used
from bonas.training import Recipe
from bonas.training_terms import TrainingTerms
from tests.conftest import striped_faces

RECIPE = Recipe(steps=4, batch_size=4)
SETTINGS = {
    "space": {"width": 4, "level_width": 8},
    "data": {"layout": "synthetic", "identities": 40, "size": 32},
    "score": {"corruptions": ["noise"], "severities": [2], "attacks": {}},
    "supernet": {"epochs": 1, "batch_size": 4},
    "device": {"name": "cpu", "threads": 1},
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Components:
    config = parse_config(SETTINGS, "test")
    return Components.of(RunFolder.create(tmp_path_factory.mktemp("terms") / "run", config))


def contest(
    parts: Components,
    folder: Path,
    recipe: Recipe = RECIPE,
    progress: Callable[[int, float], None] | None = None,
) -> float:
    """The score of the plain network."""
    record = run_contestant(
        parts, parts.test(), recipe, Contestant("plain", PLAIN, 0),
        steps=recipe.steps, folder=folder, progress=progress,
    )  # fmt: skip
    return record.score.value


def test_every_term_is_in_the_digest(cpu: Device) -> None:
    faces = striped_faces(4)

    def digest(
        recipe: Recipe = RECIPE,
        network: str = "a",
        faces: Faces = faces,
        seed: int = 0,
        device: Device = cpu,
    ) -> str:
        return TrainingTerms.of(network, faces, recipe, device, seed=seed).digest

    others = [
        digest(replace(RECIPE, learning_rate=1e-9)),
        digest(replace(RECIPE, augmentation=replace(RECIPE.augmentation, flip=0.0))),
        digest(network="b"),
        digest(faces=striped_faces(4, seed=1)),
        digest(seed=1),
        digest(device=Device(torch.device("cpu"), autocast=True)),
    ]
    assert digest() == digest()
    assert len({digest(), *others}) == 7


HULLS = torch.full((8, POINTS, 2), 0.5)
REGIONS = Regions.none(striped_faces(4).images, known=True)


@pytest.mark.parametrize(
    ("column", "recipe", "term"),
    [
        ({"videos": tuple("aabbccdd")}, RECIPE, "data"),
        ({"hulls": HULLS}, replace(RECIPE, pseudo_forgeries=0.5), "hulls"),
        ({"regions": REGIONS}, replace(RECIPE, localisation=0.5), "regions"),
    ],
)
def test_a_column_that_the_recipe_uses_makes_another_training(
    column: dict[str, Any], recipe: Recipe, term: str, cpu: Device, tmp_path: Path
) -> None:
    faces = striped_faces(4)
    terms, others = (
        TrainingTerms.of("a", f, recipe, cpu, seed=0) for f in (faces, replace(faces, **column))
    )
    assert terms.digest != others.digest
    with pytest.raises(ConfigError, match=rf"on other terms \(there \| here\): {term}: "):
        others.require(terms.to_json(), tmp_path)


def test_outlines_and_regions_that_the_recipe_does_not_use_change_nothing(cpu: Device) -> None:
    faces = striped_faces(4)
    more = replace(faces, hulls=HULLS, regions=REGIONS)
    terms, same = (TrainingTerms.of("a", f, RECIPE, cpu, seed=0) for f in (faces, more))
    assert terms == same


def test_what_lies_below_an_unknown_region_changes_nothing(cpu: Device) -> None:
    faces, recipe = striped_faces(4), replace(RECIPE, localisation=0.5)
    known = torch.arange(8) < 4

    def digest(masks: torch.Tensor) -> str:
        return TrainingTerms.of(
            "a", replace(faces, regions=Regions(masks, known)), recipe, cpu, seed=0
        ).digest

    masks = torch.zeros_like(faces.images[:, 0])
    below, above = masks.clone(), masks.clone()
    below[4:], above[:4] = 9, 9
    assert digest(masks) == digest(below)
    assert digest(masks) != digest(above)


def test_a_finished_training_is_read_back_and_never_for_another_one(
    parts: Components, tmp_path: Path
) -> None:
    first = contest(parts, tmp_path)
    weights = (tmp_path / WEIGHTS).read_bytes()
    with safe_open(tmp_path / WEIGHTS, framework="pt") as file:
        kept = file.metadata()["training"]
    assert kept == json.loads((tmp_path / METRICS).read_text())["protocol"]["training"]["digest"]
    assert contest(parts, tmp_path) == first
    assert (tmp_path / WEIGHTS).read_bytes() == weights
    message = r"on other terms \(there \| here\): recipe.learning_rate: 0.004 \| 1e-09"
    with pytest.raises(ConfigError, match=message):
        contest(parts, tmp_path, replace(RECIPE, learning_rate=1e-9))


@pytest.mark.parametrize(
    ("share", "types"), [(0.0, ()), (0.5, ("self-blended",)), (1.0, ("self-blended",))]
)
def test_a_detector_keeps_which_types_it_was_trained_on(
    parts: Components, tmp_path: Path, share: float, types: tuple[str, ...]
) -> None:
    contest(parts, tmp_path, replace(RECIPE, pseudo_forgeries=share))
    record = load_record(tmp_path)
    assert record is not None
    kept = parts.train.forgeries if share < 1 else ()
    assert record.trained_on == TrainedOn("synthetic", "", tuple(sorted({*kept, *types})))


def test_a_detector_keeps_what_selected_and_calibrated_it(
    parts: Components, tmp_path: Path
) -> None:
    contest(parts, tmp_path / "plain")
    run_contestant(
        parts, parts.test(), RECIPE, Contestant("found", PLAIN, 0),
        steps=4, folder=tmp_path / "found",
    )  # fmt: skip
    val = parts.data.val
    for name, selected in (("plain", 0), ("found", len(val))):
        assert count_used(tmp_path / name, val, Use.SELECTED) == selected
        assert count_used(tmp_path / name, val, Use.CALIBRATED) == len(val)
        assert count_used(tmp_path / name, val, Use.TRAINED) == 0


def test_records_of_earlier_versions_are_compared_by_what_they_say(
    parts: Components, tmp_path: Path
) -> None:
    first = contest(parts, tmp_path)
    file = tmp_path / METRICS
    document = json.loads(file.read_text())
    del document["protocol"]["training"]
    file.write_text(json.dumps(document))
    assert contest(parts, tmp_path) == first
    with pytest.raises(ConfigError, match=r"recipe.steps: 4 \| 5"):
        contest(parts, tmp_path, replace(RECIPE, steps=5))


def test_an_interrupted_training_goes_on_with_its_own_settings_only(
    parts: Components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bonas.training, "CHECKPOINT_EVERY", 2)

    def die(step: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        contest(parts, tmp_path / "cut", progress=die)
    with pytest.raises(ConfigError, match=f"{CHECKPOINT} holds a training on other terms"):
        contest(parts, tmp_path / "cut", replace(RECIPE, label_smoothing=0.2))
    assert contest(parts, tmp_path / "cut") == contest(parts, tmp_path / "whole")


def test_a_detector_is_tested_anew_under_other_conditions_and_not_trained_again(
    parts: Components, tmp_path: Path
) -> None:
    contest(parts, tmp_path)
    before = (tmp_path / WEIGHTS).read_bytes()
    score = parts.config.score.model_copy(update={"severities": (5,)})
    other = replace(parts, config=parts.config.model_copy(update={"score": score}))

    def train(step: int, loss: float) -> None:
        raise AssertionError("trained again")

    found = run_contestant(
        other, other.test(), RECIPE, Contestant("plain", PLAIN, 0),
        steps=4, folder=tmp_path, progress=train,
    )  # fmt: skip
    assert found.score.digest == other.test().conditions.digest
    assert (tmp_path / WEIGHTS).read_bytes() == before


def test_a_detector_without_contributions_is_tested_anew_and_not_trained_again(
    parts: Components, tmp_path: Path
) -> None:
    first = contest(parts, tmp_path)
    kept, before = (tmp_path / CONTRIBUTIONS).read_bytes(), (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / CONTRIBUTIONS).unlink()  # as an earlier version left it
    assert contest(parts, tmp_path) == first
    assert (tmp_path / CONTRIBUTIONS).read_bytes() == kept
    assert (tmp_path / WEIGHTS).read_bytes() == before


def test_an_interrupted_supernet_does_not_go_on_with_other_images(
    parts: Components, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bonas.training, "CHECKPOINT_EVERY", 2)
    folder = RunFolder.create(tmp_path / "run", parts.config)

    def die(step: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        supernet_estimator(parts, folder, die)
    fewer = replace(parts, train=parts.train.select(range(len(parts.train) - 2)))
    with pytest.raises(ConfigError, match=r"supernet\.checkpoint holds a training on other terms"):
        supernet_estimator(fewer, folder)
