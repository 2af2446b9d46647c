"""The supernet of a run, trained where it is not there yet, and the estimator with its weights."""

from torch import nn

from bonas.assembly import Components
from bonas.checkpoint import load_weights, save_weights
from bonas.estimation.supernet import SupernetEstimator, calibration_faces, uniform_paths
from bonas.networks.builder import build_supernet
from bonas.run_folder import RunFolder
from bonas.training import Progress, train
from bonas.training_terms import TrainingTerms

TUNING_RATE = 4.0
"""By which the learning rate falls when shared weights are tuned to one architecture."""


def supernet_estimator(
    parts: Components, folder: RunFolder, progress: Progress | None = None
) -> SupernetEstimator:
    """The estimator with the run's supernet, trained first where it is not there yet.

    Training that was interrupted goes on from its checkpoint.

    Raises:
        ConfigError: the checkpoint is of a training on other data or settings.
    """
    supernet = build_supernet(parts.builder, seed=parts.config.seed).to(parts.device.device)
    if folder.supernet.is_file():
        load_weights(folder.supernet, supernet)
        supernet.eval()
    else:
        recipe, seed = parts.recipe(parts.config.supernet), parts.config.seed
        name = f"supernet of {parts.builder.space.name}"
        terms = TrainingTerms.of(name, parts.train, recipe, parts.device, seed=seed)
        train(
            supernet,
            uniform_paths(parts.builder.space, parts.allowed),
            parts.train,
            recipe,
            parts.device,
            seed=seed,
            checkpoint=terms.checkpoint(folder.supernet_checkpoint),
            progress=progress,
        )
        save_weights(folder.supernet, supernet, {"space": parts.builder.space.name})
        folder.supernet_checkpoint.unlink(missing_ok=True)
    return estimator_with(parts, supernet)


def estimator_with(parts: Components, supernet: nn.Module) -> SupernetEstimator:
    """The estimator with these shared weights, as the run's settings have it."""
    calibration = calibration_faces(
        parts.train, parts.config.supernet.calibration_images, seed=parts.config.seed
    )
    table = parts.config.supernet
    tuning = None
    if table.tuning_epochs:
        recipe = parts.recipe(
            table.model_copy(
                update={
                    "epochs": table.tuning_epochs,
                    "learning_rate": table.learning_rate / TUNING_RATE,
                }
            )
        )
        tuning = (recipe, parts.train)
    return SupernetEstimator(
        *(supernet, parts.builder, calibration, parts.validation()),
        tuning=tuning,
        times=parts.times,
    )
