import functools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bonas.assembly import Components
from bonas.cli import main
from bonas.config_file import parse_config
from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.supernet import uniform_paths
from bonas.estimation.zero_cost import PROXIES, ZeroCostEstimator
from bonas.estimation.zero_cost_filter import ZeroCostFilter
from bonas.networks.builder import ForgeryBuilder
from bonas.networks.cost import OptionCosts
from bonas.observation import Observation
from bonas.opening import zero_cost_filter
from bonas.run_folder import RunFolder
from bonas.search import Search
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import PASSED_OVER
from bonas.strategies.random import RandomSampler
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from tests.bonas.networks.test_networks import drawn
from tests.bonas.test_cli import TINY

BUILDER = ForgeryBuilder(width=4, level_width=8)


def estimator(proxy: str = "multiply_adds") -> ZeroCostEstimator:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 32, 32, generator=generator)
    return ZeroCostEstimator(BUILDER, proxy, images, torch.tensor([0, 1, 0, 1]))


@functools.cache
def costs() -> OptionCosts:
    return OptionCosts.count(BUILDER, 32)


def size_of(architecture: Architecture) -> float:
    return costs().cost(architecture)["multiply_adds"]


class SummedEstimator(ZeroCostEstimator):
    """Sums what options cost instead of building networks: what is tested is the filter."""

    def score(self, architecture: Architecture, *, seed: int) -> float:
        return size_of(architecture)


@pytest.fixture(scope="module")
def large() -> ZeroCostFilter:
    """What passes the three tenths with the most multiply-adds."""
    images = torch.zeros(4, 3, 32, 32)
    summed = SummedEstimator(BUILDER, "multiply_adds", images, torch.tensor([0, 1, 0, 1]))
    return ZeroCostFilter(summed, share=0.3, reference=200)


def test_the_share_of_random_architectures_passes(large: ZeroCostFilter) -> None:
    fresh = drawn(400, seed=9)
    passing = sum(map(large, fresh))
    assert 80 <= passing <= 160, "the share is 30 %, estimated by 200"
    assert all(large(a) == (size_of(a) >= large.threshold) for a in fresh)


def test_the_share_is_of_what_may_be_proposed() -> None:
    """Of small networks alone, half pass, though all are small among the space's."""
    most = float(np.quantile([size_of(a) for a in drawn(200, seed=1)], 0.1))
    draw = uniform_paths(FORGERY, lambda a: size_of(a) <= most)
    images = torch.zeros(4, 3, 32, 32)
    summed = SummedEstimator(BUILDER, "multiply_adds", images, torch.tensor([0, 1, 0, 1]))
    some = ZeroCostFilter(summed, share=0.5, draw=draw)
    rng = np.random.default_rng(5)
    fresh = [draw(rng) for _ in range(200)]
    assert 60 <= sum(map(some, fresh)) <= 140
    assert all(size_of(a) <= some.threshold for a in fresh if not some(a))
    whole = ZeroCostFilter(summed, share=0.5)
    assert not any(map(whole, fresh)), "the smallest tenth is below the median of all"


@pytest.mark.parametrize("proxy", ["naswot", "jacob_cov"])
def test_a_proxy_of_real_faces_alone_sees_blended_copies(proxy: str, tmp_path: Path) -> None:
    """The pairs of `data.real_only` are one image twice, of which these know nothing."""
    settings = {
        "space": {"width": 4, "level_width": 8},
        "data": {"layout": "synthetic", "identities": 40, "size": 32, "real_only": True},
        "search": {"zero_cost": proxy},
        "supernet": {"batch_size": 4},
        "device": {"name": "cpu", "threads": 1},
    }
    folder = RunFolder.create(tmp_path / "run", parse_config(settings, "test"))
    some = zero_cost_filter(Components.of(folder))
    assert some is not None
    scores = [some.score(a) for a in drawn(12)]
    assert np.isfinite(scores).all()
    assert len(set(scores)) == 12
    assert -math.inf < some.threshold < max(scores)


def test_a_proxy_that_says_nothing_is_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
        raise EstimationFailed("naswot is nan.")

    monkeypatch.setitem(PROXIES, "naswot", fail)
    (tmp_path / "tiny.toml").write_text(TINY)
    run = tmp_path / "run"
    command = ["search", str(tmp_path / "tiny.toml"), "--out", str(run)]
    assert main([*command, "--set", "search.zero_cost=naswot"]) == 2
    assert "search.zero_cost: naswot is not finite for any of 100" in capsys.readouterr().err
    assert not list(run.glob("supernet*"))


def test_a_search_shows_how_far_the_filter_is_and_says_what_filtered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    command = ["search", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "run")]
    settings = ["search.zero_cost=naswot", "search.zero_cost_share=0.25"]
    assert main([*command, *(a for setting in settings for a in ("--set", setting))]) == 0
    shown = capsys.readouterr()
    assert "naswot of networks: 100/100" in shown.err
    assert shown.err.index("naswot of networks") < shown.err.index("supernet: 9/9")
    assert "among the highest 25% by naswot of an untrained network" in shown.out


@pytest.mark.parametrize("strategy", ["bayesian", "random"])
def test_a_filtered_search_estimates_only_what_passes(large: ZeroCostFilter, strategy: str) -> None:
    sampler = STRATEGIES[strategy](FORGERY, 0)
    sampler.promising = large  # type: ignore[attr-defined]
    search = Search(FORGERY, sampler=sampler)
    for _ in range(13):
        architecture = search.ask()
        assert large(architecture)
        search.tell(architecture, Observation(value=-size_of(architecture)))


def test_where_nothing_is_promising_a_search_goes_on() -> None:
    asked: list[Architecture] = []

    def never(architecture: Architecture) -> bool:
        asked.append(architecture)
        return False

    sampler = RandomSampler(FORGERY, seed=0)
    sampler.promising = never
    proposed = Search(FORGERY, sampler=sampler).ask()
    assert len(asked) == PASSED_OVER
    assert proposed == asked[0]


def test_a_score_that_fails_does_not_pass_and_is_computed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    some = ZeroCostFilter(estimator("naswot"), reference=5)
    calls = []

    def fail(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
        calls.append(model)
        raise EstimationFailed("naswot is nan.")

    monkeypatch.setitem(PROXIES, "naswot", fail)
    architecture = drawn(1, seed=77)[0]
    assert not some(architecture)
    assert some.score(architecture) == -math.inf
    assert len(calls) == 1
    with pytest.raises(ValueError, match="naswot is not finite for any of 5 random"):
        ZeroCostFilter(estimator("naswot"), reference=5)


def test_a_share_outside_its_range_is_refused() -> None:
    for share in (0.0, 1.5, float(np.nan)):
        with pytest.raises(ValueError, match="share is"):
            ZeroCostFilter(estimator(), share=share)
