import pytest

from bonas.robustness.attacks import Attack, Effort
from bonas.robustness.conditions import CLEAN, Condition, ConditionSet, Group
from bonas.robustness.corruptions import STANDARD, Corruption
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
        Group.CORRUPTION: 5 * len(STANDARD),
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


def test_the_attack_that_scores_hold_by_default_is_still_defined_by_its_budget_alone() -> None:
    # Another definition makes all recorded scores incomparable: change it knowingly, or not at all.
    found = standard_conditions("faces", {}, image_size=64, seed=3, corruptions=())
    source = {"data": "faces", "image_size": 64}
    fgsm = source | {"attack": "fgsm", "eps": 1.0, "version": 1}
    assert found == ConditionSet.of({CLEAN: source, Condition(Group.ATTACK, "fgsm"): fgsm})


def attacked(seed: int = 0, **effort: int) -> ConditionSet:
    budgets = dict.fromkeys(Attack, 1.0)
    return standard_conditions(
        *("faces", {}),
        image_size=64,
        seed=seed,
        corruptions=(),
        attacks=budgets,
        effort=Effort(**effort),
    )


def test_every_attack_can_be_a_condition() -> None:
    keys = {c.key for c in attacked().conditions}
    assert keys == {"clean", "attack/fgsm", "attack/pgd", "attack/apgd", "attack/square"}


@pytest.mark.parametrize(
    "other",
    [
        attacked(seed=1),
        attacked(pgd=21),
        attacked(apgd=21),
        attacked(square=201),
        attacked(restarts=2),
    ],
)
def test_seed_and_effort_of_attacks_decide_the_digest(other: ConditionSet) -> None:
    assert attacked().digest == attacked().digest
    assert other.digest != attacked().digest
