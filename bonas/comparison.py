"""Networks trained from scratch for equal time on equal data, and what each then scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL.PngImagePlugin import PngInfo
from torch import nn

from bonas.assembly import Components
from bonas.checkpoint import load_weights
from bonas.comparison_result import FOUND
from bonas.contributions import load_contributions, save_contributions
from bonas.data.faces import Split
from bonas.data.pseudo_forged import PSEUDO
from bonas.detector_calibration import calibrate
from bonas.detector_record import (
    COLUMNS,
    REGIONS,
    WEIGHTS,
    TrainedRecord,
    load_record,
    record_of,
    save_detector,
    save_record,
)
from bonas.estimation.evaluation import Evaluation, logits_of
from bonas.estimation.supernet import uniform_paths
from bonas.localisation import (
    mean_mask,
    predicted_regions,
    region_sheet,
    some_faces,
)
from bonas.networks.builder import build_network, seeded
from bonas.networks.detector import Detector, Localising
from bonas.networks.plain import PlainNetwork
from bonas.protocol import ResultProtocol, images_of
from bonas.region_quality import RegionQuality, region_quality
from bonas.step_time import PLAIN, Stopwatch
from bonas.trained_on import TrainedOn, Use, save_used
from bonas.training import Progress, Recipe, train
from bonas.training_terms import TrainingTerms
from spaces.architecture import Architecture
from spaces.graphs import canonical_key

CHECKPOINT = "training.checkpoint"


class Rival(StrEnum):
    """What a found architecture is compared with."""

    RANDOM = "random"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A network to be trained.

    Attributes:
        name: `found`, `random` or `plain`.
        architecture: Of a space, or `PLAIN`.
        seed: Of initialisation and training.
    """

    name: str
    architecture: Architecture
    seed: int

    @property
    def folder(self) -> str:
        """Name of its folder and in the plan."""
        return f"{self.name}-{self.seed}"

    def build(self, parts: Components) -> nn.Module:
        """The untrained network, on the device."""
        if self.architecture == PLAIN:
            return seeded(PlainNetwork, self.seed).to(parts.device.device)
        network = build_network(parts.builder, self.architecture, seed=self.seed)
        return network.to(parts.device.device)

    def terms(self, parts: Components, recipe: Recipe) -> TrainingTerms:
        """What its training stands on."""
        network = PLAIN.space
        if self.architecture != PLAIN:
            network = canonical_key(parts.builder.space.graph(self.architecture))
        return TrainingTerms.of(network, parts.train, recipe, parts.device, seed=self.seed)


def contestants(
    parts: Components, found: Architecture, rivals: Sequence[Rival], seeds: Sequence[int]
) -> list[Contestant]:
    """Per seed the found architecture and its rivals, the random one drawn with that seed.

    The random architecture keeps the search's limits too: it is what the search chose among.
    """
    draw = uniform_paths(parts.builder.space, parts.allowed)
    result = []
    for seed in seeds:
        rng = np.random.default_rng(np.random.SeedSequence([parts.config.seed, seed, 3]))
        result.append(Contestant(FOUND, found, seed))
        result += [
            Contestant(r.value, PLAIN if r is Rival.PLAIN else draw(rng), seed) for r in rivals
        ]
    return result


def steps_for_equal_time(
    parts: Components, recipe: Recipe, entrants: Sequence[Contestant]
) -> list[int]:
    """Steps by which each contestant trains as long as the first one does in `recipe.steps`."""
    networks = [(entrant.build(parts), entrant.architecture) for entrant in entrants]
    medians = Stopwatch(parts.train, recipe, parts.device).seconds(networks)
    return [max(1, round(recipe.steps * medians[0] / m)) for m in medians]


def run_contestant(
    parts: Components,
    evaluation: Evaluation,
    recipe: Recipe,
    entrant: Contestant,
    *,
    steps: int,
    folder: Path,
    progress: Progress | None = None,
) -> TrainedRecord:
    """Train one contestant, score it and keep it; what was done before is not done again.

    A detector that was tested under other conditions, or by a version that did not keep what each
    image contributed, is tested anew.

    Raises:
        ConfigError: it was trained before on other terms; names them and the remedy.
    """
    recipe = replace(recipe, steps=steps)
    terms = entrant.terms(parts, recipe)
    done = load_record(folder)
    if done is not None:
        terms.require(done.training, folder)
        if _is_tested(done, evaluation, folder):
            return done
    network = entrant.build(parts)
    if done is None:
        seconds = _train(parts, network, recipe, entrant, terms, folder, progress)
    else:
        load_weights(folder / WEIGHTS, network)
        seconds = done.seconds
    detector = Detector(network, entrant.architecture).eval()
    tested = evaluation.pairable(evaluation.predict(detector))
    record = record_of(
        entrant.name,
        detector,
        tested.score,
        evaluation,
        protocol=_protocol(parts, evaluation, terms),
        choices=entrant.architecture.choices,
        seconds=seconds,
        trained_on=_trained_on(parts, recipe),
    )
    record = replace(record, regions=_regions(parts, detector, folder))
    save_contributions(folder, tested)
    if done is None:
        _save(parts, folder, detector, entrant, record)
    else:
        save_record(folder, record)
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return record


def finished_record(
    parts: Components,
    evaluation: Evaluation,
    recipe: Recipe,
    entrant: Contestant,
    *,
    steps: int,
    folder: Path,
) -> TrainedRecord | None:
    """What `run_contestant` would give back at once; `None` where it had anything to do."""
    done = load_record(folder)
    if done is None or not _is_tested(done, evaluation, folder):
        return None
    terms = entrant.terms(parts, replace(recipe, steps=steps))
    return None if terms.differing(done.training) else done


def _is_tested(done: TrainedRecord, evaluation: Evaluation, folder: Path) -> bool:
    current = done.score.digest == evaluation.conditions.digest
    return current and load_contributions(folder, done.score) is not None


def _trained_on(parts: Components, recipe: Recipe) -> TrainedOn:
    """The data set's types, and blends where these take their places."""
    path = parts.config.data.path
    types = parts.train.forgeries if recipe.pseudo_forgeries < 1 else ()
    blends = (PSEUDO,) if recipe.pseudo_forgeries > 0 else ()
    return TrainedOn(
        parts.data.name,
        "" if path is None else str(path.resolve()),
        tuple(sorted({*types, *blends})),
    )


def _protocol(parts: Components, evaluation: Evaluation, terms: TrainingTerms) -> ResultProtocol:
    return ResultProtocol(
        seed=evaluation.protocol.seed,
        device=evaluation.device.describe(),
        data=images_of(parts.data),
        reading=parts.data.readings,
        conditions=evaluation.conditions,
        training=terms,
    )


def _train(
    parts: Components,
    network: nn.Module,
    recipe: Recipe,
    entrant: Contestant,
    terms: TrainingTerms,
    folder: Path,
    progress: Progress | None,
) -> float:
    """Train a network in place, from its checkpoint where there is one, and return the seconds."""
    return train(
        network,
        lambda rng: entrant.architecture,
        parts.train,
        recipe,
        parts.device,
        seed=entrant.seed,
        checkpoint=terms.checkpoint(folder / CHECKPOINT),
        progress=progress,
    )


def _save(
    parts: Components,
    folder: Path,
    detector: Detector,
    entrant: Contestant,
    record: TrainedRecord,
) -> None:
    """Keep a detector, calibrated on the validation faces."""
    val = parts.data.val
    save_used(folder, Use.TRAINED, [parts.train])
    # Rivals are what they are, whatever these images say.
    selecting = () if entrant.name in tuple(Rival) else (val, *parts.data.unseen_val.values())
    save_used(folder, Use.SELECTED, selecting)
    save_used(folder, Use.CALIBRATED, [val])
    logits = logits_of(detector, val.images.to(parts.device.device), parts.device)
    save_detector(
        folder,
        detector.network,
        entrant.architecture,
        record,
        space=parts.config.space,
        calibration=calibrate(
            logits,
            val,
            split=Split.VAL,
            device=parts.device.describe(),
            reading=parts.data.readings[:1],  # the others are test sets
        ),
    )


def _regions(parts: Components, detector: Detector, folder: Path) -> RegionQuality | None:
    """How well the detector finds test faces' regions, with a picture of some in its folder."""
    test = parts.data.test
    if test is None or not parts.config.space.localisation:
        return None
    if not isinstance(detector.network, Localising):
        return None
    some = some_faces(test)
    predicted = predicted_regions(detector.eval(), some.images, parts.device)
    folder.mkdir(parents=True, exist_ok=True)
    picture, names = region_sheet(predicted, some)
    description = PngInfo()
    description.add_text(COLUMNS, ",".join(names))
    picture.save(folder / REGIONS, pnginfo=description)
    return region_quality(predicted, some, prior=mean_mask(parts.train))
