"""What an earlier study or a table knows, for a new search to begin with."""

from bonas.estimation.tabular import TabularEstimator
from bonas.study import Study
from spaces.architecture import Architecture


def warm_start(source: Study | TabularEstimator) -> tuple[tuple[Architecture, float], ...]:
    """Architectures and values for `Settings.warm_start`, in the order of the trials or rows.

        settings = Settings(warm_start=bonas.warm_start(earlier))
        search = bonas.Search(space, sampler=bonas.SurrogateSampler(space, settings=settings))

    Of an architecture that was estimated repeatedly it is the mean. Values say something only if
    they are of the same objective: of a run, scores under the same conditions.

    Args:
        source: Of the same space as the new search; failed trials are left out.
    """
    if isinstance(source, TabularEstimator):
        return tuple(source.values.items())
    means = ((told.architecture, told.observation.value) for told in source.means())
    return tuple((architecture, value) for architecture, value in means if value is not None)
