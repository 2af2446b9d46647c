"""Weights on log acquisitions: closed forms against Monte Carlo."""

import numpy as np
import pytest
import torch

from bonas.strategies.acquisition import log_expected_improvement
from bonas.strategies.belief import Belief
from bonas.strategies.history import Estimate
from bonas.strategies.settings import default_surrogate
from bonas.strategies.weighting import Weighting
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP
from spaces.space import sample

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
ENCODING, SURROGATE = default_surrogate(SPACE)
RNG = np.random.default_rng(0)
DRAWN = list(dict.fromkeys(sample(SPACE, rng=RNG) for _ in range(60)))
CANDIDATES = ENCODING.encode(DRAWN[30:50])
ESTIMATES = [
    Estimate(
        number,
        a,
        (float(a.choices.count("pool")),),
        costs={"seconds": 2.0 ** a.choices.count("conv")},
        constraints={"size": a.choices.count("conv") - 2.0, "depth": a.choices.count(SKIP) - 3.0},
    )
    for number, a in enumerate(DRAWN[:30])
]
FEATURES = ENCODING.encode(DRAWN[:30])
EMPTY = CANDIDATES[:0]


def _draws(values: list[float], seed: int) -> torch.Tensor:
    """Of the believed values of the candidates, `20,000 x N`."""
    observed = list(zip(DRAWN[:30], values, strict=True))
    predictor = Belief(SURROGATE, EMPTY).posterior(observed, FEATURES, EMPTY).predictor
    marginals = predictor.scaled_marginals(CANDIDATES)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(20_000, len(CANDIDATES), dtype=torch.float64, generator=generator)
    return predictor.scale.inverse(marginals.mean + marginals.variance.sqrt() * noise)


def test_improvement_per_cost_equals_monte_carlo() -> None:
    weights = Weighting(SURROGATE, EMPTY, cost="seconds").log_weights(
        [Estimate(e.number, e.architecture, e.values, costs=e.costs) for e in ESTIMATES],
        FEATURES,
        CANDIDATES,
    )
    assert weights is not None
    observed = [(e.architecture, e.values[0]) for e in ESTIMATES]
    predictor = Belief(SURROGATE, EMPTY).posterior(observed, FEATURES, EMPTY).predictor
    marginals = predictor.scaled_marginals(CANDIDATES)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(200_000, len(CANDIDATES), dtype=torch.float64, generator=generator)
    improvement = (marginals.mean + marginals.variance.sqrt() * noise - 0.5).clamp_min(0).mean(0)
    log_costs = _draws([-float(np.log(e.costs["seconds"])) for e in ESTIMATES], 2)
    expected = improvement / (-log_costs.median(0).values).exp()
    closed = (log_expected_improvement(marginals, 0.5) + weights).exp()
    likely = improvement > 1e-3  # the others' are too rare to be drawn
    assert int(likely.sum()) >= 5
    assert torch.allclose(closed[likely], expected[likely], rtol=0.1)


def test_feasibility_is_the_probability_that_every_constraint_holds() -> None:
    closed = Weighting(SURROGATE, EMPTY, cost=None).log_weights(ESTIMATES, FEATURES, CANDIDATES)
    assert closed is not None
    holds = [
        (_draws([-e.constraints[name] for e in ESTIMATES], seed) >= 0).double().mean(0)
        for seed, name in enumerate(("size", "depth"))
    ]
    assert torch.allclose(closed.exp(), holds[0] * holds[1], atol=0.02)
    own = Weighting(SURROGATE, EMPTY, cost="seconds")
    alone = own.log_feasibility(ESTIMATES, FEATURES, CANDIDATES)
    assert alone is not None
    assert torch.equal(alone, closed)


@pytest.mark.parametrize("cost", [None, "seconds"])
def test_where_nothing_is_known_nothing_is_weighted(cost: str | None) -> None:
    bare = [Estimate(e.number, e.architecture, e.values) for e in ESTIMATES]
    weighting = Weighting(SURROGATE, EMPTY, cost=cost)
    assert weighting.log_weights(bare, FEATURES, CANDIDATES) is None
    assert weighting.log_feasibility(bare, FEATURES, CANDIDATES) is None


def test_a_cost_that_no_trial_has_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    weighting = Weighting(SURROGATE, EMPTY, cost="seconds")
    earlier = [Estimate(-1, e.architecture, e.values) for e in ESTIMATES]
    weighting.log_weights(earlier, FEATURES, CANDIDATES)
    assert not caplog.messages, "a warm start has no costs"
    own = [Estimate(e.number, e.architecture, e.values) for e in ESTIMATES]
    for _ in range(2):
        weighting.log_weights(own, FEATURES, CANDIDATES)
    [message] = caplog.messages
    assert "user attribute 'bonas.cost.seconds'" in message


def test_trials_without_a_constraint_say_nothing_of_it() -> None:
    """Also where the first ones lack it: constraints are not matched by position."""
    some = [
        Estimate(e.number, e.architecture, e.values, constraints=e.constraints if i % 2 else {})
        for i, e in enumerate(ESTIMATES)
    ]
    half = [k for k in range(30) if k % 2]
    mixed = Weighting(SURROGATE, EMPTY, cost=None).log_feasibility(some, FEATURES, CANDIDATES)
    alone = Weighting(SURROGATE, EMPTY, cost=None).log_feasibility(
        [some[k] for k in half], FEATURES[half], CANDIDATES
    )
    assert mixed is not None
    assert alone is not None
    assert torch.equal(mixed, alone)
