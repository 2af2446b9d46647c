import pytest

from bonas.config_file import parse_config
from bonas.data.pseudo_forged import PSEUDO
from bonas.report.definitions import definitions, describe
from bonas.robustness.conditions import CLEAN, SEVERITIES, Condition, Group
from bonas.robustness.corruptions import Corruption

CONFIG = parse_config(
    {"data": {"layout": "synthetic", "unseen": ["swap"]}, "score": {"attacks": {"fgsm": 2.0}}},
    "test",
)


@pytest.mark.parametrize("corruption", Corruption)
def test_every_severity_of_every_corruption_has_its_own_words(corruption: Corruption) -> None:
    conditions = [Condition(Group.CORRUPTION, corruption.value, s) for s in SEVERITIES]
    assert len({describe(c, CONFIG) for c in conditions}) == len(SEVERITIES)


def test_what_was_not_trained_on_is_not_described_as_clean() -> None:
    data = {"layout": "folders", "path": "/a", "real_only": True, "test": ["/b/kept"]}
    config = parse_config({"data": data}, "test")
    assert "pseudo-forgeries" in describe(CLEAN, config)
    assert "none of any type was trained on" in describe(Condition(Group.UNSEEN, "swap"), config)
    assert "further data set" in describe(Condition(Group.UNSEEN, "kept"), config)


@pytest.mark.parametrize(
    ("name", "changed", "words"),
    [
        ("face-swap", {}, "the type face-swap, held back from training"),
        ("celeb", {}, "the further data set celeb"),
        ("last-celeb", {"unseen_data": ["/b/celeb", "/last/celeb"]}, "further data set last-celeb"),
        ("list", {"test": ["/b/list.json"]}, "the further data set list"),
        ("attr", {}, "the type attr, which the training split has none of"),
        ("attr", {"rotate": True, "unseen": []}, "the type attr, held back from one fold's"),
        ("celeb", {"rotate": True, "unseen": []}, "the further data set celeb"),
        (PSEUDO, {"pseudo_forgeries": True}, "blended with copies of themselves"),
    ],
)
def test_what_was_not_trained_on_is_called_what_it_is(
    name: str, changed: dict[str, object], words: str
) -> None:
    data = {"layout": "folders", "path": "/a", "unseen": ["face swap"], "unseen_data": ["/b/celeb"]}
    config = parse_config({"data": data | changed}, "test")
    assert words in describe(Condition(Group.UNSEEN, name), config)


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
