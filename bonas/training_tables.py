"""The tables `[supernet]` and `[training]` of a configuration: how networks are trained."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from bonas.config_table import Count, Fraction, Table
from bonas.data.augmentation_presets import PRESETS, Preset
from bonas.data.cross_blending import Blend

AUGMENTATION, PRESET = "augmentation", "preset"
"""The table that a preset's name may stand for, and the key of that name in it."""


class AugmentationTable(Table):
    """Random changes of training images; see `bonas.data.augmentation.Augmentation`.

    `training.augmentation = "strong"`, or `preset = "strong"` in the table, stands for the settings
    of a preset, `light`, `medium` (the default) or `strong`; those beside it override them. A run
    folder keeps what came of it.
    """

    flip: Fraction = 0.5
    shift: Fraction = 0.08
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    colour: Fraction = 0.2
    degrade: Fraction = 0.15
    erase: Fraction = 0.0

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        given = {PRESET: given} if isinstance(given, str) else given
        if not isinstance(given, Mapping) or PRESET not in given:
            return given
        if given[PRESET] not in tuple(Preset):
            raise ValueError(f"preset is {given[PRESET]!r}; it must be one of {', '.join(Preset)}")
        own = {key: value for key, value in given.items() if key != PRESET}
        return {**PRESETS[Preset(given[PRESET])], **own}


class TrainingTable(Table):
    """`[supernet]` and `[training]`: how networks are trained; see `bonas.training.Recipe`.

    `pseudo_forgeries` is the share of the forged images that blended copies of real ones stand in
    for; at 1 no forged image is seen. `pseudo_forgery_kind` says what these copies, also those of
    `data.real_only`, are blended with: themselves, the face of another original, or either.
    """

    epochs: Count = 30
    batch_size: Annotated[int, Field(ge=2, multiple_of=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 4e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    pseudo_forgeries: Fraction = 0.0
    pseudo_forgery_kind: Blend = Blend.SELF
    augmentation: AugmentationTable = AugmentationTable()

    @model_validator(mode="after")
    def _another_original_in_a_batch(self) -> "TrainingTable":
        if self.pseudo_forgery_kind is not Blend.SELF and self.batch_size < 4:
            raise ValueError(
                f"pseudo_forgery_kind is {self.pseudo_forgery_kind.value!r}, but a batch of "
                f"{self.batch_size} has one real face and no other to blend it with; use a "
                "batch_size of 4 or more, or 'self'"
            )
        return self


class SupernetTable(TrainingTable):
    """`[supernet]`: training of the shared weights, and how architectures are scored with them.

    Batch-norm statistics are re-estimated on `calibration_images`. With `tuning_epochs` above 0 an
    architecture's copy of the weights is first trained alone for so long, at a quarter of the
    learning rate: dearer estimates that rank architectures better.
    """

    calibration_images: Annotated[int, Field(ge=64)] = 256
    tuning_epochs: Annotated[int, Field(ge=0)] = 0
