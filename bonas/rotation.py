"""A run's components with one type of forgery held back, for every type in turn."""

from collections.abc import Callable
from dataclasses import replace

from bonas.assembly import Components
from bonas.data.faces import DataError
from bonas.data.source import check_scorable
from bonas.data.unseen import condition_name
from bonas.estimation.evaluation import conditions_of
from bonas.estimation.rotation import RotatedEstimator, digest_of_folds
from bonas.run_folder import RunFolder
from bonas.score_protocol import protocol_of
from bonas.supernet_training import supernet_estimator
from bonas.training import Progress


def folds(parts: Components) -> dict[str, Components]:
    """The components of each fold, by the condition that is unseen in it.

    Other conditions of the score's unseen group, such as pseudo-forgeries, stay in every fold.

    Raises:
        DataError: fewer than two types to rotate, or validation faces on which a fold cannot be
            scored.
    """
    types = parts.train.forgeries
    if len(types) < 2:
        raise DataError(
            f"data.rotate needs at least two types of forgery, the training faces have "
            f"{', '.join(types) or 'none'}; name them in the column forgery, or remove the setting."
        )
    found = {}
    for held_back in types:
        others = [t for t in types if t != held_back]
        name = condition_name(held_back)
        data = replace(
            parts.data,
            train=parts.data.train.of_domains(others),
            val=parts.data.val.of_domains(others),
            unseen_val=parts.data.unseen_val | {name: parts.data.val.of_domains([held_back])},
        )
        said = f"{parts.data.name!r}: data.rotate holds {held_back!r} back, and val"
        check_scorable(data.val, f"{said} without it")
        check_scorable(data.unseen_val[name], f"{said} of this type alone")
        found[name] = replace(parts, data=data, train=parts.train.of_domains(others))
    return found


def rotated_estimator(
    parts: Components, folder: RunFolder, progress: Callable[[str, int], Progress]
) -> RotatedEstimator:
    """A supernet per fold, trained where it is not there yet, in folders below `folds/`.

    Args:
        parts: Of the run.
        folder: Of the run.
        progress: From what is trained and its number of steps to what is told of it.
    """
    estimators = {}
    for name, fold in folds(parts).items():
        place = RunFolder(folder.path / "folds" / name, folder.config)
        place.path.mkdir(parents=True, exist_ok=True)
        steps = fold.recipe(fold.config.supernet).steps
        told = progress(f"supernet without {name}", steps)
        estimators[name] = supernet_estimator(fold, place, told)
    return RotatedEstimator(estimators)


def conditions_digest(parts: Components) -> str:
    """The digest that the run's estimator will have, known before anything is trained."""
    if parts.config.data.rotate:
        return digest_of_folds({name: _digest(fold) for name, fold in folds(parts).items()})
    return _digest(parts)


def _digest(parts: Components) -> str:
    protocol = protocol_of(parts.config.score, seed=parts.config.seed)
    return conditions_of(parts.data.val, parts.data.unseen_val, protocol).digest
