"""The examples run as they stand, and stay short."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_ends_with_its_best_trial(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.startswith("trial ")


def test_a_space_of_ones_own_takes_less_than_sixty_lines() -> None:
    text = (EXAMPLES / "own_space.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
