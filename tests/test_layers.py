"""The arrows between the three packages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spaces
import surrogates

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"spaces": {"surrogates", "bonas"}, "surrogates": {"bonas"}}


def imported(file: Path) -> set[str]:
    """Top-level names that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_a_package_imports_nothing_from_above_it(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    upward = {f: imported(f) & FORBIDDEN[package] for f in files}
    assert not {f.name: names for f, names in upward.items() if names}


def test_spaces_know_no_torch_module() -> None:
    for file in (ROOT / "spaces").rglob("*.py"):
        assert "torch.nn" not in file.read_text(encoding="utf-8"), file


def test_the_sister_packages_are_ours() -> None:
    assert Path(spaces.__path__[0]) == ROOT / "spaces"
    assert Path(surrogates.__path__[0]) == ROOT / "surrogates"


def test_all_exports_are_there_and_none_of_them_is_loaded_unasked() -> None:
    program = (
        "import sys, bonas, bonas.data.preparation.workers\n"
        "assert 'torch' not in sys.modules and 'optuna' not in sys.modules\n"
        "assert all(getattr(bonas, name) for name in bonas.__all__)\n"
        "assert set(bonas.__all__) <= set(dir(bonas))\n"
        "assert not hasattr(bonas, 'Nothing')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
