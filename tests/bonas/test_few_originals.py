"""Tiny samples are told wherever their AUCs are."""

from dataclasses import replace

import pytest

from bonas.device import Device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.few_originals import flag_lines, flags_of
from bonas.robustness.conditions import CLEAN, Condition, Group
from bonas.robustness.corruptions import Corruption
from tests.conftest import striped_faces

UNSEEN = Condition(Group.UNSEEN, "other")


def test_originals_of_each_class_are_counted_not_images(cpu: Device) -> None:
    enough = striped_faces(10)
    one_class = enough.select([*range(8), *range(8, 20, 2)])  # forgeries of four originals
    merged = replace(enough, originals=tuple(f"video{i // 4}" for i in range(20)))
    assert flags_of({CLEAN: enough}) == {}
    assert flags_of({CLEAN: enough, UNSEEN: one_class}) == {
        "unseen/other": ["forged ones of 4 originals only, intervals are too narrow"]
    }
    assert len(flags_of({CLEAN: merged})["clean"]) == 2
    protocol = Protocol(corruptions=(Corruption.BLUR,), severities=(1, 2), attack_images=8)
    evaluation = Evaluation.of(enough, {}, protocol, cpu)
    assert set(flags_of(evaluation.views)) == {"attack/fgsm"}, "few images are attacked"


@pytest.mark.parametrize("few", ["real ones of 2", "forged ones of 3"])
def test_conditions_with_one_flag_share_a_line(few: str) -> None:
    lines = flag_lines({"unseen/b": [few, "other"], "clean": [few]})
    assert lines == [f"clean, unseen/b: {few}", "unseen/b: other"]
