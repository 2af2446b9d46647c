import dataclasses
import hashlib
import json

import pytest

from bonas.robustness.conditions import CLEAN, Condition, ConditionSet, Group, Scalar

JPEG_3 = Condition(Group.CORRUPTION, "jpeg", 3)
UNSEEN = Condition(Group.UNSEEN, "Celeb-DF-v2")
FGSM = Condition(Group.ATTACK, "fgsm")
KEYS = {
    CLEAN: "clean",
    UNSEEN: "unseen/Celeb-DF-v2",
    JPEG_3: "corruption/jpeg-3",
    Condition(Group.CORRUPTION, "my-own_blur", 5): "corruption/my-own_blur-5",
    FGSM: "attack/fgsm",
    Condition(Group.UNSEEN, "method-3"): "unseen/method-3",
}


def definitions() -> dict[Condition, dict[str, Scalar]]:
    return {
        CLEAN: {"data": "faces"},
        JPEG_3: {"data": "faces", "level": 45.0, "version": 1},
        FGSM: {"data": "faces", "eps": 1.0},
    }


@pytest.mark.parametrize(("condition", "key"), KEYS.items())
def test_a_condition_and_its_key_determine_each_other(condition: Condition, key: str) -> None:
    assert condition.key == key
    assert Condition.from_key(key) == condition


@pytest.mark.parametrize(
    "key",
    [
        "",
        "Clean",
        "clean/",
        "clean/x",
        "unseen",
        "unseen/",
        "corruption/jpeg",
        "corruption/jpeg-6",
        "corruption/jpeg-03",
        "corruption/jpeg-",
        "corruption/-3",
        "attack/a/b",
        "blur-3",
    ],
)
def test_text_that_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Condition.from_key(key)


@pytest.mark.parametrize(
    ("group", "name", "severity", "message"),
    [
        (Group.UNSEEN, "a/b", None, "name must be letters"),
        (Group.UNSEEN, "", None, "name must be letters"),
        (Group.UNSEEN, "two words", None, "name must be letters"),
        (Group.CLEAN, "faces", None, "'clean'"),
        (Group.UNSEEN, "clean", None, "'clean'"),
        (Group.CORRUPTION, "jpeg", None, "choose 1 to 5"),
        (Group.CORRUPTION, "jpeg", 0, "1 to 5, got 0"),
        (Group.CORRUPTION, "jpeg", 6, "1 to 5, got 6"),
        (Group.ATTACK, "fgsm", 1, "leave it out"),
    ],
)
def test_a_condition_that_has_no_key_is_refused(
    group: Group, name: str, severity: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Condition(group, name, severity)


def test_the_digest_does_not_depend_on_any_order() -> None:
    forwards = definitions()
    backwards = {c: dict(reversed(list(d.items()))) for c, d in reversed(list(forwards.items()))}
    assert ConditionSet.of(backwards) == ConditionSet.of(forwards)
    assert ConditionSet.of(backwards).digest == ConditionSet.of(forwards).digest


def test_the_digest_is_that_of_the_canonical_text_on_every_machine() -> None:
    # Another text makes all recorded scores incomparable: change it knowingly, or not at all.
    text = b'{"conditions":{"attack/fgsm":{"eps":1.0},"clean":{"a":"f\\u00fcr","b":2}},"format":1}'
    conditions = ConditionSet.of({CLEAN: {"b": 2, "a": "für"}, FGSM: {"eps": 1.0}})
    assert conditions.digest == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize(
    ("condition", "parameter", "value"),
    [
        (CLEAN, "data", "other faces"),
        (JPEG_3, "level", 46.0),
        (JPEG_3, "version", 2),
        (FGSM, "eps", 2.0),
        (FGSM, "steps", 1),
    ],
)
def test_the_digest_changes_with_every_parameter(
    condition: Condition, parameter: str, value: Scalar
) -> None:
    changed = definitions()
    changed[condition][parameter] = value
    assert ConditionSet.of(changed).digest != ConditionSet.of(definitions()).digest


def test_the_digest_changes_with_every_condition() -> None:
    fewer = definitions()
    fewer[UNSEEN] = fewer.pop(CLEAN)
    digests = {ConditionSet.of(definitions()).digest, ConditionSet.of(fewer).digest}
    fewer.pop(UNSEEN)
    assert len(digests | {ConditionSet.of(fewer).digest}) == 3


def test_a_set_survives_json_and_can_be_a_key() -> None:
    conditions = ConditionSet.of(definitions())
    again = ConditionSet.from_json(json.loads(json.dumps(conditions.to_json())))
    assert {conditions: 1}[again] == 1
    assert again.digest == conditions.digest


def test_a_set_of_another_format_is_refused() -> None:
    data = ConditionSet.of(definitions()).to_json() | {"format": 0}
    with pytest.raises(ValueError, match=r"format .* got 0"):
        ConditionSet.from_json(data)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, "got nothing"),
        ({"eps": float("nan")}, "finite, got eps=nan"),
        ({"levels": [1, 2]}, r"text and numbers, got levels=\[1, 2\]"),
    ],
)
def test_a_definition_that_defines_nothing_is_refused(
    definition: dict[str, Scalar], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ConditionSet.of({FGSM: definition})


def test_a_set_that_is_empty_unsorted_or_uneven_is_refused() -> None:
    whole = ConditionSet.of(definitions())
    for conditions, parts in (
        ((), ()),
        (whole.conditions[::-1], whole.definitions),
        (whole.conditions, whole.definitions[:2]),
        (whole.conditions[:1] * 3, whole.definitions),
    ):
        with pytest.raises(ValueError, match="conditions must be at least one"):
            ConditionSet(conditions, parts)


def test_conditions_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CLEAN.name = "other"  # type: ignore[misc]
