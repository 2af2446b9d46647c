from pathlib import Path

import pytest

from bonas.packaging_check import check_sisters, shadowing

HOME = Path("/site-packages")


def test_our_own_packages_pass() -> None:
    check_sisters(Path(__file__).parents[2])


def test_another_distribution_of_the_name_is_named() -> None:
    problem = shadowing("spaces", HOME / "spaces/__init__.py", HOME, {"spaces": ["spaces-hf"]})
    assert problem is not None
    assert "'spaces-hf'" in problem
    assert "uninstall spaces-hf" in problem


def test_a_module_found_elsewhere_is_named() -> None:
    problem = shadowing("surrogates", Path("/elsewhere/surrogates/__init__.py"), HOME, {})
    assert problem is not None
    assert "/elsewhere/surrogates/__init__.py" in problem


def test_a_missing_package_is_named() -> None:
    assert "was not found" in (shadowing("spaces", None, HOME, {"spaces": ["bonas"]}) or "")


def test_import_fails_where_a_name_is_shadowed(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="shadowed by"):
        check_sisters(tmp_path)
