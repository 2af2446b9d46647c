"""Laws that all attacks with iterations keep."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bonas.robustness.attacks import Attacked, apgd, fgsm, pgd, square
from tests.bonas.robustness.attacks.worlds import (
    Linear,
    Quadratic,
    losses,
    sample,
    small_network,
    trained_network,
)

Iterated = Callable[..., Attacked]
ATTACKS = [pgd, apgd, square]
BY_GRADIENT = [pgd, apgd]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, Tensor, Tensor]:
    images, labels = sample(32, 12)
    return trained_network(images, labels), images, labels


@pytest.mark.parametrize("eps", [0.0, 0.5, 1.0, 8.0, 255.0])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_stays_in_the_ball_and_in_the_image(attack: Iterated, eps: float) -> None:
    images, labels = sample(6, 8)
    found = attack(small_network(), images, labels, eps, iterations=7, generator=seeded()).images
    assert found.dtype == torch.float32
    assert (found - images).abs().max().item() <= eps / 255.0 + 1e-7
    assert found.min().item() >= 0.0
    assert found.max().item() <= 1.0
    assert torch.equal(found, images) == (eps == 0.0)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_best_loss_so_far_never_falls_and_is_that_of_the_result(
    attack: Iterated, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    found = attack(network, images, labels, 4.0, iterations=12, restarts=2, generator=seeded())
    assert found.trace.shape == (1 + 2 * 13, len(images))
    assert (found.trace.diff(dim=0) >= 0.0).all()
    assert (found.losses.diff(dim=0) >= 0.0).all()
    torch.testing.assert_close(found.losses[0], losses(network, images, labels))
    torch.testing.assert_close(found.losses[-1], losses(network, found.images, labels))
    assert (found.losses[-1] > found.losses[0]).all()


@pytest.mark.parametrize("attack", ATTACKS)
def test_more_restarts_are_never_weaker(
    attack: Iterated, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    once, thrice = (
        attack(network, images, labels, 16.0, iterations=4, restarts=r, generator=seeded())
        for r in (1, 3)
    )
    torch.testing.assert_close(thrice.trace[: len(once.trace)], once.trace)
    assert (thrice.trace[-1] >= once.trace[-1] - 1e-5).all()
    assert (thrice.trace[-1] > once.trace[-1] + 1e-3).any()


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("eps", [2.0, 16.0])
@pytest.mark.parametrize("attack", ATTACKS)
def test_more_iterations_are_never_weaker_on_any_image(
    attack: Iterated, eps: float, restarts: int, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    lengths = (1, 3, 5, 8, 13, 20, 21, 37, 60, 90)
    best = [
        attack(
            network, images, labels, eps, iterations=n, restarts=restarts, generator=seeded()
        ).losses[-1]
        for n in lengths
    ]
    assert (torch.stack(best).diff(dim=0) >= -1e-5).all()
    assert (best[-1] > best[0] + 1e-5).any()


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_shorter_attack_is_the_beginning_of_a_longer_one(
    attack: Iterated, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    whole = attack(network, images, labels, 16.0, iterations=240, generator=seeded()).trace
    for length in (1, 7, 20, 33, 220):
        short = attack(network, images, labels, 16.0, iterations=length, generator=seeded()).trace
        torch.testing.assert_close(whole[: len(short)], short, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("attack", ATTACKS)
def test_ten_times_the_iterations_mislead_further_on_the_mean(
    attack: Iterated, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    few, many = (
        attack(network, images, labels, 16.0, iterations=n, generator=seeded()) for n in (5, 50)
    )
    assert many.trace[-1].mean() > few.trace[-1].mean()


@pytest.mark.parametrize("eps", [1.0, 8.0])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("attack", BY_GRADIENT)
def test_on_a_linear_network_attacks_by_gradient_find_fgsms_optimum(
    attack: Iterated, seed: int, eps: float
) -> None:
    network = Linear(8, seed).eval()
    matters = network.weight.detach() != 0.0
    images, labels = sample(16, 8, seed)
    found = attack(network, images, labels, eps, iterations=9, generator=seeded(seed)).images
    strongest = fgsm(network, images, labels, eps)
    assert torch.equal(found * matters, strongest * matters)


@pytest.mark.parametrize("seed", range(3))
def test_on_a_linear_network_square_nears_the_optimum_and_never_passes_it(seed: int) -> None:
    network = Linear(8, seed).eval()
    images, labels = sample(16, 8, seed)
    found = square(network, images, labels, 8.0, iterations=300, generator=seeded(seed))
    optimum = (1 - 2 * labels) * network(fgsm(network, images, labels, 8.0)).detach()
    clean, reached = found.trace[0], found.trace[-1]
    assert (reached <= optimum + 1e-4).all()
    assert (reached - clean > 0.5 * (optimum - clean)).all()


@pytest.mark.parametrize("eps", [2.0, 8.0, 32.0])
def test_on_a_trained_network_apgd_is_stronger_than_pgd_and_pgd_than_fgsm(
    eps: float, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    one = losses(network, fgsm(network, images, labels, eps), labels)
    walk = pgd(network, images, labels, eps, iterations=20, generator=seeded()).losses[-1]
    adaptive = apgd(network, images, labels, eps, iterations=20, generator=seeded()).losses[-1]
    blind = square(network, images, labels, eps, iterations=20, generator=seeded()).losses[-1]
    assert adaptive.mean() >= walk.mean() >= one.mean() > blind.mean()


@pytest.mark.parametrize("eps", [8.0, 64.0])
def test_apgd_comes_closer_to_the_peak_of_a_quadratic_than_pgd_and_pgd_than_fgsm(
    eps: float,
) -> None:
    network = Quadratic(8, 0).eval()
    images, labels = sample(16, 8)
    labels = torch.zeros_like(labels)
    peak = network.centre.detach().clamp(images - eps / 255.0, images + eps / 255.0)
    optimum = network(peak).detach()
    gaps = [
        optimum - network(found).detach()
        for found in (
            fgsm(network, images, labels, eps),
            pgd(network, images, labels, eps, iterations=30, generator=seeded()).images,
            apgd(network, images, labels, eps, iterations=30, generator=seeded()).images,
        )
    ]
    assert (gaps[0] > gaps[1]).all()
    assert (gaps[1] > gaps[2]).all()
    assert (gaps[2] >= -1e-4).all()
    assert gaps[2].max() < 0.1 * gaps[0].min()


@pytest.mark.parametrize("attack", ATTACKS)
def test_one_seed_gives_one_result_however_images_are_batched(attack: Iterated) -> None:
    network = Quadratic(8, 0).eval()
    images, labels = sample(7, 8)
    whole = attack(network, images, labels, 8.0, iterations=6, generator=seeded())
    generator = seeded()
    parts = [
        attack(network, x, y, 8.0, iterations=6, generator=generator)
        for x, y in zip(images.split([1, 4, 2]), labels.split([1, 4, 2]), strict=True)
    ]
    torch.testing.assert_close(
        torch.cat([p.trace for p in parts], dim=1), whole.trace, rtol=1e-6, atol=1e-6
    )
    other = attack(network, images, labels, 8.0, iterations=6, generator=seeded(1))
    assert not torch.equal(other.trace, whole.trace)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_detector_that_is_very_sure_is_attacked_like_any_other(attack: Iterated) -> None:
    images, labels = sample(8, 8)
    sure, unsure = (
        attack(network.eval(), images, labels, 1.0, iterations=8, generator=seeded()).images
        for network in (Linear(8, 0, scale=2.0**12), Linear(8, 0))
    )
    assert torch.equal(sure, unsure)


@pytest.mark.parametrize("attack", ATTACKS)
def test_network_images_and_global_random_state_are_left_as_they_were(attack: Iterated) -> None:
    network = small_network()
    images, labels = sample(4, 8)
    first, *others = network.parameters()
    first.grad = torch.full_like(first, 3.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inputs, state = images.clone(), torch.get_rng_state()
    found = attack(network, images, labels, 2.0, iterations=3, generator=seeded())
    assert not found.images.requires_grad
    assert not found.trace.requires_grad
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert (first.grad == 3.0).all()
    assert all(parameter.grad is None for parameter in others)
    assert torch.equal(images, inputs)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_works_where_gradients_are_off(attack: Iterated, context: type) -> None:
    network = small_network().requires_grad_(False)
    images, labels = sample(4, 8)
    expected = attack(network, images, labels, 4.0, iterations=3, generator=seeded()).images
    with context():
        found = attack(
            network, images * 1.0, labels * 1, 4.0, iterations=3, generator=seeded()
        ).images
        assert torch.equal(found, expected)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attack_works_in_float32_inside_autocast_and_on_halves(attack: Iterated) -> None:
    network = small_network()
    images, labels = sample(4, 8)
    seen = set()

    def watched(x: Tensor) -> Tensor:
        logits: Tensor = network(x)
        seen.update((x.dtype, logits.dtype))
        return logits

    expected = attack(watched, images, labels, 1.0, iterations=3, generator=seeded()).images
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attack(watched, images, labels, 1.0, iterations=3, generator=seeded()).images
    assert torch.equal(found, expected)
    attack(watched, images.half(), labels, 1.0, iterations=3, generator=seeded())
    assert seen == {torch.float32}


IMAGES, LABELS = sample(2, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": (IMAGES * 255).to(torch.uint8)}, "divide uint8 by 255"),
        ({"labels": LABELS + 0.5}, "labels must be 0 or 1"),
        ({"eps": -1.0}, "eps must be"),
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"restarts": 0}, "restarts must be at least 1, got 0"),
        ({"network": small_network().train()}, "evaluation mode"),
        ({"network": lambda x: x.flatten(1)}, "one differentiable logit per image"),
        ({"network": lambda x: x.mean(dim=(1, 2, 3)) * torch.nan}, "got NaN for 2 of 2 images"),
    ],
)
@pytest.mark.parametrize("attack", ATTACKS)
def test_arguments_of_another_kind_are_refused(
    attack: Iterated, arguments: dict[str, object], message: str
) -> None:
    given = {"network": small_network(), "images": IMAGES, "labels": LABELS, "eps": 1.0}
    with pytest.raises(ValueError, match=message):
        attack(**{**given, "generator": seeded(), **arguments})


@pytest.mark.parametrize("attack", BY_GRADIENT)
def test_a_network_without_gradients_is_refused_by_attacks_that_need_them(
    attack: Iterated,
) -> None:
    with pytest.raises(ValueError, match="requires_grad=False"):
        attack(lambda x: x.detach().mean(dim=(1, 2, 3)), IMAGES, LABELS, 1.0, generator=seeded())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_gpu_finds_what_the_cpu_finds(attack: Iterated) -> None:
    network, (images, labels) = Quadratic(8, 0).eval(), sample(4, 8)
    on_cpu = attack(network, images, labels, 8.0, iterations=10, generator=seeded())
    on_gpu = attack(
        *(network.cuda(), images.cuda(), labels, 8.0), iterations=10, generator=seeded()
    )
    assert on_gpu.images.is_cuda
    torch.testing.assert_close(on_gpu.trace.cpu(), on_cpu.trace, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="generator must be on the CPU"):
        attack(network, images.cuda(), labels, 8.0, generator=torch.Generator("cuda"))
