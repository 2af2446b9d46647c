"""Which face of a video is meant, and what is cut out around it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonas.data.preparation.boxes import Box, FoundFace, main_face, overlap, squares

SIDES = st.floats(1, 200)
BOXES = st.builds(Box, st.floats(-50, 300), st.floats(-50, 300), SIDES, SIDES)


def face(left: float, edge: float = 20, top: float = 50) -> FoundFace:
    return FoundFace(Box(left, top, edge, edge))


@given(first=BOXES, second=BOXES)
def test_overlap_is_symmetric_between_0_and_1_and_1_with_itself(first: Box, second: Box) -> None:
    assert 0 <= overlap(first, second) <= 1 + 1e-9
    assert overlap(first, second) == pytest.approx(overlap(second, first))
    assert overlap(first, first) == pytest.approx(1)


def test_of_two_people_the_larger_is_followed_whatever_the_order_they_are_found_in() -> None:
    near, far = [face(10 + 3 * t, 40) for t in range(5)], [face(150 - 2 * t) for t in range(5)]
    found = [[a, b] if t % 2 else [b, a] for t, (a, b) in enumerate(zip(near, far, strict=True))]
    assert main_face(found) == near


def test_a_large_false_alarm_in_one_frame_is_not_the_face() -> None:
    seen = [face(10 + t, 40) for t in range(8)]
    found: list[list[FoundFace]] = [[one] for one in seen]
    found[3].insert(0, face(100, 90))
    assert main_face(found) == seen


def test_a_face_is_found_again_after_frames_without_it() -> None:
    assert main_face([[face(10)], [], [], [face(12)]]) == [face(10), None, None, face(12)]


def test_a_box_elsewhere_is_another_face() -> None:
    assert main_face([[face(10)], [face(12)], [face(200)]]) == [face(10), face(12), None]


@pytest.mark.parametrize("found", [[], [[]], [[], []]])
def test_without_faces_no_frame_has_one(found: Sequence[Sequence[FoundFace]]) -> None:
    assert main_face(found) == [None] * len(found)


def test_a_trembling_face_is_cut_by_one_square() -> None:
    cut = squares([face(100), face(102), None, face(101)], [(640, 360)] * 4, 1.5)
    assert cut[2] is None
    assert {cut[0], cut[1], cut[3]} == {Box(96, 45, 30, 30)}


def test_a_face_that_walks_is_followed_by_squares_of_one_size() -> None:
    faces = [face(100 + 20 * t, 20 + t) for t in range(5)]
    cut = squares(faces, [(640, 360)] * 5, 1.5)
    lefts = [box.left for box in cut if box is not None]
    assert {box.width for box in cut if box is not None} == {33}
    assert lefts == sorted(set(lefts))


@given(
    boxes=st.lists(st.one_of(st.none(), BOXES), min_size=1, max_size=5),
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    enlarge=st.floats(1, 3),
)
def test_every_square_is_whole_numbered_square_and_inside_the_picture(
    boxes: list[Box | None], width: int, height: int, enlarge: float
) -> None:
    faces = [None if box is None else FoundFace(box) for box in boxes]
    cut = squares(faces, [(width, height)] * len(faces), enlarge)
    assert [box is None for box in cut] == [box is None for box in boxes]
    for box in cut:
        if box is not None:
            assert all(value == int(value) for value in (box.left, box.top, box.width))
            assert box.width == box.height >= 1
            assert 0 <= box.left <= box.left + box.width <= width
            assert 0 <= box.top <= box.top + box.height <= height


@given(box=BOXES, enlarge=st.floats(1, 2))
def test_the_same_face_is_cut_alike_alone_and_in_a_still_video(box: Box, enlarge: float) -> None:
    [alone] = squares([FoundFace(box)], [(400, 400)], enlarge)
    assert squares([FoundFace(box)] * 4, [(400, 400)] * 4, enlarge) == [alone] * 4
