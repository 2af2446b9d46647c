"""Configuration: one frozen value, read at the edge (`bonas.config_file`), then taken apart."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bonas.data.augmentation_presets import PRESETS, Preset
from bonas.data.cross_blending import Blend
from bonas.data.layouts.records import OnBadImage
from bonas.device import Precision
from bonas.networks.costs import COSTS, STEP_TIME
from bonas.robustness.attacks import Attack
from bonas.robustness.corruptions import Corruption
from bonas.robustness.weights import ScoreWeights
from bonas.search_tables import GRADIENT, Count, GradientTable, SearchTable

Fraction = Annotated[float, Field(ge=0, le=1)]

PYRAMID = ("level_width", "stem", "localisation")
"""Settings of the spaces whose networks end in a pyramid."""

SPACES = ("forgery", "forgery_cascade", "nasbench201", "darts", "macro")
"""The spaces that come with the project."""

AUGMENTATION, PRESET = "augmentation", "preset"
"""The table that a preset's name may stand for, and the key of that name in it."""


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names key, value, rule and remedy."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpaceTable(_Table):
    """`[space]`: what can be built, and how wide its networks are.

    `width` is that of the first stage (half of it in `forgery`, `forgery_cascade` and `macro`).
    `level_width` of the pyramid's levels (64 unless given) and `stem`, how networks see pixels
    (full unless given), belong to the first two. So does `localisation`: above 0, networks have a
    second head that tells where an image was manipulated, and are trained on its loss times this
    weight beside the verdict's, wherever masks are known. `cells` is the number of cells: per stage
    in `nasbench201` (5 unless given), of the whole network in `darts` (8).

    `name` is one of `SPACES`, or says where the builder of a space of one's own is:
    `module:attribute` or `path/to/file.py:attribute`. Such a builder has no other setting.
    """

    name: str = "forgery"
    width: Annotated[int, Field(ge=4)] = 16
    level_width: Annotated[int, Field(ge=4)] | None = None
    stem: Literal["full", "folded"] | None = None
    localisation: Annotated[float, Field(ge=0)] | None = None
    cells: Annotated[int, Field(ge=1)] | None = None

    @field_validator("name")
    @classmethod
    def _known_or_own(cls, name: str) -> str:
        place, _, attribute = name.rpartition(":")
        if name not in SPACES and not (place and attribute.isidentifier()):
            near = difflib.get_close_matches(name, SPACES, n=1)
            raise ValueError(
                f"it must be one of {', '.join(SPACES)}, or a builder of your own as "
                f"module:attribute or file.py:attribute"
                + (f"; did you mean {near[0]!r}?" if near else "")
            )
        return name

    @property
    def own(self) -> bool:
        """Whether the space is one's own."""
        return self.name not in SPACES

    @model_validator(mode="after")
    def _settings_of_the_space(self) -> "SpaceTable":
        if self.own:
            for key, field in SpaceTable.model_fields.items():
                if key != "name" and getattr(self, key) != field.default:
                    raise ValueError(
                        f"{key} is no setting of {self.name!r}, whose builder decides; remove it"
                    )
            return self
        others = {
            "forgery": ("cells",),
            "forgery_cascade": ("cells",),
            "macro": ("cells", *PYRAMID),
        }
        for foreign in others.get(self.name, PYRAMID):
            if getattr(self, foreign) is not None:
                raise ValueError(f"{foreign} is no setting of the space {self.name!r}; remove it")
        if self.name == "darts" and self.cells is not None and self.cells < 3:
            raise ValueError(
                f"cells is {self.cells}; the space 'darts' needs 3, two of which reduce"
            )
        return self


class DataTable(_Table):
    """`[data]`: where the faces come from.

    The score's `unseen` group comes from `unseen`, forgery types that are held back from training,
    from `unseen_data`, further data sets whose val split is seen in selection, and from
    `pseudo_forgeries`, self-blended copies of the real faces. With `rotate`, every forgery type is
    held back in turn: as many supernets, and an architecture's score is the mean over them; what
    is found is trained on all types. With `real_only`, all training is on the real faces of the
    train split and self-blended copies of them: no forged image is needed there, self-blended
    copies are the score's `clean` group, and every type of forgery is `unseen`, as one that the
    train split lacks always is. `test` names data sets that are scored once, at the end, and
    select nothing. These further data sets may have any layout.

    `layout` names how the folder `path` is arranged; `auto` finds out (see `docs/data.md`). Of a
    video `frames_per_video` frames are read, evenly. `compression` chooses among the copies of
    FaceForensics++. `split_seed` decides splits that a data set does not bring along; it is not
    the seed of the run, so that the test split is the same for every run.
    """

    layout: Literal[
        "auto",
        "metadata.csv",
        "folders",
        "faceforensics",
        "dfdc",
        "dfdc-preview",
        "celeb-df",
        "deepfakebench",
        "synthetic",
    ] = "auto"
    path: Path | None = None
    compression: Literal["raw", "c23", "c40"] = "c23"
    frames_per_video: Count = 32
    split_seed: Annotated[int, Field(ge=0)] = 0
    size: Annotated[int, Field(ge=32, le=1024, multiple_of=2)] = 96
    on_bad_image: OnBadImage = OnBadImage.ERROR
    unseen: tuple[str, ...] = ()
    unseen_data: tuple[Path, ...] = ()
    pseudo_forgeries: bool = False
    rotate: bool = False
    real_only: bool = False
    test: tuple[Path, ...] = ()
    identities: Annotated[int, Field(ge=20)] = 600

    @model_validator(mode="after")
    def _path_where_needed(self) -> "DataTable":
        if self.layout != "synthetic" and self.path is None:
            raise ValueError(f"path is missing; the layout {self.layout!r} reads a folder")
        if self.rotate and self.unseen:
            raise ValueError(
                f"rotate holds back every forgery type in turn, unseen always {self.unseen[0]!r}; "
                "remove one of the two"
            )
        if self.layout == "synthetic" and self.path is not None:
            raise ValueError(f"path is {str(self.path)!r}, but synthetic faces are drawn, not read")
        return self


class AugmentationTable(_Table):
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


class TrainingTable(_Table):
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


class WeightsTable(_Table):
    """`[score.weights]`: of the groups, renormalised over those that the data allow."""

    clean: Annotated[float, Field(ge=0)] = 0.4
    unseen: Annotated[float, Field(ge=0)] = 0.3
    corruption: Annotated[float, Field(ge=0)] = 0.2
    attack: Annotated[float, Field(ge=0)] = 0.1

    @model_validator(mode="after")
    def _some_count(self) -> "WeightsTable":
        ScoreWeights(**self.model_dump())  # has the rule, but is made only after the training
        return self


class EffortTable(_Table):
    """`[score.attack_effort]`: iterations of each attack, and restarts of all of them.

    FGSM has neither. An iteration of `square` is a forward pass; one of `pgd` and `apgd` a forward
    and a backward pass.
    """

    pgd: Count = 20
    apgd: Count = 20
    square: Count = 200
    restarts: Count = 1


class ScoreTable(_Table):
    """`[score]`: the conditions and their weights.

    `attacks` maps fgsm, pgd, apgd and square to budgets in units of 1/255; those left out are not
    part of the score. At most `attack_images` images are attacked, of whole originals, both classes
    as equally as these allow.
    """

    corruptions: tuple[Corruption, ...] = (
        Corruption.JPEG,
        Corruption.BLUR,
        Corruption.NOISE,
        Corruption.RESIZE,
    )
    severities: tuple[Annotated[int, Field(ge=1, le=5)], ...] = (2, 4)
    attacks: dict[Attack, Annotated[float, Field(ge=0, le=255)]] = {Attack.FGSM: 1.0}
    attack_images: Annotated[int, Field(ge=4)] = 200  # two originals of each class
    attack_effort: EffortTable = EffortTable()
    weights: WeightsTable = WeightsTable()


class DeviceTable(_Table):
    """`[device]`: where networks run. Results repeat bit for bit for a fixed thread count."""

    name: str = "auto"
    precision: Precision = Precision.AUTO
    threads: Count | None = None


class Config(_Table):
    """All settings of a run."""

    seed: Annotated[int, Field(ge=0)] = 0
    space: SpaceTable = SpaceTable()
    data: DataTable = DataTable(layout="synthetic")
    search: SearchTable = SearchTable()
    supernet: SupernetTable = SupernetTable()
    gradient: GradientTable = GradientTable()
    training: TrainingTable = TrainingTable()
    score: ScoreTable = ScoreTable()
    device: DeviceTable = DeviceTable()

    @model_validator(mode="after")
    def _limits_of_known_costs(self) -> "Config":
        known = (*COSTS, STEP_TIME)
        for name in self.search.limits:
            # A builder of one's own may tell other costs; it is asked before data are read.
            if not self.space.own and name not in known:
                raise ValueError(f"search.limits names {name!r}; costs are {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _possible_by_gradient(self) -> "Config":
        strategy = self.search.strategy
        if strategy not in GRADIENT:
            return self
        if self.search.limits:
            raise ValueError(
                f"search.limits is set, but the strategy {strategy!r} cannot keep limits; remove "
                "them or choose a strategy that samples architectures"
            )
        if self.data.rotate:
            raise ValueError(
                f"data.rotate is set, but the strategy {strategy!r} trains one relaxed network on "
                "all training faces; remove it or choose another strategy"
            )
        if strategy == "pdarts" and self.gradient.order == 2:
            raise ValueError(
                "gradient.order is 2, but P-DARTS has gradients of the first order; remove it or "
                "choose the strategy 'darts'"
            )
        return self
