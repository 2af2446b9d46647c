"""What an earlier study or a table knows, for a new search to begin with."""

from bonas.estimation.tabular import TabularEstimator
from bonas.study import Study
from spaces.architecture import Architecture


def warm_start(
    source: Study | TabularEstimator,
) -> tuple[tuple[Architecture, float | tuple[float, ...]], ...]:
    """Architectures and values for `Settings.warm_start`, in the order of the trials or rows.

        settings = Settings(warm_start=bonas.warm_start(earlier))
        search = bonas.Search(space, sampler=bonas.SurrogateSampler(space, settings=settings))

    Of an architecture that was estimated repeatedly it is the mean. Values say something only if
    they are of the same objective: of a run, scores under the same conditions. Of a study that
    minimises costs they are all its objectives, the costs negated.

    Args:
        source: Of the same space as the new search; failed trials are left out.
    """
    if isinstance(source, TabularEstimator):
        return tuple(source.values.items())
    found: list[tuple[Architecture, float | tuple[float, ...]]] = []
    for told in source.means():
        value, cost = told.observation.value, told.observation.cost
        if value is not None:
            costs = tuple(-cost[name] for name in source.minimise)
            found.append((told.architecture, (value, *costs) if costs else value))
    return tuple(found)
