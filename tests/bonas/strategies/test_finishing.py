"""Which trials finish: what is believed of it, and that a search keeps to those."""

import pickle
from collections.abc import Callable, Sequence

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from bonas.strategies.acquisition import (
    Acquisition,
    LogExpectedImprovement,
    Thompson,
    UpperConfidenceBound,
)
from bonas.strategies.evidence import Evidence, evidence
from bonas.strategies.finishing import FAILED, FINISHED, SCALE, Finishing, log_odds
from bonas.strategies.history import Estimate, Failure, History
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings, default_surrogate
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.nasbench201 import NASBENCH201
from spaces.space import SearchSpace, sample
from surrogates.surrogate import Marginals

ENCODING, SURROGATE = default_surrogate(NASBENCH201)
RNG = np.random.default_rng(0)
DRAWN = list(dict.fromkeys(sample(NASBENCH201, rng=RNG) for _ in range(200)))
WORTH = {"conv_3x3": 1.0, "conv_1x1": 0.7, "sep_conv_3x3": 0.7, "skip": 0.3}
TRIED, OTHERS = DRAWN[:60], DRAWN[60:]


@pytest.fixture(autouse=True)
def _silent() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def _large(choices: Sequence[object]) -> bool:
    return choices.count("conv_3x3") >= 2


def _seen(fails: Callable[[int, Architecture], bool]) -> Evidence:
    failed = [fails(i, a) for i, a in enumerate(TRIED)]
    history = History(
        tuple(Estimate(i, a, (0.0,)) for i, a in enumerate(TRIED) if not failed[i]),
        (),
        frozenset(),
        failures=tuple(Failure(i, a) for i, a in enumerate(TRIED) if failed[i]),
    )
    return evidence(history, ENCODING)


def _probabilities(seen: Evidence) -> torch.Tensor:
    candidates = ENCODING.encode(OTHERS)
    log = Finishing(SURROGATE, candidates).log_probability(seen, candidates)
    assert log is not None
    assert bool((log <= 0).all())
    return log.exp()


def test_nothing_is_believed_while_all_finish() -> None:
    seen = _seen(lambda i, a: False)
    assert Finishing(SURROGATE, seen.features).log_probability(seen, seen.features) is None


def test_failures_that_belong_to_the_architecture_are_expected_of_those_alike() -> None:
    probabilities = _probabilities(_seen(lambda i, a: _large(a.choices)))
    large = torch.tensor([_large(a.choices) for a in OTHERS])
    assert 0.1 < large.double().mean() < 0.5
    assert float(probabilities[~large].mean()) > 0.85
    assert float(probabilities[large].mean()) < 0.35


def test_failures_at_random_are_expected_of_all_alike() -> None:
    """What is told of one architecture is not told of the next, however many failed."""
    draws = np.random.default_rng(1).random(len(TRIED))
    seen = _seen(lambda i, a: draws[i] < 0.4)
    share = (len(seen.estimates) + 1) / (len(TRIED) + 2)
    probabilities = _probabilities(seen)
    assert torch.allclose(probabilities, torch.full_like(probabilities, share), atol=0.1)


def test_one_surprise_does_not_overturn_what_all_others_say() -> None:
    """Left out, 39 of 40 labels are foretold for certain, the last one's contrary is."""
    labels = torch.tensor([FINISHED, FAILED] * 20, dtype=torch.float64)
    foretold = SCALE(labels)
    foretold[0] = SCALE(-labels[0])
    sure = Marginals(foretold, torch.full((40,), 1e-6, dtype=torch.float64))
    assert float(log_odds(sure, labels)) > 10
    contrary = Marginals(SCALE(-labels), sure.variance)
    assert float(log_odds(contrary, labels)) < -100


def test_the_order_of_what_is_remembered_does_not_matter() -> None:
    """It is by trial number, as labels of one sequence."""
    seen = _seen(lambda i, a: _large(a.choices))
    last = Evidence(
        seen.estimates[::-1],
        seen.features.flip(0),
        seen.failures[::-1],
        seen.failed.flip(0),
        seen.pending,
    )
    assert torch.equal(_probabilities(seen), _probabilities(last))


def test_the_pool_and_other_candidates_are_believed_alike() -> None:
    seen = _seen(lambda i, a: _large(a.choices))
    candidates = ENCODING.encode(OTHERS)
    finishing = Finishing(SURROGATE, candidates)
    pool = finishing.log_probability(seen, candidates)
    others = finishing.log_probability(seen, candidates.clone())
    assert pool is not None
    assert others is not None
    assert torch.allclose(pool, others, atol=1e-6)


def _study(
    space: SearchSpace,
    fails: Callable[[Sequence[object]], bool],
    trials: int,
    settings: Settings,
    *,
    pruned: bool = False,
    objectives: int = 1,
) -> optuna.Study:
    """The best are those that fail."""
    sampler = SurrogateSampler(space, settings=settings)
    directions = ["maximize", "minimize"][:objectives]
    study = optuna.create_study(directions=directions, sampler=sampler)

    def value(trial: optuna.Trial) -> float | tuple[float, ...]:
        choices = [trial.suggest_categorical(d.name, d.options) for d in space.decisions]
        if fails(choices):
            raise optuna.TrialPruned if pruned else RuntimeError
        weights = np.sin(np.arange(1, len(choices) + 1)) / 3 + 1
        worth = float(weights @ [WORTH.get(str(c), 0.0) for c in choices])
        return (
            worth
            if objectives == 1
            else (worth, float(weights**2 @ [c == "conv_3x3" for c in choices]))
        )

    study.optimize(value, n_trials=trials, catch=RuntimeError)
    return study


def _unfinished(study: optuna.Study) -> int:
    return sum(t.state in (TrialState.FAIL, TrialState.PRUNED) for t in study.trials[10:])


@pytest.mark.parametrize("pruned", [False, True])
def test_a_search_turns_away_from_where_trials_do_not_finish(pruned: bool) -> None:
    """Without a belief on that, 43 trials of these 50 do not."""
    study = _study(NASBENCH201, _large, 60, Settings(), pruned=pruned)
    assert _unfinished(study) < 16
    assert study.best_value > 4.0  # of six convolutions, one large at most


@pytest.mark.parametrize(
    ("acquisition", "most"),
    [(LogExpectedImprovement(), 10), (UpperConfidenceBound(beta=4.0), 27), (Thompson(), 18)],
)
def test_failures_do_not_hold_any_acquisition(acquisition: Acquisition, most: int) -> None:
    """Taken for untried, of these 40 trials 30, 32 and 23 fail."""

    def many(choices: Sequence[object]) -> bool:
        return choices.count("conv_3x3") >= 4

    study = _study(NASBENCH201, many, 50, Settings(acquisition=acquisition))
    assert _unfinished(study) < most


def test_in_a_large_space_too() -> None:
    """Without a belief on that, 14 of these 40 trials fail."""
    study = _study(FORGERY, _large, 50, Settings())
    assert _unfinished(study) < 12


def test_where_all_beside_the_best_fail_a_search_goes_elsewhere() -> None:
    """Failures count as steps: were the next one local because the last was, it would fail too."""

    def beside(choices: Sequence[object]) -> bool:
        options = NASBENCH201.decisions[0].options
        return sum(options.index(c) for c in choices) % 5 != 0

    study = _study(NASBENCH201, beside, 120, Settings())
    finished = [t.state is TrialState.COMPLETE for t in study.trials[70:]]
    assert sum(finished) > 3


def test_with_constraints_too() -> None:
    def pools(trial: optuna.trial.FrozenTrial) -> list[float]:
        return [1.0 - list(trial.params.values()).count("avg_pool_3x3")]

    study = _study(NASBENCH201, _large, 60, Settings(constraints=pools))
    assert _unfinished(study) < 16
    feasible = [pools(t)[0] <= 0 for t in study.trials[10:]]
    assert sum(feasible) > 25


def test_with_several_objectives_too() -> None:
    """Without a belief on that, 16 of these 30 trials fail."""
    study = _study(NASBENCH201, _large, 40, Settings(), objectives=2)
    assert _unfinished(study) < 11


def test_a_fresh_and_an_unpickled_sampler_believe_the_same() -> None:
    """Four workers, whose trials end in another order than they began."""
    asked = {d.name: CategoricalDistribution(d.options) for d in NASBENCH201.decisions}
    sampler = SurrogateSampler(NASBENCH201)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    running: list[optuna.Trial] = []
    rng = np.random.default_rng(0)
    for _ in range(30):
        running.append(study.ask(asked))
        if len(running) == 4:
            trial = running.pop(int(rng.integers(4)))
            choices = list(trial.params.values())
            if _large(choices):
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, sum(WORTH.get(str(c), 0.0) for c in choices))
    assert sum(t.state is TrialState.FAIL for t in study.trials) >= 3
    proposals = []
    for other in (sampler, SurrogateSampler(NASBENCH201), pickle.loads(pickle.dumps(sampler))):
        again = optuna.create_study(direction="maximize", sampler=other)
        again.add_trials(study.trials)
        proposals.append([again.ask(asked).params for _ in range(3)])
    assert proposals[0] == proposals[1] == proposals[2]
