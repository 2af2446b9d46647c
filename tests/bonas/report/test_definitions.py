import pytest

from bonas.config_file import parse_config
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


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        ("pgd", "PGD, 20 gradient steps within 1.5/255"),
        ("apgd", "APGD, 30 gradient steps"),
        ("square", "Square, a search without gradients of 200 tries"),
    ],
)
def test_an_iterated_attack_is_described_with_its_effort(attack: str, words: str) -> None:
    document = {
        "data": {"layout": "synthetic"},
        "score": {"attacks": {attack: 1.5}, "attack_effort": {"apgd": 30, "restarts": 3}},
    }
    described = describe(Condition.from_key(f"attack/{attack}"), parse_config(document, "test"))
    assert described.startswith(words)
    assert "1.5/255" in described
    assert described.endswith("best of 3 starts")


def test_the_formula_states_the_weights() -> None:
    assert "0.4 × clean" in definitions(CONFIG, ())  # noqa: RUF001
