"""What an earlier study or a table knows, for a new search to begin with."""

from bonas.estimation.tabular import TabularEstimator
from bonas.strategies.settings import WarmStart
from bonas.study import Study


def warm_start(source: Study | TabularEstimator) -> tuple[WarmStart, ...]:
    """Architectures and values for `Settings.warm_start`, in the order of the trials or rows.

        settings = Settings(warm_start=bonas.warm_start(earlier))
        search = bonas.Search(space, sampler=bonas.SurrogateSampler(space, settings=settings))

    Of an architecture that was estimated repeatedly it is the mean. Values say something only if
    they are of the same objective: of a run, scores under the same conditions. Of a study that
    minimises costs they are all its objectives, the costs negated. Loadings of their errors come
    third, where a study has them.

    Args:
        source: Of the same space as the new search; failed trials are left out.
    """
    if isinstance(source, TabularEstimator):
        return tuple(source.values.items())
    found: list[WarmStart] = []
    for told in source.means():
        value, cost = told.observation.value, told.observation.cost
        if value is not None:
            costs = tuple(-cost[name] for name in source.minimise)
            values = (value, *costs) if costs else value
            loadings = told.observation.error_loadings
            known = (told.architecture, values)
            found.append((*known, loadings) if loadings else known)
    return tuple(found)
