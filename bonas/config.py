"""Configuration: one frozen value, read at the edge (`bonas.config_file`), then taken apart."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bonas.config_table import Count, Table
from bonas.data.layouts.records import OnBadImage
from bonas.device import Precision
from bonas.networks.costs import COSTS, STEP_TIME
from bonas.robustness.attacks import Attack
from bonas.robustness.corruptions import Corruption
from bonas.robustness.weights import ScoreWeights
from bonas.search_tables import GRADIENT, GradientTable, SearchTable
from bonas.training_tables import SupernetTable, TrainingTable

PYRAMID = ("level_width", "stem", "localisation")
"""Settings of the spaces whose networks end in a pyramid."""

SPACES = ("forgery", "forgery_cascade", "nasbench201", "darts", "macro")
"""The spaces that come with the project."""


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names key, value, rule and remedy."""


class SpaceTable(Table):
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


class DataTable(Table):
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


class WeightsTable(Table):
    """`[score.weights]`: of the groups, renormalised over those that the data allow."""

    clean: Annotated[float, Field(ge=0)] = 0.4
    unseen: Annotated[float, Field(ge=0)] = 0.3
    corruption: Annotated[float, Field(ge=0)] = 0.2
    attack: Annotated[float, Field(ge=0)] = 0.1

    @model_validator(mode="after")
    def _some_count(self) -> "WeightsTable":
        ScoreWeights(**self.model_dump())  # has the rule, but is made only after the training
        return self


class EffortTable(Table):
    """`[score.attack_effort]`: iterations of each attack, and restarts of all of them.

    FGSM has neither. An iteration of `square` is a forward pass; one of `pgd` and `apgd` a forward
    and a backward pass.
    """

    pgd: Count = 20
    apgd: Count = 20
    square: Count = 200
    restarts: Count = 1


class ScoreTable(Table):
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
    attacks: dict[Attack, Annotated[float, Field(ge=0, le=255)]] = Field(
        default_factory=lambda: {Attack.FGSM: 1.0}
    )
    attack_images: Annotated[int, Field(ge=4)] = 200  # two originals of each class
    attack_effort: EffortTable = EffortTable()
    weights: WeightsTable = WeightsTable()


class DeviceTable(Table):
    """`[device]`: where networks run. Results repeat bit for bit for a fixed thread count."""

    name: str = "auto"
    precision: Precision = Precision.AUTO
    threads: Count | None = None


class Config(Table):
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
