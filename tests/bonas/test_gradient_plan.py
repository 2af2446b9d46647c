"""A search by gradient fits its time limit, and a continued one makes the same steps."""

import math
from pathlib import Path
from typing import Any, cast

import pytest

from bonas import gradient_plan
from bonas.config_file import parse_config
from bonas.gradient_plan import FEWEST, MARGIN, planned_steps
from bonas.run_folder import RunFolder
from bonas.strategies.gradient import GradientRecipe

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
