"""Videos whose frames are listed one by one: of each only some are taken."""

from collections.abc import Sequence

from bonas.data.clips import evenly, is_video, natural
from bonas.data.layouts.records import Record


def thinned(records: Sequence[Record], count: int) -> tuple[list[Record], list[str]]:
    """The records in their order, of every video at most `count` frames, evenly; and a note.

    Frames belong to one video when its name, their original, forgery and split are the same, and
    follow one another as their names do.
    """
    videos: dict[tuple[str, ...], list[int]] = {}
    for number, record in enumerate(records):
        if record.video and not is_video(record.path):
            key = (record.split.value, record.forgery, record.original, record.video)
            videos.setdefault(key, []).append(number)
    dropped: set[int] = set()
    for frames in videos.values():
        if len(frames) > count:
            ordered = sorted(frames, key=lambda number: natural(str(records[number].path)))
            dropped |= set(frames) - {ordered[i] for i in evenly(len(ordered), count)}
    kept = [record for number, record in enumerate(records) if number not in dropped]
    note = f"{len(dropped)} frames left out: data.frames_per_video is {count}"
    return kept, [note] if dropped else []
