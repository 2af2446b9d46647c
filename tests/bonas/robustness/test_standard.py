import pytest

from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import ConditionSet, Group
from bonas.robustness.corruptions import Corruption
from bonas.robustness.standard import standard_conditions


def standard(
    data: str = "faces", size: int = 64, seed: int = 0, eps: float = 1.0, **unseen: str
) -> ConditionSet:
    return standard_conditions(data, unseen, image_size=size, seed=seed, attacks={Attack.FGSM: eps})


def test_the_standard_set_has_every_group_and_five_severities_of_each_corruption() -> None:
    conditions = standard(swap="faces/swap", reenactment="faces/reenactment").conditions
    counts = {g: sum(c.group is g for c in conditions) for g in Group}
    assert counts == {
        Group.CLEAN: 1,
        Group.UNSEEN: 2,
        Group.CORRUPTION: 5 * len(Corruption),
        Group.ATTACK: 1,
    }


def test_groups_can_be_left_out() -> None:
    small = standard_conditions(
        "faces",
        {},
        image_size=64,
        seed=0,
        corruptions=[Corruption.JPEG],
        severities=[2],
        attacks={},
    )
    assert [c.key for c in small.conditions] == ["clean", "corruption/jpeg-2"]


@pytest.mark.parametrize(
    "other",
    [
        standard(data="other"),
        standard(size=96),
        standard(seed=1),
        standard(eps=2.0),
        standard(swap="faces/swap"),
    ],
)
def test_whatever_decides_the_pixels_decides_the_digest(other: ConditionSet) -> None:
    assert standard().digest == standard().digest
    assert other.digest != standard().digest


def test_the_same_condition_on_other_unseen_data_is_another_set() -> None:
    assert standard(swap="v1").digest != standard(swap="v2").digest
