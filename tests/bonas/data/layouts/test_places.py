from functools import partial
from pathlib import Path

import pytest

from bonas.data.faces import DataError
from bonas.data.layouts.places import RegularFiles, inside
from tests.bonas.data.pictures import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder beside one with a secret, and links from the first into the second."""
    picture(tmp_path / "data" / "deep" / "a.png")
    picture(tmp_path / "data" / "a.png")
    picture(tmp_path / "other" / "deep" / "secret.png")
    (tmp_path / "data" / "out").symlink_to(tmp_path / "other" / "deep")
    (tmp_path / "data" / "secret.png").symlink_to(tmp_path / "other" / "deep" / "secret.png")
    (tmp_path / "data" / "within.png").symlink_to(tmp_path / "data" / "a.png")
    return tmp_path / "data"


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(
    "path", ["a.png", "deep/a.png", "deep\\a.png", "deep/../a.png", "within.png", "gone/b.png", "."]
)
def test_a_path_below_the_folder_is_given_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str, relative: bool
) -> None:
    monkeypatch.chdir(folder)
    base = Path() if relative else folder
    assert inside(base, path, "table") == base / path.replace("\\", "/")


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "../other/x.png",
        "..",
        "out/secret.png",
        "out/../x.png",
        "secret.png",
        "/x.png",
        "../data2/x",
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str, relative: bool
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match=r"table: path .* leaves the data folder"):
        inside(Path() if relative else folder, path, "table")


@pytest.mark.parametrize("files", [False, True])
@pytest.mark.parametrize("base", [".", "../data", "../link"])
def test_an_absolute_path_inside_begins_with_the_folder_as_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, base: str, files: bool
) -> None:
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    find = RegularFiles(Path(base)).inside if files else partial(inside, Path(base))
    for path in ("a.png", "deep/a.png", "within.png", "gone/b.png", "."):
        assert find(str(folder / path), "table") == Path(base) / path
        assert find(str(folder / path).replace("/", "\\"), "table") == Path(base) / path


@pytest.mark.parametrize("path", ["a\0b.png", "x" * 5000])
def test_what_is_no_path_is_said(folder: Path, path: str) -> None:
    with pytest.raises(DataError, match="is no usable path"):
        inside(folder, path, "table")
