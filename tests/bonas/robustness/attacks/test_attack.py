import pytest
import torch

from bonas.robustness.attacks import (
    Attack,
    Effort,
    apgd,
    attack_definition,
    attacked_images,
    fgsm,
    pgd,
    square,
)
from tests.bonas.robustness.attacks.worlds import sample, small_network

EFFORT = Effort(pgd=2, apgd=3, square=4, restarts=2)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_an_attack_by_name_is_that_attack_with_its_effort() -> None:
    network, (images, labels) = small_network(), sample(4, 8)
    expected = {
        Attack.FGSM: fgsm(network, images, labels, 2.0),
        Attack.PGD: pgd(
            *(network, images, labels, 2.0), iterations=2, restarts=2, generator=seeded()
        ).images,
        Attack.APGD: apgd(
            *(network, images, labels, 2.0), iterations=3, restarts=2, generator=seeded()
        ).images,
        Attack.SQUARE: square(
            *(network, images, labels, 2.0), iterations=4, restarts=2, generator=seeded()
        ).images,
    }
    assert set(expected) == set(Attack)
    for attack, moved in expected.items():
        found = attacked_images(
            attack, network, images, labels, 2.0, effort=EFFORT, generator=seeded()
        )
        assert torch.equal(found, moved)


def test_a_definition_of_fgsm_depends_on_nothing_but_the_budget() -> None:
    expected = {"attack": "fgsm", "eps": 1.0, "version": 1}
    assert attack_definition(Attack.FGSM, 1, effort=EFFORT, seed=7) == expected


@pytest.mark.parametrize("attack", [Attack.PGD, Attack.APGD, Attack.SQUARE])
def test_a_definition_of_an_iterated_attack_names_its_effort_and_seed(attack: Attack) -> None:
    definition = attack_definition(attack, 2.0, effort=EFFORT, seed=7)
    assert definition["eps"] == 2.0
    assert definition["iterations"] == EFFORT.iterations(attack)
    assert definition["restarts"] == 2
    assert definition["seed"] == 7
    assert ("step" in definition) == (attack is Attack.PGD)
    others = [
        attack_definition(attack, 1.0, effort=EFFORT, seed=7),
        attack_definition(attack, 2.0, seed=7),
        attack_definition(attack, 2.0, effort=EFFORT, seed=8),
        attack_definition(attack, 2.0, effort=Effort(pgd=2, apgd=3, square=4), seed=7),
    ]
    assert definition not in others


@pytest.mark.parametrize("name", ["pgd", "apgd", "square", "restarts"])
def test_no_effort_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        Effort(**{name: 0})
