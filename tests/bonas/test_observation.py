"""What an observation accepts, and how several of one architecture are one."""

import math

import numpy as np
import pytest
import torch

from bonas import Observation


@pytest.mark.parametrize("given", [np.float32(0.5), np.int64(1), 1, torch.tensor(0.5)])
def test_numbers_of_any_kind_are_stored_as_pythons(given: float) -> None:
    made = Observation(value=given, variance=given, aucs={"clean": given}, cost={"macs": given})
    numbers = [made.value, made.variance, made.aucs["clean"], made.cost["macs"]]
    assert [type(number) for number in numbers] == [float] * 4
    assert numbers == [float(given)] * 4


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"value": "0.9"}, TypeError, "value is '0.9', a str"),
        ({"value": True}, TypeError, "value is True, a bool"),
        ({"value": np.float32("nan")}, ValueError, "value is nan; it must be finite"),
        ({"value": None}, ValueError, "value is None"),
        ({"value": 1.0, "variance": -1.0}, ValueError, r"variance is -1\.0; it must lie in \[0"),
        ({"value": 1.0, "aucs": {"clean": 1.5}}, ValueError, r"aucs\['clean'\] is 1\.5"),
        ({"value": 1.0, "auc_variances": {"clean": -0.1}}, ValueError, "auc_variances"),
        ({"value": 1.0, "cost": {"macs": math.nan}}, ValueError, r"cost\['macs'\] is nan"),
        ({"value": 1.0, "fidelity": 2.0}, ValueError, r"fidelity is 2\.0; .* \[0, 1\]"),
        ({"value": 1.0, "error_loadings": [0.1, math.inf]}, ValueError, r"error_loadings\[1\] is"),
        ({"value": 1.0, "error_loadings": 0.1}, TypeError, "error_loadings is 0.1; it must be a"),
        ({"value": 1.0, "error_loadings": ["0.1"]}, TypeError, r"error_loadings\[0\] is '0\.1'"),
    ],
)
def test_what_is_no_number_in_its_range_is_named(
    given: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Observation(**given)  # type: ignore[arg-type]


def test_the_mean_of_repeats_has_the_variance_of_a_mean() -> None:
    repeats = [
        Observation(value=v, variance=0.4, aucs={"clean": v}, auc_variances={"clean": 0.2})
        for v in (0.5, 0.7)
    ]
    mean = Observation.mean(repeats)
    assert mean.value == pytest.approx(0.6)
    assert mean.variance == pytest.approx(0.2)
    assert mean.aucs == pytest.approx({"clean": 0.6})
    assert mean.auc_variances == pytest.approx({"clean": 0.1})
    assert Observation.mean(repeats[:1]) == repeats[0]


def test_the_mean_of_repeats_has_the_mean_of_their_errors() -> None:
    repeats = [Observation(value=0.5, error_loadings=row) for row in ([0.1, 0.0], [0.1, 0.2])]
    assert Observation.mean(repeats).error_loadings == pytest.approx((0.1, 0.1))
    unknown = Observation(value=0.5)
    assert Observation.mean([*repeats, unknown]).error_loadings == ()
    assert Observation.mean([unknown, unknown]).error_loadings == ()
