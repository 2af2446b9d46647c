"""A search by gradient fits its time limit, and a continued one makes the same steps."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn

from bonas import gradient_plan
from bonas.config_file import parse_config
from bonas.gradient_plan import FEWEST, MARGIN, multiply_adds, planned_steps
from bonas.networks.cells import Edge, RelaxedChoices
from bonas.run_folder import RunFolder
from bonas.strategies.gradient import GradientRecipe
from spaces.architecture import Choice
from spaces.cell import CellSpace

ESTIMATE, STEP = 10.0, 0.5


def planned(folder: RunFolder, limit: float) -> int:
    nothing = cast(Any, None)
    recipe = GradientRecipe(steps=1000)
    return planned_steps(nothing, folder, recipe, nothing, estimator=nothing, time_limit=limit)


def test_steps_and_the_estimate_behind_them_fit_the_limit_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_plan, "_seconds_of_estimate", lambda *_: ESTIMATE)
    monkeypatch.setattr(gradient_plan, "_seconds_per_step", lambda *_: STEP)
    found = {}
    for limit in (5.0, 60.0, 120.0, math.inf):
        folder = RunFolder.create(tmp_path / str(limit), parse_config({}, "test"))
        found[limit] = planned(folder, limit)
        assert planned(folder, 7.0) == found[limit], "a continued run makes the same steps"
    assert found[5.0] == FEWEST
    assert found[math.inf] == 1000
    for limit in (60.0, 120.0):
        taken = ESTIMATE + STEP * found[limit]
        assert (1 - MARGIN) * limit - 2 * STEP < taken <= (1 - MARGIN) * limit


class OneEdge:
    """A convolution from 3 to 2 channels, one edge, a linear layer from 2 to 1."""

    space = CellSpace("edge", ("none", "skip", "conv_3x3", "conv_1x1"), nodes=2)

    class Network(nn.Module):
        def __init__(self, operations: Sequence[Choice]) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 2, 1, bias=False)
            self.edge = Edge(operations, 2)
            self.head = nn.Linear(2, 1)

        def forward(self, images: torch.Tensor, mixed: RelaxedChoices) -> torch.Tensor:
            value = self.edge(self.stem(images), mixed.choices[0])
            assert value is not None
            logits: torch.Tensor = self.head(value.mean((2, 3)))
            return logits.squeeze(1)

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        return self.Network(next(iter(options.values())))


@pytest.mark.parametrize(
    ("strategy", "order", "passes"),
    [
        ("darts", 1, [2.0]),  # of the weights and of the strengths
        ("darts", 2, [5.0]),  # ahead, validation and both sides of the difference
        ("pdarts", 1, [1.6, 1.6, 1.6]),  # strengths wait in ten of 25 epochs
    ],
)
def test_multiply_adds_are_those_counted_by_hand(
    strategy: str, order: int, passes: list[float]
) -> None:
    settings = SimpleNamespace(
        data=SimpleNamespace(size=8), search=SimpleNamespace(strategy=strategy)
    )
    parts = cast(Any, SimpleNamespace(builder=OneEdge(), config=settings))
    stem, narrow, wide, head = 64 * 3 * 2, 64 * 2 * 2, 64 * 9 * 2 * 2, 2
    everything = stem + narrow + wide + head
    # Of four options the later stages keep three, for the plan those that cost something first.
    recipe = GradientRecipe(steps=30, order=order, batch_size=4)
    expected = sum(30 / len(passes) * 4 * p * everything for p in passes)
    assert multiply_adds(parts, recipe) == pytest.approx(expected)
    if strategy == "pdarts":
        names = ["cell/0-1"]
        kept = [OneEdge.space.operations, ("skip", "conv_3x3", "conv_1x1"), ("none", "skip")]
        found = multiply_adds(parts, recipe, [dict.fromkeys(names, options) for options in kept])
        assert found == pytest.approx(10 * 4 * 1.6 * (2 * everything + stem + head))
