import logging
import sys

import pytest

from bonas.commands.condition_options import Conditions, chosen_protocol
from bonas.config import Config, ConfigError, ScoreTable
from bonas.robustness.corruptions import STANDARD, Corruption
from bonas.score_protocol import everything, protocol_of, with_attacks


@pytest.fixture
def without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # importing it fails


def chosen(
    corruptions: str | None,
    conditions: Conditions = Conditions.CLEAN,
    *,
    score: tuple[Corruption, ...] = (Corruption.JPEG,),
) -> tuple[Corruption, ...]:
    given = {"severities": None, "attacks": None, "seed": None}
    config = Config(score=ScoreTable(corruptions=score))
    return chosen_protocol(config, conditions, corruptions=corruptions, **given).corruptions


def test_all_corruptions_are_those_that_are_installed(
    without_pyav: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert chosen(None, Conditions.ALL) == chosen("all") == STANDARD
        assert chosen("all", Conditions.ALL) == STANDARD
    assert len(caplog.messages) == 3
    assert "'video' is left out: it needs PyAV (pip install 'bonas[video]')" in caplog.messages[0]


def test_with_pyav_all_are_all() -> None:
    pytest.importorskip("av")
    assert chosen(None, Conditions.ALL) == chosen("all") == tuple(Corruption)


def test_a_corruption_asked_for_by_name_is_not_left_out(without_pyav: None) -> None:
    with pytest.raises(ConfigError, match=r"--corruptions names 'video'.*bonas\[video\]"):
        chosen("jpeg,video")
    video = (Corruption.VIDEO,)
    with pytest.raises(ConfigError, match=r"score\.corruptions names 'video'.*bonas\[video\]"):
        protocol_of(ScoreTable(corruptions=video), seed=0)
    with pytest.raises(ConfigError, match=r"score\.corruptions names 'video'"):
        chosen(None, Conditions.SCORE, score=video)


def test_what_a_run_was_scored_on_does_not_matter_where_it_is_not_tested(
    without_pyav: None, caplog: pytest.LogCaptureFixture
) -> None:
    video = (Corruption.VIDEO,)
    assert chosen(None, Conditions.CLEAN, score=video) == ()
    assert chosen("jpeg", Conditions.SCORE, score=video) == (Corruption.JPEG,)
    assert chosen("none", Conditions.ALL, score=video) == ()
    assert not caplog.messages


def test_attacks_alone_ask_for_no_corruption(
    without_pyav: None, caplog: pytest.LogCaptureFixture
) -> None:
    protocol = protocol_of(ScoreTable(), seed=0)
    assert with_attacks(protocol, {}).corruptions == protocol.corruptions
    assert not caplog.messages
    assert everything(protocol).attacks.keys() > protocol.attacks.keys()
