import pytest

from bonas.config import parse_config
from bonas.report.definitions import definitions, describe
from bonas.robustness.conditions import SEVERITIES, Condition, Group
from bonas.robustness.corruptions import Corruption

CONFIG = parse_config(
    {"data": {"layout": "synthetic", "unseen": ["swap"]}, "score": {"attacks": {"fgsm": 2.0}}},
    "test",
)


@pytest.mark.parametrize("corruption", Corruption)
def test_every_severity_of_every_corruption_has_its_own_words(corruption: Corruption) -> None:
    conditions = [Condition(Group.CORRUPTION, corruption.value, s) for s in SEVERITIES]
    assert len({describe(c, CONFIG) for c in conditions}) == len(SEVERITIES)


def test_an_attack_is_described_with_its_budget() -> None:
    assert "2/255" in describe(Condition.from_key("attack/fgsm"), CONFIG)


def test_the_formula_states_the_weights() -> None:
    assert "0.4 × clean" in definitions(CONFIG, ())  # noqa: RUF001
