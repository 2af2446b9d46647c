"""From a configuration to the components of a run: the one place that takes it apart."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bonas.builders import builder_of
from bonas.config import Config, ConfigError
from bonas.data.augmentation import Augmentation
from bonas.data.batches import PairedBatches
from bonas.data.faces import DataError, Faces
from bonas.data.source import SearchData, load_search_data
from bonas.device import Device, choose_device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.supernet import uniform_paths
from bonas.networks.builder import NetworkBuilder, SupportsCosts
from bonas.networks.cost import STEP_TIME, Limits, OptionCosts
from bonas.networks.relaxation import relaxation_of
from bonas.run_folder import RunFolder
from bonas.score_protocol import protocol_of
from bonas.step_time import (
    OPTION_STEPS,
    OPTION_WARM_STEPS,
    Stopwatch,
    measure_step_times,
    read_step_times,
    write_step_times,
)
from bonas.strategies.named import GRADIENT_STRATEGIES, STRATEGIES
from bonas.training import Recipe
from bonas.training_tables import TrainingTable
from bonas.whole_files import write_whole
from spaces.architecture import Architecture

NO_TEST = (
    "the data have no split 'test', without which what a search finds cannot be tested. Assign "
    "images to it before you search; nothing is selected on them."
)

Counting = Callable[[str], Callable[[int, int], None]]
"""From the name of something long to what is told (done, in all) of it."""


@dataclass(frozen=True, slots=True)
class Components:
    """What every command that trains or scores needs.

    Attributes:
        config: Of the run.
        device: Where networks run.
        builder: Of the space's networks.
        data: By their use.
        train: The training faces, on the device.
        limits: Of `search.limits`; `None` where there are none.
        times: Costs with step times; `None` where these are not asked for.
    """

    config: Config
    device: Device
    builder: NetworkBuilder
    data: SearchData
    train: Faces
    limits: Limits | None
    times: OptionCosts | None = None

    @classmethod
    def of(
        cls, folder: RunFolder, counting: Counting | None = None, *, tested: bool = False
    ) -> "Components":
        """Read the data, choose the device, and measure step times where they are limited.

        Args:
            folder: Of the run; measured step times are kept in it.
            counting: Makes a told-to for what takes long, from its name.
            tested: Whether a test split is needed.

        Raises:
            ConfigError, DataError: as their loaders.
        """
        config = folder.config
        known = (*STRATEGIES, *GRADIENT_STRATEGIES)
        if config.search.strategy not in known:
            raise ConfigError(
                f"search.strategy is {config.search.strategy!r}; "
                f"it must be one of {', '.join(known)}."
            )
        try:
            device = choose_device(
                config.device.name, config.device.precision, config.device.threads
            )
        except (ValueError, RuntimeError) as error:
            raise ConfigError(str(error)) from error
        builder = builder_of(config.space)
        _check_relaxable(config, builder)
        limits = _limits(config, builder)
        counted = _counted(config, builder, limits)
        data = load_search_data(
            config.data,
            seed=config.seed,
            progress=counting("faces") if counting else None,
            regions=bool(config.space.localisation),
        )
        if tested and data.test is None:
            raise DataError(NO_TEST)
        _check_masks(config, data.train)
        parts = cls(config, device, builder, data, data.train.to(device.device), limits)
        try:
            if counted is not None:
                timed = _timed(parts, counted, folder, counting)
                parts = replace(parts, times=timed)
                if limits is not None:
                    parts = replace(parts, limits=Limits(timed, config.search.limits))
            if limits is not None:
                # Limits that nothing keeps are told before anything is trained.
                uniform_paths(builder.space, parts.allowed)(np.random.default_rng(config.seed))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return parts

    def recipe(self, table: TrainingTable) -> Recipe:
        """The training recipe of a table, its epochs turned into steps on these data."""
        try:
            batches = PairedBatches.of(self.train, table.batch_size, seed=0)
        except ValueError as error:
            raise DataError(str(error)) from error
        return Recipe(
            steps=table.epochs * batches.steps_per_epoch,
            batch_size=table.batch_size,
            learning_rate=table.learning_rate,
            weight_decay=table.weight_decay,
            label_smoothing=table.label_smoothing,
            pseudo_forgeries=1.0 if self.config.data.real_only else table.pseudo_forgeries,
            pseudo_forgery_kind=table.pseudo_forgery_kind,
            augmentation=Augmentation(**table.augmentation.model_dump()),
            localisation=self.config.space.localisation or 0.0,
        )

    def validation(self) -> Evaluation:
        """What selects: the validation split under every condition."""
        return Evaluation.of(self.data.val, self.data.unseen_val, self._protocol, self.device)

    def test(self) -> Evaluation:
        """What reports: the test split under every condition, and the further data sets.

        Raises:
            DataError: the data have no test split.
        """
        if self.data.test is None:
            raise DataError("the data have no split 'test', needed for the final test.")
        return Evaluation.of(self.data.test, self.data.unseen_test, self._protocol, self.device)

    @property
    def _protocol(self) -> Protocol:
        return protocol_of(self.config.score, seed=self.config.seed)

    @property
    def allowed(self) -> Callable[[Architecture], bool] | None:
        """Whether an architecture keeps `search.limits`; `None` where there are none."""
        return None if self.limits is None else self.limits.allow


def _check_relaxable(config: Config, builder: NetworkBuilder) -> None:
    """Raise where a search by gradient has no operations to choose from."""
    if config.search.strategy not in GRADIENT_STRATEGIES:
        return
    try:
        relaxation_of(builder)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _check_masks(config: Config, train: Faces) -> None:
    """Raise where a head for regions would have nothing to learn from."""
    blended = config.data.real_only or config.training.pseudo_forgeries > 0
    if not config.space.localisation or train.regions is None or blended:
        return
    if not bool((train.regions.known & (train.labels == 1)).any()):
        raise ConfigError(
            f"space.localisation is {config.space.localisation}, but no forged training image has "
            "a mask. Name masks in the data (docs/data.md), or set training.pseudo_forgeries, "
            "whose masks are known."
        )


def _counted(config: Config, builder: NetworkBuilder, limits: Limits | None) -> OptionCosts | None:
    """The costs to which step times are added; `None` where these are not asked for.

    Raises:
        ConfigError: the space cannot add them up.
    """
    table = config.search
    if not table.times_steps:
        return None
    if limits is not None and isinstance(limits.costs, OptionCosts):
        return limits.costs
    try:
        if not isinstance(builder, SupportsCosts):
            return OptionCosts.count(builder, config.data.size)
    except ValueError:
        pass
    key = "minimise" if STEP_TIME in table.minimise else "cost"
    place = f"limits.{STEP_TIME}" if STEP_TIME in table.limits else f"{key} = {STEP_TIME}"
    raise ConfigError(
        f"search.{place} is not available in the space {builder.space.name!r}, where a "
        "decision's time depends on others; take activations instead."
    )


def _limits(config: Config, builder: NetworkBuilder) -> Limits | None:
    """The limits of what is counted; those of measured costs need the data."""
    limits = config.search.limits
    if not limits:
        return None
    try:
        counted = {name: most for name, most in limits.items() if name != STEP_TIME}
        if not isinstance(builder, SupportsCosts):
            return Limits(OptionCosts.count(builder, config.data.size), counted)
        return Limits(builder.costs(config.data.size), counted)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _timed(
    parts: Components, costs: OptionCosts, folder: RunFolder, counting: Counting | None
) -> OptionCosts:
    """The costs with step times: the run's, the configured ones, or new ones; then the run's."""
    given = parts.config.search.step_times
    recipe = parts.recipe(parts.config.training)
    if not folder.step_times.is_file():
        if given is not None:
            read_step_times(given, costs, recipe.batch_size)
            write_whole(folder.step_times, given.read_text(encoding="utf-8"))
        else:
            stopwatch = Stopwatch(
                parts.train,
                recipe,
                parts.device,
                steps=OPTION_STEPS,
                warm=OPTION_WARM_STEPS,
            )
            progress = counting("time of each option") if counting else None
            timed = measure_step_times(parts.builder, costs, stopwatch, progress)
            write_step_times(folder.step_times, timed, parts.device, recipe.batch_size)
    # Also after measuring: the table rounds, and a continued run must see the same numbers.
    return read_step_times(folder.step_times, costs)
