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


def chosen(corruptions: str | None, conditions: Conditions = Conditions.CLEAN) -> tuple[str, ...]:
    given = {"severities": None, "attacks": None, "seed": None}
    return chosen_protocol(Config(), conditions, corruptions=corruptions, **given).corruptions


def test_all_corruptions_are_those_that_are_installed(
    without_pyav: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert chosen(None, Conditions.ALL) == chosen("all") == STANDARD
    assert len(caplog.messages) == 2
    assert "'video' is left out: it needs PyAV (pip install 'bonas[video]')" in caplog.messages[0]


def test_with_pyav_all_are_all() -> None:
    pytest.importorskip("av")
    assert chosen(None, Conditions.ALL) == chosen("all") == tuple(Corruption)


def test_a_corruption_asked_for_by_name_is_not_left_out(without_pyav: None) -> None:
    with pytest.raises(ConfigError, match=r"--corruptions names 'video'.*bonas\[video\]"):
        chosen("jpeg,video")
    table = ScoreTable(corruptions=(Corruption.VIDEO,))
    with pytest.raises(ConfigError, match=r"score\.corruptions names 'video'.*bonas\[video\]"):
        protocol_of(table, seed=0)


def test_attacks_alone_ask_for_no_corruption(
    without_pyav: None, caplog: pytest.LogCaptureFixture
) -> None:
    protocol = protocol_of(ScoreTable(), seed=0)
    assert with_attacks(protocol, {}).corruptions == protocol.corruptions
    assert not caplog.messages
    assert everything(protocol).attacks.keys() > protocol.attacks.keys()
