import builtins
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonas.data.clips import clips_in, evenly, is_video, natural, read_video
from bonas.data.faces import DataError
from bonas.data.images import UnreadableFile
from tests.bonas.data.pictures import picture, video


@pytest.mark.parametrize(("length", "count"), [(300, 32), (33, 32), (32, 32), (7, 32), (100, 1)])
def test_positions_are_distinct_ascending_and_equally_far_apart(length: int, count: int) -> None:
    positions = evenly(length, count)
    assert len(positions) == min(length, count)
    assert positions == sorted(set(positions))
    assert 0 <= positions[0] <= positions[-1] < length
    steps = set(np.diff(positions).tolist())
    assert not steps or max(steps) - min(steps) <= 1
    assert abs(positions[0] - (length - 1 - positions[-1])) <= 1


def test_frames_are_rgb_in_the_order_of_time(tmp_path: Path) -> None:
    file = video(tmp_path / "a.mp4", list(range(10, 250, 10)))
    frames = read_video(file, 16, 6)
    assert [f.shape for f in frames] == [(16, 16, 3)] * 6
    assert [int(f.mean()) for f in frames] == pytest.approx([30, 70, 110, 150, 190, 230], abs=4)


def test_channels_are_not_swapped(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        red = np.zeros((32, 32, 3), dtype=np.uint8)
        red[:, :, 0] = 200
        container.mux(stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24")))
        container.mux(stream.encode())
    [frame] = read_video(tmp_path / "a.mp4", 16, 4)
    assert frame[8, 8].tolist() == pytest.approx([200, 0, 0], abs=8)


def test_an_m4v_is_a_video(tmp_path: Path) -> None:
    file = video(tmp_path / "a.mp4", [20, 40, 60]).rename(tmp_path / "a.M4V")
    assert is_video(file)
    assert len(read_video(file, 16, 32)) == 3


def test_a_short_video_gives_all_its_frames(tmp_path: Path) -> None:
    assert len(read_video(video(tmp_path / "a.mp4", [20, 40, 60]), 16, 32)) == 3


def contents(whole: bytes) -> Sequence[bytes]:
    return b"", b"no video", whole[:100], whole[: len(whole) // 2], b"\0" * 1000


@pytest.mark.parametrize("number", range(5))
def test_a_torn_video_is_unreadable(tmp_path: Path, number: int) -> None:
    file = video(tmp_path / "a.mp4", [20] * 4)
    file.write_bytes(contents(file.read_bytes())[number])
    with pytest.raises(UnreadableFile, match="unreadable video") as error:
        read_video(file, 16, 4)
    assert str(tmp_path) not in str(error.value), "who reads it names the file"


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile b.mp4\n", "#EXTM3U\n#EXTINF:1,\nb.mp4\n#EXT-X-ENDLIST\n"]
)
def test_a_play_list_opens_no_other_file(tmp_path: Path, text: str) -> None:
    video(tmp_path / "b.mp4", [20] * 4)
    (tmp_path / "a.mp4").write_text(text)
    with pytest.raises(UnreadableFile, match="unreadable video"):
        read_video(tmp_path / "a.mp4", 16, 4)


def test_a_video_without_pictures_is_refused(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(UnreadableFile, match="has no video stream"):
        read_video(tmp_path / "a.mkv", 16, 4)


def test_without_the_decoder_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pip install 'bonas\[video\]'"):
        read_video(tmp_path / "a.mp4", 16, 4)


@pytest.mark.parametrize(
    ("places", "read"),
    [
        (["images"], "images"),
        (["frames", "images"], "frames"),
        (["images", "videos"], "images"),
        (["videos"], "videos"),
    ],
)
def test_folders_of_frames_are_preferred_to_videos(
    tmp_path: Path, places: list[str], read: str
) -> None:
    for place in places:
        file = tmp_path / place / ("000.mp4" if place == "videos" else "000/0.png")
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / "frames").mkdir(exist_ok=True)  # empty, it has no clips
    [file] = clips_in(tmp_path)["000"].files
    assert file.relative_to(tmp_path).parts[0] == read


def test_a_video_without_extracted_frames_is_a_clip_beside_those_with(tmp_path: Path) -> None:
    for file in ("frames/000/0.png", "frames/002/note.txt", "frames/003/note.txt"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    (tmp_path / "videos").mkdir()
    for name in ("000", "001", "002"):
        (tmp_path / "videos" / f"{name}.mp4").touch()
    read = {name: [f.suffix for f in clip.files] for name, clip in clips_in(tmp_path).items()}
    assert read == {"000": [".png"], "001": [".mp4"], "002": [".mp4"], "003": []}


def test_numbers_within_names_are_ordered_by_their_value() -> None:
    rng = np.random.default_rng(0)
    values = [*(10 ** rng.uniform(0, 9, 200)).astype(int).tolist(), 0, 1, 9, 10, 99, 100]
    other = ["v\u0661\u0662_f", "v\u0660\u0660\u0669_f"]  # 12 and 009 in Arabic digits
    names = [f"v{value:0{width}}_f" for value in values for width in (1, 4)] + other
    assert sorted(names, key=natural) == sorted(names, key=lambda n: int(n[1:-2]))
    assert sorted(["a" + "1" * 5000, "a" + "1" * 4999, "a2"], key=natural)[0] == "a2"


def test_frames_are_in_the_order_of_their_numbers_and_hidden_files_are_none(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame2.png", "frame1.png", "._frame1.png"):
        picture(tmp_path / "frames" / "000" / name)
    (tmp_path / "frames" / "000" / "notes.txt").write_text("no image")
    assert [f.name for f in clips_in(tmp_path)["000"].files] == [
        "frame1.png",
        "frame2.png",
        "frame10.png",
    ]
