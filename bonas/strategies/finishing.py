"""Which architectures' trials finish with a value: some run out of memory, some are pruned.

Of what failed no value is known. Left out it would lead the search astray: of each of its
neighbours as much is expected as was of it. Whether trials finish is therefore believed too, as a
constraint of which only is seen whether it is kept (Gelbart et al. 2014, arXiv:1403.5607).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.nn.functional import logsigmoid

from bonas.strategies.acquisition import log_feasibility
from bonas.strategies.belief import Belief, Believed
from bonas.strategies.evidence import Evidence
from surrogates.gaussian_process import GaussianProcess
from surrogates.scaling import Scale
from surrogates.surrogate import Marginals

FINISHED, FAILED = 1.0, -1.0
"""What is regressed on; a trial is expected to finish where the label is above their middle, 0."""
SCALE = Scale(centre=FINISHED, spread=1.0)
"""Of labels: where nothing similar was tried, trials are expected to finish."""
LAPSES = 0.01
"""Probability of either label that is left to whatever an architecture does not explain, when the
process is judged: a Gaussian likelihood is too sure of labels, and one surprise would outweigh all
else."""


class Finishing:
    """The belief on which trials finish.

    A Gaussian process is fitted to the labels. Failures may also have nothing to do with the
    architecture, and it would explain each of them all the same. The probability is therefore the
    average of its own and of the share that finished, each as probable as it predicts labels that
    are left out in turn (pseudo-Bayes factor, Geisser and Eddy 1979).

    Hyper-parameters are fitted to as many labels as those of values are, of more to the first 150
    that finished, by their features, and an even sample of the others: finished ones are all alike.
    """

    def __init__(self, surrogate: GaussianProcess, pool: torch.Tensor) -> None:
        """Believe with `surrogate` over the candidates of `pool`, `N x d`."""
        labels = replace(surrogate, scale=_scale, noise_variance=0.0)
        self._pool = pool
        self._belief = Belief(labels, pool)

    def log_probability(self, seen: Evidence, candidates: torch.Tensor) -> torch.Tensor | None:
        """Logarithm of the probability that a candidate's trial finishes, `N`; `None` while all do.

        Args:
            seen: Finished trials with and without a value.
            candidates: Features of the candidates, `N x d`.
        """
        if not seen.failures:
            return None
        tried = [(e.number, e.architecture, FINISHED) for e in seen.estimates]
        tried += [(f.number, f.architecture, FAILED) for f in seen.failures]
        order = sorted(range(len(tried)), key=lambda i: tried[i][0])
        believed: Sequence[Believed] = [tried[i][1:] for i in order]
        features = torch.cat([seen.features, seen.failed])[order]
        posterior = self._belief.posterior(believed, features, features[:0])
        predictor = posterior.predictor
        if candidates is self._pool:
            own = _log_above(posterior.marginals)
        else:
            own = _log_above(predictor.scaled_marginals(candidates))
        labels = predictor.values
        odds = log_odds(predictor.left_out_marginals(), labels)
        finished = int((labels == FINISHED).sum())
        share = math.log((finished + 1) / (len(labels) + 2))  # as after one of each
        return torch.logaddexp(logsigmoid(odds) + own, logsigmoid(-odds) + share)


def _scale(_: torch.Tensor) -> Scale:
    return SCALE


def _log_above(believed: Marginals) -> torch.Tensor:
    """Logarithm of the probability that a label is above the middle of the two."""
    middle = SCALE(torch.zeros(1, dtype=torch.float64))
    return log_feasibility(Marginals(middle - believed.mean, believed.variance))


def log_odds(left_out: Marginals, labels: torch.Tensor) -> torch.Tensor:
    """Logarithm of the odds that labels come from what is believed of them, not from their shares.

    Args:
        left_out: What is believed of each scaled label without it, `n`.
        labels: `n`.
    """
    above = _log_above(left_out).exp()
    own = torch.where(labels == FINISHED, above, 1 - above)
    same = (labels.unsqueeze(0) == labels.unsqueeze(1)).sum(1)
    share = same / (len(labels) + 1.0)  # among the others and one of each
    return (LAPSES + (1 - 2 * LAPSES) * own).log().sum() - share.log().sum()
